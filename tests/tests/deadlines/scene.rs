//! A server with room for one connection, and clients that write HTTP/2 frames by hand.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use adversary::Link;
use atls_axum::AttestedListener;
use atls_axum::ListenerBuilder;
use atls_axum::RouterExt;
use atls_tower::ConnectionLimits;
use atls_tower::ServerAcceptor;
use atls_tower::ServerTerms;
use axum::Router;
use axum::body::Body;
use axum::body::Bytes;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::get;
use axum::routing::post;
use end_to_end::Gate;
use end_to_end::World;
pub(crate) use end_to_end::http2::CONNECT;
pub(crate) use end_to_end::http2::DATA;
pub(crate) use end_to_end::http2::END_HEADERS;
pub(crate) use end_to_end::http2::END_STREAM;
pub(crate) use end_to_end::http2::GET;
pub(crate) use end_to_end::http2::HEADERS;
pub(crate) use end_to_end::http2::PING;
pub(crate) use end_to_end::http2::PREFACE;
pub(crate) use end_to_end::http2::SETTINGS;
pub(crate) use end_to_end::http2::frame;
pub(crate) use end_to_end::http2::head;
use end_to_end::time::PATIENCE;
use end_to_end::time::wait_settled;
use hyper_util::rt::TokioIo;
use tokio::io::AsyncReadExt;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;
use tokio::net::TcpStream;

/// A limit under test: more than anything takes by itself, however busy the machine is. Tests let it pass.
pub(crate) const LIMIT: Duration = Duration::from_secs(30);

pub(crate) const LONG: Duration = Duration::from_secs(3600);

/// The loop that serves.
#[derive(Clone, Copy, Debug)]
pub(crate) enum ServeLoop {
    Atls,
    Axum,
}

pub(crate) const BOTH: [ServeLoop; 2] = [ServeLoop::Atls, ServeLoop::Axum];

pub(crate) struct Scene {
    pub(crate) world: World,
    pub(crate) address: SocketAddr,
    pub(crate) slow: Gate,
}

impl Scene {
    /// Everything that is not limited by the test may take long.
    pub(crate) async fn new(by: ServeLoop, adjust: impl FnOnce(&mut ConnectionLimits)) -> Self {
        let slow = Gate::new();
        Self::of(by, app(slow.clone()), slow, limits(adjust)).await
    }

    /// The same with an application of the test.
    pub(crate) async fn serving(
        by: ServeLoop,
        app: Router,
        adjust: impl FnOnce(&mut ConnectionLimits),
    ) -> Self {
        Self::of(by, app, Gate::new(), limits(adjust)).await
    }

    pub(crate) async fn with(
        by: ServeLoop,
        adjust: impl FnOnce(ListenerBuilder) -> ListenerBuilder,
    ) -> Self {
        let slow = Gate::new();
        Self::of(by, app(slow.clone()), slow, adjust).await
    }

    async fn of(
        by: ServeLoop,
        app: Router,
        slow: Gate,
        adjust: impl FnOnce(ListenerBuilder) -> ListenerBuilder,
    ) -> Self {
        let world = World::new();
        let acceptor = ServerAcceptor::new(world.server_tls(), ServerTerms::plain()).unwrap();
        let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = socket.local_addr().unwrap();
        let builder = AttestedListener::builder(acceptor);
        let listener = adjust(builder).over(socket).unwrap();
        tokio::spawn(async move {
            match by {
                ServeLoop::Atls => atls_axum::serve(listener, app).await,
                ServeLoop::Axum => axum::serve(listener, app.into_attested_make_service()).await,
            }
        });
        Self {
            world,
            address,
            slow,
        }
    }

    pub(crate) async fn connect(&self, alpn: &[&str]) -> Link {
        let socket = TcpStream::connect(self.address).await.unwrap();
        let tls = Arc::new(self.world.client_tls(alpn));
        Link::connect(tls, socket, None).await.unwrap()
    }

    /// Somebody else is served.
    pub(crate) async fn has_room(&self) {
        let client = self.world.plain_client(&["http/1.1"]);
        let url = format!("https://localhost:{}/", self.address.port());
        let served = tokio::time::timeout(PATIENCE, client.get(url).send());
        assert!(served.await.expect("there is room").is_ok());
    }
}

fn limits(
    adjust: impl FnOnce(&mut ConnectionLimits),
) -> impl FnOnce(ListenerBuilder) -> ListenerBuilder {
    let mut limits = ConnectionLimits::default();
    limits.first_request = LONG;
    limits.idle = LONG;
    limits.unread = LONG;
    limits.request_body = LONG;
    adjust(&mut limits);
    move |builder| builder.limits(limits).connections(1)
}

pub(crate) fn app(slow: Gate) -> Router {
    let slow = async move || {
        slow.pass().await;
        "at last"
    };
    Router::new()
        .route("/", get(async || "hello"))
        .route("/slow", get(slow))
        .route("/body", post(async |body: Bytes| body.len().to_string()))
        .route("/large", get(async || vec![b'x'; 64 << 20]))
        .route("/upgrade", get(upgrade))
        .fallback(async || ())
}

/// Switches to a protocol in which the client speaks first.
pub(crate) async fn upgrade(mut request: Request) -> Response {
    let upgrade = hyper::upgrade::on(&mut request);
    tokio::spawn(async move {
        // HTTP/2 has no such upgrade.
        let Ok(upgraded) = upgrade.await else {
            return;
        };
        let mut upgraded = TokioIo::new(upgraded);
        while let Ok(byte) = upgraded.read_u8().await {
            let _ = upgraded.write_u8(byte).await;
        }
    });
    let response = Response::builder()
        .status(StatusCode::SWITCHING_PROTOCOLS)
        .header("connection", "upgrade")
        .header("upgrade", "echo");
    response.body(Body::empty()).unwrap()
}

pub(crate) async fn say(link: &mut Link, bytes: &[u8]) {
    link.tls.write_all(bytes).await.unwrap();
    link.tls.flush().await.unwrap();
}

/// Once everybody waits for what does not come.
pub(crate) async fn limit_passes() {
    wait_settled(LIMIT).await;
}

pub(crate) async fn closed(link: &mut Link) -> Vec<u8> {
    ended(link.drain()).await
}

pub(crate) async fn ended<T>(work: impl Future<Output = T>) -> T {
    let ended = tokio::time::timeout(PATIENCE, work);
    ended.await.expect("the server closes")
}

/// Reads up to the end of an answer whose last bytes are known.
pub(crate) async fn read_until(link: &mut Link, last: &[u8]) {
    let mut read = Vec::new();
    while !read.ends_with(last) {
        read.push(link.tls.read_u8().await.unwrap());
    }
}
