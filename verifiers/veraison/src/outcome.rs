//! One event per appraisal, made for counting. The crate's front page lists the fields.

use atls_core::Appraised;
use atls_core::Fault;
use atls_core::MediaType;
use atls_core::ear::Ear;
use tokio::time::Instant;
use tracing::Level;

use crate::error::VeraisonError;

/// Waits for the end of an appraisal and tells it, and also that nobody waited so long.
pub(crate) async fn recorded(
    media_type: &MediaType,
    appraisal: impl Future<Output = Result<Appraised, VeraisonError>>,
) -> Result<Appraised, VeraisonError> {
    let started = Instant::now();
    let mut pending = Pending(Some((media_type, started)));
    let outcome = appraisal.await;
    pending.0 = None;
    let judged = outcome.as_ref().map(Appraised::ear);
    record(&judged, media_type, milliseconds_since(started));
    outcome
}

/// An appraisal that has not ended.
struct Pending<'a>(Option<(&'a MediaType, Instant)>);

/// Whose fault it was is not known: the service's, if it took long.
impl Drop for Pending<'_> {
    fn drop(&mut self) {
        if let Some((media_type, started)) = self.0 {
            let duration_ms = milliseconds_since(started);
            tracing::event!(
                name: "atls.verifier.outcome", target: "atls_veraison", Level::WARN,
                verifier = VERIFIER, outcome = "abandoned", %media_type, duration_ms,
            );
        }
    }
}

fn record(outcome: &Result<&Ear, &VeraisonError>, media_type: &MediaType, duration_ms: u64) {
    let verifier = VERIFIER;
    let error = match outcome {
        Ok(ear) => {
            let outcome = ear.status();
            tracing::event!(
                name: "atls.verifier.outcome", target: "atls_veraison", Level::DEBUG,
                verifier, %outcome, %media_type, duration_ms,
            );
            return;
        }
        Err(error) => error,
    };
    if let VeraisonError::Status {
        problem: Some(problem),
        ..
    } = error
    {
        tracing::trace!(target: "atls_veraison", ?problem, "the service's own words");
    }
    let (outcome, fault) = (error.reason(), error.fault());
    let cause = std::error::Error::source(*error);
    let cause = cause.map(|cause| tracing::field::display(atls_core::report(cause)));
    // Levels are static per call site.
    match fault {
        Fault::Peer | Fault::Verifier => tracing::event!(
            name: "atls.verifier.outcome", target: "atls_veraison", Level::WARN,
            verifier, outcome, %fault, %media_type, duration_ms, cause, "{error}"
        ),
        Fault::Local => tracing::event!(
            name: "atls.verifier.outcome", target: "atls_veraison", Level::ERROR,
            verifier, outcome, %fault, %media_type, duration_ms, cause, "{error}"
        ),
    }
}

fn milliseconds_since(started: Instant) -> u64 {
    u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX)
}

const VERIFIER: &str = "veraison";
