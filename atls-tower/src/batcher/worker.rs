//! The task that owns the device.

use std::sync::Arc;
use std::time::Duration;

use atls_core::AttestError;
use atls_core::Attester;
use atls_core::cmw::Cmw;
use atls_core::exchange::OwnedAttestRequest;
use atls_core::exchange::batch::Batch;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::queue::Outcome;
use super::queue::Place;
use super::queue::Queue;
use super::queue::Turn;
use super::queue::Waiting;
use crate::told;
use crate::told::ToldLately;

/// Has the device work for one batch after the other.
pub(super) struct Worker {
    pub(super) attester: Arc<dyn Attester>,
    pub(super) queue: Arc<Queue>,
    pub(super) largest: usize,
    pub(super) device_deadline: Duration,
    /// Work that took too long, and may not have ended yet.
    pub(super) given_up: Option<AbortOnDrop>,
    pub(super) told: ToldLately,
    /// Closed with the task.
    #[allow(dead_code, reason = "its end is the message")]
    pub(super) ends: watch::Sender<()>,
}

impl Worker {
    /// Ends once the queue is closed and empty.
    ///
    /// There is no pause after a failure: it takes everybody with it who waited, so the device is asked no more often than
    /// connections come.
    pub(super) async fn run(mut self) {
        let per_key = self.attester.names_leaf_key();
        while let Some(waiting) = self.queue.next(self.largest, per_key).await {
            self.serve(waiting).await;
        }
    }

    async fn serve(&mut self, waiting: Vec<Waiting>) {
        let begun = Instant::now();
        let size = waiting.len();
        let waited = waiting.iter().map(|waiting| waiting.place.waited(begun));
        let longest_wait = waited.clone().max().unwrap_or_default();
        let waited = waited.fold(Duration::ZERO, Duration::saturating_add);
        let batch = match batch_of(waiting).await {
            Ok(batch) => batch,
            Err(error) => {
                // The replies are gone, which refuses. The queue gives no such batch.
                self.trace(size, longest_wait, Duration::ZERO, Some(&error));
                self.queue.count(&Turn {
                    size,
                    outcome: Outcome::Failed,
                    device_time: Duration::ZERO,
                    waited,
                });
                return;
            }
        };
        let made = self.ask(batch.request().to_owned()).await;
        let device_time = begun.elapsed();
        let turn = |outcome| Turn {
            size,
            outcome,
            device_time,
            waited,
        };
        if let Err(error) = made.as_ref().map_or(Ok(()), |cmw| batch.check_room(cmw)) {
            // The Evidence of the next would be as large.
            self.largest = 1;
            self.queue.count(&turn(Outcome::Again));
            let members = batch.into_members().into_iter();
            self.queue
                .put_back(members.map(|(request, place)| Waiting { request, place }));
            let report = atls_core::report(&error);
            tracing::error!(size, "batcher makes no more batches: {report}");
            return;
        }
        self.trace(size, longest_wait, device_time, made.as_ref().err());
        // Before the answers, so that who has one finds it counted.
        self.queue.count(&turn(match made {
            Ok(_) => Outcome::Made,
            Err(_) => Outcome::Failed,
        }));
        for (answered, (place, answer)) in (1..).zip(batch.answer(made)) {
            // A connection that went away meanwhile costs nothing more.
            let _ = place.reply.send(answer);
            if is_turn_of_others(answered) {
                tokio::task::yield_now().await;
            }
        }
    }

    async fn ask(&mut self, request: OwnedAttestRequest) -> Result<Cmw, AttestError> {
        // The device never works twice at once. Work that was given up has been aborted, and ends at its next await.
        if let Some(given_up) = &mut self.given_up {
            let ended = tokio::time::timeout(self.device_deadline, &mut given_up.0).await;
            if ended.is_err() {
                return Err(AttestError::TimedOut);
            }
            self.given_up = None;
        }
        let attester = Arc::clone(&self.attester);
        // A task of its own, since a driver may panic.
        let mut work = AbortOnDrop(tokio::spawn(async move {
            attester.attest(request.as_request()).await
        }));
        match tokio::time::timeout(self.device_deadline, &mut work.0).await {
            Ok(Ok(made)) => made,
            Ok(Err(ended)) if ended.is_panic() => {
                Err(AttestError::Device("its driver panicked".to_owned()))
            }
            // The runtime ends.
            Ok(Err(_)) => Err(AttestError::Stopped),
            Err(_) => {
                work.0.abort();
                self.given_up = Some(work);
                Err(AttestError::TimedOut)
            }
        }
    }

    fn trace(
        &self,
        size: usize,
        waited: Duration,
        device: Duration,
        failure: Option<&AttestError>,
    ) {
        let (waited_ms, device_ms) = (waited.as_millis(), device.as_millis());
        match failure {
            None => tracing::debug!(size, waited_ms, device_ms, "device made evidence"),
            Some(error) => {
                let report = atls_core::report(error);
                // A device that fails at once is asked as often as connections come.
                told::event!(
                    self.told.is_new(),
                    error,
                    size,
                    waited_ms,
                    device_ms,
                    "device made no evidence: {report}"
                );
            }
        }
    }
}

/// A large tree takes a thread milliseconds, in which it serves no connection.
async fn batch_of(waiting: Vec<Waiting>) -> Result<Batch<Place>, AttestError> {
    let large = waiting.len() > LARGE;
    let members = waiting
        .into_iter()
        .map(|waiting| (waiting.request, waiting.place))
        .collect();
    if !large {
        return Ok(Batch::new(members)?);
    }
    let made = tokio::task::spawn_blocking(|| Batch::new(members)).await;
    Ok(made.map_err(|_| AttestError::Stopped)??)
}

fn is_turn_of_others(answered: usize) -> bool {
    answered.is_multiple_of(ANSWERS_AT_ONCE)
}

impl Drop for Worker {
    fn drop(&mut self) {
        // The runtime may end while connections of another one wait.
        self.queue.abandon();
    }
}

/// Work that nobody waits for any more ends at its next await.
pub(super) struct AbortOnDrop(JoinHandle<Result<Cmw, AttestError>>);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Leaves that the task itself hashes: about a millisecond.
const LARGE: usize = 4096;

/// Answers between which the task lets others work.
const ANSWERS_AT_ONCE: usize = 256;
