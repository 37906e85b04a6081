//! The log: one event for each appraisal, and the service's own words at `TRACE` alone.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod support;

use std::fmt;
use std::fmt::Write;
use std::sync::Arc;
use std::sync::Mutex;

use atls_core::Evidence;
use atls_core::Verifier;
use atls_remote::RemoteVerifier;
use atls_sim::SimAttester;
use atls_veraison::PsaToken;
use http::Response;
use support::Fake;
use support::now;
use support::provider;
use test_support::Connection;
use tracing::Event;
use tracing::Level;
use tracing::Subscriber;
use tracing::field::Field;
use tracing::field::Visit;
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;
use tracing_subscriber::layer::SubscriberExt;

#[tokio::test]
async fn a_nonce_that_the_service_quotes_is_logged_at_trace_alone() {
    let quoting = Fake::new().tampering(|_, _| {
        let body = format!(r#"{{"title":"Internal Server Error","detail":"nonce {NONCE}"}}"#);
        let answer = Response::builder()
            .status(500)
            .header("content-type", "application/problem+json");
        answer.body(body.into_bytes()).unwrap()
    });
    let log = appraise(&quoting, Level::DEBUG).await;
    let expected = r#"verifier="veraison" media_type=application/eat+cwt;"#;
    assert!(log.contains(expected), "{log}");
    assert!(
        log.contains(r#"outcome="status" fault=verifier cause="status 500""#),
        "{log}"
    );
    assert!(!log.contains(NONCE), "{log}");
    assert!(appraise(&quoting, Level::TRACE).await.contains(NONCE));
}

#[tokio::test]
async fn a_result_is_logged_without_evidence_and_nonce() {
    let log = appraise(&Fake::new(), Level::TRACE).await;
    assert!(log.contains("outcome=affirming"), "{log}");
    for word in log.split(|c: char| !c.is_ascii_alphanumeric()) {
        let random = word.len() >= 32 && word.chars().any(|c| c.is_ascii_digit());
        assert!(!random, "{word}");
    }
}

/// Has a service appraise good Evidence, and gives the fields of every event up to this level.
async fn appraise(fake: &Fake, most: Level) -> String {
    let log = Log {
        most,
        text: Arc::default(),
    };
    let subscriber = tracing_subscriber::registry().with(log.clone());
    let _guard = test_support::listen(subscriber);
    let connection = Connection::new();
    let token = connection.token(&SimAttester::generate().unwrap()).await;
    let keys = Arc::new(fake.keys());
    let verifier = RemoteVerifier::builder(support::service(fake), keys, &provider());
    let verifier = verifier.format(PsaToken::tfm()).build().unwrap();
    let media_type = verifier.media_types().first().unwrap();
    let evidence = Evidence::new(media_type, &token, connection.bound());
    drop(verifier.appraise(&evidence, now()).await);
    let text = log.text.lock().unwrap();
    text.clone()
}

#[derive(Clone)]
struct Log {
    most: Level,
    text: Arc<Mutex<String>>,
}

impl<S: Subscriber> Layer<S> for Log {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let ours = event.metadata().target().starts_with("atls_");
        if ours && *event.metadata().level() <= self.most {
            event.record(&mut Fields(&mut self.text.lock().unwrap()));
        }
    }
}

struct Fields<'a>(&'a mut String);

impl Visit for Fields<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        write!(self.0, "{field}={value:?} ").unwrap();
    }
}

const NONCE: &str = "QUp8F0FBs9DpodKK8xUg8NQimf6sQAfe2J1ormzZLxk";
