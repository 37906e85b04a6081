//! Tests of handlers, without sockets.

use std::sync::Arc;

use atls_core::Attester;
use atls_core::RelyingParty;
use atls_tower::AttestationLayer;
use atls_tower::Error;
use atls_tower::rustls::crypto::CryptoProvider;

/// A layer that gives requests the attestation of a client, for tests of handlers.
///
/// An attester and a relying party of your choice do the real exchange over memory, so a handler sees the values that it
/// sees in service. Use the simulated platform, and a policy that accepts it by name. Remove the layer before the router is
/// served: it would give every client the attestation of this one, so the router answers `500` to each request. An
/// unattested client is [`AttestationLayer::unattested`].
///
/// ```
/// # use std::sync::Arc;
/// # use atls_axum::AttestationResult;
/// # use atls_core::{RelyingParty, StandardPolicy};
/// # use atls_sim::{SimAttester, SimVerifier};
/// # use axum::{Router, body::Body, routing::get};
/// # use http::{Request, StatusCode};
/// # use tower::ServiceExt;
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let device = SimAttester::generate()?;
/// let relying_party = RelyingParty::builder()
///     .verifier(Arc::new(SimVerifier::new(device.trust_anchor())))
///     .standard_policy(StandardPolicy::new().dangerous_accept_simulated())
///     .build()?;
/// let provider = Arc::new(rustls::crypto::ring::default_provider());
/// let attested =
///     atls_axum::testing::attested(provider, Arc::new(device), Arc::new(relying_party)).await?;
///
/// async fn handler(peer: AttestationResult) -> String {
///     peer.status().to_string()
/// }
/// let app = Router::new().route("/", get(handler));
///
/// let response = app.clone().layer(attested).oneshot(Request::new(Body::empty())).await?;
/// assert_eq!(response.status(), StatusCode::OK);
/// let unattested = atls_tower::AttestationLayer::unattested();
/// let response = app.layer(unattested).oneshot(Request::new(Body::empty())).await?;
/// assert_eq!(response.status(), StatusCode::FORBIDDEN);
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// Those of a connection over sockets, the refusals of the relying party among them.
pub async fn attested(
    provider: Arc<CryptoProvider>,
    attester: Arc<dyn Attester>,
    relying_party: Arc<RelyingParty>,
) -> Result<AttestationLayer, Error> {
    atls_tower::testing::attested(provider, attester, relying_party).await
}
