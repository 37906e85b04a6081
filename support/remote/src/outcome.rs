//! One event and one count for each appraisal. The fields and the levels are documented at [`RemoteVerifier`](crate::RemoteVerifier).

use std::time::Duration;

use atls_core::Appraised;
use atls_core::Fault;
use atls_core::MediaType;
use atls_core::ear::Tier;
use tokio::time::Instant;
use tracing::Level;
use tracing::event;

use crate::failure::Failure;
use crate::metrics;

/// Waits for the end of an appraisal and records it. An appraisal that is dropped earlier is recorded as abandoned.
pub(crate) async fn recorded(
    verifier: &'static str,
    media_type: &MediaType,
    appraisal: impl Future<Output = Result<Appraised, Failure>>,
) -> Result<Appraised, Failure> {
    let mut pending = Pending(Some(Outcome {
        verifier,
        media_type,
        started: Instant::now(),
    }));
    let result = appraisal.await;
    if let Some(outcome) = pending.0.take() {
        outcome.record(&result);
    }
    result
}

/// Holds the event of an appraisal that has not ended.
struct Pending<'a>(Option<Outcome<'a>>);

struct Outcome<'a> {
    verifier: &'static str,
    media_type: &'a MediaType,
    started: Instant,
}

impl Drop for Pending<'_> {
    fn drop(&mut self) {
        if let Some(outcome) = &self.0 {
            outcome.record_abandoned();
        }
    }
}

impl Outcome<'_> {
    fn record(&self, result: &Result<Appraised, Failure>) {
        let (verifier, media_type) = (self.verifier, self.media_type);
        let took = self.started.elapsed();
        let duration_ms = milliseconds(took);
        let failure = match result {
            Ok(appraised) => {
                let outcome = appraised.ear().status();
                metrics::appraised(verifier, tier_name(outcome), "none", took);
                event!(
                    name: "atls.verifier.outcome", target: TARGET, Level::DEBUG,
                    verifier, %media_type, %outcome, duration_ms,
                );
                return;
            }
            Err(failure) => failure,
        };
        let (outcome, cause) = (failure.reason(), failure.cause());
        let fault = failure.error().fault();
        metrics::appraised(verifier, outcome, fault_name(fault), took);
        // The level of a call site is fixed.
        match fault {
            Fault::Local => event!(
                name: "atls.verifier.outcome", target: TARGET, Level::ERROR,
                verifier, %media_type, outcome, %fault, cause, duration_ms,
            ),
            Fault::Peer | Fault::Verifier => event!(
                name: "atls.verifier.outcome", target: TARGET, Level::WARN,
                verifier, %media_type, outcome, %fault, cause, duration_ms,
            ),
        }
    }

    /// No fault: either the service was slow, or the peer left it no time. The duration tells which.
    fn record_abandoned(&self) {
        let (verifier, media_type) = (self.verifier, self.media_type);
        let took = self.started.elapsed();
        metrics::appraised(verifier, "abandoned", "none", took);
        let duration_ms = milliseconds(took);
        event!(
            name: "atls.verifier.outcome", target: TARGET, Level::WARN,
            verifier, %media_type, outcome = "abandoned", duration_ms,
        );
    }
}

fn tier_name(tier: Tier) -> &'static str {
    match tier {
        Tier::Affirming => "affirming",
        Tier::Contraindicated => "contraindicated",
        Tier::None => "none",
        Tier::Warning => "warning",
    }
}

fn fault_name(fault: Fault) -> &'static str {
    match fault {
        Fault::Local => "local",
        Fault::Peer => "peer",
        Fault::Verifier => "verifier",
    }
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

const TARGET: &str = "atls_remote::outcome";
