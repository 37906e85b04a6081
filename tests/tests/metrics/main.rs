//! The numbers of connections, devices and services, as docs/operations.md documents them.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod connections;
mod devices;
mod page;
mod recorded;
mod services;
mod weaker;
