//! The queue before the thread of a device that blocks.
//!
//! Who asks has a place in it until the device begins with its request, or until it goes away: a device that hangs does not keep the places of
//! those who left.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::Condvar;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;

use atls_core::AttestError;

/// A request to the device.
pub(crate) trait Job {
    /// Nobody waits for its answer any more.
    fn is_gone(&self) -> bool;
}

/// A queue of at most this many, without the one that the device works for: the end of those who ask, and that of the device.
pub(crate) fn device_queue<J: Job>(most: usize) -> (Asking<J>, Serving<J>) {
    let queue = Arc::new(Queue {
        most,
        state: Mutex::new(State {
            waiting: VecDeque::new(),
            is_closed: false,
        }),
        changed: Condvar::new(),
    });
    (Asking(queue.clone()), Serving(queue))
}

/// The end of those who ask. The device's end hears when it is dropped.
pub(crate) struct Asking<J>(Arc<Queue<J>>);

impl<J: Job> Asking<J> {
    /// # Errors
    /// [`AttestError::Busy`] where as many wait as may, and [`AttestError::Device`] where the device's end was dropped.
    pub(crate) fn ask(&self, job: J) -> Result<(), AttestError> {
        let mut state = self.0.lock();
        if state.is_closed {
            return Err(stopped());
        }
        // The device takes note of those who left when it returns, and that may be never.
        state.waiting.retain(|job| !job.is_gone());
        if state.waiting.len() >= self.0.most {
            return Err(AttestError::Busy);
        }
        state.waiting.push_back(job);
        drop(state);
        self.0.changed.notify_one();
        Ok(())
    }
}

impl<J> Drop for Asking<J> {
    fn drop(&mut self) {
        self.0.lock().is_closed = true;
        self.0.changed.notify_one();
    }
}

/// The device's end. Those who wait hear when it is dropped.
pub(crate) struct Serving<J>(Arc<Queue<J>>);

impl<J: Job> Serving<J> {
    /// Blocks until there is a request whose answer is waited for. `None` once nobody can ask any more.
    pub(crate) fn next(&self) -> Option<J> {
        let mut state = self.0.lock();
        loop {
            match state.waiting.pop_front() {
                Some(job) if job.is_gone() => {}
                Some(job) => return Some(job),
                None if state.is_closed => return None,
                None => {
                    let changed = self.0.changed.wait(state);
                    state = changed.unwrap_or_else(PoisonError::into_inner);
                }
            }
        }
    }
}

impl<J> Drop for Serving<J> {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.is_closed = true;
        let unanswered = std::mem::take(&mut state.waiting);
        drop(state);
        drop(unanswered);
    }
}

struct Queue<J> {
    most: usize,
    state: Mutex<State<J>>,
    changed: Condvar,
}

struct State<J> {
    waiting: VecDeque<J>,
    /// One of the ends was dropped.
    is_closed: bool,
}

impl<J> Queue<J> {
    fn lock(&self) -> MutexGuard<'_, State<J>> {
        // Every state is whole at any time.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The error of those who ask a device whose thread has ended.
pub(crate) fn stopped() -> AttestError {
    AttestError::Device("its thread has ended".to_owned())
}

#[cfg(test)]
mod tests {
    use std::sync::Weak;

    use super::*;

    impl Job for Weak<()> {
        fn is_gone(&self) -> bool {
            self.strong_count() == 0
        }
    }

    #[test]
    fn the_place_of_one_who_left_is_free_while_the_device_works() {
        let (asking, serving) = device_queue(2);
        let (one, two, three) = (Arc::new(()), Arc::new(()), Arc::new(()));
        asking.ask(Arc::downgrade(&one)).unwrap();
        asking.ask(Arc::downgrade(&two)).unwrap();
        assert_eq!(asking.ask(Arc::downgrade(&three)), Err(AttestError::Busy));
        drop(one);
        asking.ask(Arc::downgrade(&three)).unwrap();
        let served = [serving.next().unwrap(), serving.next().unwrap()];
        assert!(served[0].ptr_eq(&Arc::downgrade(&two)));
        assert!(served[1].ptr_eq(&Arc::downgrade(&three)));
    }

    #[test]
    fn the_device_never_sees_one_who_left() {
        let (asking, serving) = device_queue(2);
        asking.ask(Weak::new()).unwrap();
        let waits = Arc::new(());
        asking.ask(Arc::downgrade(&waits)).unwrap();
        assert!(serving.next().unwrap().upgrade().is_some());
        drop(asking);
        assert!(serving.next().is_none());
    }

    #[test]
    fn nobody_asks_a_device_whose_thread_has_ended() {
        let (asking, serving) = device_queue(2);
        let waits = Arc::new(());
        asking.ask(Arc::downgrade(&waits)).unwrap();
        drop(serving);
        assert_eq!(Arc::weak_count(&waits), 0, "its request is kept");
        assert_eq!(asking.ask(Arc::downgrade(&waits)), Err(stopped()));
    }
}
