//! The numbers of services. docs/operations.md documents names, units and labels.

use std::time::Duration;

use metrics::Gauge;
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

/// An open circuit to a service, for as long as it is. Those of all clients of one service add up.
pub(crate) struct OpenCircuit(Gauge);

impl OpenCircuit {
    pub(crate) fn of(service: &'static str) -> Self {
        let gauge = gauge!("atls_service_circuit_open", "service" => service);
        gauge.increment(1.0);
        Self(gauge)
    }
}

impl Drop for OpenCircuit {
    fn drop(&mut self) {
        self.0.decrement(1.0);
    }
}
