//! Servers whose attestation lasts a minute, clients of theirs, and time.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use atls_axum::AttestedListener;
use atls_core::RelyingParty;
use atls_tower::AttestedHttps;
use atls_tower::ClientConnector;
use atls_tower::ClientTerms;
use atls_tower::ServerAcceptor;
use atls_tower::ServerTerms;
use axum::Router;
use end_to_end::World;
use end_to_end::lenient;
// The clock that is set shows none of it.
pub(crate) use end_to_end::time::wait;
use http_body_util::Empty;
use hyper::body::Bytes;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;

/// How long attestations last here: shorter than a server lets a connection idle. Draining begins at 54 s.
pub(crate) const MINUTE: Duration = Duration::from_secs(60);
pub(crate) const DRAINED: Duration = Duration::from_secs(55);
/// After the end of the attestation and its grace.
pub(crate) const ENDED: Duration = Duration::from_secs(71);

/// Lets time pass, for the clocks of certificates and for timers.
pub(crate) async fn pass(world: &World, time: Duration) {
    world.clock.advance(time);
    wait(time).await;
}

/// Accepts the server's device, for a minute.
pub(crate) fn about_servers(world: &World) -> Arc<RelyingParty> {
    let about = lenient(&world.server_device).max_age(MINUTE);
    Arc::new(about.build().unwrap())
}

/// Accepts the client's device, for a minute.
pub(crate) fn about_clients(world: &World) -> Arc<RelyingParty> {
    let about = lenient(&world.client_device).max_age(MINUTE);
    Arc::new(about.build().unwrap())
}

pub(crate) fn attested(world: &World) -> ServerTerms {
    ServerTerms::new().attester(world.server_device.clone())
}

pub(crate) fn mutual(world: &World) -> ServerTerms {
    attested(world).require_peer(about_clients(world))
}

pub(crate) fn acceptor(world: &World, terms: ServerTerms) -> ServerAcceptor {
    let mut tls = world.server_tls();
    tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    ServerAcceptor::new(tls, terms).unwrap()
}

pub(crate) async fn serve(acceptor: ServerAcceptor, app: Router) -> SocketAddr {
    let listener = AttestedListener::bind("127.0.0.1:0", acceptor).await;
    let listener = listener.unwrap();
    let address = listener.local_addr();
    tokio::spawn(async move { atls_axum::serve(listener, app).await });
    address
}

/// Wants servers attested, and attests.
pub(crate) fn connector(world: &World, alpn: &str) -> ClientConnector {
    let terms = ClientTerms::new()
        .require_peer(about_servers(world))
        .attester(world.client_device.clone());
    ClientConnector::new(world.client_tls(&[alpn]), terms).unwrap()
}

pub(crate) type HyperClient = Client<AttestedHttps, Empty<Bytes>>;

pub(crate) fn hyper_client(world: &World, alpn: &str) -> HyperClient {
    let https = AttestedHttps::new(connector(world, alpn));
    Client::builder(TokioExecutor::new()).build(https)
}

pub(crate) fn uri(address: SocketAddr) -> http::Uri {
    let uri = format!("https://localhost:{}/", address.port());
    uri.parse().unwrap()
}
