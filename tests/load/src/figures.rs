//! The figures of one run.

use std::time::Duration;

use serde::Deserialize;
use serde::Serialize;

/// What many connections or requests took.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Figures {
    pub(crate) done: usize,
    pub(crate) failed: usize,
    pub(crate) per_second: f64,
    /// Milliseconds.
    pub(crate) p50: f64,
    pub(crate) p99: f64,
    /// Microseconds of processor time of each end, for each connection or request.
    pub(crate) client_cpu: f64,
    pub(crate) server_cpu: f64,
}

impl Figures {
    /// `times` are those of what ended within `window`.
    pub(crate) fn of(mut times: Vec<Duration>, window: Duration) -> Self {
        times.sort_unstable();
        let at = |part: f64| {
            let last = times.len().saturating_sub(1);
            let index = (last as f64 * part).round() as usize;
            times
                .get(index)
                .map_or(0.0, |time| time.as_secs_f64() * 1e3)
        };
        Self {
            done: times.len(),
            per_second: times.len() as f64 / window.as_secs_f64(),
            p50: at(0.5),
            p99: at(0.99),
            ..Self::default()
        }
    }

    /// The median of each figure over rounds of the same length, and the sum of what is counted.
    pub(crate) fn median(rounds: &[Self]) -> Self {
        let median = |of: fn(&Self) -> f64| median(rounds.iter().map(of));
        Self {
            done: rounds.iter().map(|round| round.done).sum(),
            failed: rounds.iter().map(|round| round.failed).sum(),
            per_second: median(|round| round.per_second),
            p50: median(|round| round.p50),
            p99: median(|round| round.p99),
            client_cpu: median(|round| round.client_cpu),
            server_cpu: median(|round| round.server_cpu),
        }
    }

    /// Microseconds of processor time of both ends.
    pub(crate) fn cpu(&self) -> f64 {
        self.client_cpu + self.server_cpu
    }
}

/// The middle one; zero of none.
pub(crate) fn median(figures: impl Iterator<Item = f64>) -> f64 {
    let mut figures: Vec<f64> = figures.collect();
    figures.sort_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_of_the_sorted_times() {
        let times = (0..=100).rev().map(Duration::from_millis).collect();
        let figures = Figures::of(times, Duration::from_secs(2));
        assert_eq!(
            (figures.done, figures.per_second, figures.p50, figures.p99),
            (101, 50.5, 50.0, 99.0)
        );
    }

    #[test]
    fn nothing_done_gives_zeros() {
        let figures = Figures::of(Vec::new(), Duration::from_secs(1));
        assert_eq!((figures.done, figures.p50), (0, 0.0));
    }

    #[test]
    fn the_median_of_rounds_takes_each_figure_by_itself() {
        let round = |per_second, p50| Figures {
            per_second,
            p50,
            failed: 1,
            ..Figures::default()
        };
        let median = Figures::median(&[round(1.0, 9.0), round(3.0, 8.0), round(2.0, 7.0)]);
        assert_eq!(
            (median.per_second, median.p50, median.failed),
            (2.0, 8.0, 3)
        );
    }
}
