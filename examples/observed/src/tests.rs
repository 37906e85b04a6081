#![allow(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod exported;
mod queries;

use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::routing::post;
use tokio::net::TcpListener;
use tokio::sync::mpsc;

use super::observe;
use exported::Exported;

/// One test, as the recorder and the subscriber are of the process.
#[tokio::test(flavor = "multi_thread")]
async fn a_collector_gets_spans_and_prometheus_all_that_dashboard_and_alerts_ask_for() {
    let (spans, mut collected) = mpsc::unbounded_channel();
    let collector = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", collector.local_addr().unwrap());
    let app = Router::new().route(
        "/v1/traces",
        post(async move |body: Bytes| drop(spans.send(body))),
    );
    tokio::spawn(async move { axum::serve(collector, app).await });

    let page = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/metrics", page.local_addr().unwrap());
    let asked = queries::all();
    assert!(asked.len() > 30, "{}", asked.len());
    let numbers = async {
        let plain = atls_reqwest::reqwest::Client::new();
        let mut missing = Vec::new();
        // Until the traffic has done everything once, which takes some rounds.
        for _ in 0..MOST_LOOKS {
            let answer = plain.get(&url).send().await.unwrap();
            let exported = Exported::of(&answer.text().await.unwrap());
            missing = asked
                .iter()
                .filter_map(|query| exported.lacks(query))
                .collect();
            if missing.is_empty() {
                break;
            }
            tokio::task::yield_now().await;
        }
        missing
    };
    let (send, seen) = tokio::sync::oneshot::channel();
    let stop = async move { drop(send.send(numbers.await)) };
    let pause = Duration::from_millis(200);
    observe(page, Some(endpoint), pause, stop).await.unwrap();
    let missing = seen.await.unwrap();
    assert!(missing.is_empty(), "{missing:#?}");
    let spans = collected.recv().await.unwrap();
    let named = |name: &[u8]| spans.windows(name.len()).any(|window| window == name);
    assert!(named(b"observed") && named(b"atls"));
}

/// A look takes the time of a request on loopback: more than the traffic needs by far.
const MOST_LOOKS: usize = 100_000;
