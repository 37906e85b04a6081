//! A laboratory: the attacks of the literature on attested TLS, run against all three modes over real sockets.
//!
//! There is a genuine server with device A, another genuine machine B, a victim, and an adversary who owns the network and,
//! where the attack says so, leaked keys, a mis-issued certificate, or an attestation key. In the weaker modes the victim's
//! policy accepts their binding, so that what those modes are open to does succeed.
#![forbid(unsafe_code)]
#![allow(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    clippy::exhaustive_enums,
    clippy::exhaustive_structs,
    missing_docs,
    missing_debug_implementations,
    reason = "a test fails by panicking, and this is one"
)]

mod asking;
mod batch;
mod client;
mod diversion;
mod duel;
mod expected;
mod forged_token;
mod guard;
mod keys;
mod lab;
mod lifetime;
mod link;
mod machines;
mod negotiation;
mod oracle;
mod outcome;
mod page;
mod passport;
mod reflection;
mod relay;
mod replay;
mod servers;
mod swap;
mod tagged;
mod tickets;
mod tpm;

pub use expected::unexpected;
pub use outcome::Cell;
pub use outcome::Row;
pub use page::page;
pub use page::table;

/// Runs every attack. Wants a runtime of one thread, for the time that must pass.
pub async fn run() -> Vec<Row> {
    let lab = lab::Lab::new();
    // Each on the heap: together they are more than a thread of a test has for its stack.
    let mut rows = Box::pin(replay::rows(&lab)).await;
    rows.extend(Box::pin(relay::rows(&lab)).await);
    rows.push(Box::pin(oracle::row(&lab)).await);
    rows.extend(Box::pin(diversion::rows(&lab)).await);
    rows.extend(Box::pin(keys::rows(&lab)).await);
    rows.extend(Box::pin(tagged::rows(&lab)).await);
    rows.extend(Box::pin(reflection::rows(&lab)).await);
    rows.extend(Box::pin(batch::rows(&lab)).await);
    rows.extend(Box::pin(machines::rows(&lab)).await);
    rows.extend(Box::pin(servers::rows()).await);
    rows.extend(Box::pin(negotiation::rows(&lab)).await);
    rows.extend(Box::pin(lifetime::rows(&lab)).await);
    rows.extend(Box::pin(passport::rows(&lab)).await);
    rows.extend(Box::pin(tpm::rows(&lab)).await);
    rows
}
