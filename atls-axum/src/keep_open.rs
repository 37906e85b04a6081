//! The extractor for tunnels that outlive their request.

use std::convert::Infallible;

use atls_tower::Answering;
use atls_tower::Requests;
use axum::extract::FromRequestParts;
use http::request::Parts;

/// While this is held, the connection of this request is not closed as an idle one.
///
/// It is for tunnels in streams of HTTP/2 (`CONNECT`). They begin when their request has been answered, and HTTP tells nobody when they end: a
/// connection that carries nothing else would be closed [`idle`](atls_tower::ConnectionLimits::idle) later. Hold it for as long as the tunnel is of use, and
/// end a tunnel that is not: nothing else does before the attestation ends. Other requests need none, and hold nothing by it: while they are
/// answered no connection is idle, and one that left HTTP/1.1 is kept by its bytes.
///
/// ```
/// # use atls_axum::KeepOpen;
/// # use axum::{Router, extract::Request, http::StatusCode, routing::any};
/// # async fn relay(tunnel: hyper::upgrade::OnUpgrade) {}
/// async fn tunnel(open: KeepOpen, mut request: Request) -> StatusCode {
///     let tunnel = hyper::upgrade::on(&mut request);
///     tokio::spawn(async move {
///         relay(tunnel).await;
///         drop(open);
///     });
///     StatusCode::OK
/// }
/// # let _: Router = Router::new().fallback(tunnel);
/// ```
#[derive(Debug)]
#[must_use = "the connection is kept while this is held"]
pub struct KeepOpen {
    _answering: Option<Answering>,
}

/// Of a request that may begin a tunnel.
#[derive(Clone, Debug)]
pub(crate) struct MayTunnel(pub(crate) Requests);

impl<S: Sync> FromRequestParts<S> for KeepOpen {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let requests = parts.extensions.get::<MayTunnel>();
        Ok(Self {
            _answering: requests.map(|MayTunnel(requests)| requests.arrived()),
        })
    }
}
