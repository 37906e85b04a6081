//! What handlers ask for.

use std::ops::Deref;
use std::sync::Arc;

use atls_core::PeerAttestation;
use atls_tower::Problem;
use axum::extract::FromRequestParts;
use axum::extract::OptionalFromRequestParts;
use axum::response::IntoResponse;
use axum::response::Response;
use http::request::Parts;
use std::convert::Infallible;

/// The verified attestation of the client that this request's connection ends at.
///
/// A handler that takes one is never called without: the answer is `403` then, with a [`Problem`] as
/// `application/problem+json`. A handler that takes `Option<AttestationResult>` is called either way; `None` is an
/// unattested client, and means nothing good about it.
///
/// ```
/// # use atls_axum::AttestationResult;
/// async fn for_attested_clients(peer: AttestationResult) -> String {
///     format!("{} until {}", peer.status(), peer.expires_at().as_secs())
/// }
///
/// async fn for_everybody(peer: Option<AttestationResult>) -> &'static str {
///     if peer.is_some() { "the whole truth" } else { "a summary" }
/// }
/// ```
#[derive(Clone, Debug)]
pub struct AttestationResult(Arc<PeerAttestation>);

impl AttestationResult {
    /// Shared with the connection.
    pub fn into_inner(self) -> Arc<PeerAttestation> {
        self.0
    }
}

impl Deref for AttestationResult {
    type Target = PeerAttestation;

    fn deref(&self) -> &PeerAttestation {
        &self.0
    }
}

impl<S: Sync> FromRequestParts<S> for AttestationResult {
    type Rejection = AttestationRejection;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, AttestationRejection> {
        Problem::peer_of(&parts.extensions)
            .map(|peer| Self(peer.clone()))
            .map_err(AttestationRejection)
    }
}

impl<S: Sync> OptionalFromRequestParts<S> for AttestationResult {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Option<Self>, Infallible> {
        let peer = Problem::peer_of(&parts.extensions).ok();
        Ok(peer.map(|peer| Self(peer.clone())))
    }
}

/// The client's connection is not attested, or no longer: `403`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AttestationRejection(Problem);

impl AttestationRejection {
    /// Which of the reasons.
    pub fn problem(self) -> Problem {
        self.0
    }
}

impl IntoResponse for AttestationRejection {
    fn into_response(self) -> Response {
        self.0.to_response()
    }
}

impl std::fmt::Display for AttestationRejection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for AttestationRejection {}
