//! Neither Evidence nor an answer of the service costs much more memory than its length.
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
use atls_maa::MaaService;
use atls_maa::SnpReport;
use atls_maa::TdxQuote;
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
const VCEK: u128 = 0x63da_758d_e664_4564_adc5_f4b9_3be8_accd;

#[test]
fn allocations_are_bounded_by_the_input() {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_all().build().unwrap();
    let connection = Connection::new();
    let report_data = sha512(connection.bound().as_bytes());
    let signer = Signer::rs256();
    let provider = rustls::crypto::ring::default_provider();
    let appraise = |media_type: usize, evidence: &[u8], answer: &[u8]| {
        let answer = answer.to_vec();
        let service = Script::immediate(move |_, _| {
            let response = Response::builder().header("content-type", "application/json");
            Ok(response.body(answer.clone()).unwrap())
        });
        let endpoint = Endpoint::https("https://service.example").unwrap();
        let keys = Arc::new(signer.keys());
        let service = MaaService::new(&endpoint, Arc::new(service)).unwrap();
        let verifier = RemoteVerifier::builder(service, keys, &provider)
            .format(SnpReport::new())
            .format(TdxQuote::new())
            .issuer("issuer")
            .build()
            .unwrap();
        let media_type = &verifier.media_types()[media_type];
        let evidence = Evidence::new(media_type, evidence, connection.bound());
        runtime.block_on(verifier.appraise(&evidence, at(NOW)))
    };

    let mut findings = Findings::new();
    let mut envelopes = hostile::cbor(60_000);
    for field in ["outblob", "auxblob", "provider"] {
        envelopes.extend(hostile::within(hostile::cbor(60_000), |item| {
            let name = u8::try_from(field.len()).unwrap() | 0x60;
            [&[0xa1, name][..], field.as_bytes(), item].concat()
        }));
    }
    findings.check("envelope", REFUSED, &envelopes, |evidence| {
        appraise(0, evidence, b"{}").map(drop)
    });

    let mut tables = hostile::within(hostile::pem(50_000), |pem| {
        envelope(&report_data, &table(&[(VCEK, 48, pem.len())], pem))
    });
    tables.extend(hostile::within(hostile::der(50_000), |der| {
        envelope(&report_data, &table(&[(VCEK, 48, der.len())], der))
    }));
    // Sixteen entries about the same bytes, of which one is known.
    let entries: Vec<_> = (1..16)
        .chain([VCEK])
        .map(|kind| (kind, 17 * 24, 50_000))
        .collect();
    tables.push(Hostile::new(
        "shared contents",
        envelope(&report_data, &table(&entries, &[0x30; 50_000])),
    ));
    findings.check("certificates", SENT, &tables, |evidence| {
        appraise(0, evidence, b"{}").map(drop)
    });

    let quote = td_quote(&report_data);
    let quotes = [
        Hostile::new("as it is", quote.clone()),
        Hostile::new("zeros", vec![0; 60_000]),
        Hostile::new("much behind it", [&quote[..], &[0; 60_000]].concat()),
    ];
    findings.check("quote", QUOTE, &quotes, |quote| {
        appraise(1, quote, b"{}").map(drop)
    });

    // Signed, as by a service that was taken over: a good token but for one claim.
    let mut answers = Vec::new();
    for Hostile { name, bytes, .. } in hostile::json(40_000) {
        let Ok(value) = serde_json::from_slice::<Value>(&bytes) else {
            continue;
        };
        for claim in ["x-ms-policy-hash", "tdx_mrtd", "other"] {
            let mut claims = claims(&report_data);
            claims[claim] = value.clone();
            let answer = json!({ "token": signer.token(&claims) }).to_string();
            answers.push(Hostile::new(&format!("{name} as {claim}"), answer));
        }
    }
    findings.check("answer", ANSWER, &answers, |answer| {
        appraise(1, &quote, answer).map(drop)
    });
    findings.assert_none();
}

fn claims(report_data: &[u8]) -> Value {
    let hex: String = report_data
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    json!({
        "iss": "issuer", "iat": NOW, "exp": NOW + 300, "x-ms-ver": "1.0",
        "x-ms-attestation-type": "tdxvm", "x-ms-compliance-status": "azure-compliant-cvm",
        "dbgstat": "disabled", "tdx_td_attributes_debug": false, "attester_tcb_status": "UpToDate",
        "tdx_report_data": hex,
    })
}

/// The message of a guest: its report, and the certificates that the host gave it.
fn envelope(report_data: &[u8], certificates: &[u8]) -> Vec<u8> {
    let mut report = vec![0; 1184];
    report[0x50..0x90].copy_from_slice(report_data);
    let field = |name: &str, value: &[u8]| {
        let length = u32::try_from(value.len()).unwrap().to_be_bytes();
        let head = [u8::try_from(name.len()).unwrap() | 0x60];
        [&head[..], name.as_bytes(), &[0x5a], &length, value].concat()
    };
    [
        &[0xa3, 0x68][..],
        b"provider",
        &[0x69],
        b"sev_guest",
        &field("outblob", &report),
        &field("auxblob", certificates),
    ]
    .concat()
}

/// Entries of kind, offset and length, the end of them, and what they are about.
fn table(entries: &[(u128, usize, usize)], contents: &[u8]) -> Vec<u8> {
    let number = |number: usize| u32::try_from(number).unwrap().to_le_bytes();
    let mut table = Vec::new();
    for (kind, offset, length) in entries {
        table.extend(kind.to_be_bytes());
        table.extend(number(*offset));
        table.extend(number(*length));
    }
    table.extend([0; 24]);
    table.extend(contents);
    table
}

const REFUSED: Bound = Bound {
    per_byte: 4,
    constant: 16 * 1024,
};

const QUOTE: Bound = Bound {
    per_byte: 12,
    constant: 32 * 1024,
};

/// Base64 of base64 of base64, each as a value and as text, and a copy that the test keeps of it.
const SENT: Bound = Bound {
    per_byte: 16,
    constant: 24 * 1024,
};

/// At most 4,096 values, which are kept as claims and as extensions of the result.
const ANSWER: Bound = Bound {
    per_byte: 8,
    constant: 4096 * 512,
};
