//! The terms of either end: its offers, and its demands on the peer.
//!
//! Terms that contradict themselves, a setting that would have no effect, and terms under which no end attests are a [`ConfigError`](atls_core::ConfigError) when an
//! acceptor or connector is made of them.

mod client_terms;
mod server_terms;

pub use client_terms::ClientTerms;
pub use server_terms::ServerTerms;

pub(crate) use server_terms::Demand;
