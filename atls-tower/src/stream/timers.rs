//! The timers of a stream: it fails when its attestation has expired, its peer takes nothing, or no request comes.

#[cfg(test)]
mod tests;

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Context;

use atls_core::limits::MAX_CLOSING;
use tokio::time::Instant;
use tokio::time::Sleep;

use super::early_end::EarlyEnd;
use super::lifetime::Expiry;
use super::requests::Requests;
use super::timed_out::timed_out;

/// The timers of one stream.
///
/// Reading and writing have a timer each: a timer wakes one task, and a stream may be split between two. Most streams never
/// wait to write, and an idle one is as small as it can be.
#[derive(Debug)]
pub(crate) struct Timers {
    pub(crate) expiry: Expiry,
    /// Shared with whoever asks for the lifetime.
    pub(super) early: Arc<EarlyEnd>,
    pub(crate) requests: Option<Requests>,
    reading: Timer,
    writing: Option<Box<Writing>>,
}

/// A stream that waited to write, flush or close.
#[derive(Debug, Default)]
struct Writing {
    timer: Timer,
    /// Since when a write or flush waits without success.
    unread_since: Option<Instant>,
    /// Bytes that TLS took since it began to wait.
    kept: usize,
    closing_since: Option<Instant>,
}

impl Timers {
    pub(crate) fn new(expiry: Expiry) -> Self {
        Self {
            expiry,
            early: Arc::default(),
            requests: None,
            reading: Timer::default(),
            writing: None,
        }
    }

    /// Fails once an end has come. The clock decides, not a timer: a peer that keeps a stream busy starves timers.
    pub(crate) fn check(&self, now: Instant) -> io::Result<()> {
        let early = self.early.recall().and_then(|recall| recall.by);
        let ends = [self.expiry.ends_at(), early];
        if ends.into_iter().flatten().any(|end| now >= end) {
            return Err(timed_out("attestation on this connection has expired"));
        }
        match &self.requests {
            Some(requests) => requests.check(now),
            None => Ok(()),
        }
    }

    /// The attestation has expired by the clock, which is further than the timers.
    pub(crate) fn expire(&mut self, now: Instant) {
        self.expiry.bring_forward(now);
        let is_first = self.early.see(now, self.expiry.grace());
        if is_first && let Some(requests) = &self.requests {
            requests.wake();
        }
    }

    /// Whether no request is being answered, and the next one is waited for.
    pub(crate) fn awaits_request(&self) -> bool {
        self.requests.as_ref().is_some_and(Requests::are_awaited)
    }

    /// Bytes arrived or left.
    pub(crate) fn moved(&self) {
        if let Some(requests) = &self.requests {
            requests.bytes_moved();
        }
    }

    /// For a read that waits: wakes it when an end comes, and when draining begins.
    pub(crate) fn wait_to_read(&mut self, now: Instant, cx: &mut Context<'_>) {
        let requests = self.requests.as_ref();
        let idle = requests.and_then(|requests| requests.deadline_for(cx));
        let next = [self.expiry.next(now), idle].into_iter().flatten().min();
        self.reading.wake_at(next, cx);
    }

    /// For a write or flush that waits.
    pub(crate) fn wait_to_write(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        let now = Instant::now();
        let writing = self.writing.get_or_insert_default();
        let since = *writing.unread_since.get_or_insert(now);
        let limit = self
            .requests
            .as_ref()
            .map(|requests| requests.limits().unread);
        let unread = limit.and_then(|limit| since.checked_add(limit));
        let requests = self.requests.as_ref();
        let recalled = requests.and_then(|requests| requests.end_of_write(cx));
        // Nobody may read, and so look at the clock.
        let ends = [self.expiry.next(now), unread, recalled];
        writing.timer.wake_at(ends.into_iter().flatten().min(), cx);
        passed(unread, "peer takes nothing of what is sent to it")?;
        self.check(now)
    }

    /// For a write of which TLS keeps some bytes, as the transport takes no more now. What TLS takes during a wait beyond its room
    /// shows that as much has left.
    pub(crate) fn kept(&mut self, bytes: usize, cx: &mut Context<'_>) -> io::Result<()> {
        let writing = self.writing.get_or_insert_default();
        if writing.unread_since.is_some() {
            writing.kept = writing.kept.saturating_add(bytes);
        }
        if writing.kept > TLS_ROOM {
            self.written();
        }
        self.wait_to_write(cx)
    }

    /// A write or flush succeeded.
    pub(crate) fn written(&mut self) {
        if let Some(writing) = &mut self.writing {
            writing.unread_since = None;
            writing.kept = 0;
        }
        self.moved();
    }

    /// For a shutdown that waits. It ends soon, whether the peer reads or not: nothing is asked of a stream afterwards.
    pub(crate) fn wait_to_close(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        let writing = self.writing.get_or_insert_default();
        let since = *writing.closing_since.get_or_insert_with(Instant::now);
        let closed = since.checked_add(MAX_CLOSING);
        let next = [self.expiry.ends_at(), closed].into_iter().flatten().min();
        writing.timer.wake_at(next, cx);
        passed(next, "peer does not take the end of the connection")
    }
}

#[derive(Debug, Default)]
struct Timer(Option<Pin<Box<Sleep>>>);

impl Timer {
    fn wake_at(&mut self, at: Option<Instant>, cx: &mut Context<'_>) {
        let Some(at) = at else {
            return;
        };
        let sleep = self
            .0
            .get_or_insert_with(|| Box::pin(tokio::time::sleep_until(at)));
        if sleep.deadline() != at {
            sleep.as_mut().reset(at);
        }
        if sleep.as_mut().poll(cx).is_ready() {
            // The next poll compares the clock. This poll must still wake its task.
            cx.waker().wake_by_ref();
        }
    }
}

/// Bytes that rustls keeps for a transport that takes none: its default, which nothing here changes.
const TLS_ROOM: usize = 64 * 1024;

fn passed(end: Option<Instant>, why: &'static str) -> io::Result<()> {
    match end {
        Some(end) if Instant::now() >= end => Err(timed_out(why)),
        _ => Ok(()),
    }
}
