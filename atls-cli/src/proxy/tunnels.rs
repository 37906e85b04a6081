//! Connections that go on in another protocol, and their end.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use atls_tower::Lifetime;
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use tokio::sync::mpsc;
use tokio::sync::watch;

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
    /// Dropped with the last tunnel.
    alive: mpsc::Sender<Infallible>,
}

/// Waits for tunnels.
pub(super) struct AllTunnels(mpsc::Receiver<Infallible>);

impl Tunnels {
    pub(super) fn new(stop: Stop, drain: Duration) -> (Self, AllTunnels) {
        let (alive, all) = mpsc::channel(1);
        (Self { stop, drain, alive }, AllTunnels(all))
    }

    /// The same, which may be told to stop by themselves.
    pub(super) fn of_some(&self) -> (watch::Sender<()>, Self) {
        let (sender, stop) = self.stop.of_some();
        let Self { drain, alive, .. } = self.clone();
        (sender, Self { stop, drain, alive })
    }

    /// Ends when none of them may go on.
    pub(super) fn overdue(&self) -> impl Future<Output = ()> + Send + use<> {
        let Self { stop, drain, .. } = self.clone();
        async move {
            stop.told().await;
            tokio::time::sleep(drain).await;
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
        let alive = self.alive.clone();
        let overdue = self.overdue();
        let counted = metrics.upgraded();
        tokio::spawn(async move {
            let copied = async {
                if let (Ok(from), Ok(to)) = tokio::join!(from, to) {
                    let (mut from, mut to) = (TokioIo::new(from), TokioIo::new(to));
                    // Either end may break off; there is nobody to tell.
                    let _ = tokio::io::copy_bidirectional(&mut from, &mut to).await;
                }
            };
            let ended = async {
                match &lifetime {
                    Some(lifetime) => lifetime.ended().await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = copied => {}
                () = ended => {}
                () = overdue => tracing::warn!("an upgraded connection did not finish and is closed"),
            }
            drop((counted, alive));
        });
    }
}

impl AllTunnels {
    /// Ends with the last of them, which is at most the time to drain after the stop.
    pub(super) async fn ended(mut self) {
        let _ = self.0.recv().await;
    }
}
