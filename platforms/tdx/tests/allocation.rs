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
use atls_reference::Live;
use atls_tdx::Collateral;
use atls_tdx::SuppliedCollateral;
use atls_tdx::TdxVerifier;
use atls_tdx::Tee;
use atls_tdx::testing::ForgedPlatform;
use support::NOW;
use support::REPORT_DATA;
use support::at;
use support::policy;
use support::ready;

#[test]
fn allocations_are_bounded_by_the_input() {
    let mut findings = Findings::new();
    quotes(&mut findings);
    collateral(&mut findings);
    findings.assert_none();
}

fn quotes(findings: &mut Findings) {
    let platform = ForgedPlatform::new(NOW).unwrap();
    let report = platform.td_report();
    let quote = platform.tdx_quote(&report, &REPORT_DATA).unwrap();
    let collateral = platform.collateral(Tee::Tdx).unwrap();
    let verifier = TdxVerifier::dangerous_with_root(
        platform.root(),
        Arc::new(Live::fixed(policy(&report)).unwrap()),
        Arc::new(SuppliedCollateral::new([collateral])),
    );
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
        per_byte: 64,
        constant: 512 * 1024,
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
        per_byte: 8,
        constant: 64 * 1024,
    };
    findings.check("collateral in CBOR", bound, &inputs, Collateral::decode);
    let mut inputs = hostile::json(LENGTH);
    inputs.extend(hostile::within(hostile::json(LENGTH), |value| {
        [b"{\"tcb_info\":", value, b"}"].concat()
    }));
    findings.check("collateral in JSON", bound, &inputs, |text| {
        Collateral::from_json(std::str::from_utf8(text).unwrap())
    });

    // Its pieces, each hostile by itself.
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
    let bound = Bound {
        per_byte: 24,
        ..bound
    };
    let mut lists = hostile::der(LENGTH);
    lists.push(Hostile::new(
        "many revoked",
        hostile::revocation_list(3_000),
    ));
    findings.check("revocation list", bound, &lists, |der| {
        let mut parts = parts.clone();
        parts.pck_crl = der.to_vec();
        Collateral::new(parts)
    });
}
