//! Attested TLS over tokio and Tower.
//!
//! A [`ServerAcceptor`] and a [`ClientConnector`] turn sockets into [`AttestedStream`]s: full TLS 1.3 handshake,
//! exchange of authenticators, appraisal, decision, and only then HTTP. [`AttestationLayer`] hands the verified
//! attestation of the peer to the services of its connection, [`RequireAttestationLayer`] demands it per route,
//! [`AttestedHttps`] connects hyper-util and tonic.
//!
//! For axum there is `atls-axum`, for a stock `reqwest::Client` `atls-reqwest`; both stand on this crate.
//!
//! What is *not* replaced: clients check the server's chain and name as their `rustls::ClientConfig` says, and
//! attestation comes on top. TLS must end in the attested environment itself; a proxy that terminates TLS in between
//! makes every exchange fail, which is the point.
#![forbid(unsafe_code)]

mod acceptor;
mod attested_io;
mod blocking;
mod connector;
mod error;
mod exchange;
mod frame;
mod https;
mod identity;
mod layer;
mod live;
mod refused;
mod replay;
mod requests;
mod stream;
mod timers;
mod tls;
mod tls13;
mod tls_failure;
mod trace;

pub mod client;
pub mod testing;
pub mod weaker;

pub use acceptor::ServerAcceptor;
pub use atls_core as core;
pub use attested_io::AttestedIo;
pub use attested_io::ServerAttestation;
pub use blocking::Blocking;
pub use connector::ClientConnector;
pub use error::Error;
pub use error::Stage;
pub use exchange::ClientTerms;
pub use exchange::ServerTerms;
pub use https::AttestedHttps;
pub use layer::AttestationFuture;
pub use layer::AttestationLayer;
pub use layer::ClientAttestation;
pub use layer::Problem;
pub use layer::RequireAttestation;
pub use layer::RequireAttestationLayer;
pub use layer::WithAttestation;
pub use refused::Refused;
pub use refused::RefusedStream;
pub use requests::Answering;
pub use requests::ConnectionLimits;
pub use requests::Requests;
pub use rustls;
pub use stream::AttestedStream;
