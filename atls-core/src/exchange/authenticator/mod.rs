//! Exported Authenticators (RFC 9261) for TLS 1.3.
//!
//! The messages of RFC 9261 go in and out as bytes. Every reject rule of the RFC is an error, and every error is fatal to the
//! connection.
//!
//! ```text
//!  asks                                         answers
//!  request ─────────── request bytes ────────▶  ReceivedRequest::receive
//!                                                 ├─ authenticate ─┐
//!  SentRequest::verify ◀─── authenticator ────────┴─ decline ──────┘
//!    ├─ Ok(VerifiedAuthenticator)   a certificate, proven on this connection
//!    ├─ Err(Declined)               a valid empty authenticator, which is a refusal
//!    └─ Err(_)                      anything else
//! ```
//!
//! Either end may ask. Both objects read the connection once, when they are made, and their one answer consumes them. So an
//! authenticator belongs to one connection and to the exact bytes of one request, and is made and verified once.
//!
//! | call of RFC 9261 §6 | here |
//! |---|---|
//! | request | [`request`](request()) |
//! | get context | [`context`], [`ReceivedRequest::context`] |
//! | authenticate | [`ReceivedRequest::authenticate`], [`ReceivedRequest::decline`] |
//! | validate | [`SentRequest::verify`] |
//!
//! Three parts of RFC 9261 are left out:
//!
//! - Spontaneous server authenticators (§5). Attestation must be asked for, so every authenticator answers a request.
//! - TLS 1.2. A [`Session`](crate::session::Session) is TLS 1.3.
//! - The callback that checks the certificate chain (§6.4). [`VerifiedAuthenticator`] proves possession of the end-entity key on this
//!   connection. The TLS library checks the chain of the handshake, and
//!   [`Pending::finish`](crate::exchange::Pending::finish) demands the same key.

mod answer_rules;
mod extension;
mod message;
mod prepared;
mod received;
mod schedule;
mod scheme;
mod sent;
mod template;

pub use extension::Extension;
pub use message::context;
pub use prepared::PreparedRequest;
pub use received::ReceivedRequest;
pub use sent::SentRequest;
pub use sent::VerifiedAuthenticator;
pub use template::RequestTemplate;
pub use template::request;

pub(crate) use extension::encoded_length as extensions_length;
pub(crate) use sent::spki;
