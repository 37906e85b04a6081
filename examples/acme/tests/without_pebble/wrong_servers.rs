//! ACME servers that answer wrongly.

use std::sync::Arc;
use std::time::Duration;

use acme::Issue;
use acme::Issuer;
use acme::OrderError;
use acme::Renewal;
use atls_core::http::HttpError;
use http::Response;
use http::Uri;
use rustls::pki_types::UnixTime;
use rustls::time_provider::DefaultTimeProvider;
use rustls::time_provider::TimeProvider;
use test_support::Script;
use tokio::sync::Notify;

fn issuer(http: Arc<Script>) -> Issuer {
    issuer_at(http, Arc::new(DefaultTimeProvider))
}

fn issuer_at(http: Arc<Script>, clock: Arc<dyn TimeProvider>) -> Issuer {
    let directory = Uri::from_static("https://acme.example/directory");
    let names = vec!["a.example".parse().unwrap()];
    Issuer::new(http, directory, names, demo::provider(), clock).unwrap()
}

fn directory(new_nonce: &str) -> Arc<Script> {
    let body = format!(
        r#"{{"newNonce": "{new_nonce}", "newAccount": "https://acme.example/a", "newOrder": "https://acme.example/o"}}"#
    );
    Arc::new(Script::answering(Ok(Response::new(body.into_bytes()))))
}

#[tokio::test]
async fn a_server_that_is_away_or_talks_nonsense_gives_no_certificate() {
    for answer in [
        Err(HttpError::TimedOut),
        Err(HttpError::TooLarge),
        Ok(Response::new(b"<html>".to_vec())),
        Ok(Response::new(b"{}".to_vec())),
    ] {
        let issuer = issuer(Arc::new(Script::answering(answer)));
        assert!(matches!(issuer.issue().await, Err(OrderError::Acme(_))));
    }
}

#[tokio::test]
async fn requests_have_limits_and_go_to_the_origin_of_the_directory_alone() {
    for elsewhere in [
        "https://victim.example/nonce",
        "https://acme.example:444/nonce",
        "http://acme.example/nonce",
    ] {
        let http = directory(elsewhere);
        let refused = issuer(http.clone()).issue().await;
        assert!(matches!(refused, Err(OrderError::Acme(_))));
        assert_eq!(http.requests(), 1, "{elsewhere}");
        let (_, limits) = http.last();
        assert!(limits.max_body <= 128 * 1024 && limits.deadline <= Duration::from_secs(20));
    }
}

/// A certificate that cannot be judged would be ordered again and again.
#[tokio::test]
async fn who_has_no_clock_orders_nothing() {
    let http = directory("https://acme.example/n");
    let issuer = issuer_at(http.clone(), Arc::new(NoClock));
    assert!(matches!(issuer.issue().await, Err(OrderError::Local(_))));
    assert_eq!(http.requests(), 0);
}

#[derive(Debug)]
struct NoClock;

impl TimeProvider for NoClock {
    fn current_time(&self) -> Option<UnixTime> {
        None
    }
}

#[tokio::test(start_paused = true)]
async fn a_silent_server_is_given_up() {
    let issuer = issuer(Arc::new(Script::silent()));
    assert_eq!(issuer.issue().await.unwrap_err(), OrderError::TimedOut);
}

/// instant-acme 0.8 panics over an address that is none.
#[tokio::test(start_paused = true)]
async fn a_server_whose_answer_makes_the_client_panic_is_asked_again_later() {
    let http = directory("no address");
    let mut renewal = Renewal::new(
        issuer(http.clone()),
        Arc::default(),
        Arc::new(DefaultTimeProvider),
    );
    let never = Notify::new();
    tokio::select! {
        biased;
        _ = renewal.next(&never) => unreachable!("it gives no certificate"),
        () = tokio::time::sleep(Duration::from_secs(90)) => {}
    }
    assert_eq!(http.requests(), 2);
}
