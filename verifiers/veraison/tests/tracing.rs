//! Events as they are counted. A file of its own, for the log of a process is one.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod support;

use std::collections::BTreeMap;
use std::fmt;
use std::pin::pin;
use std::sync::Arc;
use std::sync::Mutex;
use std::task::Context as TaskContext;
use std::task::Waker;

use atls_core::Evidence;
use atls_core::Verifier;
use atls_remote::RemoteVerifier;
use atls_sim::SimAttester;
use atls_veraison::PsaToken;
use support::Fake;
use support::Step;
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
use tracing_subscriber::util::SubscriberInitExt;

/// Keeps the events of appraisals, as whoever counts them would see them.
#[derive(Clone, Default)]
struct Counter(Arc<Mutex<Vec<Seen>>>);

struct Seen {
    name: &'static str,
    level: Level,
    fields: BTreeMap<&'static str, String>,
}

impl<S: Subscriber> Layer<S> for Counter {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let metadata = event.metadata();
        if metadata.target() != "atls_remote::outcome" || *metadata.level() > Level::DEBUG {
            return;
        }
        let mut fields = Fields(BTreeMap::new());
        event.record(&mut fields);
        self.0.lock().unwrap().push(Seen {
            name: metadata.name(),
            level: *metadata.level(),
            fields: fields.0,
        });
    }
}

struct Fields(BTreeMap<&'static str, String>);

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.0.insert(field.name(), format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name(), value.to_owned());
    }
}

#[tokio::test]
async fn each_appraisal_is_one_event_with_stable_fields_and_no_evidence() {
    let counter = Counter::default();
    tracing_subscriber::registry().with(counter.clone()).init();
    let connection = Connection::new();
    let token = connection.token(&SimAttester::generate().unwrap()).await;
    let appraise = async |fake: &Fake, token: &[u8]| {
        let keys = Arc::new(fake.keys());
        let verifier = RemoteVerifier::builder(support::service(fake), keys, &provider());
        let verifier = verifier.format(PsaToken::tfm()).build().unwrap();
        let evidence = Evidence::new(&verifier.media_types()[0], token, connection.bound());
        let mut context = TaskContext::from_waker(Waker::noop());
        // Once: what is not there by then is given up.
        drop(
            pin!(verifier.appraise(&evidence, now()))
                .as_mut()
                .poll(&mut context),
        );
        let mut seen = std::mem::take(&mut *counter.0.lock().unwrap());
        assert_eq!(seen.len(), 1);
        seen.remove(0)
    };
    let outcome = |seen: Seen, level: Level| {
        assert_eq!((seen.name, seen.level), ("atls.verifier.outcome", level));
        assert_eq!(seen.fields["verifier"], "veraison");
        assert!(seen.fields["media_type"].starts_with("application/eat+cwt;"));
        assert!(seen.fields["duration_ms"].parse::<u64>().is_ok());
        // Neither nonce nor Evidence: nothing that is long and random.
        let text: Vec<_> = seen.fields.values().map(String::as_str).collect();
        for word in text.join(" ").split(|c: char| !c.is_ascii_alphanumeric()) {
            let random = word.len() >= 32 && word.chars().any(|c| c.is_ascii_digit());
            assert!(!random, "{word}");
        }
        let field = |name| seen.fields.get(name).cloned();
        (field("outcome").unwrap(), field("fault"))
    };
    let failed = |outcome: &str, fault: &str| (outcome.to_owned(), Some(fault.to_owned()));

    let good = appraise(&Fake::new(), &token).await;
    assert_eq!(outcome(good, Level::DEBUG), ("affirming".to_owned(), None));
    let other = Connection::new();
    let replayed = other.token(&SimAttester::generate().unwrap()).await;
    let refused = appraise(&Fake::new(), &replayed).await;
    assert_eq!(
        outcome(refused, Level::WARN),
        failed("evidence_not_bound", "peer")
    );
    let down = Fake::new().tampering(|_, _| {
        let body = br#"{"title":"Internal Server Error","detail":"nonce QUp8F0FBs9DpodKK8xUg8NQimf6sQAfe2J1ormzZLxk"}"#;
        let answer = http::Response::builder()
            .status(500)
            .header("content-type", "application/problem+json");
        answer.body(body.to_vec()).unwrap()
    });
    let down = appraise(&down, &token).await;
    assert_eq!(outcome(down, Level::WARN), failed("status", "verifier"));
    let stale = Fake::new().claiming(|claims| claims["iat"] = 1.into());
    let stale = appraise(&stale, &token).await;
    assert_eq!(
        stale.fields["cause"],
        "result has expired, or is older than the maximum age; compare the clocks"
    );
    assert_eq!(
        outcome(stale, Level::WARN),
        failed("result_time", "verifier")
    );
    // The service does not answer, and the connection reaches its deadline.
    let mut silent = Fake::new();
    silent.stuck = Some(Step::Submit);
    let silent = appraise(&silent, &token).await;
    assert_eq!(outcome(silent, Level::WARN), ("abandoned".to_owned(), None));
}
