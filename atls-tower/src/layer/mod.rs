//! Two Tower layers: one gives a connection's services the attestation of the peer, one demands it of a route.
//!
//! Both take a request and pass it on with [`ClientAttestation`] in its extensions, or answer it with a [`Problem`] and call
//! no service.
//!
//! ```
//! # use std::sync::Arc;
//! # use atls_core::{policy::Candidate, PeerAttestation, PolicyViolation};
//! # use atls_tower::{AttestationLayer, RequireAttestationLayer};
//! # use tower_layer::Layer;
//! # fn example<S>(stream: atls_tower::AttestedStream<tokio::net::TcpStream>, public: S, secret: S) {
//! // Per route: only attested clients that satisfy the policy pass.
//! let one_device = |peer: &Candidate| match peer.items().len() {
//!     1 => Ok(()),
//!     _ => Err(PolicyViolation::custom("one device expected")),
//! };
//! let secret = RequireAttestationLayer::new().with_policy(one_device).layer(secret);
//! // Per connection: requests carry `ClientAttestation` in their extensions.
//! let service = stream.layer().layer(secret);
//! # }
//! ```

mod attestation_layer;
mod client;
mod client_attestation;
mod problem;
mod require_attestation;
mod response_future;

pub use attestation_layer::AttestationLayer;
pub use attestation_layer::WithAttestation;
pub use client_attestation::ClientAttestation;
pub use problem::Problem;
pub use require_attestation::RequireAttestation;
pub use require_attestation::RequireAttestationLayer;
pub use response_future::ResponseFuture as AttestationFuture;

pub(crate) use attestation_layer::ClientDemand;
pub(crate) use client::Client;
