//! Exported Authenticators (RFC 9261) for TLS 1.3, whole: request, get context, authenticate, validate.
//!
//! ```text
//!  asks                                         answers
//!  request ─────────── request bytes ───────▶  ReceivedRequest::receive
//!                                                 ├─ authenticate ─┐
//!  SentRequest::validate ◀── authenticator ───────┴─ decline ──────┘
//!    ├─ Ok(Validated)        a certificate, proven on this connection
//!    ├─ Err(Declined)        a valid empty authenticator: never "valid"
//!    └─ Err(_)               fatal
//! ```
//!
//! Either end may ask. Both objects read the connection once, when they are made, and are consumed by their
//! one answer: an authenticator cannot be made or checked on another connection, twice, or without the exact
//! bytes of its request.
//!
//! | call of RFC 9261 §6 | here |
//! |---|---|
//! | request | [`request`](request()) |
//! | get context | [`context`], [`ReceivedRequest::context`] |
//! | authenticate | [`ReceivedRequest::authenticate`], [`ReceivedRequest::decline`] |
//! | validate | [`SentRequest::validate`] |
//!
//! Not here: spontaneous server authenticators (RFC 9261 §5, "may"): attestation must be asked for, so there is
//! no call that accepts an authenticator without its request. TLS 1.2: a [`Session`](crate::session::Session) is
//! TLS 1.3. The chain validation callback (RFC 9261 §6.4), the one reject rule without a test here: [`Validated`] proves
//! possession of the end-entity key on this connection. Whom that key belongs to is decided where the TLS library
//! validates the handshake's chain, and [`Pending::finish`](crate::exchange::Pending::finish) demands that it is the same key.

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
pub use sent::Validated;
pub use template::RequestTemplate;
pub use template::request;

pub(crate) use extension::encoded_length as extensions_length;
pub(crate) use sent::spki;
