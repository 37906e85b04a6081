//! What a connection waits for, and how long it may.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use tokio::time::advance;

use super::ConnectionLimits;
use super::limited;
use crate::stream::requests::Requests;

const LIMIT: Duration = Duration::from_secs(100);
const SECOND: Duration = Duration::from_secs(1);

#[tokio::test(start_paused = true)]
async fn a_stream_without_a_request_fails_at_the_limit_of_the_first() {
    let requests = limited(|limits| limits.first_request = LIMIT);
    assert!(requests.are_awaited());
    advance(LIMIT - SECOND).await;
    assert!(requests.check(Instant::now()).is_ok());
    advance(SECOND).await;
    assert!(requests.check(Instant::now()).is_err());
}

#[tokio::test(start_paused = true)]
async fn a_request_is_worked_for_as_long_as_that_takes() {
    let requests = limited(|limits| {
        limits.first_request = LIMIT;
        limits.idle = LIMIT;
    });
    let _answering = requests.arrived();
    advance(LIMIT * 100).await;
    assert!(!requests.are_awaited());
    assert!(requests.check(Instant::now()).is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_stream_idles_from_the_end_of_its_last_answer_on() {
    let requests = limited(|limits| limits.idle = LIMIT);
    let answers = [(); 3].map(|()| requests.arrived());
    for answer in answers {
        assert!(!requests.are_awaited());
        advance(LIMIT * 2).await;
        drop(answer);
        assert!(requests.check(Instant::now()).is_ok());
    }
    assert!(requests.are_awaited());
    advance(LIMIT).await;
    assert!(requests.check(Instant::now()).is_err());
}

#[test]
fn a_connection_is_pending_until_its_first_request() {
    let pending = Arc::new(());
    let requests = Requests::new(
        ConnectionLimits::default(),
        Box::new(pending.clone()),
        Arc::default(),
        Arc::default(),
    );
    assert_eq!(Arc::strong_count(&pending), 2);
    let _answering = requests.arrived();
    assert_eq!(Arc::strong_count(&pending), 1);
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_left_http_is_kept_by_its_bytes() {
    let requests = upgraded();
    for _ in 0..3 {
        advance(LIMIT - SECOND).await;
        assert!(requests.check(Instant::now()).is_ok());
        requests.bytes_moved();
    }
    advance(LIMIT).await;
    assert!(requests.check(Instant::now()).is_err());
}

#[tokio::test(start_paused = true)]
async fn bytes_keep_no_connection_that_waits_for_a_request() {
    for has_asked in [false, true] {
        let requests = limited(|limits| {
            limits.first_request = LIMIT;
            limits.idle = LIMIT;
        });
        if has_asked {
            drop(requests.arrived());
        }
        advance(LIMIT / 2).await;
        requests.bytes_moved();
        advance(LIMIT / 2).await;
        assert!(requests.check(Instant::now()).is_err());
    }
}

/// What was cut must not look complete: such a stream does not end as one that waits for a request.
#[tokio::test(start_paused = true)]
async fn a_connection_that_left_http_awaits_no_request_any_more() {
    let requests = upgraded();
    assert!(!requests.are_awaited());
    drop(requests.arrived());
    assert!(!requests.are_awaited());
    // Nor does a request give it time.
    advance(LIMIT).await;
    let _answering = requests.arrived();
    assert!(requests.check(Instant::now()).is_err());
}

/// Its answer has ended.
fn upgraded() -> Requests {
    let requests = limited(|limits| limits.idle = LIMIT);
    requests.arrived().upgraded();
    requests
}
