//! One event for each appraisal by a service.

use atls_core::AppraisalError;
use atls_core::Appraised;
use atls_core::Fault;
use atls_core::MediaType;
use tracing::debug;
use tracing::info;
use tracing::warn;

/// Tells an operator how an appraisal ended: one event of the target `atls_http::outcome` named `atls.verifier.outcome`, with the
/// fields `verifier`, `media_type`, `outcome` (the status of the result, or why there is none) and, of failures, `fault`.
/// Neither Evidence nor its values are in it.
pub fn record(
    verifier: &'static str,
    media_type: &MediaType,
    outcome: &Result<Appraised, AppraisalError>,
) {
    let media_type = media_type.essence();
    match outcome {
        Ok(appraised) => {
            let outcome = appraised.ear().status();
            debug!(name: "atls.verifier.outcome", verifier, media_type, %outcome);
        }
        Err(error) if error.fault() == Fault::Verifier => {
            warn!(name: "atls.verifier.outcome", verifier, media_type, outcome = %error, fault = "verifier");
        }
        Err(error) => {
            let fault = error.fault();
            info!(name: "atls.verifier.outcome", verifier, media_type, outcome = %error, %fault);
        }
    }
}
