//! The events by which requests to services are counted. Alone in its process, because `tracing` decides once whether anybody
//! listens.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::future::pending;
use std::future::ready;
use std::sync::Arc;
use std::time::Duration;

use atls_core::http::HttpClient;
use atls_core::http::HttpError;
use atls_core::http::HttpLimits;
use atls_remote::Resilient;
use http::Method;
use http::Request;
use http::Response;
use support::Events;
use test_support::Script;

#[tokio::test(start_paused = true)]
async fn each_request_ends_in_one_event() {
    let events = Events::default();
    let _guard = events.collect();
    let script = Script::new(|number, _| match number {
        0 => Box::pin(ready(Ok(Response::new(Vec::new())))),
        1 => Box::pin(pending()),
        _ => Box::pin(ready(Err(HttpError::Unreachable("gone".to_owned())))),
    });
    let client = Resilient::builder("test", Arc::new(script))
        .jitter(|| 0)
        .circuit(1, Duration::from_secs(5))
        .build();
    let send = async || {
        let mut request = Request::new(b"evidence".to_vec());
        *request.method_mut() = Method::POST;
        let limits = HttpLimits::new(Duration::from_secs(60), 1000);
        client.send(request, limits).await
    };
    assert!(send().await.is_ok());
    tokio::select! {
        biased;
        _ = send() => unreachable!("nobody answers it"),
        () = ready(()) => {}
    }
    for _ in 0..2 {
        drop(send().await);
    }
    let outcomes = events.field("outcome");
    assert_eq!(outcomes, ["answered", "abandoned", "failed", "not_sent"]);
    assert!(events.field("service").iter().all(|name| name == "test"));
    assert_eq!(events.field("service").len(), 5);
    assert_eq!(events.field("circuit"), ["open"]);
    assert_eq!(client.stats().abandoned, 1);
}
