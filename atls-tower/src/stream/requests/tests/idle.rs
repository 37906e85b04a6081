//! How long a client may be idle, and the time for a goodbye.

use std::time::Duration;

use atls_core::limits::DEFAULT_GRACE;
use tokio::task::yield_now;
use tokio::time::Instant;
use tokio::time::advance;

use super::limited;
use crate::stream::requests::Requests;

const IDLE: Duration = Duration::from_secs(100);
const SECOND: Duration = Duration::from_secs(1);

#[tokio::test(start_paused = true)]
async fn a_client_has_idled_when_it_asked_nothing_for_the_limit() {
    let requests = idle_client();
    let began = Instant::now();
    requests.idled().await;
    let idle = began.elapsed();
    assert!(idle >= IDLE && idle < IDLE + SECOND, "{idle:?}");
}

#[tokio::test(start_paused = true)]
async fn a_client_that_has_asked_nothing_yet_is_not_idle() {
    let requests = limited(|limits| limits.idle = IDLE);
    let idled = tokio::time::timeout(IDLE * 2, requests.idled()).await;
    assert!(idled.is_err());
}

#[tokio::test(start_paused = true)]
async fn a_request_that_comes_while_the_client_idles_puts_the_end_off() {
    let requests = idle_client();
    let idling = tokio::spawn({
        let requests = requests.clone();
        async move { requests.idled().await }
    });
    yield_now().await;
    advance(IDLE / 2).await;
    let answering = requests.arrived();
    // The end that was due is over, and the answer is not.
    advance(IDLE).await;
    yield_now().await;
    assert!(!idling.is_finished());
    let answered = Instant::now();
    drop(answering);
    idling.await.unwrap();
    let idle = answered.elapsed();
    assert!(idle >= IDLE && idle < IDLE + SECOND, "{idle:?}");
}

#[tokio::test(start_paused = true)]
async fn a_client_may_idle_for_ever_where_the_limit_cannot_be_represented() {
    let requests = limited(|limits| limits.idle = Duration::MAX);
    drop(requests.arrived());
    let idled = tokio::time::timeout(IDLE * 1000, requests.idled()).await;
    assert!(idled.is_err());
    assert!(requests.check(Instant::now()).is_ok());
}

#[tokio::test(start_paused = true)]
async fn an_idle_stream_fails_at_the_limit() {
    let requests = idle_client();
    advance(IDLE - SECOND).await;
    assert!(requests.check(Instant::now()).is_ok());
    advance(SECOND).await;
    assert!(requests.check(Instant::now()).is_err());
}

#[tokio::test(start_paused = true)]
async fn an_idle_stream_fails_later_where_its_service_says_goodbye() {
    let requests = idle_client();
    requests.idled().await;
    assert!(requests.check(Instant::now()).is_ok());
    advance(DEFAULT_GRACE - SECOND).await;
    assert!(requests.check(Instant::now()).is_ok());
    advance(SECOND).await;
    assert!(requests.check(Instant::now()).is_err());
}

/// It asked, and was answered.
fn idle_client() -> Requests {
    let requests = limited(|limits| limits.idle = IDLE);
    drop(requests.arrived());
    requests
}
