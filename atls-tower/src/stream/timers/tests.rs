//! The ends of reads and writes that wait.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::future::poll_fn;
use std::sync::Mutex;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;
use std::task::Poll;
use std::task::Wake;
use std::task::Waker;
use std::time::Duration;

use tokio::time::advance;

use super::*;
use crate::stream::ConnectionLimits;
use crate::stream::lifetime::Grace;
use crate::stream::live::Live;

const WITHIN: Duration = Duration::from_secs(20);
const LATER: Duration = Duration::from_secs(1);

#[tokio::test(start_paused = true)]
async fn a_write_that_waits_ends_with_the_time_of_a_recall() {
    let live = Arc::new(Live::default());
    let started = Instant::now();
    let writing = write_that_waits(&live).await;
    live.recall(WITHIN);
    writing.await.unwrap().unwrap_err();
    assert!(started.elapsed() < WITHIN + LATER);
}

#[tokio::test(start_paused = true)]
async fn a_later_recall_brings_the_end_forward_and_does_not_put_it_off() {
    for (first, second) in [(Duration::MAX, WITHIN), (WITHIN, Duration::MAX)] {
        let live = Arc::new(Live::default());
        let started = Instant::now();
        let writing = write_that_waits(&live).await;
        live.recall(first);
        live.recall(second);
        writing.await.unwrap().unwrap_err();
        assert!(started.elapsed() < WITHIN + LATER);
    }
}

/// A task of its own, as of a stream that is split, whose read waits nowhere.
async fn write_that_waits(live: &Arc<Live>) -> tokio::task::JoinHandle<io::Result<()>> {
    let limits = ConnectionLimits::default();
    let mut timers = Timers::new(Expiry::of([]));
    let early = timers.early.clone();
    let requests = Requests::new(limits, Box::new(()), live.clone(), early);
    requests.given();
    timers.requests = Some(requests);
    let writing = tokio::spawn(poll_fn(move |cx| match timers.wait_to_write(cx) {
        Ok(()) => Poll::Pending,
        Err(ended) => Poll::Ready(Err(ended)),
    }));
    tokio::task::yield_now().await;
    writing
}

const UNREAD: Duration = Duration::from_secs(100);

async fn may_wait_for_the_limit(timers: &mut Timers) {
    assert!(waits(timers));
    advance(UNREAD.saturating_sub(LATER)).await;
    assert!(waits(timers));
    advance(LATER).await;
    assert!(!waits(timers));
}

#[tokio::test(start_paused = true)]
async fn a_write_may_wait_for_the_limit_from_its_beginning_on() {
    let mut timers = limited();
    may_wait_for_the_limit(&mut timers).await;
}

#[tokio::test(start_paused = true)]
async fn a_write_that_succeeds_gives_the_next_one_the_whole_limit() {
    let mut timers = limited();
    for _ in 0..3 {
        assert!(waits(&mut timers));
        advance(UNREAD - LATER).await;
        assert!(waits(&mut timers));
        timers.written();
        advance(UNREAD).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_write_without_a_limit_waits_until_the_attestation_has_ended() {
    let mut timers = Timers::new(Expiry::of([(Instant::now(), UNREAD)]));
    timers.expiry.grace = Grace::None;
    may_wait_for_the_limit(&mut timers).await;
}

/// As much may be in the memory of this end.
#[tokio::test(start_paused = true)]
async fn what_tls_has_room_for_shows_not_that_the_peer_takes_something() {
    let mut timers = limited();
    assert!(keeps(&mut timers, TLS_ROOM));
    assert!(keeps(&mut timers, TLS_ROOM - 1));
    advance(UNREAD / 2).await;
    assert!(keeps(&mut timers, 1));
    advance(UNREAD / 2).await;
    assert!(!waits(&mut timers));
}

#[tokio::test(start_paused = true)]
async fn what_tls_takes_beyond_its_room_shows_that_as_much_has_left() {
    let mut timers = limited();
    for _ in 0..3 {
        assert!(keeps(&mut timers, TLS_ROOM));
        advance(UNREAD - LATER).await;
        // Of the wait before that, in the first turn.
        assert!(keeps(&mut timers, TLS_ROOM + 1));
    }
    advance(UNREAD).await;
    assert!(!waits(&mut timers));
}

/// What was kept before a write succeeded does not count for the wait after it.
#[tokio::test(start_paused = true)]
async fn what_has_left_counts_once() {
    let mut timers = limited();
    assert!(keeps(&mut timers, 0));
    assert!(keeps(&mut timers, TLS_ROOM));
    timers.written();
    assert!(keeps(&mut timers, 0));
    advance(UNREAD / 2).await;
    assert!(keeps(&mut timers, TLS_ROOM));
    advance(UNREAD / 2).await;
    assert!(!waits(&mut timers));
}

#[tokio::test(start_paused = true)]
async fn bytes_in_either_direction_keep_a_connection_that_left_http() {
    let mut timers = limited();
    let requests = timers.requests.clone().unwrap();
    requests.arrived().upgraded();
    let idle = requests.limits().idle;
    advance(idle - LATER).await;
    timers.moved();
    advance(idle - LATER).await;
    timers.written();
    advance(idle - LATER).await;
    assert!(timers.check(Instant::now()).is_ok());
    advance(LATER).await;
    assert!(timers.check(Instant::now()).is_err());
}

/// Of a stream that is split: its read looked at the clock.
#[tokio::test(start_paused = true)]
async fn a_write_that_waits_learns_of_an_expiry_that_a_read_saw() {
    let timers = Arc::new(Mutex::new(limited()));
    let began = Instant::now();
    let writes = timers.clone();
    let writing = tokio::spawn(poll_fn(move |cx| {
        match writes.lock().unwrap().wait_to_write(cx) {
            Ok(()) => Poll::Pending,
            Err(_) => Poll::Ready(began.elapsed()),
        }
    }));
    tokio::task::yield_now().await;
    let grace = timers.lock().unwrap().expiry.grace();
    timers.lock().unwrap().expire(began);
    let took = writing.await.unwrap();
    assert!(took >= grace && took < grace + LATER, "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_waits_for_its_limit_and_for_the_attestation_at_most() {
    for (valid_for, limit) in [(UNREAD, MAX_CLOSING), (LATER * 2, LATER * 2)] {
        let mut timers = Timers::new(Expiry::of([(Instant::now(), valid_for)]));
        timers.expiry.grace = Grace::None;
        let mut close = || timers.wait_to_close(&mut noop()).is_ok();
        assert!(close());
        advance(limit - LATER).await;
        assert!(close());
        advance(LATER).await;
        assert!(!close());
    }
}

#[tokio::test(start_paused = true)]
async fn a_stream_fails_from_the_end_of_its_attestation_and_grace_on() {
    let began = Instant::now();
    let timers = Timers::new(Expiry::of([(began, UNREAD)]));
    let end = began + UNREAD + timers.expiry.grace();
    assert!(timers.check(end - LATER).is_ok());
    assert!(timers.check(end).is_err());
}

#[tokio::test(start_paused = true)]
async fn a_stream_whose_attestation_has_expired_by_the_clock_fails_after_the_grace() {
    for mut timers in [limited(), Timers::new(Expiry::of([]))] {
        let began = Instant::now();
        timers.expire(began);
        // Another look at the clock puts nothing off.
        timers.expire(began + LATER);
        let end = began + timers.expiry.grace();
        assert!(timers.check(end - LATER).is_ok());
        assert!(timers.check(end).is_err());
    }
}

/// The next poll would compare the clock, and without this there is none.
#[tokio::test(start_paused = true)]
async fn a_task_whose_time_has_come_already_is_woken() {
    struct Told(AtomicBool);
    impl Wake for Told {
        fn wake(self: Arc<Self>) {
            self.0.store(true, Ordering::Relaxed);
        }
    }
    let told = Arc::new(Told(AtomicBool::new(false)));
    let waker = Waker::from(told.clone());
    let mut cx = Context::from_waker(&waker);
    Timer::default().wake_at(Some(Instant::now() + LATER), &mut cx);
    assert!(!told.0.load(Ordering::Relaxed));
    Timer::default().wake_at(Some(Instant::now()), &mut cx);
    assert!(told.0.load(Ordering::Relaxed));
}

/// It waits for no request: its answer is under way.
fn limited() -> Timers {
    let limits = ConnectionLimits {
        unread: UNREAD,
        ..ConnectionLimits::default()
    };
    let mut timers = Timers::new(Expiry::of([]));
    let early = timers.early.clone();
    let requests = Requests::new(limits, Box::new(()), Arc::default(), early);
    requests.given();
    // No answer was offered, so that the waits of writes alone end it.
    std::mem::forget(requests.arrived());
    timers.requests = Some(requests);
    timers
}

/// Whether a write may go on to wait.
fn waits(timers: &mut Timers) -> bool {
    timers.wait_to_write(&mut noop()).is_ok()
}

/// Whether a write may, of which TLS keeps so many bytes.
fn keeps(timers: &mut Timers, bytes: usize) -> bool {
    timers.kept(bytes, &mut noop()).is_ok()
}

fn noop() -> Context<'static> {
    Context::from_waker(Waker::noop())
}
