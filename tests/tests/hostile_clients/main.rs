//! Clients that break the protocol, against a real server: each is closed, none reaches a handler, and the others go on.
#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod altered;
mod authenticators;
mod frames;
mod scene;
mod silent;
mod tls;
