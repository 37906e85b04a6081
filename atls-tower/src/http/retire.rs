//! Takes connections out of hyper-util's pool before their attestation ends.

use std::future::Future;
use std::pin::Pin;
use std::pin::pin;
use std::sync::Arc;
use std::task::Context;
use std::task::Poll;

use http::Extensions;
use http::Request;
use hyper_util::client::legacy::connect::CaptureConnection;
use hyper_util::client::legacy::connect::capture_connection;
use tower_layer::Layer;
use tower_service::Service;

use super::attested_io::ServerAttestation;
use super::retirement::Retirement;

/// Sends no new request on a connection that [drains](crate::Lifetime::drains_at), whether its server says goodbye or not: around
/// hyper-util's `Client` with an [`AttestedHttps`](crate::AttestedHttps).
///
/// A server of this project says goodbye, and the client moves on by itself. One that does not would get requests until the
/// connection ends. This layer takes the connection out of the pool when it drains: requests under way are finished, and the
/// next request goes on a new connection, whose server attests anew.
///
/// ```
/// use atls_tower::{AttestedHttps, ClientConnector, ClientTerms, RetireLayer};
/// use hyper_util::{client::legacy::Client, rt::TokioExecutor};
/// use tower_layer::Layer;
/// # use atls_sim::SimAttester;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let tls = demo::Authority::new()?.client(&["h2", "http/1.1"])?;
/// # let servers = demo::trusting(&SimAttester::generate()?)?;
/// let connector = ClientConnector::new(tls, ClientTerms::new().require_peer(servers))?;
/// let client = Client::builder(TokioExecutor::new()).build(AttestedHttps::new(connector));
/// let client = RetireLayer::new().layer(client);
/// # async fn get(mut client: impl tower::Service<http::Request<String>>) {
/// # let _ = client.call(http::Request::new(String::new())).await;
/// # }
/// # let _ = get(client);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct RetireLayer(());

impl RetireLayer {
    /// The layer. It has no settings.
    pub fn new() -> Self {
        Self(())
    }
}

impl<C> Layer<C> for RetireLayer {
    type Service = Retire<C>;

    fn layer(&self, client: C) -> Retire<C> {
        Retire { client }
    }
}

/// The client of [`RetireLayer`].
#[derive(Clone, Debug)]
pub struct Retire<C> {
    client: C,
}

impl<C, B> Service<Request<B>> for Retire<C>
where
    C: Service<Request<B>>,
    C::Future: Send + 'static,
    C::Response: Send,
    C::Error: Send,
{
    type Response = C::Response;
    type Error = C::Error;
    type Future = Pin<Box<dyn Future<Output = Result<C::Response, C::Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), C::Error>> {
        self.client.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        let mut captured = capture_connection(&mut request);
        let response = self.client.call(request);
        Box::pin(async move {
            let mut response = pin!(response);
            let early = tokio::select! {
                // First, so that the request is on its way.
                biased;
                response = &mut response => Some(response),
                () = chosen(&mut captured) => None,
            };
            retire(&captured);
            if let Some(response) = early {
                return response;
            }
            let response = response.await;
            // The client may have sent the request anew, where its connection was closed before it left.
            retire(&captured);
            response
        })
    }
}

/// Waits until the request has a connection.
async fn chosen(captured: &mut CaptureConnection) {
    drop(captured.wait_for_connection_metadata().await);
}

/// Waits, in a task for each connection, until it drains or is gone.
fn retire(captured: &CaptureConnection) {
    let Some(retirement) = retirement_of(captured).and_then(|retirement| retirement.begin()) else {
        return;
    };
    let captured = captured.clone();
    tokio::spawn(async move {
        tokio::select! {
            () = retirement.lifetime.draining() => {}
            () = retirement.gone.notified() => return,
        }
        // The request may have gone on another connection since, which has a task of its own.
        let is_this = |now: Arc<Retirement>| Arc::ptr_eq(&now, &retirement);
        if retirement_of(&captured).is_some_and(is_this)
            && let Some(connected) = captured.connection_metadata().as_ref()
        {
            connected.poison();
        }
    });
}

/// That of the connection which the request is on now.
fn retirement_of(captured: &CaptureConnection) -> Option<Arc<Retirement>> {
    let mut extensions = Extensions::new();
    let connected = captured.connection_metadata();
    connected.as_ref()?.get_extras(&mut extensions);
    let server = extensions.remove::<ServerAttestation>()?;
    Some(server.retirement)
}
