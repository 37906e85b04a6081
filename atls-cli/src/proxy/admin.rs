//! `/healthz` and `/metrics`, on plain ports of their own.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::PoisonError;
use std::sync::RwLock;
use std::sync::RwLockReadGuard;
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::extract::State;
use axum::middleware::Next;
use axum::middleware::from_fn_with_state;
use axum::response::IntoResponse;
use axum::response::Response;
use axum::routing::get;
use http::StatusCode;
use http::header;
use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use serde_json::Value;
use serde_json::json;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::health::Health;
use super::hosts;
use super::hosts::Hosts;
use super::metrics::Metrics;
use crate::failure::Failure;

/// Health and metrics, for this machine alone: metrics tell how much is asked.
pub(super) async fn serve_admin(
    address: SocketAddr,
    published: Arc<Published>,
    metrics: Arc<Metrics>,
    health: Arc<Health>,
) -> Result<SocketAddr, Failure> {
    if !address.ip().is_loopback() {
        return Err(
            Failure::usage(format!("--admin {address}: it is no loopback address"))
                .with_help("--probes ADDRESS has /healthz alone, for probes from elsewhere"),
        );
    }
    let keys = published.clone();
    let told = health.clone();
    let app = Router::new()
        .route("/metrics", get(async move || metrics.text(&told)))
        .route("/keys", get(async move || jwk_set(&keys.keys())))
        .route_layer(from_fn_with_state(published, known_host))
        // Nothing in it is secret, and checks of HTTP/1.0 name no host.
        .merge(Router::new().route("/healthz", get(say)).with_state(health));
    serve(address, app).await
}

/// A page of a browser on this machine may have a name that resolves to it, and would read what is answered under that name.
async fn known_host(
    State(published): State<Arc<Published>>,
    request: Request,
    next: Next,
) -> Response {
    let Ok(named) = hosts::named(&request) else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    let is_known = named.is_some_and(|named| published.hosts().know(&named));
    match is_known {
        true => next.run(request).await,
        false => (StatusCode::MISDIRECTED_REQUEST, "--host NAME adds a name\n").into_response(),
    }
}

/// What is published now, and under which names.
pub(super) struct Published {
    keys: RwLock<Value>,
    hosts: RwLock<Hosts>,
}

impl Published {
    /// No keys yet.
    pub(super) fn under(hosts: Hosts) -> Self {
        Self {
            keys: RwLock::new(json!({ "keys": [] })),
            hosts: RwLock::new(hosts),
        }
    }

    pub(super) fn publish(&self, keys: Value) {
        *self.keys.write().unwrap_or_else(PoisonError::into_inner) = keys;
    }

    pub(super) fn answer_under(&self, hosts: Hosts) {
        *self.hosts.write().unwrap_or_else(PoisonError::into_inner) = hosts;
    }

    fn keys(&self) -> Value {
        let keys = self.keys.read().unwrap_or_else(PoisonError::into_inner);
        keys.clone()
    }

    fn hosts(&self) -> RwLockReadGuard<'_, Hosts> {
        self.hosts.read().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Health alone: nothing in it is secret, and probes cannot attest.
pub(super) async fn serve_probes(
    address: SocketAddr,
    health: Arc<Health>,
) -> Result<SocketAddr, Failure> {
    let app = Router::new().route("/healthz", get(say)).with_state(health);
    serve(address, app).await
}

/// Whoever reaches it takes few sockets, and not for long. Where all are taken the oldest makes room: silent ones would keep a probe waiting
/// otherwise, and the orchestrator would send no clients. It ends with the process.
async fn serve(address: SocketAddr, app: Router) -> Result<SocketAddr, Failure> {
    let (listener, bound) = listen(address).await?;
    tokio::spawn(async move {
        let mut connections = VecDeque::<JoinHandle<()>>::new();
        loop {
            let (socket, _) = atls_axum::accept(&listener).await;
            connections.retain(|connection| !connection.is_finished());
            if connections.len() >= CONNECTIONS
                && let Some(oldest) = connections.pop_front()
            {
                oldest.abort();
            }
            let connection = http1::Builder::new()
                .serve_connection(TokioIo::new(socket), TowerToHyperService::new(app.clone()));
            connections.push_back(tokio::spawn(async move {
                let _ = tokio::time::timeout(CONNECTION, connection).await;
            }));
        }
    });
    Ok(bound)
}

async fn listen(address: SocketAddr) -> Result<(TcpListener, SocketAddr), Failure> {
    let failed = |error: std::io::Error| {
        Failure::fault(format!("{address}: nothing can listen there")).because(&error)
    };
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    let bound = listener.local_addr().map_err(failed)?;
    Ok((listener, bound))
}

/// The keys by which what the proxy states is verified.
fn jwk_set(keys: &Value) -> impl IntoResponse + use<> {
    (
        [(header::CONTENT_TYPE, "application/jwk-set+json")],
        keys.to_string(),
    )
}

async fn say(State(health): State<Arc<Health>>) -> (StatusCode, String) {
    match health.now() {
        Ok(()) => (StatusCode::OK, "serving\n".to_owned()),
        Err(ill) => (StatusCode::SERVICE_UNAVAILABLE, format!("{ill}\n")),
    }
}

/// Connections of each port at once. Orchestrators and scrapers make one in some seconds.
const CONNECTIONS: usize = 64;

/// The longest time of a connection, with all requests on it.
const CONNECTION: Duration = Duration::from_secs(5);
