//! Neither Evidence nor an answer of the service costs much more memory than its length.
#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

use std::sync::Arc;

use allocation::Bound;
use allocation::Findings;
use allocation::Hostile;
use allocation::hostile;
use atls_core::BoxFuture;
use atls_core::http::HttpClient;
use atls_core::http::HttpError;
use atls_core::http::HttpLimits;
use atls_veraison::CcaToken;
use atls_veraison::EvidenceFormat;
use atls_veraison::PsaToken;
use atls_veraison::Service;
use atls_veraison::SevSnpReport;

#[test]
fn allocations_are_bounded_by_the_input() {
    let mut findings = Findings::new();
    evidence(&mut findings);
    answers(&mut findings);
    findings.assert_none();
}

fn evidence(findings: &mut Findings) {
    const LENGTH: usize = 60_000;
    let byte_string = |bytes: &[u8]| {
        let length = u32::try_from(bytes.len()).unwrap().to_be_bytes();
        [&[0x5a][..], &length, bytes].concat()
    };
    let framed = |protected: &[u8], unprotected: &[u8], payload: &[u8]| {
        let parts = [
            &byte_string(protected),
            unprotected,
            &byte_string(payload),
            &[0x40],
        ];
        [&[0xd2, 0x84][..], &parts.concat()].concat()
    };
    let protected = [0xa1, 0x01, 0x26];
    let mut inputs = hostile::cbor(LENGTH);
    inputs.extend(hostile::within(hostile::cbor(LENGTH), |item| {
        framed(item, &[0xa0], &[0xa0])
    }));
    inputs.extend(hostile::within(hostile::cbor(LENGTH), |item| {
        framed(&protected, &[&[0xa1, 0x18, 0x21], item].concat(), &[0xa0])
    }));
    inputs.extend(hostile::within(hostile::cbor(LENGTH), |item| {
        framed(&protected, &[0xa0], item)
    }));
    for Hostile { name, bytes, .. } in hostile::countersigned(LENGTH) {
        let inside = framed(&bytes, &[0xa0], &[0xa0]);
        let outside = framed(&protected, &bytes, &[0xa0]);
        inputs.extend([inside, outside].map(|token| Hostile::new(&name, token)));
    }
    // A CCA token: platform and realm.
    for name in [&[0x19, 0xac, 0xca][..], &[0x19, 0xac, 0xd1]] {
        inputs.extend(hostile::within(hostile::cbor(LENGTH), |item| {
            let map = [&[0xd9, 0x01, 0x8f, 0xa1], name];
            [
                &map.concat()[..],
                &byte_string(&framed(&protected, &[0xa0], item)),
            ]
            .concat()
        }));
        inputs.extend(hostile::within(hostile::countersigned(LENGTH), |header| {
            let map = [&[0xd9, 0x01, 0x8f, 0xa1], name];
            let token = byte_string(&framed(header, &[0xa0], &[0xa0]));
            [&map.concat()[..], &token].concat()
        }));
    }
    // At most 1,024 values.
    let bound = Bound {
        per_byte: 8,
        constant: 1024 * 256,
    };
    let read = |format: &dyn EvidenceFormat, input: &[u8]| format.read(input).map(drop);
    findings.check("CCA", bound, &inputs, |input| read(&CcaToken::new(), input));
    findings.check("PSA", bound, &inputs, |input| {
        read(&PsaToken::any_profile(), input)
    });
    findings.check("SNP", bound, &inputs, |input| {
        read(&SevSnpReport::new(), input)
    });
}

fn answers(findings: &mut Findings) {
    const LENGTH: usize = 60_000;
    let mut inputs = hostile::json(LENGTH);
    for name in ["ear-verification-key", "media-types", "version", "other"] {
        inputs.extend(hostile::within(hostile::json(LENGTH), |value| {
            [format!("{{\"{name}\":").as_bytes(), value, b"}"].concat()
        }));
    }
    let bound = Bound {
        per_byte: 8,
        constant: 512 * 256,
    };
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_time().build().unwrap();
    findings.check("discovery", bound, &inputs, |body| {
        let answer = http::Response::builder()
            .header("content-type", "application/vnd.veraison.discovery+json")
            .body(body.to_vec())
            .unwrap();
        let service = Service::new("https://verifier.example", Arc::new(Answers(answer))).unwrap();
        runtime.block_on(service.discover()).map(drop)
    });
}

/// Answers everything with this.
struct Answers(http::Response<Vec<u8>>);

impl HttpClient for Answers {
    fn send(
        &self,
        _: http::Request<Vec<u8>>,
        _: HttpLimits,
    ) -> BoxFuture<'_, Result<http::Response<Vec<u8>>, HttpError>> {
        Box::pin(std::future::ready(Ok(self.0.clone())))
    }
}
