//! The time that one input takes.

use std::time::Duration;
use std::time::Instant;

/// Fails for an input that takes long again and again: what a peer sends must not cost much more than it weighs.
pub fn timely(work: impl Fn()) {
    let first = measured(&work);
    // The first run of a process makes keys, and a busy machine interrupts any.
    let quick = first < LIMIT || (0..REPEATS).any(|_| measured(&work) < LIMIT);
    assert!(quick, "an input took {first:?}");
}

fn measured(work: impl Fn()) -> Duration {
    let start = Instant::now();
    work();
    start.elapsed()
}

/// Unoptimised, with counters and with assertions: several times of what a release takes.
const LIMIT: Duration = Duration::from_millis(100);

const REPEATS: usize = 10;

/// A target: a body for each input, within its time.
#[macro_export]
macro_rules! target {
    (|$input:ident: $kind:ty| $body:expr) => {
        libfuzzer_sys::fuzz_target!(|$input: $kind| $crate::timely::timely(|| $body));
    };
}
