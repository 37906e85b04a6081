//! One computation whose outcome several callers wait for.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;
use std::task::Context;
use std::task::Poll;
use std::task::Waker;

/// The state that the computing caller and the waiting callers share.
pub(super) struct Flight<T> {
    state: Mutex<State<T>>,
}

struct State<T> {
    end: Option<End<T>>,
    last_waiter: u64,
    wakers: BTreeMap<u64, Waker>,
}

/// How a computation ended.
#[derive(Clone)]
pub(super) enum End<T> {
    /// The computing caller was dropped before the end. Another may begin anew.
    Abandoned,
    Landed(T),
}

impl<T: Clone> Flight<T> {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self {
            state: Mutex::new(State {
                end: None,
                last_waiter: 0,
                wakers: BTreeMap::new(),
            }),
        })
    }

    /// The first end counts.
    pub(super) fn end(&self, end: End<T>) {
        let mut state = self.state();
        state.end.get_or_insert(end);
        let wakers = std::mem::take(&mut state.wakers);
        drop(state);
        wakers.into_values().for_each(Waker::wake);
    }

    pub(super) fn wait(self: Arc<Self>) -> Wait<T> {
        let mut state = self.state();
        state.last_waiter = state.last_waiter.wrapping_add(1);
        let number = state.last_waiter;
        drop(state);
        Wait {
            flight: self,
            number,
        }
    }
}

impl<T> Flight<T> {
    fn state(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One waiting caller.
pub(super) struct Wait<T> {
    flight: Arc<Flight<T>>,
    number: u64,
}

impl<T: Clone> Future for Wait<T> {
    type Output = End<T>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<End<T>> {
        let mut state = self.flight.state();
        match &state.end {
            Some(end) => Poll::Ready(end.clone()),
            None => {
                state.wakers.insert(self.number, cx.waker().clone());
                Poll::Pending
            }
        }
    }
}

impl<T> Drop for Wait<T> {
    fn drop(&mut self) {
        self.flight.state().wakers.remove(&self.number);
    }
}
