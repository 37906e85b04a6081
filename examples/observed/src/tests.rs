#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use axum::Router;
use axum::body::Bytes;
use axum::routing::post;
use tokio::net::TcpListener;
use tokio::sync::mpsc;

use super::observe;

#[tokio::test(flavor = "multi_thread")]
async fn prometheus_gets_numbers_and_a_collector_spans() {
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
    let numbers = async {
        let plain = atls_reqwest::reqwest::Client::new();
        loop {
            let answer = plain.get(&url).send().await.unwrap();
            let numbers = answer.text().await.unwrap();
            if numbers.contains(r#"outcome="attested""#) && numbers.contains("unknown_key") {
                return numbers;
            }
            tokio::task::yield_now().await;
        }
    };
    let (send, seen) = tokio::sync::oneshot::channel();
    let stop = async move { drop(send.send(numbers.await)) };
    observe(page, Some(endpoint), stop).await.unwrap();
    let numbers = seen.await.unwrap();
    assert!(numbers.contains("atls_stage_seconds_bucket"));
    assert!(numbers.contains(r#"atls_connections{side="server",binding="none"}"#));
    let spans = collected.recv().await.unwrap();
    let named = |name: &[u8]| spans.windows(name.len()).any(|window| window == name);
    assert!(named(b"observed") && named(b"atls"));
}
