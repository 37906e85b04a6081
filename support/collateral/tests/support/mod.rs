//! A maker of collateral that answers when the test says so, and futures polled by hand.
#![allow(dead_code, unreachable_pub, reason = "each test file uses its part")]

use std::collections::BTreeMap;
use std::future::Future;
use std::future::poll_fn;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;
use std::task::Context;
use std::task::Poll;
use std::task::Wake;
use std::task::Waker;

use atls_collateral::CollateralError;
use atls_collateral::Fetch;
use atls_collateral::Fetched;
use atls_collateral::Kind;
use atls_core::BoxFuture;
use atls_core::pki_types::UnixTime;
use test_support::absent_folder;
use test_support::at;

pub const NOW: u64 = 1_000_000;
pub const HOUR: u64 = 60 * 60;
pub const DAY: u64 = 24 * HOUR;

/// Contents that state the end of their validity.
pub fn piece(text: &str, fresh_until: u64) -> Fetched {
    Fetched::new(
        format!("{text} until {fresh_until}").into_bytes(),
        at(fresh_until),
    )
}

/// The same with a number of issue.
pub fn numbered(number: u64, fresh_until: u64) -> Fetched {
    piece(&format!("number {number}"), fresh_until).with_sequence(number)
}

/// Reads contents that their maker signed. `forged` at the beginning stands for a bad signature.
fn read(bytes: &[u8]) -> Option<Fetched> {
    let text = str::from_utf8(bytes).ok()?;
    let (text, until) = text.split_once(" until ")?;
    let fetched = piece(text, until.parse().ok()?);
    match text.strip_prefix("number ") {
        Some(number) => Some(fetched.with_sequence(number.parse().ok()?)),
        None => (!text.starts_with("forged")).then_some(fetched),
    }
}

/// Keys below `device/` are devices'. Fetches stay open until [`Maker::answer`]; clones are the same maker.
#[derive(Clone, Default)]
pub struct Maker {
    calls: Arc<Mutex<Vec<Call>>>,
    prepared: Arc<Mutex<BTreeMap<String, Result<Fetched, CollateralError>>>>,
}

#[derive(Default)]
struct Call {
    key: String,
    answer: Option<Result<Fetched, CollateralError>>,
    waker: Option<Waker>,
    dropped: bool,
}

impl Maker {
    /// Answers at once from now on.
    pub fn prepare(&self, key: &str, answer: Result<Fetched, CollateralError>) {
        self.prepared.lock().unwrap().insert(key.to_owned(), answer);
    }

    /// Waits for [`answer`](Self::answer) again.
    pub fn prepare_nothing(&self, key: &str) {
        self.prepared.lock().unwrap().remove(key);
    }

    /// Keys that were fetched, in order.
    pub fn fetched(&self) -> Vec<String> {
        let calls = self.calls.lock().unwrap();
        calls.iter().map(|call| call.key.clone()).collect()
    }

    pub fn count(&self) -> usize {
        self.fetched().len()
    }

    pub fn was_dropped(&self, call: usize) -> bool {
        self.calls.lock().unwrap()[call].dropped
    }

    pub fn answer(&self, call: usize, answer: Result<Fetched, CollateralError>) {
        let mut calls = self.calls.lock().unwrap();
        calls[call].answer = Some(answer);
        let waker = calls[call].waker.take();
        drop(calls);
        waker.expect("nobody polls").wake();
    }
}

impl Fetch for Maker {
    fn read(&self, _: &str, bytes: Arc<[u8]>, _: UnixTime) -> Result<Fetched, CollateralError> {
        read(&bytes).ok_or(CollateralError::Malformed)
    }

    fn kind(&self, key: &str) -> Kind {
        match key.starts_with("device/") {
            true => Kind::Device,
            false => Kind::Published,
        }
    }

    fn fetch<'a>(
        &'a self,
        key: &'a str,
        _: UnixTime,
    ) -> BoxFuture<'a, Result<Fetched, CollateralError>> {
        struct Open(Arc<Mutex<Vec<Call>>>, usize);
        impl Drop for Open {
            fn drop(&mut self) {
                let mut calls = self.0.lock().unwrap();
                calls[self.1].dropped = calls[self.1].answer.is_none();
            }
        }
        let mut calls = self.calls.lock().unwrap();
        calls.push(Call {
            key: key.to_owned(),
            answer: self.prepared.lock().unwrap().get(key).cloned(),
            ..Call::default()
        });
        let open = Open(self.calls.clone(), calls.len() - 1);
        Box::pin(async move {
            poll_fn(|cx| {
                let call = &mut open.0.lock().unwrap()[open.1];
                call.waker = Some(cx.waker().clone());
                match &call.answer {
                    Some(answer) => Poll::Ready(answer.clone()),
                    None => Poll::Pending,
                }
            })
            .await
        })
    }
}

/// A future under a waker of its own.
pub struct Task<'a, T> {
    future: Pin<Box<dyn Future<Output = T> + Send + 'a>>,
    woken: Arc<Woken>,
}

#[derive(Default)]
struct Woken(AtomicUsize);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

impl<'a, T> Task<'a, T> {
    pub fn new(future: impl Future<Output = T> + Send + 'a) -> Self {
        Self {
            future: Box::pin(future),
            woken: Arc::default(),
        }
    }

    /// As [`new`](Self::new), polled once, which must not be enough.
    pub fn pending(future: impl Future<Output = T> + Send + 'a) -> Self {
        let mut task = Self::new(future);
        assert!(task.poll().is_none(), "already done");
        task
    }

    pub fn poll(&mut self) -> Option<T> {
        let waker = Waker::from(self.woken.clone());
        match self.future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(done) => Some(done),
            Poll::Pending => None,
        }
    }

    /// Polled again as an executor would: only because it was woken. It must be done then.
    pub fn woken(mut self) -> T {
        assert!(self.woken.0.load(Ordering::SeqCst) > 0, "not woken");
        self.poll().expect("not done")
    }
}

/// Polls once; the future must be done.
pub fn now<T>(future: impl Future<Output = T> + Send) -> T {
    Task::new(future).poll().expect("not done")
}

pub fn folder(test: &str) -> PathBuf {
    absent_folder(env!("CARGO_TARGET_TMPDIR"), test)
}
