//! Requests for collateral, and the answers that are accepted.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

use std::time::Duration;

use atls_collateral::CollateralError;
use atls_collateral::get;
use atls_core::http::HttpError;
use atls_core::http::HttpLimits;
use http::Response;
use test_support::Script;
use test_support::ready;

#[test]
fn an_answer_with_status_200_is_given_whole() {
    let client = answering(200, b"crl");
    let response = ready(get(&client, "https://kds.example/vcek/crl?a=1", limits())).unwrap();
    assert_eq!(response.body(), b"crl");
    assert_eq!(response.headers()["x-issuer"], "chain");
    let [(request, asked)] = &client.seen()[..] else {
        panic!("one request");
    };
    assert_eq!(request.method(), http::Method::GET);
    assert_eq!(request.uri(), "https://kds.example/vcek/crl?a=1");
    assert!(request.body().is_empty());
    assert_eq!(
        (asked.deadline, asked.max_body),
        (Duration::from_secs(10), 4)
    );
}

#[test]
fn every_other_status_is_an_error() {
    for status in [201, 204, 206, 301, 302, 304, 307, 400, 404, 429, 500, 503] {
        let client = answering(status, b"body");
        assert_eq!(
            ready(get(&client, "https://kds.example/", limits())).unwrap_err(),
            CollateralError::Status(status)
        );
    }
}

#[test]
fn a_client_that_overlooks_the_limit_gains_nothing() {
    let client = answering(200, b"12345");
    assert_eq!(
        ready(get(&client, "https://kds.example/", limits())).unwrap_err(),
        HttpError::TooLarge.into()
    );
}

#[test]
fn a_client_without_an_answer_is_unreachable() {
    let client = Script::answering(Err(HttpError::TimedOut));
    assert_eq!(
        ready(get(&client, "https://kds.example/", limits())).unwrap_err(),
        HttpError::TimedOut.into()
    );
}

#[test]
fn requests_go_over_https_or_to_this_machine() {
    for (url, sent) in [
        ("https://kds.example/x", true),
        ("http://127.0.0.1:8080/x", true),
        ("http://127.9.9.9/x", true),
        ("http://[::1]:8080/x", true),
        ("http://localhost/x", true),
        ("http://LOCALHOST:81/x", true),
        ("http://kds.example/x", false),
        ("http://localhost.example/x", false),
        ("http://127.0.0.1.example/x", false),
        ("http://127.0.0.1@kds.example/x", false),
        ("https://127.0.0.1@kds.example/x", false),
        ("http://10.0.0.1/x", false),
        ("http://[::2]/x", false),
        ("http://0.0.0.0/x", false),
        ("ftp://kds.example/x", false),
        ("file:///etc/passwd", false),
        ("/relative", false),
        ("kds.example", false),
        ("https://", false),
        ("", false),
    ] {
        let client = answering(200, b"");
        let outcome = ready(get(&client, url, limits()));
        assert_eq!(client.requests() > 0, sent, "{url}");
        if !sent {
            assert_eq!(outcome.unwrap_err(), CollateralError::Address, "{url}");
        }
    }
}

fn answering(status: u16, body: &[u8]) -> Script {
    let response = Response::builder()
        .status(status)
        .header("x-issuer", "chain")
        .body(body.to_vec());
    Script::answering(Ok(response.unwrap()))
}

fn limits() -> HttpLimits {
    HttpLimits::new(Duration::from_secs(10), 4)
}
