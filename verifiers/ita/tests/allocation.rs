//! Neither a quote nor an answer of the service costs much more memory than its length.
#![allow(
    clippy::arithmetic_side_effects,
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
use atls_core::Evidence;
use atls_core::Verifier;
use atls_ita::ItaService;
use atls_ita::TdxQuote;
use atls_remote::Endpoint;
use atls_remote::RemoteVerifier;
use http::Response;
use serde_json::Value;
use serde_json::json;
use stand_in::Signer;
use test_support::Connection;
use test_support::Script;
use test_support::at;
use test_support::sha512;
use test_support::td_quote;

const NOW: u64 = 1_000_000;
const POLICY: &str = "749dd9b1-234f-41f5-a6ca-42c4312dd4f1";

#[test]
fn allocations_are_bounded_by_the_input() {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_all().build().unwrap();
    let connection = Connection::new();
    let report_data = sha512(connection.bound().as_bytes());
    let quote = td_quote(&report_data);
    let signer = Signer::ps384();
    let provider = rustls::crypto::ring::default_provider();
    let appraise = |quote: &[u8], answer: &[u8]| {
        let answer = answer.to_vec();
        let service = Script::immediate(move |_, _| {
            let response = Response::builder().header("content-type", "application/json");
            Ok(response.body(answer.clone()).unwrap())
        });
        let endpoint = Endpoint::https("https://service.example").unwrap();
        let keys = Arc::new(signer.keys());
        let service = ItaService::new(&endpoint, "key", Arc::new(service)).unwrap();
        let service = service.with_policy(POLICY);
        let verifier = RemoteVerifier::builder(service, keys, &provider).format(TdxQuote::new());
        let verifier = verifier.build().unwrap();
        let evidence = Evidence::new(&verifier.media_types()[0], quote, connection.bound());
        runtime.block_on(verifier.appraise(&evidence, at(NOW)))
    };

    let mut findings = Findings::new();
    let mut quotes = vec![
        Hostile::new("zeros", vec![0; 60_000]),
        Hostile::new("much behind it", [&quote[..], &[0; 60_000]].concat()),
    ];
    // Every length in it is 2 or 4 bytes somewhere.
    for position in 0..quote.len() - 4 {
        let mut claims = quote.clone();
        claims[position..position + 4].copy_from_slice(&[0xff, 0xff, 0x0f, 0]);
        quotes.push(Hostile::new(
            &format!("1 MiB claimed at {position}"),
            claims,
        ));
    }
    findings.check("quote", QUOTE, &quotes, |quote| {
        appraise(quote, b"{}").map(drop)
    });

    // Signed, as by a service that was taken over: a good token but for one claim.
    let mut answers = Vec::new();
    for Hostile { name, bytes, .. } in hostile::json(40_000) {
        let Ok(value) = serde_json::from_slice::<Value>(&bytes) else {
            continue;
        };
        for claim in [
            "tdx",
            "policy_ids_matched",
            "attester_advisory_ids",
            "other",
        ] {
            let token = signer.token(&claims(&report_data, claim, &value));
            let answer = json!({ "token": token }).to_string();
            answers.push(Hostile::new(&format!("{name} as {claim}"), answer));
        }
    }
    findings.check("answer", ANSWER, &answers, |answer| {
        appraise(&quote, answer).map(drop)
    });
    findings.assert_none();
}

fn claims(report_data: &[u8], claim: &str, value: &Value) -> Value {
    let hex: String = report_data
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let mut claims = json!({
        "iss": "Intel Trust Authority", "iat": NOW, "exp": NOW + 300, "ver": "2.0.0",
        "policy_ids_matched": [{ "id": POLICY }],
        "tdx": {
            "attester_type": "TDX", "attester_tcb_status": "UpToDate", "dbgstat": "disabled",
            "tdx_is_debuggable": false, "tdx_report_data": hex,
        },
    });
    match claim {
        "attester_advisory_ids" => claims["tdx"][claim] = value.clone(),
        _ => claims[claim] = value.clone(),
    }
    claims
}

/// Base64, the request as a value and as text, and a copy that the test keeps of it.
const QUOTE: Bound = Bound {
    per_byte: 12,
    constant: 32 * 1024,
};

/// At most 4,096 values, which are kept as claims and as extensions of the result.
const ANSWER: Bound = Bound {
    per_byte: 8,
    constant: 4096 * 512,
};
