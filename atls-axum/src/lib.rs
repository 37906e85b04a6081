//! Attested TLS for axum.
//!
//! ```
//! use std::sync::Arc;
//! use atls_axum::{AttestationResult, AttestedListener};
//! use atls_tower::{ServerAcceptor, ServerTerms};
//! use axum::{Router, routing::get};
//! # use atls_sim::SimAttester;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let tls = demo::Authority::new()?.server()?;
//! # let device = SimAttester::generate()?;
//! # let relying_party = demo::trusting(&device)?;
//! # let attester = Arc::new(device);
//! async fn handler(peer: AttestationResult) -> String {
//!     format!("you are {}", peer.status())
//! }
//!
//! let terms = ServerTerms::new().attester(attester).require_peer(relying_party);
//! let listener = AttestedListener::bind("127.0.0.1:0", ServerAcceptor::new(tls, terms)?).await?;
//! let app = Router::new().route("/", get(handler));
//! let stop = async { /* a signal, usually */ };
//! atls_axum::serve(listener, app).with_graceful_shutdown(stop).await?;
//! # Ok(())
//! # }
//! ```
//!
//! The listener also goes into `axum::serve` itself, with
//! [`into_attested_make_service`](RouterExt::into_attested_make_service). That loop does not learn that a connection's
//! attestation has expired, or that it was [recalled](atls_tower::ServerAcceptor::recall): no GOAWAY tells an HTTP/2 client to go
//! elsewhere, requests are taken until the connection ends, and it is then cut with what is under way. A client that never
//! completes a request's head delays a shutdown. [`serve`] has none of these faults.
//!
//! To demand attestation of some routes only, put [`RequireAttestationLayer`](atls_tower::RequireAttestationLayer) on
//! them with `Router::route_layer`.
//!
//! # Guides
//!
//! [Getting started] builds a server and a client in ten minutes. [Platforms] says which device makes the Evidence, and who appraises it;
//! [operations] has metrics and alerts.
//!
#![doc = concat!("[Getting started]: ", env!("CARGO_PKG_REPOSITORY"), "/blob/v", env!("CARGO_PKG_VERSION"), "/docs/getting-started.md")]
#![doc = concat!("[Platforms]: ", env!("CARGO_PKG_REPOSITORY"), "/blob/v", env!("CARGO_PKG_VERSION"), "/docs/platforms/README.md")]
#![doc = concat!("[operations]: ", env!("CARGO_PKG_REPOSITORY"), "/blob/v", env!("CARGO_PKG_VERSION"), "/docs/operations.md")]
#![forbid(unsafe_code)]

mod accept;
mod extract;
mod forwarded;
mod http2_frames;
mod http2_limits;
mod keep_open;
mod lifetime;
mod listener;
mod listener_builder;
mod make_service;
mod numbers;
mod observer;
mod pieces;
mod preamble;
mod protocol;
mod refusal;
mod request_body;
mod serve;
pub mod testing;
mod watch;

pub use accept::accept;
pub use extract::AttestationRejection;
pub use extract::AttestationResult;
pub use forwarded::ForwardedAttestation;
pub use http2_limits::Http2Limits;
pub use keep_open::KeepOpen;
pub use lifetime::ConnectionLifetime;
pub use listener::AttestedListener;
pub use listener_builder::ListenerBuilder;
pub use make_service::AttestedMakeService;
pub use make_service::RouterExt;
pub use preamble::Preamble;
pub use serve::Serve;
pub use serve::serve;
pub use watch::Watched;
pub use watch::WatchedFuture;
