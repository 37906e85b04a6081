#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod idle;
mod phases;
mod woken;

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
async fn an_answer_that_was_taken_so_far_is_worked_on_for_as_long_as_that_takes() {
    let requests = reported();
    let answering = requests.arrived();
    // What is offered again stands in the place of what was offered before.
    answering.offered();
    answering.offered();
    answering.taken();
    advance(STEP * 100).await;
    assert!(requests.check(Instant::now()).is_ok());
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_has_ended_waits_for_nobody() {
    let requests = reported();
    let (ended, _worked_on) = (requests.arrived(), requests.arrived());
    ended.offered();
    drop(ended);
    advance(STEP * 100).await;
    assert!(requests.check(Instant::now()).is_ok());
}

/// HTTP asks for more of one answer again and again, of which there is nothing yet.
#[tokio::test(start_paused = true)]
async fn an_answer_of_which_nothing_is_offered_gives_no_time_to_another() {
    let requests = reported();
    let (left, worked_on) = (requests.arrived(), requests.arrived());
    left.offered();
    for _ in 0..2 {
        advance(STEP).await;
        worked_on.taken();
    }
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
    limited(|_| {})
}

/// With other limits than the usual ones.
fn limited(adjust: impl FnOnce(&mut ConnectionLimits)) -> Requests {
    let mut limits = ConnectionLimits::default();
    adjust(&mut limits);
    let requests = Requests::new(limits, Box::new(()), Arc::default(), Arc::default());
    requests.given();
    requests
}
