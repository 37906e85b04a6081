//! A handler that reads its client's attestation allocates nothing for it. The box in which `http::Extensions` keeps a value is the
//! one allocation of the whole path.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::net::SocketAddr;
use std::pin::pin;
use std::task::Context;
use std::task::Poll;
use std::task::Waker;

use allocation::allocations_of;
use atls_axum::AttestationResult;
use atls_tower::AttestationLayer;
use axum::body::Bytes;
use axum::extract::ConnectInfo;
use axum::extract::FromRequestParts;
use axum::extract::Request;
use axum::http::Response;
use axum::http::StatusCode;
use end_to_end::World;
use tower::Layer;
use tower::Service;
use tower::service_fn;

#[test]
fn reading_the_result_costs_the_allocation_of_http_extensions_and_no_other() {
    let layer = layer();
    let mut service = layer.layer(service_fn(read));
    // Once beforehand, for what is allocated once.
    answer(&mut service, request());
    let mut plain = request();
    let of_extensions = allocations_of(|| plain.extensions_mut().insert(0_u64));
    let request = request();
    let (mut status, service) = (StatusCode::OK, &mut service);
    let of_all = allocations_of(|| status = answer(service, request));
    assert_eq!((of_extensions, of_all), (1, 1));
    assert_eq!(status, StatusCode::ACCEPTED);
}

/// A handler as axum calls it: the extractor, and some of what it gives.
async fn read(request: Request<()>) -> Result<Response<Bytes>, std::convert::Infallible> {
    let (mut parts, ()) = request.into_parts();
    let peer = AttestationResult::from_request_parts(&mut parts, &()).await;
    let mut response = Response::new(Bytes::new());
    let is_read = peer.is_ok_and(|peer| !peer.is_expired(peer.appraised_at()));
    *response.status_mut() = match is_read {
        true => StatusCode::ACCEPTED,
        false => StatusCode::FORBIDDEN,
    };
    Ok(response)
}

fn layer() -> AttestationLayer {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let world = World::new();
    let device = world.client_device.clone();
    let attested = atls_tower::testing::attested(demo::provider(), device, world.about_clients());
    runtime.block_on(attested).unwrap()
}

/// As it comes from axum: the map of its extensions exists before any layer.
fn request() -> Request<()> {
    let mut request = Request::new(());
    let client = ConnectInfo(SocketAddr::from(([127, 0, 0, 1], 1)));
    request.extensions_mut().insert(client);
    request
}

fn answer<S>(service: &mut S, request: Request<()>) -> StatusCode
where
    S: Service<Request<()>, Response = Response<Bytes>, Error = std::convert::Infallible>,
{
    let answer = pin!(service.call(request));
    match answer.poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(Ok(answer)) => answer.status(),
        Poll::Pending => StatusCode::REQUEST_TIMEOUT,
    }
}
