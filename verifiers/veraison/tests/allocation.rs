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
use atls_core::MediaType;
use atls_remote::Endpoint;
use atls_remote::EvidenceFormat;
use atls_veraison::CcaToken;
use atls_veraison::PsaToken;
use atls_veraison::SevSnpReport;
use atls_veraison::VeraisonService;
use http::Response;
use test_support::Script;
use tokio::runtime::Runtime;

#[test]
fn allocations_are_bounded_by_the_input() {
    let mut findings = Findings::new();
    evidence(&mut findings);
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_time().build().unwrap();
    discovery(&mut findings, &runtime);
    sessions(&mut findings, &runtime);
    problems(&mut findings, &runtime);
    findings.assert_none();
}

fn evidence(findings: &mut Findings) {
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
        let token = |part: &[u8]| {
            let map = [&[0xd9, 0x01, 0x8f, 0xa1], name].concat();
            [&map[..], &byte_string(part)].concat()
        };
        inputs.extend(hostile::within(hostile::cbor(LENGTH), |item| {
            token(&framed(item, &[0xa0], &[0xa0]))
        }));
        inputs.extend(hostile::within(hostile::cbor(LENGTH), |item| {
            token(&framed(&protected, &[0xa0], item))
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
    let read =
        |format: &dyn EvidenceFormat<VeraisonService>, input: &[u8]| format.read(input).map(drop);
    findings.check("CCA", bound, &inputs, |input| read(&CcaToken::new(), input));
    findings.check("PSA", bound, &inputs, |input| {
        read(&PsaToken::any_profile(), input)
    });
    let envelope = Bound {
        per_byte: 2,
        constant: 8 * 1024,
    };
    findings.check("SNP", envelope, &inputs, |input| {
        read(&SevSnpReport::new(), input)
    });
}

fn discovery(findings: &mut Findings, runtime: &Runtime) {
    let members = ["ear-verification-key", "media-types", "version", "other"];
    let bound = Bound {
        per_byte: 8,
        constant: 512 * 256,
    };
    findings.check("discovery", bound, &members_of("{", &members), |body| {
        let answer = answer(200, "application/vnd.veraison.discovery+json", body);
        runtime.block_on(service(answer).discover()).map(drop)
    });
}

fn sessions(findings: &mut Findings, runtime: &Runtime) {
    let members = ["status", "expiry", "accept", "result", "evidence"];
    let good = "{\"status\":\"waiting\",\"nonce\":\"BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=\",\"accept\":[\"a/b\"],";
    let mut inputs = members_of("{", &members);
    inputs.extend(members_of(good, &["expiry", "result", "evidence"]));
    let without = good.replace("\"accept\":[\"a/b\"],", "");
    inputs.extend(members_of(&without, &["accept"]));
    let start = format!("{without}\"accept\":[");
    inputs.push(Hostile::new(
        "media types",
        hostile::filled(LENGTH, start.as_bytes(), b"\"a/b;c=d\",", b"\"a/b\"]}"),
    ));
    findings.check("session", SESSION, &inputs, |body| {
        let answer = answer(201, SESSION_TYPE, body);
        submit(runtime, answer)
    });
}

fn problems(findings: &mut Findings, runtime: &Runtime) {
    let members = ["type", "title", "detail", "other"];
    let inputs = members_of("{", &members);
    findings.check("problem", ANSWER, &inputs, |body| {
        submit(runtime, answer(500, "application/problem+json", body))
    });
    // The types that a service takes, in a header of a 415.
    let listed = [
        Hostile::new("commas", vec![b','; LENGTH]),
        Hostile::new("quotes", vec![b'"'; LENGTH]),
        Hostile::new("types", b"a/b,".repeat(LENGTH / 4)),
        Hostile::new("parameters", b"a/b;a=b".repeat(LENGTH / 7)),
    ];
    findings.check("types in a header", ANSWER, &listed, |listed| {
        let mut answer = answer(415, "text/plain", &[]);
        let listed = http::HeaderValue::from_bytes(listed).unwrap();
        answer.headers_mut().insert("accept", listed);
        submit(runtime, answer)
    });
}

/// Objects that begin like this and have one hostile member.
fn members_of(start: &str, members: &[&str]) -> Vec<Hostile> {
    let mut inputs = hostile::json(LENGTH);
    for name in members {
        inputs.extend(hostile::within(hostile::json(LENGTH), |value| {
            let start = format!("{start}\"{name}\":");
            [start.as_bytes(), value, b"}"].concat()
        }));
    }
    inputs
}

fn submit(runtime: &Runtime, answer: Response<Vec<u8>>) {
    runtime.block_on(async {
        let media_type = MediaType::parse("c/d").unwrap();
        let refused = service(answer)
            .dangerous_submit_unchecked(&media_type, b"evidence", &[7; 32])
            .await;
        assert!(refused.is_err());
        // A task of its own deletes the session.
        tokio::task::yield_now().await;
    });
}

fn service(answer: Response<Vec<u8>>) -> VeraisonService {
    let endpoint = Endpoint::https("https://verifier.example").unwrap();
    VeraisonService::new(&endpoint, Arc::new(Script::answering(Ok(answer)))).unwrap()
}

fn answer(status: u16, content_type: &str, body: &[u8]) -> Response<Vec<u8>> {
    let answer = Response::builder()
        .status(status)
        .header("content-type", content_type)
        .header("location", "/challenge-response/v1/session/1");
    answer.body(body.to_vec()).unwrap()
}

const LENGTH: usize = 60_000;

const SESSION_TYPE: &str = "application/vnd.veraison.challenge-response-session+json";

/// At most 512 values.
const SESSION: Bound = Bound {
    per_byte: 8,
    constant: 512 * 256,
};

const ANSWER: Bound = Bound {
    per_byte: 8,
    constant: 16 * 1024,
};
