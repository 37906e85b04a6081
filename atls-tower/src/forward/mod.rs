//! An attestation that travels: from the service at which attested TLS ends to a service behind it.
//!
//! The first service has a [`ResultForwarder`], or [`ForwardResultLayer`] around its routes. Each request that it hands on
//! then has the header [`HEADER`], an Attestation Result (draft-ietf-rats-ear) that the first service signs. The service behind
//! has a [`ResultReceiver`], or the extractor `ForwardedAttestation` of `atls-axum`.
//!
//! ```text
//! client ── attested TLS ──▶ service ── request + Atls-Ear ──▶ service behind
//!                            appraises, signs                   verifies the signature
//! ```
//!
//! Every header and every trailer of a client under these names is removed, in every spelling that a gateway could take for them. A
//! connection that leaves HTTP is not looked into: what a tunnel carries must not be taken for requests of this service.
//!
//! # What a stolen header is good for
//!
//! A header is a bearer token: whoever has it can send it. The hop between both services must be private (a loopback, a Unix
//! socket, or TLS of its own). These rules bound what a header that leaks all the same is good for:
//!
//! | rule | who holds it | bounds it to |
//! |---|---|---|
//! | `aud` is the name of the service behind | receiver, always | that one service |
//! | `exp` is at most the lifetime after `iat` (60 s by default), and never after the attestation's own end | both, always | that time, with 60 s of skew between clocks |
//! | the receiver has a maximum age of its own (60 s by default), whatever `exp` says | receiver, always | the same, if the key is used by something older |
//! | `eat_nonce` is 16 random bytes, new for each request | receiver, with [`once`](ResultReceiver::once) | one request in each process |
//! | `iss` and the key | receiver, always | statements of that one service |
//!
//! A statement does not name the request that it came with. A service whose hop is not private needs TLS there, not more claims here.
//!
//! # The verifier's own result
//!
//! Where a service such as Veraison appraised the peer, its signed result can travel too, in [`VERIFIER_HEADER`]; the statement has its
//! SHA-256, so nobody can put another beside it. It has no audience, and its nonce is the value of a connection that the service
//! behind cannot see. It is therefore a second opinion for those who trust that verifier more than the first service, and never accepted
//! alone.

mod forgotten;
mod forward_error;
mod forward_layer;
mod forwarded;
mod forwarded_body;
mod forwarder;
mod headers;
mod once;
mod receive_error;
mod receiver;
mod shortfall;
mod statement;

pub use forward_error::ForwardError;
pub use forward_layer::ForwardResult;
pub use forward_layer::ForwardResultLayer;
pub use forwarded::ForwardedResult;
pub use forwarded_body::ForwardedBody;
pub use forwarder::ResultForwarder;
pub use forwarder::StatementForm;
pub use headers::HEADER;
pub use headers::VERIFIER_HEADER;
pub use headers::remove as remove_headers;
pub use receive_error::ReceiveError;
pub use receiver::ResultReceiver;
pub use shortfall::Shortfall;
