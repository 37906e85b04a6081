//! What attestation costs, against plain tokio-rustls in the same run, with an attester and a verifier that cost nothing.
//!
//! ```text
//! cargo run --release -p load                 all of it, about three minutes
//! cargo run --release -p load -- quick        a few seconds, to see that it works
//! cargo run --release -p load -- "both attest"    one kind of connection, for a profiler
//! ```
//!
//! Machines are noisy: compare ratios within one run, and processor time rather than wall time.
#![forbid(unsafe_code)]
#![allow(
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::print_stdout,
    reason = "figures for a terminal"
)]

mod connections;
mod free;
mod memory;
mod requests;
mod setting;

use std::alloc::System;
use std::error::Error;
use std::time::Duration;

use stats_alloc::INSTRUMENTED_SYSTEM;
use stats_alloc::StatsAlloc;

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

fn main() -> Result<(), Box<dyn Error>> {
    let quick = std::env::args().nth(1).as_deref() == Some("quick");
    let (round, rounds) = if quick {
        (Duration::from_millis(200), 1)
    } else {
        (Duration::from_secs(4), 5)
    };
    if let Some(only) = std::env::args().nth(1).filter(|_| !quick) {
        return connections::only(&only, round * 2);
    }
    connections::measure(round, rounds)?;
    requests::measure(if quick { 10_000 } else { 1_000_000 })?;
    memory::measure(if quick { 50 } else { 500 })
}
