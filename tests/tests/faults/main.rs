//! Faults of verifiers, devices, clocks and the application's own code, over real sockets: who is to blame, what the peer and the
//! operator see, what is left behind, and whether the next connection succeeds. docs/reliability.md has the table.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod blame;
mod cancelled;
mod clocks;
mod connecting;
mod devices;
mod formats;
mod front;
mod hanging;
mod keys;
mod outages;
mod panics;
mod scene;
mod services;
mod withdrawn;
