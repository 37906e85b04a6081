//! A request through layer and extractor, against the same handler without.

use std::convert::Infallible;
use std::error::Error;
use std::fmt;
use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::task::Context;
use std::task::Poll;
use std::task::Waker;
use std::time::Duration;
use std::time::Instant;

use atls_axum::AttestationResult;
use axum::body::Bytes;
use axum::extract::ConnectInfo;
use axum::extract::FromRequestParts;
use axum::http::Request;
use axum::http::Response;
use serde::Deserialize;
use serde::Serialize;
use stats_alloc::Region;
use tower_layer::Layer;
use tower_service::Service;

use crate::ALLOCATOR;
use crate::certificates::provider;
use crate::evidence::Free;
use crate::evidence::relying_party;
use crate::service;
use crate::service::SERVER_ATTESTS;
use crate::service::USUAL_EVIDENCE;

/// What one request costs.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Handled {
    /// Nanoseconds of a handler that looks at nothing, and of the same behind layer and extractor.
    pub(crate) alone: f64,
    pub(crate) with_both: f64,
    /// Allocations of both.
    pub(crate) allocations_alone: f64,
    pub(crate) allocations_with_both: f64,
}

pub(crate) fn measure(number: u32) -> Result<Handled, Box<dyn Error>> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let free = Arc::new(Free::new(USUAL_EVIDENCE));
    let party = relying_party(&service::Service::of(SERVER_ATTESTS))?;
    let attested = atls_tower::testing::attested(provider(), free, party);
    let layer = runtime.block_on(attested)?;

    // Warm, then measured.
    run(number / 10, Bare)?;
    let (without, allocations_alone) = run(number, Bare)?;
    run(number / 10, layer.clone().layer(Extracting))?;
    let (with, allocations_with_both) = run(number, layer.layer(Extracting))?;
    let each = |total: Duration| total.as_secs_f64() * 1e9 / f64::from(number);
    Ok(Handled {
        alone: each(without),
        with_both: each(with),
        allocations_alone,
        allocations_with_both,
    })
}

impl fmt::Display for Handled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let row = |f: &mut fmt::Formatter<'_>, name, time: f64, allocations: f64| {
            writeln!(f, "{name:<16} {time:>8.0} ns, {allocations:.3} allocations")
        };
        row(f, "handler alone", self.alone, self.allocations_alone)?;
        row(f, "with both", self.with_both, self.allocations_with_both)?;
        let allocations = self.allocations_with_both - self.allocations_alone;
        row(f, "difference", self.with_both - self.alone, allocations)
    }
}

/// Time, and allocations per request.
fn run<S>(number: u32, mut service: S) -> Result<(Duration, f64), Box<dyn Error>>
where
    S: Service<Request<()>, Response = Response<Bytes>, Error = Infallible>,
{
    let mut time = Duration::ZERO;
    let mut allocations = 0;
    for _ in 0..number {
        // As a request has of axum: the map of extensions exists before any layer.
        let mut request = Request::new(());
        request
            .extensions_mut()
            .insert(ConnectInfo(SocketAddr::from(([127, 0, 0, 1], 1))));
        let region = Region::new(ALLOCATOR);
        let started = Instant::now();
        let mut answer = std::pin::pin!(service.call(request));
        let Poll::Ready(answer) = answer
            .as_mut()
            .poll(&mut Context::from_waker(Waker::noop()))
        else {
            return Err("nothing here waits".into());
        };
        time += started.elapsed();
        allocations += region.change().allocations;
        drop(answer);
    }
    Ok((time, allocations as f64 / f64::from(number)))
}

/// A handler that looks at nothing.
#[derive(Clone)]
struct Bare;

impl Service<Request<()>> for Bare {
    type Response = Response<Bytes>;
    type Error = Infallible;
    type Future = std::future::Ready<Result<Response<Bytes>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<()>) -> Self::Future {
        std::hint::black_box(&request);
        std::future::ready(Ok(Response::new(Bytes::new())))
    }
}

/// The same, after it extracted its client's attestation.
#[derive(Clone)]
struct Extracting;

impl Service<Request<()>> for Extracting {
    type Response = Response<Bytes>;
    type Error = Infallible;
    type Future = std::future::Ready<Result<Response<Bytes>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<()>) -> Self::Future {
        let (mut parts, ()) = request.into_parts();
        let extracted = {
            let extracting = AttestationResult::from_request_parts(&mut parts, &());
            let mut extracting = std::pin::pin!(extracting);
            extracting
                .as_mut()
                .poll(&mut Context::from_waker(Waker::noop()))
        };
        let mut response = Response::new(Bytes::new());
        if !matches!(extracted, Poll::Ready(Ok(_))) {
            *response.status_mut() = axum::http::StatusCode::FORBIDDEN;
        }
        std::hint::black_box(&extracted);
        std::future::ready(Ok(response))
    }
}
