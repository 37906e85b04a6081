//! The metrics of the proxy, for Prometheus.

use std::fmt::Write;
use std::sync::Arc;
use std::sync::atomic::AtomicI64;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;

use http::StatusCode;
use metrics_exporter_prometheus::PrometheusHandle;

use super::health::Health;

/// Counters. None of them names a peer.
pub(super) struct Metrics {
    /// Those of the library.
    recorded: PrometheusHandle,
    answered: [AtomicU64; 5],
    attested: AtomicU64,
    unattested: AtomicU64,
    in_flight: AtomicI64,
    upgraded: AtomicI64,
    reloaded: AtomicU64,
    not_reloaded: AtomicU64,
}

/// Something that is under way for as long as this lives.
pub(super) struct Counted {
    metrics: Arc<Metrics>,
    gauge: fn(&Metrics) -> &AtomicI64,
}

impl Drop for Counted {
    fn drop(&mut self) {
        (self.gauge)(&self.metrics).fetch_sub(1, Ordering::Relaxed);
    }
}

impl Metrics {
    pub(super) fn recording(recorded: PrometheusHandle) -> Self {
        Self {
            recorded,
            answered: Default::default(),
            attested: AtomicU64::default(),
            unattested: AtomicU64::default(),
            in_flight: AtomicI64::default(),
            upgraded: AtomicI64::default(),
            reloaded: AtomicU64::default(),
            not_reloaded: AtomicU64::default(),
        }
    }

    pub(super) fn in_flight(self: &Arc<Self>) -> Counted {
        self.counted(|metrics| &metrics.in_flight)
    }

    pub(super) fn upgraded(self: &Arc<Self>) -> Counted {
        self.counted(|metrics| &metrics.upgraded)
    }

    pub(super) fn answered(&self, status: StatusCode) {
        let class = usize::from(status.as_u16() / 100).saturating_sub(1);
        if let Some(counter) = self.answered.get(class) {
            counter.fetch_add(1, Ordering::Relaxed);
        }
    }

    pub(super) fn peer(&self, attested: bool) {
        let counter = match attested {
            true => &self.attested,
            false => &self.unattested,
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn reloaded(&self, well: bool) {
        let counter = match well {
            true => &self.reloaded,
            false => &self.not_reloaded,
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    /// The text format of Prometheus, 0.0.4.
    pub(super) fn text(&self, health: &Health) -> String {
        let mut text = String::new();
        let mut family = |name: &str, kind: &str, help: &str, values: &[(&str, i128)]| {
            // A `String` takes all.
            let _ = writeln!(
                text,
                "# HELP atls_proxy_{name} {help}\n# TYPE atls_proxy_{name} {kind}"
            );
            for (labels, value) in values {
                let _ = writeln!(text, "atls_proxy_{name}{labels} {value}");
            }
        };
        let count = |counter: &AtomicU64| i128::from(counter.load(Ordering::Relaxed));
        let gauge = |gauge: &AtomicI64| i128::from(gauge.load(Ordering::Relaxed));
        let classes = self.answered.iter().zip(CLASSES);
        let answered: Vec<_> = classes
            .map(|(counter, label)| (label, count(counter)))
            .collect();
        family(
            "requests_total",
            "counter",
            "Requests by the class of their answer.",
            &answered,
        );
        let peers = [
            ("{attested=\"yes\"}", count(&self.attested)),
            ("{attested=\"no\"}", count(&self.unattested)),
        ];
        family(
            "peers_total",
            "counter",
            "Requests by whether the peer had attested.",
            &peers,
        );
        let under_way = [("", gauge(&self.in_flight))];
        family(
            "in_flight",
            "gauge",
            "Requests that wait for the head of their answer.",
            &under_way,
        );
        let upgraded = [("", gauge(&self.upgraded))];
        family(
            "upgraded",
            "gauge",
            "Connections that go on in another protocol.",
            &upgraded,
        );
        let reloads = [
            ("{outcome=\"done\"}", count(&self.reloaded)),
            ("{outcome=\"failed\"}", count(&self.not_reloaded)),
        ];
        family(
            "reloads_total",
            "counter",
            "Readings of certificate and policy.",
            &reloads,
        );
        let ready = [("", i128::from(health.now().is_ok()))];
        family("ready", "gauge", "1 while /healthz is 200.", &ready);
        let draining = [("", i128::from(health.is_draining()))];
        family(
            "draining",
            "gauge",
            "1 while connections finish.",
            &draining,
        );
        if let Some(expires) = health.certificate_expires() {
            family(
                "certificate_expires_timestamp_seconds",
                "gauge",
                "Unix time at which the certificate ends.",
                &[("", expires.into())],
            );
        }
        text + &self.recorded.render()
    }

    fn counted(self: &Arc<Self>, gauge: fn(&Self) -> &AtomicI64) -> Counted {
        gauge(self).fetch_add(1, Ordering::Relaxed);
        Counted {
            metrics: self.clone(),
            gauge,
        }
    }
}

const CLASSES: [&str; 5] = [
    "{code=\"1xx\"}",
    "{code=\"2xx\"}",
    "{code=\"3xx\"}",
    "{code=\"4xx\"}",
    "{code=\"5xx\"}",
];
