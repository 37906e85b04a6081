//! The second implementation, `tests/python`, which was written from docs/protocol.md alone: against both our ends, and against
//! docs/vectors. Where there is no Python with what it needs, that is said; `ATLS_REQUIRE_PYTHON=1` makes it a failure.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod alone;
mod conformance;
mod our_client;
mod our_server;
mod scene;
