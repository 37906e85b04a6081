//! Any headers of a request to a service behind another: forged ones, statements that nobody knows the signer of, and well-signed statements of any
//! claims. What is received, the gateway stated to this service.
#![no_main]

use std::sync::Arc;
use std::sync::OnceLock;

use atls_core::Binding;
use atls_core::ear::Tier;
use atls_core::pki_types::UnixTime;
use atls_fuzz::ear::NOW;
use atls_fuzz::sign;
use atls_fuzz::tape::Tape;
use atls_tower::forward;
use atls_tower::forward::HEADER;
use atls_tower::forward::ResultReceiver;
use atls_tower::forward::VERIFIER_HEADER;
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use http::HeaderMap;
use http::HeaderName;
use http::HeaderValue;
use rustls::time_provider::TimeProvider;
use serde_json::Value;
use test_support::at;

atls_fuzz::target!(|bytes: &[u8]| {
    static RECEIVER: OnceLock<ResultReceiver> = OnceLock::new();
    let receiver = RECEIVER.get_or_init(receiver);
    let mut tape = Tape::new(bytes);
    let (form, claims) = (tape.byte(), tape.bytes());
    let value = match form {
        0 => sign::jwt(claims).into_bytes(),
        1 => BASE64_URL_SAFE_NO_PAD
            .encode(sign::cwt(claims))
            .into_bytes(),
        3 => sign::jwt_of_nobody(claims).into_bytes(),
        4 => BASE64_URL_SAFE_NO_PAD
            .encode(sign::cwt_of_nobody(claims))
            .into_bytes(),
        _ => claims.to_vec(),
    };
    let mut headers = HeaderMap::new();
    append(&mut headers, HEADER, &value);
    while !tape.is_empty() {
        match tape.byte() {
            0 => append(&mut headers, VERIFIER_HEADER, tape.bytes()),
            1 => append(&mut headers, HEADER, tape.bytes()),
            _ => {
                if let Ok(name) = HeaderName::from_bytes(tape.bytes()) {
                    append(&mut headers, name, tape.bytes());
                }
            }
        }
    }
    let received = receiver.receive(&headers);
    assert!(received.is_err() || form < 2, "nobody signed it");
    if let (Ok(result), Ok(claims)) = (&received, serde_json::from_slice::<Value>(claims)) {
        assert_eq!(claims["iss"], GATEWAY);
        let to = &claims["aud"];
        let is_to = |to: &Value| to == SERVICE;
        assert!(is_to(to) || to.as_array().is_some_and(|all| all.iter().any(is_to)));
        let age = NOW.checked_sub(claims["iat"].as_u64().unwrap_or(NOW));
        assert!(age.is_none_or(|age| age <= OLDEST), "it is too old");
        assert!(matches!(
            result.ear().status(),
            Tier::Affirming | Tier::Warning
        ));
    }
    forward::remove_headers(&mut headers);
    assert!(receiver.receive(&headers).is_err(), "all were removed");
    assert!(!headers.contains_key(VERIFIER_HEADER));
});

fn receiver() -> ResultReceiver {
    let provider = rustls::crypto::ring::default_provider();
    let receiver = ResultReceiver::new(sign::keys(), &provider, GATEWAY, SERVICE)
        .accept_warning()
        .dangerous_accept_binding(Binding::Key)
        .dangerous_accept_simulated()
        .with_clock(Arc::new(Still));
    let mut headers = HeaderMap::new();
    append(&mut headers, HEADER, sign::jwt(&STATED[FORM..]).as_bytes());
    receiver.receive(&headers).expect("it is good");
    receiver
}

fn append(headers: &mut HeaderMap, name: HeaderName, value: &[u8]) {
    if let Ok(value) = HeaderValue::from_bytes(value) {
        headers.append(name, value);
    }
}

#[derive(Debug)]
struct Still;

impl TimeProvider for Still {
    fn current_time(&self) -> Option<UnixTime> {
        Some(at(NOW))
    }
}

/// Seconds.
const OLDEST: u64 = 60;

const GATEWAY: &str = "gateway.example";

const SERVICE: &str = "orders.example";

/// A good statement, behind its form and its length.
const STATED: &[u8] = include_bytes!("../seeds/forwarded/statement");

const FORM: usize = 3;
