//! The layer of the service that states.

use std::sync::Arc;
use std::task::Context;
use std::task::Poll;

use bytes::Bytes;
use http::Request;
use http::Response;
use tower_layer::Layer;
use tower_service::Service;

use super::forwarded_body::ForwardedBody;
use super::forwarder::ResultForwarder;
use super::headers;
use crate::layer::AttestationFuture;
use crate::layer::ClientAttestation;
use crate::layer::Problem;
use crate::metrics;
use crate::told;

/// Gives requests the headers of a [`ResultForwarder`], for a service behind that hands them on.
///
/// It stands inside of [`AttestationLayer`](crate::AttestationLayer), around the routes that are handed on. A request of an unattested
/// client has no such header. Where a result cannot be stated the request is answered with [`Problem::NotForwarded`]: it does not go on
/// as if its client were unattested.
///
/// What a client sends under the names of the headers is removed, from its trailers too, and from the names in `Connection`.
///
/// ```
/// # use std::sync::Arc;
/// # use atls_core::ear::EarSigner;
/// # use atls_sim::SimAttester;
/// # use atls_tower::forward::{ForwardResultLayer, ForwardedBody, HEADER, ResultForwarder};
/// # use bytes::Bytes;
/// # use http::{Request, Response};
/// # use tower::{ServiceExt, service_fn};
/// # use tower_layer::Layer;
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let device = SimAttester::generate()?;
/// # let clients = demo::trusting(&device)?;
/// # let provider = demo::provider();
/// # let key = rcgen::KeyPair::generate()?;
/// # let key = rustls::pki_types::PrivatePkcs8KeyDer::from(key.serialize_der());
/// # let signer = EarSigner::new(&*provider.key_provider.load_private_key(key.into())?)?;
/// let forwarder = ResultForwarder::new(signer, &provider, "gateway.example", "orders.example");
/// let hands_on = service_fn(async |request: Request<ForwardedBody<String>>| {
///     let stated = request.headers().contains_key(HEADER);
///     Ok::<_, std::convert::Infallible>(Response::new(Bytes::from(stated.to_string())))
/// });
/// let service = ForwardResultLayer::new(Arc::new(forwarder)).layer(hands_on);
///
/// // Over sockets it is `stream.layer()`; this one is of a connection in memory.
/// let layer = atls_tower::testing::attested(provider, Arc::new(device), clients).await?;
/// let response = layer.layer(service).oneshot(Request::new(String::new())).await?;
/// assert_eq!(response.body(), "true");
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct ForwardResultLayer {
    forwarder: Arc<ResultForwarder>,
}

impl ForwardResultLayer {
    /// States as this forwarder does.
    pub fn new(forwarder: Arc<ResultForwarder>) -> Self {
        Self { forwarder }
    }
}

impl<S> Layer<S> for ForwardResultLayer {
    type Service = ForwardResult<S>;

    fn layer(&self, inner: S) -> Self::Service {
        ForwardResult {
            inner,
            forwarder: self.forwarder.clone(),
        }
    }
}

/// The service of [`ForwardResultLayer`].
#[derive(Clone, Debug)]
pub struct ForwardResult<S> {
    inner: S,
    forwarder: Arc<ResultForwarder>,
}

impl<S> ForwardResult<S> {
    fn state<B>(&self, request: &mut Request<B>) -> Result<(), Problem> {
        headers::remove(request.headers_mut());
        let peer = match ClientAttestation::of(request.extensions()) {
            Ok(peer) => peer.clone(),
            Err(Problem::Expired | Problem::Required) => return Ok(()),
            Err(problem) => return Err(problem),
        };
        let stated = self.forwarder.headers(&peer).map_err(|error| {
            let _whose = ClientAttestation::span(request.extensions()).entered();
            told::event!(
                ClientAttestation::is_new(request.extensions()),
                error,
                side = "server",
                fault = %error.fault(),
                error = %atls_core::report(&error),
                "result is not forwarded"
            );
            Problem::NotForwarded
        })?;
        request.headers_mut().extend(stated);
        Ok(())
    }
}

impl<S, B, R> Service<Request<B>> for ForwardResult<S>
where
    S: Service<Request<ForwardedBody<B>>, Response = Response<R>>,
    R: From<Bytes>,
{
    type Response = Response<R>;
    type Error = S::Error;
    type Future = AttestationFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        match self.state(&mut request) {
            Ok(()) => AttestationFuture::of(self.inner.call(request.map(ForwardedBody::new))),
            Err(problem) => {
                metrics::request_refused(problem.code());
                AttestationFuture::refusing(problem)
            }
        }
    }
}
