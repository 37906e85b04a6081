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

use std::io;
use std::sync::Arc;
use std::sync::Mutex;

use atls_core::Evidence;
use atls_core::Verifier;
use atls_sim::SimAttester;
use atls_veraison::PsaToken;
use atls_veraison::Service;
use atls_veraison::VeraisonVerifier;
use support::Connection;
use support::Fake;
use support::now;
use support::provider;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(octets);
        Ok(octets.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Log {
    fn take(&self) -> String {
        String::from_utf8(std::mem::take(&mut *self.0.lock().unwrap())).unwrap()
    }
}

#[tokio::test]
async fn each_appraisal_is_one_event_with_stable_fields_and_no_evidence() {
    let log = Log::default();
    let writer = log.clone();
    let layer = tracing_subscriber::fmt::layer()
        .with_ansi(false)
        .with_writer(move || writer.clone());
    tracing_subscriber::registry()
        .with(layer.with_filter(LevelFilter::DEBUG))
        .init();
    let connection = Connection::default();
    let token = connection.token(&SimAttester::generate().unwrap()).await;
    let appraise = async |fake: &Fake, token: &[u8]| {
        let service = Service::new("https://veraison.example", Arc::new(fake.clone())).unwrap();
        let verifier = VeraisonVerifier::builder(service, fake.keys(), &provider());
        let verifier = verifier.format(PsaToken::tfm()).build().unwrap();
        let evidence = Evidence::new(&verifier.media_types()[0], token, connection.bound());
        drop(verifier.appraise(&evidence, now()).await);
        log.take()
    };
    let has = |events: &str, words: &[&str]| {
        assert_eq!(events.lines().count(), 1, "{events}");
        for word in words.iter().chain(&[
            "atls_veraison",
            "verifier=\"veraison\"",
            "duration_ms=",
            "media_type=application/eat+cwt",
        ]) {
            assert!(events.contains(word), "{word} in {events}");
        }
        // Neither nonce nor Evidence: nothing that is long and random.
        for word in events.split(|c: char| !c.is_ascii_alphanumeric()) {
            let random = word.len() >= 32 && word.chars().any(|c| c.is_ascii_digit());
            assert!(!random, "{word} in {events}");
        }
    };

    let good = appraise(&Fake::new(), &token).await;
    has(&good, &[" DEBUG ", "outcome=affirming"]);
    let replayed = Connection::default()
        .token(&SimAttester::generate().unwrap())
        .await;
    let refused = appraise(&Fake::new(), &replayed).await;
    has(
        &refused,
        &[" WARN ", "outcome=\"evidence_not_bound\"", "fault=peer"],
    );
    let down = Fake::new().tampering(|_, _| {
        let body = br#"{"title":"Internal Server Error","detail":"nonce QUp8F0FBs9DpodKK8xUg8NQimf6sQAfe2J1ormzZLxk"}"#;
        let answer = http::Response::builder().status(500).header("content-type", "application/problem+json");
        answer.body(body.to_vec()).unwrap()
    });
    has(
        &appraise(&down, &token).await,
        &[" WARN ", "outcome=\"status\"", "fault=verifier"],
    );
    let forged = Fake::new().claiming(|claims| claims["iat"] = 1.into());
    has(
        &appraise(&forged, &token).await,
        &["outcome=\"result_time\"", "fault=verifier"],
    );
}
