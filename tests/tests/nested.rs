//! `AttestedHttps` over another one: an attested proxy does not stand for its target.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::Mutex;
use std::task::Context;
use std::task::Poll;

use atls_core::PeerAttestation;
use atls_tower::AttestedHttps;
use atls_tower::ClientConnector;
use atls_tower::ClientTerms;
use atls_tower::ServerAcceptor;
use atls_tower::ServerAttestation;
use atls_tower::ServerTerms;
use axum::http::Response;
use axum::http::Uri;
use axum::http::Version;
use end_to_end::World;
use http_body_util::Empty;
use hyper::body::Bytes;
use hyper::body::Incoming;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::Connect;
use hyper_util::client::legacy::connect::HttpInfo;
use hyper_util::rt::TokioExecutor;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::net::TcpStream;

#[tokio::test]
async fn the_attestation_of_a_proxy_is_not_that_of_its_target() {
    let world = World::new();
    let target = ServerTerms::new().require_peer(world.about_clients());
    let target = world.serve(target).await;
    let proxy = attested_proxy(&world, target.address).await;
    let terms = ClientTerms::new()
        .attester(world.client_device.clone())
        .dangerous_accept_unattested_servers();
    let connector = ClientConnector::new(world.client_tls(&["h2"]), terms).unwrap();
    let https = AttestedHttps::over(over_the_proxy(&world, proxy), connector);
    let response = get(https, &target.url("/")).await;
    assert_eq!(response.status(), 200);
    let uri = target.url("/").parse().unwrap();
    assert!(ServerAttestation::of(response.extensions(), &uri).is_none());
}

#[tokio::test]
async fn a_target_behind_an_attested_proxy_is_shown_by_its_own_attestation() {
    let world = World::new();
    let target = world.serve_attested().await;
    let proxy = attested_proxy(&world, target.address).await;
    let terms = ClientTerms::new().require_peer(world.about_servers());
    let connector = ClientConnector::new(world.client_tls(&["h2"]), terms).unwrap();
    let seen: Arc<Mutex<Vec<Arc<PeerAttestation>>>> = Arc::default();
    let (of_proxy, of_target) = (seen.clone(), seen.clone());
    let through = over_the_proxy(&world, proxy)
        .on_connected(move |_, peer| of_proxy.lock().unwrap().extend(peer.cloned()));
    let https = AttestedHttps::over(through, connector)
        .on_connected(move |_, peer| of_target.lock().unwrap().extend(peer.cloned()));
    let response = get(https, &target.url("/")).await;
    let uri = target.url("/").parse().unwrap();
    let shown = ServerAttestation::of(response.extensions(), &uri).unwrap();
    let seen = seen.lock().unwrap();
    let [proxy, target] = &seen[..] else {
        panic!("{seen:?}")
    };
    assert!(Arc::ptr_eq(shown, target) && !Arc::ptr_eq(shown, proxy));
}

/// The proxy speaks HTTP/2, so a client that believed its ALPN would speak that to the target.
#[tokio::test]
async fn the_protocol_of_a_proxy_is_not_that_of_its_target() {
    let world = World::new();
    let target = world.serve_attested().await;
    let proxy = attested_proxy(&world, target.address).await;
    let terms = ClientTerms::new().require_peer(world.about_servers());
    let connector = ClientConnector::new(world.client_tls(&["http/1.1"]), terms).unwrap();
    let https = AttestedHttps::over(over_the_proxy(&world, proxy), connector);
    let response = get(https, &target.url("/")).await;
    assert_eq!(response.version(), Version::HTTP_11);
    let addresses = response.extensions().get::<HttpInfo>().unwrap();
    assert_eq!(addresses.remote_addr(), proxy);
}

/// Passes what comes over attested connections on to the target.
async fn attested_proxy(world: &World, target: SocketAddr) -> SocketAddr {
    let terms = ServerTerms::new().attester(world.server_device.clone());
    let acceptor = ServerAcceptor::new(world.server_tls(), terms).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            let mut near = acceptor.accept(socket).await.unwrap();
            let mut far = TcpStream::connect(target).await.unwrap();
            tokio::spawn(async move { tokio::io::copy_bidirectional(&mut near, &mut far).await });
        }
    });
    address
}

/// Connects to the proxy, whatever the target, and demands that the proxy attests.
fn over_the_proxy(world: &World, proxy: SocketAddr) -> AttestedHttps<ToTheProxy> {
    let terms = ClientTerms::new().require_peer(world.about_servers());
    let connector = ClientConnector::new(world.client_tls(&["h2"]), terms).unwrap();
    AttestedHttps::over(ToTheProxy(proxy), connector)
}

#[derive(Clone)]
struct ToTheProxy(SocketAddr);

impl tower::Service<Uri> for ToTheProxy {
    type Response = TokioIo<TcpStream>;
    type Error = std::io::Error;
    type Future = Pin<Box<dyn Future<Output = std::io::Result<TokioIo<TcpStream>>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Uri) -> Self::Future {
        let address = self.0;
        Box::pin(async move { TcpStream::connect(address).await.map(TokioIo::new) })
    }
}

async fn get<H>(https: AttestedHttps<H>, url: &str) -> Response<Incoming>
where
    AttestedHttps<H>: Connect + Clone + Send + Sync + 'static,
{
    let client: Client<_, Empty<Bytes>> = Client::builder(TokioExecutor::new()).build(https);
    client.get(url.parse().unwrap()).await.unwrap()
}

/// An ordinary TLS connector over an attested proxy hands the transport's extras on, as that of hyper-rustls does.
#[tokio::test]
async fn the_attestation_of_a_proxy_is_not_that_of_a_target_behind_ordinary_tls() {
    let world = World::new();
    let target = world.serve(ServerTerms::plain()).await;
    let proxy = attested_proxy(&world, target.address).await;
    let https = OrdinaryTls {
        through: over_the_proxy(&world, proxy),
        proxy: format!("https://127.0.0.1:{}", proxy.port())
            .parse()
            .unwrap(),
        tls: tokio_rustls::TlsConnector::from(Arc::new(world.client_tls(&["http/1.1"]))),
    };
    let client: Client<_, Empty<Bytes>> = Client::builder(TokioExecutor::new()).build(https);
    let uri: Uri = target.url("/").parse().unwrap();
    let response = client.get(uri.clone()).await.unwrap();
    assert_eq!(response.status(), 200);
    assert!(ServerAttestation::of(response.extensions(), &uri).is_none());
    let of_proxy = "https://127.0.0.1".parse().unwrap();
    assert!(ServerAttestation::of(response.extensions(), &of_proxy).is_some());
}

type ThroughProxy = atls_tower::AttestedIo<TokioIo<TcpStream>>;

#[derive(Clone)]
struct OrdinaryTls {
    through: AttestedHttps<ToTheProxy>,
    proxy: Uri,
    tls: tokio_rustls::TlsConnector,
}

struct Ordinary(TokioIo<tokio_rustls::client::TlsStream<TokioIo<ThroughProxy>>>);

impl hyper_util::client::legacy::connect::Connection for Ordinary {
    fn connected(&self) -> hyper_util::client::legacy::connect::Connected {
        use hyper_util::client::legacy::connect::Connected;
        // The proxy's ALPN is taken back; its extras are what an ordinary connector keeps.
        let transport = self.0.inner().get_ref().0.inner().connected();
        let mut extras = http::Extensions::new();
        transport.get_extras(&mut extras);
        Connected::new().extra(extras.get::<ServerAttestation>().cloned().unwrap())
    }
}

impl hyper::rt::Read for Ordinary {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: hyper::rt::ReadBufCursor<'_>,
    ) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, buffer)
    }
}

impl hyper::rt::Write for Ordinary {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        data: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, data)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}

impl tower::Service<Uri> for OrdinaryTls {
    type Response = Ordinary;
    type Error = Box<dyn std::error::Error + Send + Sync>;
    type Future = Pin<Box<dyn Future<Output = Result<Ordinary, Self::Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        tower::Service::<Uri>::poll_ready(&mut self.through, cx)
    }

    fn call(&mut self, _: Uri) -> Self::Future {
        let through = tower::Service::<Uri>::call(&mut self.through, self.proxy.clone());
        let tls = self.tls.clone();
        Box::pin(async move {
            let io = TokioIo::new(through.await?);
            let stream = tls.connect("localhost".try_into()?, io).await?;
            Ok(Ordinary(TokioIo::new(stream)))
        })
    }
}
