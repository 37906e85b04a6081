//! The metrics of one test.

use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;

use metrics_exporter_prometheus::PrometheusBuilder;
use metrics_exporter_prometheus::PrometheusHandle;

use crate::page;

/// A recorder of this thread, on which a test's runtime runs everything.
pub(crate) struct Recorded {
    handle: PrometheusHandle,
    _guard: metrics::LocalRecorderGuard<'static>,
    /// The next expiry is of the process, so the tests take turns.
    _turn: MutexGuard<'static, ()>,
}

static TURNS: Mutex<()> = Mutex::new(());

impl Recorded {
    pub(crate) fn begin() -> Self {
        let turn = TURNS.lock().unwrap_or_else(PoisonError::into_inner);
        let recorder = PrometheusBuilder::new().build_recorder();
        let handle = recorder.handle();
        // For the life of the test.
        let recorder = Box::leak(Box::new(recorder));
        Self {
            handle,
            _guard: metrics::set_default_local_recorder(recorder),
            _turn: turn,
        }
    }

    /// The value of the one series of this name that has all of these labels; 0 where there is none.
    pub(crate) fn value(&self, name: &str, labels: &[&str]) -> f64 {
        let text = self.handle.render();
        let series = text.lines().filter(|line| {
            let rest = line.strip_prefix(name);
            rest.is_some_and(|rest| rest.starts_with([' ', '{']))
                && labels.iter().all(|label| line.contains(label))
        });
        let values: Vec<f64> = series
            .map(|line| line.rsplit_once(' ').unwrap().1.parse().unwrap())
            .collect();
        assert!(values.len() <= 1, "{name} {labels:?}: {text}");
        values.first().copied().unwrap_or(0.0)
    }
}

/// Every series that a test made has labels and values of docs/operations.md.
impl Drop for Recorded {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            page::assert_documented(&self.handle.render());
        }
    }
}
