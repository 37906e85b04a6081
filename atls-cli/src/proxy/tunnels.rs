//! Connections that go on in another protocol, and their end.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::OnceLock;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;
use std::time::Duration;

use atls_tower::Lifetime;
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use tokio::sync::mpsc;
use tokio::sync::watch;
use tokio::time::Instant;

use super::metrics::Metrics;

/// Ends when the service is to stop, or the connections that it is for.
#[derive(Clone, Debug)]
pub(super) struct Stop {
    all: watch::Receiver<()>,
    these: watch::Receiver<()>,
}

impl Stop {
    /// It is told by dropping the sender.
    pub(super) fn new() -> (watch::Sender<()>, Self) {
        let (sender, all) = watch::channel(());
        let these = all.clone();
        (sender, Self { all, these })
    }

    /// The same for some connections alone.
    pub(super) fn of_some(&self) -> (watch::Sender<()>, Self) {
        let (sender, these) = watch::channel(());
        let all = self.all.clone();
        (sender, Self { all, these })
    }

    pub(super) async fn told(mut self) {
        // Nothing is ever sent: the channels end.
        tokio::select! {
            _ = self.all.changed() => {}
            _ = self.these.changed() => {}
        }
    }
}

/// Starts tunnels. A WebSocket has no way to be told that its server stops, so each may go on for the time to drain, and is then cut.
#[derive(Clone)]
pub(super) struct Tunnels {
    stop: Stop,
    drain: Duration,
    these: Arc<Together>,
    /// Dropped with the last tunnel.
    alive: mpsc::Sender<Infallible>,
}

/// Tunnels that are told to stop together.
#[derive(Default)]
struct Together {
    /// When the first of them was told.
    told_at: OnceLock<Instant>,
    number: AtomicUsize,
    are_cut: AtomicBool,
}

/// Waits for tunnels.
pub(super) struct AllTunnels(mpsc::Receiver<Infallible>);

impl Tunnels {
    /// Within a runtime.
    pub(super) fn new(stop: Stop, drain: Duration) -> (Self, AllTunnels) {
        let (alive, all) = mpsc::channel(1);
        let tunnels = Self {
            stop,
            drain,
            these: Arc::default(),
            alive,
        };
        // It notes when the stop comes, also where nothing else waits for it then.
        tokio::spawn(tunnels.overdue());
        (tunnels, AllTunnels(all))
    }

    /// The same, which may be told to stop by themselves.
    pub(super) fn of_some(&self) -> (watch::Sender<()>, Self) {
        let (sender, stop) = self.stop.of_some();
        let tunnels = Self {
            stop,
            these: Arc::default(),
            ..self.clone()
        };
        (sender, tunnels)
    }

    /// Ends when none of them may go on.
    pub(super) fn overdue(&self) -> impl Future<Output = ()> + Send + use<> {
        let (stop, drain, these) = (self.stop.clone(), self.drain, self.these.clone());
        async move {
            stop.told().await;
            // One that begins meanwhile has what is left.
            let told_at = *these.told_at.get_or_init(Instant::now);
            tokio::time::sleep(drain.saturating_sub(told_at.elapsed())).await;
        }
    }

    /// Passes bytes between both, once both are upgraded, for no longer than the attested one of them lives: one whose bytes the other does not take
    /// is not read, and does not fail by itself.
    pub(super) fn start(
        &self,
        (from, to): (OnUpgrade, OnUpgrade),
        lifetime: Option<Lifetime>,
        metrics: &Arc<Metrics>,
    ) {
        let counted = metrics.upgraded();
        let copied = async move {
            if let (Ok(from), Ok(to)) = tokio::join!(from, to) {
                let (mut from, mut to) = (TokioIo::new(from), TokioIo::new(to));
                // Either end may break off; there is nobody to tell.
                let _ = tokio::io::copy_bidirectional(&mut from, &mut to).await;
            }
            drop(counted);
        };
        let ended = async move {
            match &lifetime {
                Some(lifetime) => lifetime.ended().await,
                None => std::future::pending().await,
            }
        };
        self.spawn(async move {
            tokio::select! {
                () = copied => {}
                () = ended => {}
            }
        });
    }

    fn spawn(&self, tunnel: impl Future<Output = ()> + Send + 'static) {
        let (alive, overdue) = (self.alive.clone(), self.overdue());
        let place = Place::of(&self.these);
        tokio::spawn(async move {
            tokio::select! {
                () = tunnel => {}
                () = overdue => place.cut(),
            }
            drop((place, alive));
        });
    }
}

/// One of the tunnels.
struct Place(Arc<Together>);

impl Place {
    fn of(these: &Arc<Together>) -> Self {
        these.number.fetch_add(1, Ordering::Relaxed);
        Self(these.clone())
    }

    /// All that are left are cut now, and the first tells of all.
    fn cut(&self) {
        // Before it is known who tells: another may leave meanwhile.
        let connections = self.0.number.load(Ordering::Relaxed);
        if !self.0.are_cut.swap(true, Ordering::Relaxed) {
            tracing::warn!(connections, "{UNFINISHED}");
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.number.fetch_sub(1, Ordering::Relaxed);
    }
}

const UNFINISHED: &str = "upgraded connections did not finish and are closed";

impl AllTunnels {
    /// Ends with the last of them, which is at most the time to drain after the stop.
    pub(super) async fn ended(mut self) {
        let _ = self.0.recv().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DRAIN: Duration = Duration::from_secs(10);

    #[tokio::test(start_paused = true)]
    async fn a_tunnel_that_begins_after_the_stop_has_what_is_left_of_the_time() {
        let (sender, stop) = Stop::new();
        let (tunnels, all) = Tunnels::new(stop, DRAIN);
        let stopped = Instant::now();
        drop(sender);
        tokio::time::sleep(DRAIN / 2).await;
        tunnels.spawn(std::future::pending());
        drop(tunnels);
        all.ended().await;
        assert_eq!(stopped.elapsed().as_secs(), DRAIN.as_secs());
    }

    #[tokio::test(start_paused = true)]
    async fn some_tunnels_end_while_others_go_on() {
        let (all_stop, stop) = Stop::new();
        let (tunnels, _all) = Tunnels::new(stop, DRAIN);
        let (some_stop, some) = tunnels.of_some();
        drop(some_stop);
        some.overdue().await;
        // The time of the others begins with their own stop.
        let others = tunnels.overdue();
        let stopped = Instant::now();
        drop(all_stop);
        others.await;
        assert_eq!(stopped.elapsed().as_secs(), DRAIN.as_secs());
    }
}
