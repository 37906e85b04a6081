//! Wraps the router once per connection.

use std::convert::Infallible;
use std::future::Ready;
use std::future::ready;
use std::task::Context;
use std::task::Poll;

use atls_tower::AttestedStream;
use atls_tower::WithAttestation;
use axum::Extension;
use axum::Router;
use axum::extract::ConnectInfo;
use axum::middleware::AddExtension;
use axum::serve::IncomingStream;
use axum::serve::Listener;
use tower_layer::Layer;
use tower_service::Service;

use crate::watch::Watched;

/// Serves a router over attested connections.
///
/// ```
/// # use std::sync::Arc;
/// # use atls_axum::AttestedListener;
/// # use atls_sim::SimAttester;
/// # use atls_tower::{ServerAcceptor, ServerTerms};
/// # use axum::{Router, routing::get};
/// use atls_axum::RouterExt;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let tls = demo::Authority::new()?.server()?;
/// # let device = SimAttester::generate()?;
/// # let terms = ServerTerms::new().attester(Arc::new(device));
/// # let listener = AttestedListener::bind("127.0.0.1:0", ServerAcceptor::new(tls, terms)?).await?;
/// # let stop = async {};
/// let app = Router::new().route("/", get(async || "hello"));
/// let serving = axum::serve(listener, app.into_attested_make_service());
/// serving.with_graceful_shutdown(stop).await?;
/// # Ok(())
/// # }
/// ```
pub trait RouterExt {
    /// A make-service for `axum::serve` with an [`AttestedListener`](crate::AttestedListener). Requests carry the
    /// attestation of their connection's client, and `ConnectInfo<SocketAddr>` as with
    /// [`Router::into_make_service_with_connect_info`].
    ///
    /// `axum::serve` sends no GOAWAY on one connection of HTTP/2. One whose attestation expires is cut at that moment, and one that is
    /// [recalled](atls_tower::ServerAcceptor::recall) takes requests, under the old terms, until the time of the recall has passed, and is
    /// cut then. [`serve`](crate::serve) tells such clients to connect anew.
    fn into_attested_make_service(self) -> AttestedMakeService<Router>;
}

impl RouterExt for Router {
    fn into_attested_make_service(self) -> AttestedMakeService<Router> {
        AttestedMakeService::new(self)
    }
}

/// Made by [`RouterExt::into_attested_make_service`], or around any other service.
#[derive(Clone, Debug)]
pub struct AttestedMakeService<S> {
    service: S,
}

impl<S> AttestedMakeService<S> {
    /// Around any service, such as a `Router` in a layer of its own.
    pub fn new(service: S) -> Self {
        Self { service }
    }
}

impl<S, L, IO> Service<IncomingStream<'_, L>> for AttestedMakeService<S>
where
    S: Clone,
    L: Listener<Io = AttestedStream<IO>>,
    L::Addr: Clone + Send + Sync + 'static,
    IO: 'static,
{
    type Response = Watched<WithAttestation<AddExtension<S, ConnectInfo<L::Addr>>>>;
    type Error = Infallible;
    type Future = Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, connection: IncomingStream<'_, L>) -> Self::Future {
        let address = Extension(ConnectInfo(connection.remote_addr().clone()));
        let attestation = connection.io().layer();
        let service = attestation.layer(address.layer(self.service.clone()));
        ready(Ok(Watched::over(connection.io(), service)))
    }
}
