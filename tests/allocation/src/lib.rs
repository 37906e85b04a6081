//! A bound on what a parser may allocate, tested with hostile inputs.
//!
//! A binary that links this crate gets a counting allocator. It counts for the whole process, so a test binary that uses it
//! has **one** test, in a file of its own (`tests/allocation.rs`):
//!
//! ```
//! use allocation::Bound;
//! use allocation::Findings;
//! use allocation::hostile;
//!
//! let mut findings = Findings::new();
//! let bound = Bound { per_byte: 4, constant: 1024 };
//! findings.check("utf-8", bound, &hostile::json(1000), |input| {
//!     let _ = String::from_utf8(input.to_vec());
//! });
//! findings.assert_none();
//! ```
#![forbid(unsafe_code)]
#![allow(
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::panic,
    clippy::print_stdout,
    reason = "support for tests, which fail by panicking"
)]

pub mod hostile;

use std::alloc::System;

use stats_alloc::INSTRUMENTED_SYSTEM;
use stats_alloc::Region;
use stats_alloc::StatsAlloc;

pub use hostile::Hostile;

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// The bytes that `run` asks the allocator for, all together.
///
/// The peak is never more than this sum. The sum also shows work that the peak hides: a parser that copies its input
/// once per element has a small peak and a quadratic sum.
pub fn allocated_by<T>(run: impl FnOnce() -> T) -> usize {
    let region = Region::new(ALLOCATOR);
    let result = run();
    let allocated = region.change().bytes_allocated;
    drop(result);
    allocated
}

/// How often `run` asks the allocator for memory.
pub fn allocations_of<T>(run: impl FnOnce() -> T) -> usize {
    let region = Region::new(ALLOCATOR);
    let result = run();
    let allocations = region.change().allocations;
    drop(result);
    allocations
}

/// Runs something on a thread of its own with a stack of [`STACK`]. The name is printed if that overflows.
///
/// # Panics
/// If it does.
pub fn on_small_stack<T: Send>(name: &str, run: impl FnOnce() -> T + Send) -> T {
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new()
            .name(name.to_owned())
            .stack_size(STACK);
        let running = thread.spawn_scoped(scope, run);
        match running.map(std::thread::ScopedJoinHandle::join) {
            Ok(Ok(result)) => result,
            Ok(Err(panic)) => std::panic::resume_unwind(panic),
            Err(error) => panic!("no thread: {error}"),
        }
    })
}

/// Bytes of stack for a parser: half of a thread's usual 2 MiB, for its callers need some too. Frames of a debug build are several times
/// as large as those of a release.
pub const STACK: usize = 1024 * 1024;

/// The most that a parser may allocate. Allow about twice what the worst input takes: a bound that nothing comes near does
/// not notice when a parser loses its gate.
#[derive(Clone, Copy, Debug)]
#[allow(clippy::exhaustive_structs, reason = "both parts must be decided")]
pub struct Bound {
    /// Bytes for each byte of the input.
    pub per_byte: usize,
    /// Bytes whatever the input is.
    pub constant: usize,
}

/// The inputs that exceeded their bounds, and the bounds that are too loose.
#[derive(Debug, Default)]
pub struct Findings {
    found: Vec<String>,
}

impl Findings {
    /// None yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Runs `parse` on every input, with a stack of [`STACK`]. Keeps those for which it allocated more than `bound` allows, and
    /// the bound itself if even the worst of them takes less than an eighth of it. Prints what the worst took, for whoever
    /// sets the bound. A parser that needs a larger stack aborts the process, as it would abort a service.
    pub fn check<T>(
        &mut self,
        parser: &str,
        bound: Bound,
        inputs: &[Hostile],
        parse: impl Fn(&[u8]) -> T + Sync,
    ) {
        on_small_stack(parser, || self.run(parser, bound, inputs, &parse));
    }

    fn run<T>(
        &mut self,
        parser: &str,
        bound: Bound,
        inputs: &[Hostile],
        parse: impl Fn(&[u8]) -> T,
    ) {
        let mut worst = Worst::default();
        for Hostile { name, bytes } in inputs {
            // Once beforehand, for what is allocated once in a process.
            let _ = parse(bytes);
            let allocated = allocated_by(|| parse(bytes));
            let allowed = bound.per_byte * bytes.len() + bound.constant;
            if allocated > allowed {
                self.found.push(format!(
                    "{parser}, {name}: {} bytes cost {allocated}, allowed are {allowed}",
                    bytes.len()
                ));
            }
            worst.see(Worst {
                name: name.clone(),
                allocated,
                allowed,
            });
        }
        let Worst {
            name,
            allocated,
            allowed,
        } = worst;
        println!("{parser}: {allocated} of {allowed} bytes for {name}");
        if allocated < allowed / LOOSE {
            self.found.push(format!(
                "{parser}: the bound is loose, as the worst input, {name}, costs {allocated} and {allowed} are allowed"
            ));
        }
    }

    /// Fails with every input that exceeded its bound, and every bound that is too loose.
    ///
    /// # Panics
    /// If there is one.
    pub fn assert_none(self) {
        assert!(self.found.is_empty(), "\n{}", self.found.join("\n"));
    }
}

/// The input that takes the largest part of what it may.
#[derive(Default)]
struct Worst {
    name: String,
    allocated: usize,
    allowed: usize,
}

impl Worst {
    fn see(&mut self, other: Self) {
        let is_first = self.name.is_empty();
        if is_first || other.allocated * self.allowed > self.allocated * other.allowed {
            *self = other;
        }
    }
}

/// The worst input takes at least one part in so many of its bound.
const LOOSE: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_what_is_allocated_and_finds_what_exceeds_or_is_loose() {
        let allocated = allocated_by(|| {
            for _ in 0..3 {
                std::hint::black_box(Vec::<u8>::with_capacity(100_000));
            }
        });
        assert!((300_000..310_000).contains(&allocated), "{allocated}");
        let twice = || (vec![0_u8; 10], Box::new(1_u8));
        assert_eq!(allocations_of(twice), 2);
        let input = [Hostile::new("input", vec![0; 100_000])];
        let copies = |count, per_byte| {
            let mut findings = Findings::new();
            let bound = Bound {
                per_byte,
                constant: 10_000,
            };
            findings.check("copies", bound, &input, |input| vec![input.to_vec(); count]);
            findings.found.len()
        };
        assert_eq!(copies(1, 3), 0);
        assert_eq!(copies(5, 3), 1);
        // And a bound that is none.
        assert_eq!(copies(1, 20), 1);
    }
}
