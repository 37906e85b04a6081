//! What is asked of whom, and which answers count.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod support;

use std::sync::Mutex;
use std::time::Duration;

use atls_collateral::CollateralError;
use atls_collateral::get;
use atls_core::BoxFuture;
use atls_core::http::HttpClient;
use atls_core::http::HttpError;
use atls_core::http::HttpLimits;
use http::Request;
use http::Response;
use support::now;

#[test]
fn an_answer_with_status_200_is_given_whole() {
    let client = Client::answering(200, b"crl");
    let response = now(get(&client, "https://kds.example/vcek/crl?a=1", limits())).unwrap();
    assert_eq!(response.body(), b"crl");
    assert_eq!(response.headers()["x-issuer"], "chain");
    assert_eq!(
        client.sent(),
        ["GET https://kds.example/vcek/crl?a=1 10s 4"]
    );
}

#[test]
fn every_other_status_is_an_error() {
    for status in [201, 204, 206, 301, 302, 304, 307, 400, 404, 429, 500, 503] {
        let client = Client::answering(status, b"body");
        assert_eq!(
            now(get(&client, "https://kds.example/", limits())).unwrap_err(),
            CollateralError::Status(status)
        );
    }
}

#[test]
fn a_client_that_overlooks_the_limit_gains_nothing() {
    let client = Client::answering(200, b"12345");
    assert_eq!(
        now(get(&client, "https://kds.example/", limits())).unwrap_err(),
        HttpError::TooLarge.into()
    );
}

#[test]
fn a_client_without_an_answer_is_unreachable() {
    let client = Client {
        answer: Err(HttpError::TimedOut),
        sent: Mutex::default(),
    };
    assert_eq!(
        now(get(&client, "https://kds.example/", limits())).unwrap_err(),
        HttpError::TimedOut.into()
    );
}

#[test]
fn nothing_is_sent_but_over_https_or_to_this_machine() {
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
        let client = Client::answering(200, b"");
        let outcome = now(get(&client, url, limits()));
        assert_eq!(!client.sent().is_empty(), sent, "{url}");
        if !sent {
            assert_eq!(outcome.unwrap_err(), CollateralError::Address, "{url}");
        }
    }
}

struct Client {
    answer: Result<Response<Vec<u8>>, HttpError>,
    sent: Mutex<Vec<String>>,
}

impl Client {
    fn answering(status: u16, body: &[u8]) -> Self {
        let response = Response::builder()
            .status(status)
            .header("x-issuer", "chain")
            .body(body.to_vec());
        Self {
            answer: Ok(response.unwrap()),
            sent: Mutex::default(),
        }
    }

    fn sent(&self) -> Vec<String> {
        self.sent.lock().unwrap().clone()
    }
}

impl HttpClient for Client {
    fn send(
        &self,
        request: Request<Vec<u8>>,
        limits: HttpLimits,
    ) -> BoxFuture<'_, Result<Response<Vec<u8>>, HttpError>> {
        assert!(request.body().is_empty());
        self.sent.lock().unwrap().push(format!(
            "{} {} {:?} {}",
            request.method(),
            request.uri(),
            limits.deadline,
            limits.max_body
        ));
        Box::pin(async { self.answer.clone() })
    }
}

fn limits() -> HttpLimits {
    HttpLimits::new(Duration::from_secs(10), 4)
}
