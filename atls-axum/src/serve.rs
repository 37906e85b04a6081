//! Serves attested connections, and lets each end with its attestation.

use std::future::Future;
use std::future::IntoFuture;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::Once;
use std::time::Duration;

use atls_core::limits::DEFAULT_GRACE;
use atls_core::limits::DEFAULT_SHUTDOWN;
use atls_tower::AttestedStream;
use atls_tower::Lifetime;
use atls_tower::Requests;
use atls_tower::WithAttestation;
use axum::Extension;
use axum::Router;
use axum::extract::ConnectInfo;
use axum::middleware::AddExtension;
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tower_layer::Layer;

use crate::http2_limits::Http2Limits;
use crate::listener::AttestedListener;
use crate::pieces::Counting;
use crate::pieces::Pieces;
use crate::protocol;
use crate::protocol::Protocol;
use crate::protocol::either;
use crate::protocol::http1;
use crate::protocol::until;
use crate::watch::Watched;

/// Serves a router over attested connections, as `axum::serve` does, and ends each connection properly when its
/// attestation does, or when it was idle for long: HTTP/2 clients get a GOAWAY, HTTP/1.1 clients `Connection: close`, and
/// their next request goes on a new connection that attests again. How long a connection may wait for its client is
/// decided by the [`ConnectionLimits`](atls_tower::ConnectionLimits) of the listener.
///
/// Handlers get `ConnectInfo<SocketAddr>` and [`AttestationResult`](crate::AttestationResult).
///
/// ```
/// # use std::sync::Arc;
/// # use atls_axum::AttestedListener;
/// # use atls_sim::SimAttester;
/// # use atls_tower::{ServerAcceptor, ServerTerms};
/// # use axum::{Router, routing::get};
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let tls = demo::Authority::new()?.server()?;
/// # let device = SimAttester::generate()?;
/// # let terms = ServerTerms::new().attester(Arc::new(device));
/// # let acceptor = ServerAcceptor::new(tls, terms)?;
/// # let stop = async {};
/// let listener = AttestedListener::bind("127.0.0.1:0", acceptor).await?;
/// let app = Router::new().route("/", get(async || "hello"));
/// // `stop` is any future: a signal, a message of the supervisor.
/// atls_axum::serve(listener, app).with_graceful_shutdown(stop).await?;
/// # Ok(())
/// # }
/// ```
pub fn serve(listener: AttestedListener, router: Router) -> Serve {
    Serve {
        listener,
        router,
        stop: Box::pin(std::future::pending()),
        shutdown: DEFAULT_SHUTDOWN,
    }
}

/// The server of [`serve`]: await it.
#[must_use = "a server runs when it is awaited"]
pub struct Serve {
    listener: AttestedListener,
    router: Router,
    stop: Pin<Box<dyn Future<Output = ()> + Send>>,
    shutdown: Duration,
}

impl Serve {
    /// When the future ends, so does the listener, with the handshakes in flight; connections finish the requests that
    /// they are at.
    pub fn with_graceful_shutdown<F>(mut self, stop: F) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        self.stop = Box::pin(stop);
        self
    }

    /// The longest that connections may take to finish once shutdown began; by default [`DEFAULT_SHUTDOWN`]. The others are
    /// closed then.
    pub fn with_shutdown_deadline(mut self, wait: Duration) -> Self {
        self.shutdown = wait;
        self
    }

    async fn serve_until_stopped(mut self) {
        let (stopping, stopped) = watch::channel(());
        let mut connections = JoinSet::new();
        let http2 = self.listener.http2();
        let told = Arc::new(Once::new());
        loop {
            tokio::select! {
                () = &mut self.stop => break,
                (stream, remote) = self.listener.next() => {
                    let service = service(&stream, remote, self.router.clone());
                    let ends = Ends {
                        lifetime: stream.lifetime(),
                        requests: stream.requests().cloned(),
                        stopped: stopped.clone(),
                    };
                    connections.spawn(connection(stream, service, (http2, told.clone()), ends));
                }
                // `connection` has logged its end.
                Some(_) = connections.join_next() => {}
            }
        }
        drop(self.listener);
        drop(stopped);
        // Every connection sees the end of the sender.
        drop(stopping);
        let finish = async { while connections.join_next().await.is_some() {} };
        if tokio::time::timeout(self.shutdown, finish).await.is_err() {
            tracing::warn!(
                connections = connections.len(),
                "connections did not finish and are closed"
            );
        }
    }
}

impl IntoFuture for Serve {
    type Output = io::Result<()>;
    type IntoFuture = Pin<Box<dyn Future<Output = io::Result<()>> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            self.serve_until_stopped().await;
            Ok(())
        })
    }
}

impl std::fmt::Debug for Serve {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Serve")
            .field("listener", &self.listener)
            .field("shutdown", &self.shutdown)
            .finish_non_exhaustive()
    }
}

/// The router behind the layers of its connection.
type Served = Watched<WithAttestation<AddExtension<Router, ConnectInfo<SocketAddr>>>>;

fn service(stream: &AttestedStream<TcpStream>, remote: SocketAddr, router: Router) -> Served {
    let address = Extension(ConnectInfo(remote));
    let service = stream.layer().layer(address.layer(router));
    Watched::over(stream, service)
}

async fn connection(
    stream: AttestedStream<TcpStream>,
    service: Served,
    (http2, told): (Option<Http2Limits>, Arc<Once>),
    ends: Ends,
) {
    let lifetime = ends.lifetime.clone();
    let agreed = Protocol::of(stream.alpn_protocol());
    let serving = async {
        match (agreed, http2) {
            (Protocol::Http1, _) | (Protocol::Unknown, None) => {
                let (io, service) = (TokioIo::new(stream), TowerToHyperService::new(service));
                let connection = http1().serve_connection(io, service).with_upgrades();
                until(ends.of_http1(), connection, |it| it.graceful_shutdown()).await
            }
            (Protocol::Http2, None) => {
                // Not with each connection: whoever connects could fill the log.
                told.call_once(|| tracing::error!(fault = "local", "{NO_HTTP2}"));
                Ok(())
            }
            (Protocol::Http2, Some(limits)) => {
                let (io, service) = counting(stream, service, &limits);
                let connection = protocol::http2(&limits).serve_connection(io, service);
                until(ends.of_http2(), connection, |it| it.graceful_shutdown()).await
            }
            (Protocol::Unknown, Some(limits)) => {
                let (io, service) = counting(stream, service, &limits);
                let builder = either(&limits);
                let connection = builder.serve_connection_with_upgrades(io, service);
                until(ends.of_http1(), connection, |it| it.graceful_shutdown()).await
            }
        }
    };
    tokio::select! {
        // First, so that what the stream says of its end is sent.
        biased;
        ended = serving => if let Err(error) = ended {
            let error = atls_core::report(&*error);
            tracing::debug!(%error, "connection ended");
        },
        // HTTP reads nothing while a handler leaves the body of its request lying, and so learns of no end.
        () = lifetime.ended() => tracing::debug!("connection is cut: its time is over"),
    }
}

/// Both ends of the count of small pieces.
fn counting(
    stream: AttestedStream<TcpStream>,
    service: Served,
    limits: &Http2Limits,
) -> (
    TokioIo<Counting<AttestedStream<TcpStream>>>,
    TowerToHyperService<Served>,
) {
    let pieces = Pieces::within(limits.window);
    let io = Counting::new(stream, pieces.clone());
    let service = TowerToHyperService::new(service.counting(pieces));
    (TokioIo::new(io), service)
}

const NO_HTTP2: &str = "the TLS configuration offers `h2`, and the listener has HTTP/1.1 alone: take it out of `alpn_protocols`";

/// The reasons to end a connection.
struct Ends {
    lifetime: Lifetime,
    requests: Option<Requests>,
    stopped: watch::Receiver<()>,
}

impl Ends {
    /// A GOAWAY tells the client at once, and loses no request.
    async fn of_http2(self) {
        tokio::select! {
            () = self.lifetime.draining() => {}
            () = idled_or_stopped(self.requests, self.stopped) => {}
        }
    }

    /// A client that asks is told with the answer, by the connection's layer. One that is idle can be told nothing: its connection
    /// is closed, and a request that crosses with that is lost. So it has some time to ask first.
    async fn of_http1(self) {
        let closing = async {
            self.lifetime.draining().await;
            let times = self.lifetime.drains_at().zip(self.lifetime.ends_at());
            match times.and_then(|(drains_at, ends_at)| closes_idle_at(drains_at, ends_at)) {
                Some(at) => tokio::time::sleep_until(at).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = closing => {}
            () = idled_or_stopped(self.requests, self.stopped) => {}
        }
    }
}

async fn idled_or_stopped(requests: Option<Requests>, mut stopped: watch::Receiver<()>) {
    let idled = async {
        match &requests {
            Some(requests) => requests.idled().await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        () = idled => {}
        // Nothing is ever sent: the channel ends.
        _ = stopped.changed() => {}
    }
}

/// Halfway between draining and the end, and before the attestation expires.
fn closes_idle_at(drains_at: Instant, ends_at: Instant) -> Option<Instant> {
    let half = ends_at
        .saturating_duration_since(drains_at)
        .checked_div(2)?;
    let halfway = drains_at.checked_add(half)?;
    let expires_at = ends_at.checked_sub(DEFAULT_GRACE)?;
    if expires_at > drains_at {
        Some(halfway.min(expires_at))
    } else {
        Some(halfway)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    #[test]
    fn an_idle_client_has_half_of_the_time_that_is_left_and_no_expired_attestation() {
        // Seconds from draining to the end, and to the close.
        for (ends, closes) in [
            // Attestations of ten minutes, a minute, ten seconds and nine, which drain for 30 s, 6 s, 1 s and not at all.
            (40, 20),
            (16, 6),
            (11, 1),
            (10, 5),
            // Recalls within a minute, less than the grace, and at once.
            (60, 30),
            (8, 4),
            (0, 0),
        ] {
            let drains_at = Instant::now();
            let after = |seconds| drains_at + Duration::from_secs(seconds);
            let closes_at = closes_idle_at(drains_at, after(ends)).unwrap();
            assert_eq!(closes_at, after(closes), "{ends}");
        }
    }
}
