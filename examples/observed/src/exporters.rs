//! What an application installs: a recorder for the metrics, a subscriber for the events and spans.

use std::error::Error;
use std::time::Duration;

use metrics_exporter_prometheus::Matcher;
use metrics_exporter_prometheus::PrometheusBuilder;
use metrics_exporter_prometheus::PrometheusHandle;
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_otlp::SpanExporter;
use opentelemetry_otlp::WithExportConfig;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// A recorder whose histograms have buckets, as the dashboard wants them.
pub(crate) fn metrics() -> Result<PrometheusHandle, Box<dyn Error>> {
    let builder = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &SECONDS)?
        .set_buckets_for_metric(
            Matcher::Full("atls_attestation_valid_seconds".to_owned()),
            &AGES,
        )?
        .set_buckets_for_metric(Matcher::Full("atls_batch_connections".to_owned()), &NUMBERS)?;
    let metrics = builder.install_recorder()?;
    let handle = metrics.clone();
    tokio::spawn(async move {
        loop {
            tokio::time::sleep(UPKEEP).await;
            // Puts what was measured into its buckets, which would grow otherwise while nobody scrapes.
            handle.run_upkeep();
        }
    });
    Ok(metrics)
}

/// Events to the terminal; spans to the collector at this URL, if there is one.
#[allow(
    clippy::disallowed_methods,
    reason = "an application chooses the provider of its process; libraries must not"
)]
pub(crate) fn spans(collector: Option<&str>) -> Result<SdkTracerProvider, Box<dyn Error>> {
    let resource = Resource::builder().with_service_name("observed").build();
    let mut provider = SdkTracerProvider::builder().with_resource(resource);
    if let Some(collector) = collector {
        // The exporter's HTTP client takes the provider of the process. Another one that was installed before is as good.
        let _ = demo::provider().as_ref().clone().install_default();
        let exporter = SpanExporter::builder()
            .with_http()
            .with_endpoint(format!("{collector}/v1/traces"))
            .build()?;
        provider = provider.with_batch_exporter(exporter);
    }
    let provider = provider.build();
    let ours = || {
        Targets::new()
            .with_default(LevelFilter::WARN)
            .with_target("atls_tower", LevelFilter::DEBUG)
            .with_target("atls_axum", LevelFilter::DEBUG)
    };
    let spans = tracing_opentelemetry::layer().with_tracer(provider.tracer("observed"));
    tracing_subscriber::registry()
        .with(tracing_subscriber::fmt::layer().with_filter(ours()))
        .with(spans.with_filter(ours()))
        .init();
    Ok(provider)
}

const UPKEEP: Duration = Duration::from_secs(5);

/// From a local appraisal to a device that is slow.
const SECONDS: [f64; 12] = [
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1.0, 5.0, 10.0,
];

/// From a minute to a day.
const AGES: [f64; 7] = [60.0, 300.0, 900.0, 1800.0, 3600.0, 14_400.0, 86_400.0];

const NUMBERS: [f64; 8] = [1.0, 2.0, 4.0, 8.0, 16.0, 64.0, 256.0, 1024.0];
