//! The ends of a connection, and who is told of them.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::future::Future;

use tokio::task::JoinHandle;
use tokio::task::yield_now;
use tokio::time::advance;

use super::*;
use crate::stream::connection_limits::ConnectionLimits;
use crate::stream::live::Live;

const SECOND: Duration = Duration::from_secs(1);
const WITHIN: Duration = Duration::from_secs(20);
/// Of an attestation. It drains 30 seconds before.
const VALID_FOR: Duration = Duration::from_secs(1000);

/// A timer that moved with each poll would cost each of them.
#[test]
fn polls_before_a_look_at_the_clock_ask_for_the_same_time() {
    let now = Instant::now();
    let expiry = Expiry::of([(now, CLOCK_LOOK * 10)]);
    let look = expiry.next(now).unwrap();
    assert_eq!(look, now + CLOCK_LOOK);
    assert_eq!(expiry.next(now + SECOND / 3), Some(look));
    assert_eq!(expiry.next(look - SECOND), Some(look));
    assert_eq!(expiry.next(look), Some(look + CLOCK_LOOK));
}

#[test]
fn draining_and_the_end_come_when_they_are_due() {
    let now = Instant::now();
    let expiry = Expiry::of([(now, CLOCK_LOOK * 10)]);
    let drains_at = now + CLOCK_LOOK * 10 - MAX_DRAIN_LEAD;
    assert_eq!(expiry.next(drains_at - SECOND), Some(drains_at));
    let expires_at = now + CLOCK_LOOK * 10;
    assert_eq!(expiry.next(drains_at), Some(expires_at));
    let ends_at = expires_at + DEFAULT_GRACE;
    assert_eq!(expiry.next(expires_at + SECOND), Some(ends_at));
}

#[test]
fn a_connection_that_attestation_does_not_end_looks_at_no_clock() {
    assert_eq!(Expiry::of([]).next(Instant::now()), None);
}

#[test]
fn a_connection_ends_with_the_first_of_its_attestations() {
    let now = Instant::now();
    let longer = (now + SECOND, VALID_FOR);
    let shorter = (now, VALID_FOR);
    let endless = (now, Duration::MAX);
    for attestations in [[longer, shorter], [shorter, longer], [endless, shorter]] {
        let expiry = Expiry::of(attestations);
        assert_eq!(expiry.drains_at(), Some(now + VALID_FOR - MAX_DRAIN_LEAD));
        assert_eq!(expiry.ends_at(), Some(now + VALID_FOR + DEFAULT_GRACE));
    }
    let without = Expiry::of([endless]);
    assert_eq!((without.drains_at(), without.ends_at()), (None, None));
}

#[test]
fn a_connection_drains_for_the_last_tenth_of_its_time_and_for_half_a_minute_at_most() {
    for (valid_for, expected) in [(0, 0), (9, 0), (60, 6), (299, 29), (300, 30), (86_400, 30)] {
        assert_eq!(
            lead(Duration::from_secs(valid_for)),
            expected,
            "{valid_for}"
        );
    }
}

#[test]
fn an_attestation_has_expired_from_its_last_moment_on() {
    let now = Instant::now();
    let expiry = Expiry::of([(now, VALID_FOR)]);
    let end = now + VALID_FOR;
    assert!(!expiry.has_passed(end - SECOND));
    assert!(expiry.has_passed(end));
    assert!(expiry.has_passed(end + SECOND));
    assert!(!Expiry::of([]).has_passed(end));
}

#[test]
fn an_end_is_brought_forward_once_and_never_put_off() {
    let now = Instant::now();
    let mut expiry = Expiry::of([(now, VALID_FOR)]);
    expiry.bring_forward(now + SECOND);
    assert_eq!(expiry.ends_at(), Some(now + SECOND + DEFAULT_GRACE));
    expiry.bring_forward(now + WITHIN);
    assert_eq!(expiry.ends_at(), Some(now + SECOND + DEFAULT_GRACE));
}

#[test]
fn without_grace_a_connection_ends_as_its_attestation_does() {
    let now = Instant::now();
    let mut expiry = Expiry::of([(now, VALID_FOR)]);
    expiry.grace = Grace::None;
    assert_eq!(expiry.ends_at(), Some(now + VALID_FOR));
}

#[tokio::test(start_paused = true)]
async fn a_connection_lasts_as_long_as_its_attestation() {
    let connection = Connection::new();
    let now = Instant::now();
    let lifetime = &connection.lifetime;
    assert_eq!(lifetime.drains_at(), Some(now + VALID_FOR - MAX_DRAIN_LEAD));
    assert_eq!(lifetime.ends_at(), Some(now + VALID_FOR + DEFAULT_GRACE));
    let (draining, ended) = (connection.draining().await, connection.ended().await);
    advance(VALID_FOR - MAX_DRAIN_LEAD - SECOND).await;
    yield_now().await;
    assert!(!lifetime.is_draining() && !draining.is_finished());
    advance(SECOND).await;
    assert!(lifetime.is_draining());
    draining.await.unwrap();
    advance(MAX_DRAIN_LEAD).await;
    yield_now().await;
    assert!(!ended.is_finished());
    ended.await.unwrap();
    assert_eq!(now.elapsed(), VALID_FOR + DEFAULT_GRACE);
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_is_set_forward_drains_a_connection_and_ends_it_after_the_grace() {
    for connection in [Connection::new(), Connection::of_client()] {
        let (draining, ended) = (connection.draining().await, connection.ended().await);
        let now = Instant::now();
        let lifetime = &connection.lifetime;
        lifetime.expire();
        assert!(lifetime.is_draining());
        assert_eq!(lifetime.drains_at(), Some(now));
        assert_eq!(lifetime.ends_at(), Some(now + DEFAULT_GRACE));
        draining.await.unwrap();
        // Another look at the clock puts nothing off.
        advance(SECOND).await;
        lifetime.expire();
        ended.await.unwrap();
        assert_eq!(now.elapsed(), DEFAULT_GRACE);
    }
}

#[tokio::test(start_paused = true)]
async fn a_connection_drains_from_its_recall_on_and_ends_within_its_time() {
    let connection = Connection::new();
    let (draining, ended) = (connection.draining().await, connection.ended().await);
    let now = Instant::now();
    connection.live.recall(WITHIN);
    assert_eq!(connection.lifetime.drains_at(), Some(now));
    assert_eq!(connection.lifetime.ends_at(), Some(now + WITHIN));
    draining.await.unwrap();
    ended.await.unwrap();
    assert_eq!(now.elapsed(), WITHIN);
}

#[tokio::test(start_paused = true)]
async fn of_a_recall_and_an_expiry_the_first_end_counts() {
    for within in [SECOND, WITHIN] {
        let connection = Connection::new();
        let ended = connection.ended().await;
        let now = Instant::now();
        connection.live.recall(within);
        connection.lifetime.expire();
        let first = within.min(DEFAULT_GRACE);
        assert_eq!(connection.lifetime.ends_at(), Some(now + first));
        ended.await.unwrap();
        assert_eq!(now.elapsed(), first);
    }
}

#[test]
fn an_expiry_is_of_the_peer_where_it_is_said() {
    let lifetime = Lifetime::unlimited();
    lifetime.expire();
    assert!(!lifetime.has_peer_expired());
    lifetime.expire_peer();
    assert!(lifetime.has_peer_expired());
    let lifetime = Lifetime::unlimited();
    lifetime.expire_peer();
    assert!(lifetime.has_peer_expired() && lifetime.is_draining());
}

/// The time of a connection, and those who wait for its end.
struct Connection {
    live: Arc<Live>,
    lifetime: Lifetime,
}

impl Connection {
    fn new() -> Self {
        let (live, early) = (Arc::new(Live::default()), Arc::new(EarlyEnd::default()));
        let limits = ConnectionLimits::default();
        let requests = Requests::new(limits, Box::new(()), live.clone(), early.clone());
        Self::with(live, early, Some(requests))
    }

    /// Nobody reports its requests, and nobody recalls it.
    fn of_client() -> Self {
        Self::with(Arc::default(), Arc::default(), None)
    }

    fn with(live: Arc<Live>, early: Arc<EarlyEnd>, requests: Option<Requests>) -> Self {
        let expiry = Expiry::of([(Instant::now(), VALID_FOR)]);
        let lifetime = Lifetime::new(expiry, early, requests);
        Self { live, lifetime }
    }

    async fn draining(&self) -> JoinHandle<()> {
        let lifetime = self.lifetime.clone();
        waiting(async move { lifetime.draining().await }).await
    }

    async fn ended(&self) -> JoinHandle<()> {
        let lifetime = self.lifetime.clone();
        waiting(async move { lifetime.ended().await }).await
    }
}

async fn waiting(wait: impl Future<Output = ()> + Send + 'static) -> JoinHandle<()> {
    let waiting = tokio::spawn(wait);
    yield_now().await;
    assert!(!waiting.is_finished());
    waiting
}
