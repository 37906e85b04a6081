//! The shape of the sources: dependencies, imports, lengths of files, names at the roots of crates, code points of the draft, fuzz
//! targets, programs that pages run.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod arrows;
mod circles;
mod fuzzing;
mod lengths;
mod links;
mod profile;
mod programs;
mod reliability;
mod roots;
mod sources;
