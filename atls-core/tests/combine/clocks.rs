//! Results that are kept, and clocks that are set.

use test_support::ready;

use crate::cached::cached;
use crate::scripted::NOW;
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
    let (verifier, cached) = cached(affirming());
    let bound = bound();
    verifier.close();
    let ahead = Task::pending(appraise(&cached, &bound, b"evidence", NOW));
    let right = Task::pending(appraise(&cached, &bound, b"evidence", NOW - DAY));
    assert_eq!(verifier.asked(), 2);
    verifier.open();
    ahead.woken().unwrap();
    right.woken().unwrap();
    ready(appraise(&cached, &bound, b"evidence", NOW)).unwrap();
    assert_eq!(verifier.asked(), 3);
}
