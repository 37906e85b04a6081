//! Requests with a forwarded result that is refused, or without one.

use std::sync::Arc;

use atls_axum::ForwardedAttestation;
use atls_core::ear::Tier;
use atls_core::ear::VerificationKeys;
use atls_tower::forward::HEADER;
use atls_tower::forward::ReceiveError;
use atls_tower::forward::ResultReceiver;
use atls_tower::forward::Shortfall;
use axum::Router;
use axum::body::Body;
use axum::http::Request;
use axum::routing::get;
use test_support::Log;
use tower::ServiceExt;

use crate::log::assert_one;
use crate::log::capture;

/// Anybody may be an unattested client of the service in front.
#[tokio::test]
async fn a_request_without_a_forwarded_result_is_noise() {
    let (log, _guard) = capture();
    ask(&Arc::new(receiver()), None).await;
    assert_eq!(levels(&log), (0, 0, 20));
}

#[tokio::test]
async fn results_that_are_not_verified_do_not_fill_the_log() {
    let (log, _guard) = capture();
    let receiver = Arc::new(receiver());
    ask(&receiver, Some("a.b.c")).await;
    assert_eq!(levels(&log), (8, 0, 12));
    tokio::time::pause();
    tokio::time::advance(std::time::Duration::from_secs(60)).await;
    ask(&receiver, Some("a.b.c")).await;
    assert_eq!(levels(&log), (8, 0, 12));
}

#[tokio::test]
async fn clients_that_prove_too_little_do_not_fill_the_log() {
    let (log, _guard) = capture();
    let receiver = receiver();
    for _ in 0..20 {
        receiver.trace_refusal(&ReceiveError::Insufficient(Shortfall::Simulated));
    }
    assert_eq!(levels(&log), (0, 8, 12));
}

#[tokio::test]
async fn a_client_that_proves_too_little_is_told_with_what_was_seen_and_what_is_accepted() {
    let (log, _guard) = capture();
    let short = Shortfall::Status {
        seen: Tier::Warning,
        worst: Tier::Affirming,
    };
    receiver().trace_refusal(&ReceiveError::Insufficient(short));
    let words = [
        "its status is warning, and affirming is the worst that is accepted",
        "side=\"server\"",
        "error.type=\"attestation-insufficient\"",
        "fault=peer",
    ];
    assert_one(&log.take(), "INFO", &words);
}

async fn ask(receiver: &Arc<ResultReceiver>, stated: Option<&str>) {
    let handler = async |_: ForwardedAttestation| "hello";
    let app = Router::new().route("/", get(handler));
    let app = app.with_state(receiver.clone());
    for _ in 0..20 {
        let request = Request::get("/");
        let request = stated
            .into_iter()
            .fold(request, |request, value| request.header(HEADER, value));
        let request = request.body(Body::empty()).unwrap();
        let response = app.clone().oneshot(request).await.unwrap();
        assert_eq!(response.status(), 403);
    }
}

/// How many events are WARN, INFO, DEBUG.
fn levels(log: &Log) -> (usize, usize, usize) {
    let mut events = log.take();
    events.retain(|event| event.contains("forwarded attestation is refused"));
    let at = |level: &str| events.iter().filter(|it| it.contains(level)).count();
    (at(" WARN "), at(" INFO "), at(" DEBUG "))
}

fn receiver() -> ResultReceiver {
    let keys = VerificationKeys::from_jwk(KEY).unwrap();
    ResultReceiver::new(keys, &demo::provider(), "gateway", "orders")
}

/// RFC 7517 A.1.
const KEY: &str = r#"{"kty":"EC","crv":"P-256","x":"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4","y":"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM"}"#;
