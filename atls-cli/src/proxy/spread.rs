//! Clients of one next hop. Over HTTP/2 each of them has one connection, and gets no more requests at a time than go over it side by side.
//!
//! The client of hyper-util sends all requests over one connection of HTTP/2. There they wait for each other: those past the number that the
//! server takes, and all of them where the answers that nobody reads fill the window of the connection (RFC 9113 §5.1.2, §5.2.1).

use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;

use hyper_util::client::legacy::Builder;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use hyper_util::rt::TokioTimer;

/// Clients of one kind, as many as it takes.
pub(super) struct Spread<C> {
    make: Box<dyn Fn() -> C + Send + Sync>,
    parts: Mutex<Vec<Part<C>>>,
}

/// One client. Whoever has a request under way holds `in_use`.
struct Part<C> {
    client: C,
    in_use: Arc<()>,
}

/// A place among the requests of one client, until it is dropped.
#[derive(Debug)]
pub(super) struct Place {
    _in_use: Arc<()>,
}

impl<C: Clone> Spread<C> {
    pub(super) fn of(make: impl Fn() -> C + Send + Sync + 'static) -> Self {
        Self {
            make: Box::new(make),
            parts: Mutex::default(),
        }
    }

    /// A client for one request. The first ones are preferred, so that the last ones can become idle.
    pub(super) fn client(&self) -> (C, Place) {
        let mut parts = self.parts.lock().unwrap_or_else(PoisonError::into_inner);
        let has_room = |part: &&Part<C>| Arc::strong_count(&part.in_use) <= MOST;
        if let Some(part) = parts.iter().find(has_room) {
            return part.take();
        }
        let part = Part {
            client: (self.make)(),
            in_use: Arc::default(),
        };
        let taken = part.take();
        parts.push(part);
        taken
    }
}

impl<C: Clone> Part<C> {
    fn take(&self) -> (C, Place) {
        let place = Place {
            _in_use: self.in_use.clone(),
        };
        (self.client.clone(), place)
    }
}

/// Of clients that give every answer a window of so many bytes, and the connection one that all of them fit into.
pub(super) fn builder(of_answer: u32) -> Builder {
    let most = u32::try_from(MOST).unwrap_or(u32::MAX);
    let mut builder = Client::builder(TokioExecutor::new());
    builder
        // Else nothing closes the idle connections of a client that is not asked again.
        .pool_timer(TokioTimer::new())
        .http2_initial_stream_window_size(of_answer)
        .http2_initial_connection_window_size(of_answer.saturating_mul(most));
    builder
}

/// Requests of one client at a time: a server takes as many over one connection, unless it says otherwise (RFC 9113 §6.5.2).
const MOST: usize = 100;

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;
    use std::sync::atomic::Ordering;

    use super::*;

    #[test]
    fn a_client_gets_no_more_requests_than_go_over_one_connection() {
        let made = Arc::new(AtomicUsize::new(0));
        let count = made.clone();
        let spread = Spread::of(move || count.fetch_add(1, Ordering::Relaxed));
        let mut places: Vec<_> = (0..MOST).map(|_| spread.client()).collect();
        assert!(places.iter().all(|(client, _)| *client == 0));
        places.extend((0..MOST).map(|_| spread.client()));
        assert!(places[MOST..].iter().all(|(client, _)| *client == 1));
        let (third, _place) = spread.client();
        assert_eq!(third, 2);
        // The first that has room again.
        drop(places.swap_remove(MOST));
        drop(places.swap_remove(0));
        let (again, _place) = spread.client();
        assert_eq!(again, 0);
        let (again, _place) = spread.client();
        assert_eq!(again, 1);
        assert_eq!(made.load(Ordering::Relaxed), 3);
    }
}
