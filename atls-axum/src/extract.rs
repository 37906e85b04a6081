//! The extractor of the client's attestation.

use std::ops::Deref;
use std::sync::Arc;

use atls_core::PeerAttestation;
use atls_tower::ClientAttestation;
use atls_tower::Problem;
use axum::extract::FromRequestParts;
use axum::extract::OptionalFromRequestParts;
use axum::response::IntoResponse;
use axum::response::Response;
use http::request::Parts;

use crate::numbers::request_refused;

/// The verified attestation of the client that this request's connection ends at.
///
/// A handler that takes one is called only for attested clients; others are answered with a [`Problem`], as
/// `application/problem+json`. A handler that takes `Option<AttestationResult>` is called either way; `None` is an
/// unattested client, of which nothing is known.
///
/// Neither is called for a request that passed no attestation layer, because its router is served without
/// [`serve`](crate::serve) and without [`into_attested_make_service`](crate::RouterExt::into_attested_make_service):
/// the answer is `500`, and an error is traced that says so.
///
/// ```
/// # use std::sync::Arc;
/// # use atls_axum::AttestationResult;
/// # use atls_sim::SimAttester;
/// # use axum::{Router, body::Body, routing::get};
/// # use http::{Request, StatusCode};
/// # use tower::ServiceExt;
/// async fn for_attested_clients(peer: AttestationResult) -> String {
///     format!("{} until {}", peer.status(), peer.expires_at().as_secs())
/// }
///
/// async fn for_everybody(peer: Option<AttestationResult>) -> &'static str {
///     if peer.is_some() { "the whole truth" } else { "a summary" }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let app = Router::new()
///     .route("/whole", get(for_attested_clients))
///     .route("/", get(for_everybody));
/// # let device = SimAttester::generate()?;
/// # let clients = demo::trusting(&device)?;
/// # let layer = atls_axum::testing::attested(demo::provider(), Arc::new(device), clients).await?;
///
/// // Over the connection of a client that attested:
/// let attested = app.clone().layer(layer);
/// let response = attested.oneshot(Request::get("/whole").body(Body::empty())?).await?;
/// assert_eq!(response.status(), StatusCode::OK);
/// # Ok(())
/// # }
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
        ClientAttestation::of(&parts.extensions)
            .map(|peer| Self(peer.clone()))
            .map_err(|problem| AttestationRejection::of(parts, problem))
    }
}

impl<S: Sync> OptionalFromRequestParts<S> for AttestationResult {
    type Rejection = AttestationRejection;

    async fn from_request_parts(
        parts: &mut Parts,
        _: &S,
    ) -> Result<Option<Self>, AttestationRejection> {
        match ClientAttestation::of(&parts.extensions) {
            Ok(peer) => Ok(Some(Self(peer.clone()))),
            Err(Problem::Expired | Problem::Required) => Ok(None),
            Err(problem) => Err(AttestationRejection::new(problem)),
        }
    }
}

/// Why a handler was not called: the client's connection is not attested, or no longer, or the server cannot tell.
#[derive(Clone, Debug)]
pub struct AttestationRejection {
    problem: Problem,
    /// Of a client whose refusal has no event yet.
    client: Option<Box<ClientAttestation>>,
}

impl AttestationRejection {
    /// For a problem that the log has.
    pub(crate) fn new(problem: Problem) -> Self {
        Self {
            problem,
            client: None,
        }
    }

    fn of(parts: &Parts, problem: Problem) -> Self {
        let client = parts.extensions.get::<ClientAttestation>();
        Self {
            problem,
            client: client.cloned().map(Box::new),
        }
    }

    /// Which of the reasons.
    pub fn problem(&self) -> Problem {
        self.problem
    }
}

impl IntoResponse for AttestationRejection {
    /// Counts the request, which a handler might have served all the same, and tells the log of it.
    fn into_response(self) -> Response {
        request_refused(self.problem);
        if let Some(client) = self.client {
            client.trace_refusal(self.problem);
        }
        self.problem.to_response()
    }
}

impl std::fmt::Display for AttestationRejection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.problem.fmt(f)
    }
}

impl std::error::Error for AttestationRejection {}
