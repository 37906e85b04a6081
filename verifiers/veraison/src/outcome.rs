//! One event per appraisal, made for counting. The crate's front page lists the fields.

use std::time::Duration;

use atls_core::Fault;
use atls_core::MediaType;
use atls_core::ear::Ear;
use tracing::Level;

use crate::error::VeraisonError;

pub(crate) fn record(
    outcome: &Result<&Ear, &VeraisonError>,
    media_type: &MediaType,
    took: Duration,
) {
    let duration_ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
    let verifier = "veraison";
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
    let cause = std::error::Error::source(*error).map(tracing::field::display);
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
