//! Any headers of a request to a service behind another: forged ones, and well-signed statements of any claims.
#![no_main]

use std::sync::Arc;
use std::sync::OnceLock;

use atls_core::Binding;
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
    forward::remove_headers(&mut headers);
    assert!(receiver.receive(&headers).is_err(), "all were removed");
    assert!(!headers.contains_key(VERIFIER_HEADER));
});

fn receiver() -> ResultReceiver {
    let provider = rustls::crypto::ring::default_provider();
    ResultReceiver::new(sign::keys(), &provider, "gateway.example", "orders.example")
        .accept_warning()
        .dangerous_accept_binding(Binding::Key)
        .dangerous_accept_simulated()
        .with_clock(Arc::new(Still))
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
