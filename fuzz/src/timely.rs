//! The time that one input takes.

use std::time::Duration;
use std::time::Instant;

use cpu_time::ThreadTime;

/// Fails for an input that takes long again and again: what a peer sends must not cost much more than it weighs.
pub fn timely(work: impl Fn()) {
    let start = Instant::now();
    work();
    if start.elapsed() < LIMIT {
        return;
    }
    // The first run of a process makes keys, and a busy machine interrupts any: time of the processor counts.
    let least = (0..REPEATS).map(|_| measured(&work)).min();
    assert!(least < Some(LIMIT), "an input takes {least:?}");
}

fn measured(work: impl Fn()) -> Duration {
    let start = ThreadTime::now();
    work();
    start.elapsed()
}

/// Hardly optimised, with counters and with assertions: several times of what a release takes.
const LIMIT: Duration = Duration::from_millis(100);

const REPEATS: usize = 5;

/// A target: a body for each input, within its time.
#[macro_export]
macro_rules! target {
    (|$input:ident: $kind:ty| $body:expr) => {
        libfuzzer_sys::fuzz_target!(|$input: $kind| $crate::timely::timely(|| $body));
    };
}
