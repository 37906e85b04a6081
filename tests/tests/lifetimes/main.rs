//! How connections end: with their attestation, by a recall of the server, and with what runs on them.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod draining;
mod expired;
mod goaway;
mod grpc;
mod hostile;
mod pooled;
mod queued;
mod recalled;
mod reloaded;
mod requests;
mod retired;
mod streams;
mod stuck;
mod support;
mod unsent;
mod websocket;
