//! Drives the exchange of authenticators over a TLS stream, before HTTP.
//!
//! ```text
//! client                                      server
//!   request ─────────────────────────────────▶
//!           ◀──────────── [ request ]           only if it asks the client too
//!           ◀──────────── authenticator
//!   verdict ─────────────────────────────────▶  where negotiated
//!   [ authenticator ] ───────────────────────▶  client last (default); client first: before the
//!           ◀──────────── [ verdict ]           server's authenticator
//!   HTTP ────────────────────────────────────▶
//! ```
//!
//! Takes a stream past its TLS handshake and the terms of this end; gives the peer's attestation, if there is one. Each
//! step is bound by the deadline of the whole, each frame by a size limit. Any failure is an error that ends the connection.

mod appraiser;
mod caught;
mod client_driver;
mod clients;
mod conversation;
mod evidence_maker;
mod exchanged;
mod server_driver;
mod turns;

pub(crate) use appraiser::Appraiser;
pub(crate) use client_driver::ClientDriver;
pub(crate) use evidence_maker::EvidenceMaker;
pub(crate) use exchanged::Accepted;
pub(crate) use exchanged::Exchanged;
pub(crate) use server_driver::ServerDriver;
pub(crate) use turns::Turns;
