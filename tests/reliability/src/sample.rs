//! What a process holds at one moment, by its own count.

use std::alloc::System;
use std::io;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::Duration;

use axum::BoxError;
use cpu_time::ProcessTime;
use serde::Deserialize;
use serde::Serialize;
use stats_alloc::INSTRUMENTED_SYSTEM;
use stats_alloc::StatsAlloc;
use tokio::runtime::Handle;
use tracing::Event;
use tracing::Level;
use tracing::Subscriber;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::layer::Context;
use tracing_subscriber::layer::SubscriberExt;

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// One moment of one process.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Sample {
    /// Tasks of the runtime that have not ended.
    pub(crate) tasks: usize,
    /// Open file descriptors.
    pub(crate) files: usize,
    /// Bytes that are allocated.
    pub(crate) heap: usize,
    /// The most that were, since it was last asked for; looked at every 2 ms.
    pub(crate) peak: usize,
    /// Bytes of memory that are resident.
    pub(crate) resident: usize,
    /// Processor time since the process began.
    pub(crate) cpu: Duration,
    /// Events of the level `error`: this end is at fault.
    pub(crate) errors: u64,
    /// Answers of `/huge` that are not over.
    pub(crate) huge: usize,
    /// Requests that reached a handler.
    pub(crate) requests: u64,
    /// Those among them that must not.
    pub(crate) wrongly: u64,
}

impl Sample {
    pub(crate) fn now(of: &Handle) -> Result<Self, BoxError> {
        let heap = heap();
        Ok(Self {
            tasks: of.metrics().num_alive_tasks(),
            files: open_files()?,
            heap,
            peak: PEAK.swap(heap, Ordering::Relaxed).max(heap),
            resident: resident().unwrap_or_default(),
            cpu: ProcessTime::try_now()?.as_duration(),
            errors: ERRORS.load(Ordering::Relaxed),
            huge: HUGE.load(Ordering::Relaxed),
            requests: REQUESTS.load(Ordering::Relaxed),
            wrongly: WRONGLY.load(Ordering::Relaxed),
        })
    }

    /// Whether it holds no more tasks and files than it did.
    pub(crate) fn is_at_rest(&self, before: &Self) -> bool {
        self.tasks <= before.tasks && self.files <= before.files
    }
}

/// A request reached a handler.
pub(crate) fn served() {
    REQUESTS.fetch_add(1, Ordering::Relaxed);
}

/// An answer of `/huge`, as long as it lives.
pub(crate) struct HugeAnswer(());

impl HugeAnswer {
    pub(crate) fn begin() -> Self {
        HUGE.fetch_add(1, Ordering::Relaxed);
        Self(())
    }
}

impl Drop for HugeAnswer {
    fn drop(&mut self) {
        HUGE.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A request reached a handler whose client must not.
pub(crate) fn served_wrongly() {
    WRONGLY.fetch_add(1, Ordering::Relaxed);
}

/// Looks at the heap again and again, for its peak, and counts errors in the log.
pub(crate) fn watch() -> Result<(), BoxError> {
    thread::spawn(|| {
        loop {
            PEAK.fetch_max(heap(), Ordering::Relaxed);
            thread::sleep(Duration::from_millis(2));
        }
    });
    // Without spans: a subscriber keeps room for as many as were ever open at once, and what is measured here is the server.
    let errors = filter_fn(|it| it.is_event() && *it.level() == Level::ERROR);
    let log = tracing_subscriber::registry().with(errors).with(Errors);
    tracing::subscriber::set_global_default(log)?;
    Ok(())
}

struct Errors;

impl<S: Subscriber> Layer<S> for Errors {
    fn on_event(&self, _: &Event<'_>, _: Context<'_, S>) {
        ERRORS.fetch_add(1, Ordering::Relaxed);
    }
}

fn heap() -> usize {
    let stats = ALLOCATOR.stats();
    stats
        .bytes_allocated
        .saturating_sub(stats.bytes_deallocated)
}

/// Linux alone tells it without a call.
fn resident() -> Option<usize> {
    const PAGE: usize = 4096;
    let statm = std::fs::read_to_string("/proc/self/statm").ok()?;
    let pages: usize = statm.split(' ').nth(1)?.parse().ok()?;
    Some(pages * PAGE)
}

/// Looking takes one itself, which is not counted.
fn open_files() -> io::Result<usize> {
    match std::fs::read_dir("/proc/self/fd") {
        Ok(files) => Ok(files.count().saturating_sub(1)),
        // None is left to look with.
        Err(_) => Ok(usize::MAX),
    }
}

static PEAK: AtomicUsize = AtomicUsize::new(0);
static ERRORS: AtomicU64 = AtomicU64::new(0);
static HUGE: AtomicUsize = AtomicUsize::new(0);
static REQUESTS: AtomicU64 = AtomicU64::new(0);
static WRONGLY: AtomicU64 = AtomicU64::new(0);
