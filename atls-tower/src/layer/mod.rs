//! Two Tower layers: one gives a connection's services the attestation of the peer, one demands it of a route.
//!
//! ```
//! # use std::sync::Arc;
//! # use atls_core::{Candidate, PeerAttestation, PolicyViolation};
//! # use atls_tower::{AttestationLayer, RequireAttestationLayer};
//! # use tower_layer::Layer;
//! # fn example<S>(stream: atls_tower::AttestedStream<tokio::net::TcpStream>, public: S, secret: S) {
//! // Per route: nobody passes who is not attested, and good enough.
//! let one_device = |peer: &Candidate| match peer.items().len() {
//!     1 => Ok(()),
//!     _ => Err(PolicyViolation::custom("one device expected")),
//! };
//! let secret = RequireAttestationLayer::new().policy(one_device).layer(secret);
//! // Per connection: requests carry `ClientAttestation` in their extensions.
//! let service = stream.layer().layer(secret);
//! # }
//! ```

mod attestation;
mod client;
mod problem;
mod require;
mod response;

pub use attestation::AttestationLayer;
pub use attestation::WithAttestation;
pub use client::ClientAttestation;
pub use problem::Problem;
pub use require::RequireAttestation;
pub use require::RequireAttestationLayer;
pub use response::ResponseFuture as AttestationFuture;

pub(crate) use attestation::ClientDemand;
