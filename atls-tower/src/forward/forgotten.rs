//! The times of statements that are forgotten.

use std::time::Duration;

/// The periods of which statements were forgotten, earliest first: the first and last second of each, since the epoch.
///
/// A service with a right clock has one, which ends before the statements that are good now. One whose clock was set has one for each
/// time to which it was set.
#[derive(Debug, Default)]
pub(super) struct Forgotten(Vec<(u64, u64)>);

impl Forgotten {
    pub(super) fn has(&self, second: u64) -> bool {
        let mut periods = self.0.iter();
        periods.any(|(first, last)| (*first..=*last).contains(&second))
    }

    /// Joins the period that is no further than `gap`, if there is one.
    pub(super) fn add(&mut self, second: u64, gap: Duration) {
        let gap = gap.as_secs();
        let mut periods = self.0.iter_mut();
        let near = periods.find(|(first, last)| {
            first.saturating_sub(gap) <= second && second <= last.saturating_add(gap)
        });
        if let Some((first, last)) = near {
            *first = second.min(*first);
            *last = second.max(*last);
            return;
        }
        self.0.push((second, second));
        self.0.sort_unstable();
        if self.0.len() > MOST {
            self.join_earliest();
        }
    }

    /// What lies between them is past, unless a clock is set far back.
    fn join_earliest(&mut self) {
        let (_, last) = self.0.remove(1);
        if let Some((_, end)) = self.0.first_mut() {
            *end = last.max(*end);
        }
    }
}

/// Periods. A service that is seldom asked has one for each statement.
const MOST: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;

    const GAP: Duration = Duration::from_secs(121);

    #[test]
    fn seconds_between_two_clocks_are_not_forgotten() {
        let mut forgotten = Forgotten::default();
        for second in [1000, 1100, 9000, 1050, 8950] {
            forgotten.add(second, GAP);
        }
        let has = [999, 1000, 1075, 1100, 1101, 8949, 8950, 9000, 9001].map(|at| forgotten.has(at));
        let expected = [false, true, true, true, false, false, true, true, false];
        assert_eq!(has, expected);
    }

    #[test]
    fn any_number_of_times_takes_the_same_room_and_none_is_lost() {
        let mut forgotten = Forgotten::default();
        forgotten.add(1_000_000, GAP);
        let seldom = || (0..1000).map(|number| 1000 * (number % 500));
        seldom().for_each(|second| forgotten.add(second, GAP));
        assert!(seldom().all(|second| forgotten.has(second)));
        assert!(forgotten.has(1_000_000) && !forgotten.has(999_999));
        assert_eq!(forgotten.0.len(), MOST);
    }
}
