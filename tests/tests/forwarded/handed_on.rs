//! What stands around a request that is handed on: its body, and the service that is ready for it or not.

use std::convert::Infallible;
use std::future::Ready;
use std::sync::Arc;
use std::task::Context;
use std::task::Poll;
use std::task::Waker;

use atls_tower::AttestationLayer;
use atls_tower::RequireAttestationLayer;
use atls_tower::forward::ForwardResultLayer;
use atls_tower::forward::ForwardedBody;
use axum::body::Body;
use axum::body::Bytes;
use http::Request;
use http::Response;
use hyper::body::Body as _;
use tower::Layer;
use tower::Service;
use tower::ServiceExt;
use tower::service_fn;

use crate::hop::Hop;

/// A client of HTTP/1.1 that does not know the length sends chunks, and some services take none.
#[tokio::test]
async fn the_body_that_is_handed_on_says_how_long_it_is_and_when_it_ends() {
    let hop = Hop::new();
    let behind = service_fn(async |request: Request<ForwardedBody<Body>>| {
        let body = request.body();
        let told = format!("{:?} {}", body.size_hint().exact(), body.is_end_stream());
        Ok::<_, Infallible>(Response::new(Bytes::from(told)))
    });
    let layer = ForwardResultLayer::new(Arc::new(hop.forwarder()));
    let connection = AttestationLayer::unattested();
    for (body, told) in [
        (Body::from("hello"), "Some(5) false"),
        (Body::empty(), "Some(0) true"),
    ] {
        let service = connection.layer(layer.layer(behind));
        let response = service.oneshot(Request::new(body)).await.unwrap();
        assert_eq!(response.body(), told);
    }
}

/// A service that is busy must not be called, whatever is around it.
#[test]
fn no_layer_is_ready_before_the_service_within_is() {
    let forwards = ForwardResultLayer::new(Arc::new(Hop::new().forwarder()));
    let service = RequireAttestationLayer::new().layer(forwards.layer(Busy));
    let mut service = AttestationLayer::unattested().layer(service);
    let mut cx = Context::from_waker(Waker::noop());
    assert!(service.poll_ready(&mut cx).is_pending());
}

struct Busy;

impl Service<Request<ForwardedBody<Body>>> for Busy {
    type Response = Response<Bytes>;
    type Error = Infallible;
    type Future = Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Pending
    }

    fn call(&mut self, _: Request<ForwardedBody<Body>>) -> Self::Future {
        panic!("called before it is ready")
    }
}
