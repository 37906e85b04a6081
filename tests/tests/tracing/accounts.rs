//! The whole account of a refusal, in the log of whoever asks for it.

use std::sync::Arc;

use atls_core::StandardPolicy;
use atls_sim::SimAttester;
use atls_tower::RequireAttestationLayer;
use axum::body::Bytes;
use test_support::Log;
use tower::Layer as _;
use tower::ServiceExt;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::filter::Targets;

use crate::log::ACCOUNTS;
use crate::scenes::ask_a_server_of_unknown_software;

#[tokio::test]
async fn a_refusal_is_accounted_for_once_item_by_item_where_it_is_asked_for() {
    let lines = refused(Targets::new().with_target(ACCOUNTS, LevelFilter::DEBUG)).await;
    let seen = hex(SimAttester::SOFTWARE);
    let checked = format!("  sim.software failed: seen {seen}, allowed are web 1.4 (");
    let begins = [
        "refused by fault of the peer: attestation does not satisfy the policy",
        "attestation status is contraindicated",
        "item application/eat+cwt",
        &checked,
    ];
    for begin in begins {
        let with = lines.iter().filter(|line| line.contains(begin));
        assert_eq!(with.count(), 1, "{begin}: {lines:#?}");
    }
    assert!(lines[0].contains(" DEBUG "), "{lines:#?}");
    // Public values alone: neither the device nor its key.
    let public = [seen, hex([4; 32])];
    let words = lines
        .iter()
        .flat_map(|line| line.split(|c: char| !c.is_ascii_alphanumeric()));
    for word in words.filter(|word| word.len() >= 32) {
        assert!(public.iter().any(|known| known == word), "{word}");
    }
}

#[tokio::test]
async fn nobody_has_the_account_who_does_not_ask_for_it() {
    let lines = refused(Targets::new().with_default(LevelFilter::INFO)).await;
    let of_client = |line: &&String| line.contains("side=\"client\"");
    assert_eq!(lines.iter().filter(of_client).count(), 1, "{lines:#?}");
    assert!(!lines.iter().any(|line| line.contains("by fault of")));
}

#[tokio::test]
async fn a_route_accounts_for_its_refusals_too() {
    let ours = Targets::new().with_target(ACCOUNTS, LevelFilter::DEBUG);
    let (log, _guard) = Log::start(ours);
    let device = Arc::new(SimAttester::generate().unwrap());
    let accepting = demo::trusting(&device).unwrap();
    let connection = atls_tower::testing::attested(demo::provider(), device, accepting);
    let connection = connection.await.unwrap();
    let strict = RequireAttestationLayer::new().with_policy(StandardPolicy::new());
    let handler = tower::service_fn(async |_: http::Request<String>| {
        Ok::<_, std::convert::Infallible>(http::Response::new(Bytes::new()))
    });
    let service = connection.layer(strict.layer(handler));
    service
        .oneshot(http::Request::new(String::new()))
        .await
        .unwrap();
    let lines = log.take();
    assert_eq!(lines.len(), 1, "{lines:#?}");
    assert!(
        lines[0].contains("refused by fault of the peer"),
        "{lines:#?}"
    );
}

/// The lines about a server whose software the client does not know.
async fn refused(ours: Targets) -> Vec<String> {
    let (log, _guard) = Log::start(ours);
    ask_a_server_of_unknown_software().await;
    log.take()
}

fn hex(bytes: [u8; 32]) -> String {
    bytes.map(|byte| format!("{byte:02x}")).concat()
}
