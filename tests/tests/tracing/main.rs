//! The log: one event per connection that says whose fault it was and why, and nothing secret.
#![allow(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]
mod accepted;
mod accounts;
mod floods;
mod forwarded;
mod log;
mod policies;
mod refused;
mod requests;
mod routes;
mod scenes;
mod strangers;
mod unfinished;
