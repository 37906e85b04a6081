//! A read that waits learns of an end that comes nearer than the one that it knew.
#![allow(clippy::arithmetic_side_effects, reason = "a test fails by panicking")]

use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;
use std::task::Poll;
use std::time::Duration;

use atls_core::limits::DEFAULT_GRACE;
use tokio::task::JoinHandle;
use tokio::task::yield_now;
use tokio::time::Instant;

use super::ConnectionLimits;
use super::limited;
use crate::stream::early_end::EarlyEnd;
use crate::stream::lifetime::Expiry;
use crate::stream::lifetime::Lifetime;
use crate::stream::live::Live;
use crate::stream::requests::Requests;
use crate::stream::timers::Timers;

const SOON: Duration = Duration::from_secs(50);
const LATE: Duration = Duration::from_secs(50_000);
const SECOND: Duration = Duration::from_secs(1);

#[tokio::test(start_paused = true)]
async fn of_an_answer_that_is_not_taken() {
    let requests = limited(|limits| {
        limits.first_request = LATE;
        limits.unread = SOON;
    });
    let reading = read_that_waits(&requests).await;
    let answering = requests.arrived();
    answering.offered();
    ends_soon(reading).await;
}

/// The read knew of no end at all.
#[tokio::test(start_paused = true)]
async fn of_an_answer_that_is_not_taken_after_a_long_work() {
    let requests = limited(|limits| limits.unread = SOON);
    let answering = requests.arrived();
    let reading = read_that_waits(&requests).await;
    answering.offered();
    ends_soon(reading).await;
}

#[tokio::test(start_paused = true)]
async fn of_the_end_of_the_last_answer() {
    let requests = limited(|limits| {
        limits.first_request = LATE;
        limits.idle = SOON;
    });
    let reading = read_that_waits(&requests).await;
    drop(requests.arrived());
    ends_soon(reading).await;
}

#[tokio::test(start_paused = true)]
async fn of_a_connection_that_leaves_http() {
    let requests = limited(|limits| {
        limits.first_request = LATE;
        limits.idle = SOON;
    });
    let reading = read_that_waits(&requests).await;
    let answering = requests.arrived();
    answering.upgraded();
    ends_soon(reading).await;
}

#[tokio::test(start_paused = true)]
async fn of_a_recall_and_of_a_clock_that_is_set_forward() {
    for by_clock in [false, true] {
        let (live, early) = (Arc::new(Live::default()), Arc::new(EarlyEnd::default()));
        let limits = ConnectionLimits::default();
        let requests = Requests::new(limits, Box::new(()), live.clone(), early.clone());
        requests.given();
        let _answering = requests.arrived();
        let reading = read_that_waits(&requests).await;
        let recalled = tokio::spawn({
            let requests = requests.clone();
            async move { requests.recalled().await }
        });
        yield_now().await;
        assert!(!recalled.is_finished());
        if by_clock {
            early.see(Instant::now(), SOON);
            requests.wake();
        } else {
            live.recall(SOON);
        }
        recalled.await.unwrap();
        assert_eq!(requests.recalled_at(), Some(Instant::now()));
        ends_soon(reading).await;
    }
}

/// A request found that the attestation has expired by the clock.
#[tokio::test(start_paused = true)]
async fn of_an_expiry_that_somebody_else_saw() {
    let early = Arc::new(EarlyEnd::default());
    let limits = ConnectionLimits::default();
    let requests = Requests::new(limits, Box::new(()), Arc::default(), early.clone());
    requests.given();
    let _answering = requests.arrived();
    let reading = read_that_waits(&requests).await;
    Lifetime::new(Expiry::of([]), early, Some(requests)).expire();
    let took = reading.await.unwrap();
    assert!(took >= DEFAULT_GRACE && took < DEFAULT_GRACE + SECOND);
}

/// Each would cost a connection that waits.
#[tokio::test(start_paused = true)]
async fn of_no_end_that_is_later_than_the_one_it_knows() {
    let requests = limited(|limits| {
        limits.first_request = SOON;
        limits.unread = LATE;
        limits.idle = LATE;
    });
    let polls = Arc::new(AtomicUsize::new(0));
    let mut timers = Timers::new(Expiry::of([]));
    timers.requests = Some(requests.clone());
    let count = polls.clone();
    let _reading = tokio::spawn(poll_fn(move |cx| {
        count.fetch_add(1, Ordering::Relaxed);
        timers.wait_to_read(Instant::now(), cx);
        Poll::<()>::Pending
    }));
    yield_now().await;
    let answering = requests.arrived();
    answering.offered();
    answering.taken();
    drop(answering);
    yield_now().await;
    assert_eq!(polls.load(Ordering::Relaxed), 1);
}

async fn ends_soon(reading: JoinHandle<Duration>) {
    let took = reading.await.unwrap();
    assert!(took >= SOON && took < SOON + SECOND, "{took:?}");
}

/// It gives the time that it waited. Nobody polls it but who wakes it.
async fn read_that_waits(requests: &Requests) -> JoinHandle<Duration> {
    let mut timers = Timers::new(Expiry::of([]));
    timers.requests = Some(requests.clone());
    let began = Instant::now();
    let reading = tokio::spawn(poll_fn(move |cx| {
        let now = Instant::now();
        if timers.check(now).is_err() {
            return Poll::Ready(began.elapsed());
        }
        timers.wait_to_read(now, cx);
        Poll::Pending
    }));
    yield_now().await;
    reading
}
