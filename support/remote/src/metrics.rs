//! The numbers of services. docs/operations.md documents names, units and labels.

use std::time::Duration;

use metrics::counter;
use metrics::gauge;
use metrics::histogram;

/// An appraisal by a service has ended.
pub(crate) fn appraised(
    verifier: &'static str,
    outcome: &'static str,
    fault: &'static str,
    took: Duration,
) {
    counter!("atls_verifier_appraisals_total", "verifier" => verifier, "outcome" => outcome, "fault" => fault)
        .increment(1);
    histogram!("atls_verifier_appraisal_seconds", "verifier" => verifier)
        .record(took.as_secs_f64());
}

/// A request to a service has ended.
pub(crate) fn requested(service: &'static str, outcome: &'static str) {
    counter!("atls_service_requests_total", "service" => service, "outcome" => outcome)
        .increment(1);
}

/// The circuit to a service has opened.
pub(crate) fn circuit_opened(service: &'static str) {
    gauge!("atls_service_circuit_open", "service" => service).set(1.0);
}

/// The circuit to a service has closed.
pub(crate) fn circuit_closed(service: &'static str) {
    gauge!("atls_service_circuit_open", "service" => service).set(0.0);
}
