//! The task that owns the device.

use std::sync::Arc;
use std::time::Duration;

use atls_core::AttestError;
use atls_core::Attester;
use atls_core::batch::Batch;
use atls_core::cmw::Cmw;
use atls_core::exchange::OwnedAttestRequest;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::queue::Queue;
use super::queue::Turn;
use super::queue::Waiting;

/// Has the device work for one batch after the other.
pub(super) struct Worker {
    pub(super) attester: Arc<dyn Attester>,
    pub(super) queue: Arc<Queue>,
    pub(super) largest: usize,
    pub(super) device_deadline: Duration,
    /// Closed with the task.
    #[allow(dead_code, reason = "its end is the message")]
    pub(super) ends: watch::Sender<()>,
}

impl Worker {
    /// Ends once the queue is closed and empty.
    pub(super) async fn run(self) {
        let per_key = self.attester.names_leaf_key();
        while let Some(waiting) = self.queue.next(self.largest, per_key).await {
            self.serve(waiting).await;
        }
    }

    async fn serve(&self, waiting: Vec<Waiting>) {
        let begun = Instant::now();
        let size = waiting.len();
        let waited = waiting.iter().map(|waiting| waiting.waited(begun));
        let longest_wait = waited.clone().max().unwrap_or_default();
        let waited = waited.fold(Duration::ZERO, Duration::saturating_add);
        let members = waiting
            .into_iter()
            .map(|waiting| (waiting.request, waiting.reply));
        let Ok(batch) = Batch::new(members.collect()) else {
            // Dropping the replies refuses. The queue gives no such batch.
            return;
        };
        let made = self.ask(batch.request().to_owned()).await;
        let device_time = begun.elapsed();
        trace(size, longest_wait, device_time, made.as_ref().err());
        // Before the answers, so that who has one finds it counted.
        self.queue.count(&Turn {
            size,
            failed: made.is_err(),
            device_time,
            waited,
        });
        for (reply, answer) in batch.answer(made) {
            // A connection that went away meanwhile costs nothing more.
            let _ = reply.send(answer);
        }
    }

    async fn ask(&self, request: OwnedAttestRequest) -> Result<Cmw, AttestError> {
        let attester = Arc::clone(&self.attester);
        // A task of its own, since a driver may panic.
        let mut work = AbortOnDrop(tokio::spawn(async move {
            attester.attest(request.as_request()).await
        }));
        match tokio::time::timeout(self.device_deadline, &mut work.0).await {
            Ok(Ok(made)) => made,
            Ok(Err(_)) => Err(AttestError::Device("its driver panicked".to_owned())),
            Err(_) => Err(AttestError::TimedOut),
        }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        // The runtime may end while connections of another one wait.
        self.queue.abandon();
    }
}

/// Work that nobody waits for any more ends at its next await.
struct AbortOnDrop(JoinHandle<Result<Cmw, AttestError>>);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

fn trace(size: usize, waited: Duration, device: Duration, failure: Option<&AttestError>) {
    let (waited_ms, device_ms) = (waited.as_millis(), device.as_millis());
    match failure {
        None => tracing::debug!(size, waited_ms, device_ms, "device made evidence"),
        Some(error) => {
            let report = atls_core::report(error);
            tracing::error!(
                size,
                waited_ms,
                device_ms,
                "device made no evidence: {report}"
            );
        }
    }
}
