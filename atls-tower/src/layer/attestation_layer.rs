//! Gives requests the attestation of the client that their connection ends at.

use std::sync::Arc;
use std::task::Context;
use std::task::Poll;

use atls_core::pki_types::UnixTime;
use bytes::Bytes;
use http::Request;
use http::Response;
use http::Version;
use rustls::time_provider::DefaultTimeProvider;
use tower_layer::Layer;
use tower_service::Service;

use super::client::Client;
use super::client_attestation::ClientAttestation;
use super::problem::Problem;
use super::response_future::ResponseFuture;
use crate::stream::Addresses;
use crate::stream::Lifetime;
use crate::told::Told;

/// Puts [`ClientAttestation`] into the extensions of each request of one connection.
///
/// Per connection, made by [`AttestedStream::layer`](crate::AttestedStream::layer). Costs one reading of the clock and
/// a few clones of an `Arc` per request.
///
/// Once the client's attestation has expired, a server that requires one of every client answers itself, with
/// [`Problem::Expired`]: no handler is called. Other servers' handlers are, as for an unattested client. Of a request that was let through and
/// waits behind this layer, [`ClientAttestation::of`] tells whether the attestation has ended meanwhile. Once the connection
/// [drains](Lifetime), HTTP/1.1 responses tell the client to connect anew.
///
/// A request that passes the layers of two connections is answered with [`Problem::LayersDisagree`]. No header of a request
/// is read: claims of attestation in them have no effect.
///
/// ```
/// # use std::sync::Arc;
/// # use atls_sim::SimAttester;
/// # use atls_tower::ClientAttestation;
/// # use bytes::Bytes;
/// # use http::{Request, Response};
/// # use tower::{ServiceExt, service_fn};
/// # use tower_layer::Layer;
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let device = SimAttester::generate()?;
/// # let clients = demo::trusting(&device)?;
/// let service = service_fn(async |request: Request<String>| {
///     let answer = match ClientAttestation::of(request.extensions()) {
///         Ok(client) => client.status().to_string(),
///         Err(problem) => problem.to_string(),
///     };
///     Ok::<_, std::convert::Infallible>(Response::new(Bytes::from(answer)))
/// });
///
/// // Over sockets it is `stream.layer()`; this one is of a connection in memory.
/// let layer = atls_tower::testing::attested(demo::provider(), Arc::new(device), clients).await?;
/// let response = layer.layer(service).oneshot(Request::new(String::new())).await?;
/// assert_eq!(response.body(), "affirming");
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct AttestationLayer {
    client: Client,
    own_expires_at: Option<UnixTime>,
    demand: ClientDemand,
    addresses: Option<Addresses>,
    told: Told,
}

/// The clients that a server serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ClientDemand {
    /// Unattested clients too; routes may demand more.
    OfSome,
    /// Attested clients alone.
    OfEverybody,
}

impl AttestationLayer {
    /// For requests that come another way than over attested TLS, such as those of a plain listener beside it: each is
    /// that of an unattested client. The log tells of the first 8 requests that a layer and its clones refuse: make one for each connection where
    /// all are to be told.
    pub fn unattested() -> Self {
        let client = Client {
            peer: None,
            ends_at: None,
            clock: Arc::new(DefaultTimeProvider),
            lifetime: Lifetime::unlimited(),
        };
        Self::new(client, None, ClientDemand::OfSome)
    }

    pub(crate) fn new(
        client: Client,
        own_expires_at: Option<UnixTime>,
        demand: ClientDemand,
    ) -> Self {
        Self {
            client,
            own_expires_at,
            demand,
            addresses: None,
            told: Told::default(),
        }
    }

    pub(crate) fn with_addresses(mut self, addresses: Option<Addresses>) -> Self {
        self.addresses = addresses;
        self
    }

    fn now(&self) -> Now {
        let lifetime = &self.client.lifetime;
        if self.client.peer.is_none() && self.own_expires_at.is_none() {
            return Now {
                client: Err(Problem::Required),
                draining: lifetime.is_draining(),
            };
        }
        let now = self.client.clock.current_time();
        let client = self.client.attestation_at(now).map(drop);
        // Without time nothing can be shown to be unexpired.
        let passed = |end: UnixTime| now.is_none_or(|now| now >= end);
        let expired = client == Err(Problem::Expired) || self.own_expires_at.is_some_and(passed);
        if expired {
            // By the clock perhaps, and not yet by the timers.
            lifetime.expire();
        }
        Now {
            client,
            draining: expired || lifetime.is_draining(),
        }
    }

    /// Whether the request may go on to the service, with what is known of its client.
    fn admit<B>(
        &self,
        request: &mut Request<B>,
        client: Result<(), Problem>,
    ) -> Result<(), Problem> {
        let attestation =
            ClientAttestation::new(self.client.clone(), self.addresses, self.told.clone());
        attestation.insert_into(request.extensions_mut())?;
        match self.demand {
            ClientDemand::OfEverybody => client,
            ClientDemand::OfSome => Ok(()),
        }
    }
}

/// The state of the connection when a request comes.
struct Now {
    /// Whether the client's attestation is good.
    client: Result<(), Problem>,
    /// Either end's attestation has expired or soon will, or the connection was recalled.
    draining: bool,
}

impl<S> Layer<S> for AttestationLayer {
    type Service = WithAttestation<S>;

    fn layer(&self, inner: S) -> Self::Service {
        WithAttestation {
            inner,
            connection: self.clone(),
        }
    }
}

/// The service of [`AttestationLayer`].
#[derive(Clone, Debug)]
pub struct WithAttestation<S> {
    inner: S,
    connection: AttestationLayer,
}

impl<S, B, R> Service<Request<B>> for WithAttestation<S>
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

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        let now = self.connection.now();
        let http1 = matches!(request.version(), Version::HTTP_10 | Version::HTTP_11);
        let response = match self.connection.admit(&mut request, now.client) {
            Ok(()) => ResponseFuture::of(self.inner.call(request)),
            Err(problem) => {
                ClientAttestation::refuse(request.extensions(), problem);
                ResponseFuture::refusing(problem)
            }
        };
        if now.draining && http1 {
            response.closing()
        } else {
            response
        }
    }
}

#[cfg(test)]
#[allow(
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]
mod tests {
    use std::convert::Infallible;

    use tower::ServiceExt;
    use tower::service_fn;

    use super::*;

    /// The acceptor makes no such connection: this is a second lock.
    #[tokio::test]
    async fn no_request_of_an_unattested_client_passes_where_everybody_must_attest() {
        let layer = AttestationLayer {
            demand: ClientDemand::OfEverybody,
            ..AttestationLayer::unattested()
        };
        let never = service_fn(
            async |_: Request<()>| -> Result<Response<Bytes>, Infallible> {
                panic!("the request passed")
            },
        );
        let response = layer.layer(never).oneshot(Request::new(())).await.unwrap();
        let required = Problem::Required.to_response::<Bytes>();
        assert_eq!(response.status(), required.status());
        assert_eq!(response.body(), required.body());
    }
}
