//! Certificates of a real ACME server: Pebble, which Let's Encrypt has for tests. `ATLS_PEBBLE` names the program, such as the one that
//! `examples/acme/install-pebble` prints. Where it names none, tests say that they were skipped, or fail if `ATLS_REQUIRE_PEBBLE` is set.
#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::print_stdout,
    reason = "a test fails by panicking, and says that it was skipped"
)]

mod acme_server;
mod failures;
mod life;
mod manners;
mod resolver;
mod scene;
