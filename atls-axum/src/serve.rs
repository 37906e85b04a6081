//! Serves attested connections, and lets each end with its attestation.

use std::future::Future;
use std::future::IntoFuture;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::time::Duration;

use atls_tower::AttestedStream;
use atls_tower::WithAttestation;
use axum::Extension;
use axum::Router;
use axum::extract::ConnectInfo;
use axum::middleware::AddExtension;
use hyper_util::rt::TokioExecutor;
use hyper_util::rt::TokioIo;
use hyper_util::rt::TokioTimer;
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tower_layer::Layer;

use crate::listener::AttestedListener;

/// Serves a router over attested connections, as `axum::serve` does, and ends each connection properly when its
/// attestation does: HTTP/2 clients get a GOAWAY, HTTP/1.1 clients `Connection: close`, and their next request goes on a
/// new connection that attests again. Clients that dawdle with a request's head, and connections that outlive a
/// shutdown, are bounded in time.
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
        limits: Limits {
            request_head: REQUEST_HEAD,
            shutdown: SHUTDOWN,
        },
    }
}

/// The server of [`serve`]: await it.
#[must_use = "a server runs when it is awaited"]
pub struct Serve {
    listener: AttestedListener,
    router: Router,
    stop: Pin<Box<dyn Future<Output = ()> + Send>>,
    limits: Limits,
}

#[derive(Clone, Copy, Debug)]
struct Limits {
    request_head: Duration,
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

    /// The longest that connections may take to finish once shutdown began; by default 30 s. What is left is closed.
    pub fn shutdown_within(mut self, wait: Duration) -> Self {
        self.limits.shutdown = wait;
        self
    }

    /// The longest that an HTTP/1.1 client may take for a request's head; by default 30 s.
    pub fn request_head_within(mut self, wait: Duration) -> Self {
        self.limits.request_head = wait;
        self
    }

    async fn run(mut self) {
        let (stopping, stopped) = watch::channel(());
        let mut connections = JoinSet::new();
        loop {
            tokio::select! {
                () = &mut self.stop => break,
                (stream, remote) = self.listener.next() => {
                    let service = service(&stream, remote, self.router.clone());
                    connections.spawn(connection(stream, service, self.limits, stopped.clone()));
                }
                // A connection's end is its own business.
                Some(_) = connections.join_next() => {}
            }
        }
        drop(self.listener);
        drop(stopped);
        // Seen by every connection as the sender's end.
        drop(stopping);
        let finish = async { while connections.join_next().await.is_some() {} };
        if tokio::time::timeout(self.limits.shutdown, finish)
            .await
            .is_err()
        {
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
            self.run().await;
            Ok(())
        })
    }
}

impl std::fmt::Debug for Serve {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Serve")
            .field("listener", &self.listener)
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}

fn service(
    stream: &AttestedStream<TcpStream>,
    remote: SocketAddr,
    router: Router,
) -> WithAttestation<AddExtension<Router, ConnectInfo<SocketAddr>>> {
    let address = Extension(ConnectInfo(remote));
    stream.layer().layer(address.layer(router))
}

async fn connection(
    stream: AttestedStream<TcpStream>,
    service: WithAttestation<AddExtension<Router, ConnectInfo<SocketAddr>>>,
    limits: Limits,
    mut stopped: watch::Receiver<()>,
) {
    let drains_at = stream.drains_at();
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.request_head);
    builder
        .http2()
        .timer(TokioTimer::new())
        // A client that is gone without a word is found out.
        .keep_alive_interval(KEEP_ALIVE);
    let service = TowerToHyperService::new(service);
    let serving = builder.serve_connection_with_upgrades(TokioIo::new(stream), service);
    tokio::pin!(serving);
    let drain = async {
        match drains_at {
            Some(at) => tokio::time::sleep_until(at).await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        ended = &mut serving => return trace(ended),
        () = drain => {}
        // Nothing is ever sent: the channel ends.
        _ = stopped.changed() => {}
    }
    serving.as_mut().graceful_shutdown();
    trace(serving.await);
}

fn trace<E: std::fmt::Display>(ended: Result<(), E>) {
    if let Err(error) = ended {
        tracing::debug!(%error, "connection ended");
    }
}

const REQUEST_HEAD: Duration = Duration::from_secs(30);
const SHUTDOWN: Duration = Duration::from_secs(30);
const KEEP_ALIVE: Duration = Duration::from_secs(60);
