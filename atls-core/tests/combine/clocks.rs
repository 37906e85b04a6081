//! Results that are kept, and clocks that are set.

use atls_core::combine::Cached;
use atls_core::limits::CLOCK_SKEW;
use test_support::ready;

use crate::cached::cached;
use crate::scripted::NOW;
use crate::scripted::Scripted;
use crate::scripted::Task;
use crate::scripted::affirming;
use crate::scripted::appraise;
use crate::scripted::bound;

#[test]
fn a_result_is_not_used_when_a_clock_that_was_set_back_comes_to_its_time_again() {
    const DAY: u64 = 24 * 60 * 60;
    let (verifier, cached) = cached(affirming());
    let bound = bound();
    for (evidence, now) in [
        (b"evidence", NOW),
        (b"anything", NOW - DAY),
        (b"evidence", NOW),
    ] {
        ready(appraise(&cached, &bound, evidence, now)).unwrap();
    }
    assert_eq!(verifier.asked(), 3);
}

#[test]
fn an_appraisal_of_a_clock_that_was_set_back_meanwhile_is_not_shared_or_kept() {
    const DAY: u64 = 24 * 60 * 60;
    for ahead_is_last in [false, true] {
        let (verifier, cached) = cached(affirming());
        let bound = bound();
        verifier.close();
        let ahead = Task::pending(appraise(&cached, &bound, b"evidence", NOW));
        let right = Task::pending(appraise(&cached, &bound, b"evidence", NOW - DAY));
        assert_eq!(verifier.asked(), 2);
        verifier.open();
        let ends = if ahead_is_last {
            [right, ahead]
        } else {
            [ahead, right]
        };
        for end in ends {
            end.woken().unwrap();
        }
        ready(appraise(&cached, &bound, b"evidence", NOW)).unwrap();
        assert_eq!(verifier.asked(), 3, "{ahead_is_last}");
    }
}

/// The clocks of connections that are appraised together may differ by as much.
#[test]
fn a_clock_that_is_behind_by_the_skew_was_not_set_back() {
    let skew = CLOCK_SKEW.as_secs();
    let verifier = Scripted::new(affirming());
    let cached = Cached::new(verifier.clone()).with_max_age(CLOCK_SKEW * 2);
    let bound = bound();
    for (now, asked) in [(NOW, 1), (NOW - skew, 1), (NOW - skew - 1, 2)] {
        ready(appraise(&cached, &bound, b"evidence", now)).unwrap();
        assert_eq!(verifier.asked(), asked, "{now}");
    }
}
