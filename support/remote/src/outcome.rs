//! One event for each appraisal by a service.

use std::time::Duration;

use atls_core::AppraisalError;
use atls_core::Appraised;
use atls_core::Fault;
use atls_core::MediaType;
use tokio::time::Instant;
use tracing::debug;
use tracing::info;
use tracing::warn;

/// Tells an operator how an appraisal ended: one event of the target `atls_remote::outcome` named `atls.verifier.outcome`, with the
/// fields `verifier`, `media_type`, `outcome` (the status of the result, or why there is none), `duration_ms` and, of failures,
/// `fault`. Neither Evidence nor its values are in it.
///
/// Dropped before its end, such as by the deadline of the connection, the appraisal is `abandoned`, without fault: the service was
/// slower than the peer left it time for, and the duration says how slow.
///
/// # Errors
/// Those of the appraisal.
pub async fn recorded(
    verifier: &'static str,
    media_type: &MediaType,
    appraisal: impl Future<Output = Result<Appraised, AppraisalError>>,
) -> Result<Appraised, AppraisalError> {
    let mut pending = Pending(Some(Event {
        verifier,
        media_type,
        started: Instant::now(),
    }));
    let outcome = appraisal.await;
    if let Some(event) = pending.0.take() {
        event.end(&outcome);
    }
    outcome
}

/// Holds the event of an appraisal that has not ended.
struct Pending<'a>(Option<Event<'a>>);

struct Event<'a> {
    verifier: &'static str,
    media_type: &'a MediaType,
    started: Instant,
}

impl Drop for Pending<'_> {
    fn drop(&mut self) {
        if let Some(event) = &self.0 {
            event.abandon();
        }
    }
}

impl Event<'_> {
    fn end(&self, outcome: &Result<Appraised, AppraisalError>) {
        let (verifier, media_type) = (self.verifier, self.media_type.essence());
        let duration_ms = milliseconds(self.started.elapsed());
        match outcome {
            Ok(appraised) => {
                let outcome = appraised.ear().status();
                debug!(name: "atls.verifier.outcome", verifier, media_type, %outcome, duration_ms);
            }
            Err(error) if error.fault() == Fault::Verifier => {
                warn!(name: "atls.verifier.outcome", verifier, media_type, outcome = %error, fault = "verifier", duration_ms);
            }
            Err(error) => {
                let fault = error.fault();
                info!(name: "atls.verifier.outcome", verifier, media_type, outcome = %error, %fault, duration_ms);
            }
        }
    }

    fn abandon(&self) {
        let (verifier, media_type) = (self.verifier, self.media_type.essence());
        let duration_ms = milliseconds(self.started.elapsed());
        warn!(name: "atls.verifier.outcome", verifier, media_type, outcome = "abandoned", duration_ms);
    }
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
