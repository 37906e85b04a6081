//! Clients that keep a connection and ask nothing, send nothing or take nothing: each is closed in time, and makes room
//! for the next one. A server with room for one connection shows that it does.
#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod idle;
mod pending;
mod scene;
mod served;
mod stopped;
mod untaken;
