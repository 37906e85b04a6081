//! Tests of handlers, without sockets.

use std::sync::Arc;

use atls_core::Attester;
use atls_core::RelyingParty;
use atls_tower::AttestationLayer;
use atls_tower::Error;
use atls_tower::rustls::crypto::CryptoProvider;

/// A layer that gives requests the attestation of a client, for tests of handlers.
///
/// Nothing is made up: an attester and a relying party of your choice run the real exchange over memory, so a handler
/// sees what it would see in service. Use the simulated platform, and a policy that accepts it by name. A router that
/// is served with this layer left in it answers `500` to everybody: it would say of each client what was said of this
/// one. An unattested client is [`AttestationLayer::unattested`].
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
///     .verifier(Arc::new(SimVerifier::trusting(device.trust_anchor())))
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
/// As over sockets: what the relying party refuses is refused.
pub async fn attested(
    provider: Arc<CryptoProvider>,
    attester: Arc<dyn Attester>,
    relying_party: Arc<RelyingParty>,
) -> Result<AttestationLayer, Error> {
    atls_tower::testing::attested(provider, attester, relying_party).await
}
