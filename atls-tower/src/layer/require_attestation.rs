//! Demands attestation of a route.

use std::fmt;
use std::sync::Arc;
use std::task::Context;
use std::task::Poll;

use atls_core::Refusal;
use atls_core::policy::Policy;
use bytes::Bytes;
use http::Request;
use http::Response;
use tower_layer::Layer;
use tower_service::Service;

use super::client_attestation::ClientAttestation;
use super::problem::Problem;
use super::response_future::ResponseFuture;
use crate::account;
use crate::told;

/// Lets a request through only if its connection's peer is attested, and satisfies the policies given here.
///
/// Answers with a [`Problem`] otherwise. The relying party's own policy was already satisfied when the connection was
/// made; a policy here can only demand more. A request that passed no [`AttestationLayer`](crate::AttestationLayer) is a
/// fault of this server, traced and answered as one.
///
/// ```
/// # use atls_core::{policy::Candidate, PolicyViolation};
/// # use atls_tower::{AttestationLayer, RequireAttestationLayer};
/// # use bytes::Bytes;
/// # use http::{Request, Response, StatusCode};
/// # use tower::{ServiceExt, service_fn};
/// # use tower_layer::Layer;
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let secret = service_fn(async |_: Request<String>| {
///     Ok::<_, std::convert::Infallible>(Response::new(Bytes::from("secret")))
/// });
/// let one_device = |peer: &Candidate| match peer.items().len() {
///     1 => Ok(()),
///     _ => Err(PolicyViolation::custom("one device expected")),
/// };
/// let service = RequireAttestationLayer::new().with_policy(one_device).layer(secret);
///
/// // A request of a client that did not attest. Over attested TLS the outer layer is `stream.layer()`.
/// let service = AttestationLayer::unattested().layer(service);
/// let response = service.oneshot(Request::new(String::new())).await?;
/// assert_eq!(response.status(), StatusCode::FORBIDDEN);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Default)]
#[must_use]
pub struct RequireAttestationLayer {
    policies: Arc<[Arc<dyn Policy>]>,
}

impl RequireAttestationLayer {
    /// Demands an attested peer.
    pub fn new() -> Self {
        Self::default()
    }

    /// Demands also that the peer satisfies this policy.
    pub fn with_policy(self, policy: impl Policy + 'static) -> Self {
        let further: Arc<dyn Policy> = Arc::new(policy);
        Self {
            policies: self.policies.iter().cloned().chain([further]).collect(),
        }
    }
}

impl fmt::Debug for RequireAttestationLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequireAttestationLayer")
            .field("policies", &self.policies.len())
            .finish()
    }
}

impl<S> Layer<S> for RequireAttestationLayer {
    type Service = RequireAttestation<S>;

    fn layer(&self, inner: S) -> Self::Service {
        RequireAttestation {
            inner,
            demand: self.clone(),
        }
    }
}

/// The service of [`RequireAttestationLayer`].
#[derive(Clone, Debug)]
pub struct RequireAttestation<S> {
    inner: S,
    demand: RequireAttestationLayer,
}

impl<S> RequireAttestation<S> {
    fn check<B>(&self, request: &Request<B>) -> Result<(), Problem> {
        let peer = ClientAttestation::of(request.extensions())?;
        for policy in &*self.demand.policies {
            policy.check(peer).map_err(|violation| {
                let refusal = Refusal::Policy(violation);
                let (fault, report) = (refusal.fault(), atls_core::report(&refusal));
                let _whose = ClientAttestation::span(request.extensions()).entered();
                let is_new = ClientAttestation::is_new(request.extensions());
                told::event!(
                    is_new,
                    info,
                    side = "server",
                    %fault,
                    "error.type" = refusal.reason(),
                    "peer is refused by this route: {report}"
                );
                if is_new {
                    account::tell(&refusal);
                }
                Problem::Insufficient
            })?;
        }
        Ok(())
    }
}

impl<S, B, R> Service<Request<B>> for RequireAttestation<S>
where
    S: Service<Request<B>, Response = Response<R>>,
    R: From<Bytes>,
{
    type Response = Response<R>;
    type Error = S::Error;
    type Future = ResponseFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        match self.check(&request) {
            Ok(()) => ResponseFuture::of(self.inner.call(request)),
            Err(problem) => {
                ClientAttestation::refuse(request.extensions(), problem);
                ResponseFuture::refusing(problem)
            }
        }
    }
}
