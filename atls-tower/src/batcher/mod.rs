//! A device that works for many connections at once.
//!
//! ```text
//! connection ──▶ queue ──▶ task that owns the device ──▶ Evidence over one binder, or over the root of many
//!      ◀───────────────────────────── its own answer ───┘
//! ```
//!
//! [`Queue`](queue::Queue) keeps who waits and decides who is next, [`Worker`](worker::Worker) is the task. How binders make a batch is
//! in [`atls_core::exchange::batch`].

mod builder;
mod counters;
mod queue;
mod worker;

use std::fmt;
use std::sync::Arc;

use atls_core::AttestError;
use atls_core::AttestRequest;
use atls_core::Attester;
use atls_core::BoxFuture;
use atls_core::MediaType;
use atls_core::cmw::Cmw;
use tokio::sync::watch;

use self::queue::Queue;

pub use builder::BatcherBuilder;
pub use counters::BatcherStats;

/// Lets the connections that wait for a slow device share its next Evidence.
///
/// While the device works, connections wait; all of them are answered by its next Evidence. So a device that takes 39 ms serves a
/// thousand connections a second, each with fresh Evidence bound to it alone. Nobody waits for a batch to fill: a device that is
/// idle starts at once, and what it makes for one connection is Evidence over that connection's binder, as without a batcher.
///
/// One task owns the device. It asks for one piece of Evidence at a time, so a device that blocks goes into a
/// [`Blocking`](crate::Blocking) first. A connection that goes away leaves the queue. Where the device fails, panics, or gives
/// nothing by its deadline, the connections of that batch fail with a copy of the error, and the next batch is tried. A full queue
/// refuses with [`AttestError::Busy`]; the peer then gets an empty authenticator.
///
/// Peers that did not say that they take batches are attested to one by one, from a small queue of their own. Where both queues have
/// somebody, the device alternates between one such connection and one batch. The same goes for Evidence made during a handshake
/// or for a certificate. If the Evidence [names the leaf key](Attester::names_leaf_key), each batch is of one key.
///
/// [`ServerTerms::at_once`](crate::ServerTerms::at_once) bounds the connections that ask, and so the batch: raise it for a device
/// that takes longer than half a second. Those between accept and their first request are bounded too, 1,024 by default: raise
/// `AttestedListenerBuilder::pending` of atls-axum beside it. Each holds its socket, TLS session and task while it waits.
///
/// Evidence that leaves no room for an inclusion proof, such as a composite of 8 items, makes no batches: the first time that it does
/// not fit, its connections wait again, and from then on the batcher attests to one connection after the other.
///
/// ```
/// # use std::sync::Arc;
/// # use std::time::Duration;
/// # use atls_sim::SimAttester;
/// use atls_tower::{Batcher, Blocking, ServerTerms};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let device = SimAttester::generate()?;
/// let batcher = Batcher::builder(Blocking::spawn(device)?)
///     .waiting(10_000)
///     .device_deadline(Duration::from_secs(2))
///     .spawn()?;
/// let terms = ServerTerms::new()
///     .attester(Arc::new(batcher.clone()))
///     .at_once(10_000, 64);
/// // With atls-axum: AttestedListener::builder(acceptor).pending(10_000)
/// assert_eq!(batcher.stats().batches, 0);
///
/// // Answers those who wait, and refuses others.
/// batcher.shutdown().await;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Batcher {
    media_types: Arc<[MediaType]>,
    names_leaf_key: bool,
    queue: Arc<Queue>,
    /// Closed when the task has ended.
    task: watch::Receiver<()>,
    /// Lets the task end with the last of the clones.
    _last: Arc<ClosesQueue>,
}

impl Batcher {
    /// A batcher around this attester, with the defaults of [`BatcherBuilder`].
    pub fn builder(attester: impl Attester + 'static) -> BatcherBuilder {
        BatcherBuilder::new(Arc::new(attester))
    }

    /// The work since it was made, and the number of those that wait now.
    pub fn stats(&self) -> BatcherStats {
        self.queue.stats()
    }

    /// Refuses new connections with [`AttestError::Stopped`], answers those that wait, and gives the device back.
    ///
    /// It takes at most the device's deadline for each batch that is still to be made. Cancel-safe: the task goes on without it.
    pub async fn shutdown(&self) {
        self.queue.close();
        let mut task = self.task.clone();
        while task.changed().await.is_ok() {}
    }
}

impl Attester for Batcher {
    fn media_types(&self) -> &[MediaType] {
        &self.media_types
    }

    fn names_leaf_key(&self) -> bool {
        self.names_leaf_key
    }

    fn attest<'a>(&'a self, request: AttestRequest<'a>) -> BoxFuture<'a, Result<Cmw, AttestError>> {
        Box::pin(async move { self.queue.enter(request)?.answer().await })
    }
}

impl fmt::Debug for Batcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Batcher")
            .field("media_types", &self.media_types)
            .field("stats", &self.stats())
            .finish_non_exhaustive()
    }
}

struct ClosesQueue(Arc<Queue>);

impl Drop for ClosesQueue {
    fn drop(&mut self) {
        self.0.close();
    }
}
