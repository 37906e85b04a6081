//! No quote, event log or collateral costs much more memory than its length.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod support;

use std::sync::Arc;

use allocation::Bound;
use allocation::Findings;
use allocation::Hostile;
use allocation::hostile;
use atls_collateral::Fetch;
use atls_core::BoxFuture;
use atls_core::Evidence;
use atls_core::Verifier;
use atls_core::http::HttpClient;
use atls_core::http::HttpError;
use atls_core::http::HttpLimits;
use atls_reference::from_json;
use atls_tdx::Collateral;
use atls_tdx::CollateralParts;
use atls_tdx::Pcs;
use atls_tdx::SgxPolicy;
use atls_tdx::SuppliedCollateral;
use atls_tdx::TdxPolicy;
use atls_tdx::Tee;
use atls_tdx::testing::ForgedPlatform;
use support::NOW;
use support::REPORT_DATA;
use support::own;
use support::policy;
use support::td_verifier;
use test_support::Connection;
use test_support::at;
use test_support::ready;

#[test]
fn allocations_are_bounded_by_the_input() {
    let mut findings = Findings::new();
    quotes(&mut findings);
    envelopes(&mut findings);
    collateral(&mut findings);
    answers(&mut findings);
    policies(&mut findings);
    findings.assert_none();
}

fn quotes(findings: &mut Findings) {
    let platform = ForgedPlatform::new(NOW).unwrap();
    let report = platform.td_report();
    let quote = platform.tdx_quote(&report, &REPORT_DATA).unwrap();
    let verifier = td_verifier(&platform, policy(&report), own(&platform, Tee::Tdx));
    // Every length in a quote is 2 or 4 bytes somewhere behind the report.
    let mut inputs = Vec::new();
    for position in 0..quote.len() - 4 {
        let mut claims = quote.clone();
        claims[position..position + 4].copy_from_slice(&[0xff, 0xff, 0x0f, 0]);
        inputs.push(Hostile::new(
            &format!("1 MiB claimed at {position}"),
            claims,
        ));
    }
    let header = &quote[..1_200];
    inputs.push(Hostile::new("zeros", [header, &[0; 60_000]].concat()));
    inputs.extend(hostile::within(hostile::pem(14_000), |pem| {
        [header, pem].concat()
    }));
    let refused = Bound {
        per_byte: 8,
        constant: 64 * 1024,
    };
    findings.check("quote", refused, &inputs, |quote| {
        ready(verifier.appraise_quote(quote, &[], at(NOW))).map(drop)
    });
}

fn collateral(findings: &mut Findings) {
    const LENGTH: usize = 60_000;
    let mut inputs = hostile::cbor(LENGTH);
    for key in 1..=9_u8 {
        inputs.extend(hostile::within(hostile::cbor(LENGTH), |item| {
            [&[0xa1, key], item].concat()
        }));
    }
    let bound = Bound {
        per_byte: 4,
        constant: 48 * 1024,
    };
    findings.check("collateral in CBOR", bound, &inputs, Collateral::decode);
    let mut inputs = hostile::json(LENGTH);
    inputs.extend(hostile::within(hostile::json(LENGTH), |value| {
        [b"{\"tcb_info\":", value, b"}"].concat()
    }));
    findings.check("collateral in JSON", bound, &inputs, |text| {
        Collateral::from_json(std::str::from_utf8(text).unwrap())
    });

    // Pieces of collateral, each hostile by itself.
    let platform = ForgedPlatform::new(NOW).unwrap();
    let parts = platform.collateral(Tee::Tdx).unwrap().parts().clone();
    let documents = hostile::within(hostile::json(LENGTH), |value| {
        let head = b"{\"id\":\"TDX\",\"fmspc\":\"000000000000\",\"tcbLevels\":";
        [&head[..], value, b"}"].concat()
    });
    findings.check("TCB Info", bound, &documents, |text| {
        let mut parts = parts.clone();
        parts.tcb_info = String::from_utf8(text.to_vec()).unwrap();
        Collateral::new(parts)
    });
    let of_list = |der: &[u8]| {
        let mut parts = parts.clone();
        parts.pck_crl = der.to_vec();
        Collateral::new(parts)
    };
    // Not parsed.
    let large = hostile::large_revocation_lists();
    findings.check("large revocation list", bound, &large, of_list);
    let bound = Bound {
        per_byte: 24,
        ..bound
    };
    let mut lists = hostile::der(LENGTH);
    lists.push(Hostile::new(
        "many revoked",
        hostile::revocation_list(3_000),
    ));
    findings.check("revocation list", bound, &lists, of_list);
}

/// A quote beside its event log.
fn envelopes(findings: &mut Findings) {
    const LENGTH: usize = 60_000;
    let platform = ForgedPlatform::new(NOW).unwrap();
    let policy = policy(&platform.td_report());
    let verifier = td_verifier(&platform, policy, Arc::new(SuppliedCollateral::new([])));
    let connection = Connection::new();
    let mut inputs = hostile::cbor(LENGTH);
    // An empty quote, and something in place of the log.
    inputs.extend(hostile::within(hostile::cbor(LENGTH), |item| {
        [&[0x82, 0x40], item].concat()
    }));
    let bound = Bound {
        per_byte: 4,
        constant: 16 * 1024,
    };
    let envelope = &verifier.media_types()[1];
    findings.check("envelope", bound, &inputs, |bytes| {
        let evidence = Evidence::new(envelope, bytes, connection.bound());
        ready(verifier.appraise(&evidence, at(NOW))).map(drop)
    });
}

/// Answers in place of Intel's service, good but for one piece.
fn answers(findings: &mut Findings) {
    const LENGTH: usize = 200_000;
    let platform = ForgedPlatform::new(NOW).unwrap();
    let good = platform.collateral(Tee::Tdx).unwrap().parts().clone();
    let mut documents = hostile::json(LENGTH);
    for member in ["tcbInfo", "enclaveIdentity", "signature", "other"] {
        documents.extend(hostile::within(hostile::json(LENGTH), |value| {
            [format!("{{\"{member}\":").as_bytes(), value, b"}"].concat()
        }));
    }
    let mut lists = hostile::der(LENGTH);
    lists.push(Hostile::new(
        "many revoked",
        hostile::revocation_list(3_000),
    ));
    lists.push(Hostile::new("hexadecimal", vec![b'3'; LENGTH]));
    // Chains of a header; clients accept some tens of kilobytes of it.
    let mut chains = hostile::within(hostile::pem(LENGTH / 4), |pem| {
        let text = String::from_utf8(pem.to_vec()).unwrap();
        text.replace('\n', "%0A").into_bytes()
    });
    chains.push(Hostile::new("escapes", b"%41".repeat(LENGTH / 3)));
    for (name, piece, inputs, per_byte) in [
        ("TCB Info", Piece::Tcb, &documents, 8),
        ("QE Identity", Piece::Identity, &documents, 8),
        ("revocation list", Piece::PckCrl, &lists, 24),
        ("issuer chain", Piece::Chain, &chains, 40),
    ] {
        let bound = Bound {
            per_byte,
            constant: 128 * 1024,
        };
        findings.check(&format!("answer: {name}"), bound, inputs, |bytes| {
            let service = Service {
                good: good.clone(),
                piece,
                bytes: bytes.to_vec(),
            };
            let pcs = Pcs::intel(Arc::new(service)).dangerous_with_root(platform.root());
            ready(pcs.fetch("tdx/90c06f000000/platform", at(NOW))).map(drop)
        });
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Piece {
    Chain,
    Identity,
    PckCrl,
    Tcb,
}

struct Service {
    good: CollateralParts,
    piece: Piece,
    bytes: Vec<u8>,
}

impl Service {
    fn body(&self, url: &str) -> Vec<u8> {
        let document = |name: &str, text: &str| {
            format!("{{\"{name}\":{text},\"signature\":\"\"}}").into_bytes()
        };
        let (piece, good) = match url {
            _ if url.contains("/tcb?") => (Piece::Tcb, document("tcbInfo", &self.good.tcb_info)),
            _ if url.contains("/qe/identity") => (
                Piece::Identity,
                document("enclaveIdentity", &self.good.qe_identity),
            ),
            _ if url.contains("/pckcrl?") => (Piece::PckCrl, self.good.pck_crl.clone()),
            _ => return self.good.root_ca_crl.clone(),
        };
        if self.piece == piece {
            self.bytes.clone()
        } else {
            good
        }
    }
}

impl HttpClient for Service {
    fn send(
        &self,
        request: http::Request<Vec<u8>>,
        _: HttpLimits,
    ) -> BoxFuture<'_, Result<http::Response<Vec<u8>>, HttpError>> {
        let chain = match self.piece {
            Piece::Chain => self.bytes.clone(),
            _ => ForgedPlatform::header_of(&self.good.tcb_info_issuer_chain).into_bytes(),
        };
        let response = http::Response::builder()
            .header("tcb-info-issuer-chain", &*chain)
            .header("sgx-enclave-identity-issuer-chain", &*chain)
            .header("sgx-pck-crl-issuer-chain", &*chain)
            .body(self.body(&request.uri().to_string()))
            .unwrap();
        Box::pin(std::future::ready(Ok(response)))
    }
}

fn policies(findings: &mut Findings) {
    const LENGTH: usize = 200_000;
    let digest = "01".repeat(48);
    let image = format!("{{\"name\":\"a\",\"mrtd\":\"{digest}\"}},");
    let enclave = format!("{{\"name\":\"a\",\"mrenclave\":\"{digest}\"}},");
    for (table, items, item, fields) in [
        (
            "tdx",
            "image",
            &image,
            &[
                "accept-tcb",
                "accept-advisories",
                "image",
                "mrseam",
                "ppid",
                "other",
            ][..],
        ),
        (
            "sgx",
            "enclave",
            &enclave,
            &["accept-tcb", "accept-advisories", "enclave", "other"],
        ),
    ] {
        let start = |field: &str| format!("{{\"version\":1,\"{table}\":{{\"{field}\":");
        let mut inputs = Vec::new();
        for field in fields {
            inputs.extend(hostile::within(hostile::json(LENGTH), |value| {
                [start(field).as_bytes(), value, b"}}"].concat()
            }));
        }
        let many = |field: &str, item: &str| {
            let (start, end) = (start(field) + "[", item.trim_end_matches(',').to_owned());
            let end = end + "]}}";
            hostile::filled(LENGTH, start.as_bytes(), item.as_bytes(), end.as_bytes())
        };
        inputs.push(Hostile::new("items", many(items, item)));
        inputs.push(Hostile::new(
            "advisories",
            many("accept-advisories", "\"INTEL-SA-00001\","),
        ));
        inputs.push(Hostile::new(
            "statuses",
            many("accept-tcb", "\"UpToDate\","),
        ));
        let bound = Bound {
            per_byte: 16,
            constant: 16 * 1024,
        };
        findings.check(&format!("policy [{table}]"), bound, &inputs, |text| {
            let text = std::str::from_utf8(text).unwrap();
            match table {
                "tdx" => from_json::<TdxPolicy>(text).map(drop),
                _ => from_json::<SgxPolicy>(text).map(drop),
            }
        });
    }
}
