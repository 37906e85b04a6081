//! Attested TLS over tokio and Tower.
//!
//! A [`ServerAcceptor`] and a [`ClientConnector`] turn sockets into [`AttestedStream`]s: full TLS 1.3 handshake,
//! exchange of authenticators, appraisal, decision, and only then HTTP. [`AttestationLayer`] hands the verified
//! attestation of the peer to the services of its connection, [`RequireAttestationLayer`] demands it per route,
//! [`AttestedHttps`] connects hyper-util and tonic.
//!
//! ```
//! # use std::sync::Arc;
//! # use atls_sim::SimAttester;
//! use atls_tower::{ClientConnector, ClientTerms, ServerAcceptor, ServerTerms};
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let authority = demo::Authority::new()?;
//! # let (server_tls, client_tls) = (authority.server()?, authority.client(&[])?);
//! # let device = SimAttester::generate()?;
//! # let relying_party = demo::trusting(&device)?;
//! # let attester = Arc::new(device);
//!
//! let acceptor = ServerAcceptor::new(server_tls, ServerTerms::new().attester(attester))?;
//! let connector = ClientConnector::new(client_tls, ClientTerms::new().require_peer(relying_party))?;
//!
//! // Usually sockets; any `AsyncRead + AsyncWrite` does.
//! let (near, far) = tokio::io::duplex(64 * 1024);
//! let connecting = connector.connect("localhost".try_into()?, far);
//! let (accepted, connected) = tokio::join!(acceptor.accept(near), connecting);
//!
//! // HTTP begins here.
//! let (server, client) = (accepted?, connected?);
//! assert_eq!(client.peer().map(|peer| peer.status().to_string()).as_deref(), Some("affirming"));
//! let layer = server.layer(); // tells handlers of the client's attestation
//! # drop(layer);
//! # Ok(())
//! # }
//! ```
//!
//! For axum there is [`atls-axum`](https://docs.rs/atls-axum), for a stock `reqwest::Client`
//! [`atls-reqwest`](https://docs.rs/atls-reqwest); both stand on this crate.
//!
//! Clients verify the server's chain and name as their `rustls::ClientConfig` says; attestation comes on top and replaces
//! none of it. TLS must end in the attested environment itself: a proxy that terminates TLS in between makes every
//! exchange fail, by design.
//!
//! # Guides
//!
//! [Modes] of attestation and what each is open to, [lifetimes] of connections, [pitfalls], and [operations]: metrics, spans, alerts.
//!
#![doc = concat!("[Modes]: ", env!("CARGO_PKG_REPOSITORY"), "/blob/v", env!("CARGO_PKG_VERSION"), "/docs/modes.md")]
#![doc = concat!("[lifetimes]: ", env!("CARGO_PKG_REPOSITORY"), "/blob/v", env!("CARGO_PKG_VERSION"), "/docs/lifetimes.md")]
#![doc = concat!("[pitfalls]: ", env!("CARGO_PKG_REPOSITORY"), "/blob/v", env!("CARGO_PKG_VERSION"), "/docs/pitfalls.md")]
#![doc = concat!("[operations]: ", env!("CARGO_PKG_REPOSITORY"), "/blob/v", env!("CARGO_PKG_VERSION"), "/docs/operations.md")]
#![forbid(unsafe_code)]

mod acceptor;
mod account;
mod batcher;
mod blocking;
mod connector;
mod deadline;
mod device_queue;
mod driver;
mod error;
mod frame;
mod http;
mod identity;
mod layer;
mod metrics;
mod stage;
mod stream;
mod terms;
mod tls;
mod told;
mod trace;
mod unfinished;

pub mod forward;
pub mod integration;
pub mod testing;
pub mod weaker;

pub use acceptor::ServerAcceptor;
pub use atls_core as core;
pub use batcher::Batcher;
pub use batcher::BatcherBuilder;
pub use batcher::BatcherStats;
pub use blocking::Blocking;
pub use connector::ClientConnector;
pub use error::Error;
pub use http::AttestedHttps;
pub use http::AttestedIo;
pub use http::Retire;
pub use http::RetireLayer;
pub use http::ServerAttestation;
pub use http::was_not_sent;
pub use layer::AttestationFuture;
pub use layer::AttestationLayer;
pub use layer::ClientAttestation;
pub use layer::Problem;
pub use layer::RequireAttestation;
pub use layer::RequireAttestationLayer;
pub use layer::WithAttestation;
pub use metrics::cache_metrics;
pub use rustls;
pub use stage::Stage;
pub use stream::Answering;
pub use stream::AttestedStream;
pub use stream::ConnectionLimits;
pub use stream::Lifetime;
pub use stream::Refused;
pub use stream::RefusedStream;
pub use stream::Requests;
pub use terms::ClientTerms;
pub use terms::ServerTerms;
