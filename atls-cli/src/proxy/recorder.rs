//! The metrics of the library, of docs/operations.md, beside those of the proxy.

use std::time::Duration;

use metrics_exporter_prometheus::BuildError;
use metrics_exporter_prometheus::Matcher;
use metrics_exporter_prometheus::PrometheusBuilder;
use metrics_exporter_prometheus::PrometheusHandle;

use crate::failure::Failure;

/// Records them from now on.
///
/// # Errors
/// A local fault.
pub(super) fn install() -> Result<PrometheusHandle, Failure> {
    let installed =
        build().map_err(|error| Failure::fault("metrics cannot be recorded").because(&error))?;
    let handle = installed.clone();
    tokio::spawn(async move {
        loop {
            tokio::time::sleep(UPKEEP).await;
            // Puts what was measured into its buckets, which would grow otherwise.
            handle.run_upkeep();
        }
    });
    Ok(installed)
}

fn build() -> Result<PrometheusHandle, BuildError> {
    let full = |name: &str| Matcher::Full(name.to_owned());
    PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &SECONDS)?
        .set_buckets_for_metric(full("atls_attestation_valid_seconds"), &AGES)?
        .set_buckets_for_metric(full("atls_batch_connections"), &NUMBERS)?
        .install_recorder()
}

const UPKEEP: Duration = Duration::from_secs(5);

// The buckets of the dashboard in docs/operations.
const SECONDS: [f64; 12] = [
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1.0, 5.0, 10.0,
];

/// From a minute to a day.
const AGES: [f64; 7] = [60.0, 300.0, 900.0, 1800.0, 3600.0, 14_400.0, 86_400.0];

const NUMBERS: [f64; 8] = [1.0, 2.0, 4.0, 8.0, 16.0, 64.0, 256.0, 1024.0];
