#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use tokio::time::advance;

use super::ConnectionLimits;
use super::Requests;

const STEP: Duration = Duration::from_secs(40);

#[tokio::test(start_paused = true)]
async fn an_answer_that_is_left_lying_ends_nothing_while_another_is_taken() {
    let requests = reported();
    let (left, taken) = (requests.arrived(), requests.arrived());
    left.offered();
    for _ in 0..5 {
        taken.offered();
        advance(STEP).await;
        taken.taken();
        assert!(requests.check(Instant::now()).is_ok());
    }
    advance(STEP * 2).await;
    assert!(requests.check(Instant::now()).is_err());
}

#[tokio::test(start_paused = true)]
async fn an_answer_is_not_left_lying_for_ever() {
    let requests = reported();
    let (left, taken) = (requests.arrived(), requests.arrived());
    left.offered();
    let limit = requests.limits().unread * 10;
    let started = Instant::now();
    while requests.check(Instant::now()).is_ok() {
        taken.offered();
        advance(STEP).await;
        taken.taken();
        assert!(started.elapsed() < limit + STEP);
    }
    assert!(started.elapsed() >= limit);
}

#[tokio::test(start_paused = true)]
async fn an_answer_of_which_nothing_is_asked_for_ends_the_connection() {
    let requests = reported();
    let answering = requests.arrived();
    answering.offered();
    advance(STEP).await;
    assert!(requests.check(Instant::now()).is_ok());
    advance(STEP).await;
    assert!(requests.check(Instant::now()).is_err());
}

#[tokio::test(start_paused = true)]
async fn a_stream_whose_requests_nobody_reports_fails_at_once() {
    let requests = Requests::new(
        ConnectionLimits::default(),
        Box::new(()),
        Arc::default(),
        Arc::default(),
    );
    for _ in 0..2 {
        let refused = requests.check(Instant::now()).unwrap_err();
        assert_eq!(refused.kind(), std::io::ErrorKind::Other);
    }
    requests.given();
    assert!(requests.check(Instant::now()).is_ok());
}

fn reported() -> Requests {
    let requests = Requests::new(
        ConnectionLimits::default(),
        Box::new(()),
        Arc::default(),
        Arc::default(),
    );
    requests.given();
    requests
}
