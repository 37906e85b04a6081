//! Answers of a service and tokens cost memory in proportion to their length.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

use std::io::Read;
use std::io::Write;
use std::net::TcpListener;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use allocation::Bound;
use allocation::Findings;
use allocation::Hostile;
use allocation::hostile;
use atls_core::ear::Algorithm;
use atls_core::ear::KeySource;
use atls_core::ear::VerificationKeys;
use atls_core::http::HttpClient;
use atls_core::http::HttpLimits;
use atls_remote::Endpoint;
use atls_remote::JsonApi;
use atls_remote::Jwks;
use atls_remote::ResultCheck;
use atls_remote::Token;
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use http::Request;
use http::Response;
use http::Uri;
use serde_json::Value;
use serde_json::json;
use stand_in::Loopback;
use stand_in::Signer;
use test_support::Script;
use test_support::at;
use test_support::supported;
use tokio::runtime::Runtime;

const NOW: u64 = 1_000_000;

/// For one request.
const TIME: Duration = Duration::from_secs(10);

#[test]
fn allocations_are_bounded_by_the_input() {
    // One thread: nothing else allocates while something is measured.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let mut findings = Findings::new();
    answers(&mut findings, &runtime);
    tokens(&mut findings);
    key_sets(&mut findings, &runtime);
    bodies(&mut findings, &runtime);
    findings.assert_none();
}

fn answers(findings: &mut Findings, runtime: &Runtime) {
    const LENGTH: usize = 60_000;
    let mut inputs = hostile::json(LENGTH);
    for name in ["token", "other"] {
        inputs.extend(hostile::within(hostile::json(LENGTH), |value| {
            [format!("{{\"{name}\":").as_bytes(), value, b"}"].concat()
        }));
    }
    // The answer, a copy that the test makes, and the text in it.
    // At most 256 values.
    let bound = Bound {
        per_byte: 6,
        constant: 256 * 256,
    };
    findings.check("answer", bound, &inputs, |body| {
        let api = JsonApi::new(answering(body), url());
        runtime.block_on(api.token(&json!({}), TIME))
    });
}

fn tokens(findings: &mut Findings) {
    const LENGTH: usize = 40_000;
    let signer = Signer::es256();
    let (keys, algorithms) = (signer.keys(), supported());
    let check = check(&keys, &algorithms);
    let encode = |bytes: &[u8]| BASE64_URL_SAFE_NO_PAD.encode(bytes);
    let mut inputs = hostile::within(hostile::json(LENGTH), |header| {
        format!("{}.e30.AA", encode(header)).into_bytes()
    });
    inputs.push(Hostile::new("dots", vec![b'.'; LENGTH]));
    let header = Bound {
        per_byte: 4,
        constant: 16 * 1024,
    };
    let verify = |token: &[u8]| {
        let token = std::str::from_utf8(token).unwrap();
        Token::decode(token, &check)
    };
    findings.check("header of a token", header, &inputs, verify);

    // Signed: by a service that was taken over.
    let claims = |value: &Value| {
        let claims = json!({ "iss": "issuer", "iat": NOW, "exp": NOW + 300, "a": value });
        signer.token(&claims).into_bytes()
    };
    let signed: Vec<_> = hostile::json(LENGTH)
        .into_iter()
        .filter_map(|Hostile { name, bytes, .. }| {
            let value = serde_json::from_slice(&bytes).ok()?;
            Some(Hostile::new(&name, claims(&value)))
        })
        .collect();
    // At most 4,096 values.
    let bound = Bound {
        per_byte: 8,
        constant: 4096 * 256,
    };
    findings.check("claims of a token", bound, &signed, verify);
}

fn key_sets(findings: &mut Findings, runtime: &Runtime) {
    const LENGTH: usize = 250_000;
    let mut inputs = hostile::json(LENGTH);
    inputs.extend(hostile::within(hostile::json(LENGTH), |value| {
        [b"{\"keys\":", value, b"}"].concat()
    }));
    let key = Signer::es256().jwk().to_string();
    let keys = format!("{key},").repeat(LENGTH / (key.len() + 1));
    let keys = format!("{{\"keys\":[{keys}{key}]}}");
    inputs.push(Hostile::new("keys", keys));
    // At most 8,192 values.
    let bound = Bound {
        per_byte: 8,
        constant: 8192 * 256,
    };
    findings.check("JWK set", bound, &inputs, |body| {
        let jwks = Jwks::new(answering(body), url(), &[Algorithm::Es256]);
        runtime.block_on(jwks.keys(at(NOW)))
    });
}

/// Over a socket, and without end.
fn bodies(findings: &mut Findings, runtime: &Runtime) {
    const LARGEST: usize = 64 * 1024;
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    // The path says what comes without end. It allocates nothing.
    thread::spawn(move || {
        while let Ok((mut socket, _)) = listener.accept() {
            let mut request = [0; 4096];
            let length = socket.read(&mut request).unwrap();
            let kind = request[..length].get(5).copied();
            let (start, endless): (&[u8], &[u8]) = match kind {
                Some(b'b') => (b"HTTP/1.1 200 OK\r\n\r\n", &[b'a'; 8192]),
                Some(b'c') => (
                    b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n",
                    b"1\r\na\r\n",
                ),
                Some(b'l') => (
                    b"HTTP/1.1 200 OK\r\ncontent-length: 1099511627776\r\n\r\n",
                    &[b'a'; 8192],
                ),
                Some(b'h') => (b"HTTP/1.1 200 OK\r\n", b"a: b\r\n"),
                _ => (b"HTTP/1.1 200 OK\r\na: ", &[b'a'; 8192]),
            };
            let _ = socket.write_all(start);
            while socket.write_all(endless).is_ok() {}
        }
    });
    let client = Loopback::client();
    let inputs = ["body", "chunks", "length", "headers", "name"];
    let inputs = inputs.map(|kind| Hostile::new(&format!("endless {kind}"), kind));
    // hyper's own buffers have some 400 KiB.
    let bound = Bound {
        per_byte: 0,
        constant: 1280 * 1024,
    };
    findings.check("body", bound, &inputs, |kind| {
        let kind = std::str::from_utf8(kind).unwrap();
        let request = Request::get(format!("{url}{kind}")).body(Vec::new());
        let limits = HttpLimits::new(Duration::from_secs(60), LARGEST);
        let refused = runtime.block_on(client.send(request.unwrap(), limits));
        assert!(refused.is_err(), "{kind}");
    });
}

fn check<'a>(
    keys: &'a VerificationKeys,
    supported: &'a rustls::crypto::WebPkiSupportedAlgorithms,
) -> ResultCheck<'a> {
    ResultCheck {
        keys,
        supported,
        issuer: Some("issuer"),
        max_age: Duration::from_secs(600),
        now: at(NOW),
    }
}

fn answering(body: &[u8]) -> Arc<dyn HttpClient> {
    let body = body.to_vec();
    Arc::new(Script::immediate(move |_, _| {
        let answer = Response::builder().header("content-type", "application/json");
        Ok(answer.body(body.clone()).unwrap())
    }))
}

fn url() -> Uri {
    let endpoint = Endpoint::https("https://service.example").unwrap();
    endpoint.join("/path").unwrap()
}
