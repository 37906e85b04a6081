//! Connections without an outcome, and those that never came to one.

use std::net::IpAddr;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::Mutex;
use std::time::Duration;

use atls_core::BoxFuture;
use atls_tower::AttestedHttps;
use atls_tower::ClientConnector;
use atls_tower::ClientTerms;
use atls_tower::Error;
use atls_tower::ServerAcceptor;
use atls_tower::ServerTerms;
use end_to_end::Hanging;
use end_to_end::World;
use end_to_end::reqwest_client;
use rustls::server::ClientHello;
use rustls::server::ResolvesServerCert;
use rustls::sign::CertifiedKey;
use tokio::net::TcpListener;
use tower::Service;

use crate::log::assert_one;
use crate::log::capture;
use crate::log::of;

#[tokio::test]
async fn a_connection_that_is_given_up_says_so_once_at_the_end_that_gave_it_up() {
    let (log, _guard) = capture();
    let Hanging { client, server } = Hanging::begin().await;
    client.abort();
    assert!(client.await.unwrap_err().is_cancelled());
    server.await.unwrap().unwrap_err();
    let events = log.take();
    let (clients, servers): (Vec<_>, Vec<_>) = events
        .into_iter()
        .partition(|event| event.contains("side=\"client\""));
    let words = [
        "server.address=\"localhost\"",
        "error.type=\"abandoned\"",
        "given up by this end",
    ];
    assert_one(&clients, "DEBUG", &words);
    assert_one(&servers, "INFO", &["error.type=\"closed\""]);
}

#[derive(Debug)]
struct Panics;

impl ResolvesServerCert for Panics {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        panic!("on purpose")
    }
}

#[tokio::test]
async fn a_callback_that_panics_is_one_error_of_this_end() {
    let (log, _guard) = capture();
    let world = World::new();
    let mut tls = world.server_tls();
    tls.cert_resolver = Arc::new(Panics);
    let terms = ServerTerms::new().attester(world.server_device.clone());
    let server = world.serve_with(terms, tls).await;
    let client = reqwest_client(&world.demanding());
    client.get(server.url("/")).send().await.unwrap_err();
    let words = [
        "network.peer.address=127.0.0.1",
        "error.type=\"panicked\"",
        "fault=\"local\"",
    ];
    assert_one(&of(&log, "server"), "ERROR", &words);
}

/// Whatever HTTP library lies in between.
#[tokio::test]
async fn a_server_that_does_not_even_answer_in_tls_is_one_event() {
    let (log, _guard) = capture();
    let world = World::new();
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://localhost:{}/", silent.local_addr().unwrap().port());
    let attested = world.client().require_peer(world.about_servers());
    let attested = attested.deadline(Duration::from_millis(50));
    let client = reqwest_client(&attested.build().unwrap());
    client.get(url).send().await.unwrap_err();
    let words = ["error.type=\"timeout_connect\"", "fault=peer"];
    assert_one(&of(&log, "client"), "WARN", &words);
}

#[tokio::test]
async fn a_uri_that_is_not_connected_to_is_one_event_of_either_client() {
    let (log, _guard) = capture();
    let world = World::new();
    let words = ["error.type=\"uri\"", "only https URIs", "fault=local"];

    let client = reqwest_client(&world.demanding());
    let plain = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://localhost:{}/", plain.local_addr().unwrap().port());
    client.get(&url).send().await.unwrap_err();
    assert_one(&of(&log, "client"), "ERROR", &words);

    let terms = ClientTerms::new().require_peer(world.about_servers());
    let connector = ClientConnector::new(world.client_tls(&[]), terms).unwrap();
    let mut https = AttestedHttps::new(connector);
    https
        .call(url.parse().unwrap())
        .await
        .map(drop)
        .unwrap_err();
    assert_one(&of(&log, "client"), "ERROR", &words);
}

/// What stands before TLS is no connection yet: one event, and the connection's span.
#[tokio::test]
async fn a_reader_before_tls_that_panics_is_one_error() {
    #[derive(Debug)]
    struct Reader;

    impl atls_axum::Preamble for Reader {
        fn read<'a>(
            &'a self,
            _: &'a mut tokio::net::TcpStream,
            _: SocketAddr,
        ) -> BoxFuture<'a, std::io::Result<SocketAddr>> {
            panic!("on purpose")
        }
    }

    let (log, _guard) = capture();
    let world = World::new();
    let terms = ServerTerms::new().attester(world.server_device.clone());
    let acceptor = ServerAcceptor::new(world.server_tls(), terms).unwrap();
    let listener = atls_axum::AttestedListener::builder(acceptor)
        .preamble(Arc::new(Reader))
        .bind("127.0.0.1:0")
        .await
        .unwrap();
    let url = format!("https://localhost:{}/", listener.local_addr().port());
    let client = world.plain_client(&["h2"]);
    client.get(url).send().await.unwrap_err();
    let words = ["network.peer.address=127.0.0.1", "its reader panicked"];
    assert_one(&log.take(), "ERROR", &words);
}

#[tokio::test]
async fn an_observer_hears_of_each_refused_connection_once() {
    let (log, _guard) = capture();
    let heard = Arc::new(Mutex::new(Vec::new()));
    let hears = heard.clone();
    let (status, client) = refused_before(move |error: &Error, client: SocketAddr| {
        let reason = error.is_peer_unattested();
        hears.lock().unwrap().push((reason, client.ip()));
    })
    .await;
    assert_eq!(status, 403);
    assert_eq!(*heard.lock().unwrap(), [(true, client)]);
    assert_one(&log.take(), "INFO", &["peer did not attest"]);
}

/// The client has its answer all the same.
#[tokio::test]
async fn an_observer_that_panics_is_one_error_beside_the_event() {
    let (log, _guard) = capture();
    let (status, _) = refused_before(|_, _| panic!("on purpose")).await;
    assert_eq!(status, 403);
    let (errors, others): (Vec<_>, Vec<_>) = log
        .take()
        .into_iter()
        .partition(|event| event.contains(" ERROR "));
    let words = [
        "network.peer.address=127.0.0.1",
        "fault=\"local\"",
        "observer",
    ];
    assert_one(&errors, "ERROR", &words);
    assert_one(&others, "INFO", &["peer did not attest"]);
}

/// The answer to a client that does not attest, and its address.
async fn refused_before<F>(observer: F) -> (u16, IpAddr)
where
    F: Fn(&Error, SocketAddr) + Send + Sync + 'static,
{
    let world = World::new();
    let terms = ServerTerms::new()
        .attester(world.server_device.clone())
        .require_peer(world.about_clients());
    let acceptor = ServerAcceptor::new(world.server_tls(), terms).unwrap();
    let listener = atls_axum::AttestedListener::builder(acceptor)
        .on_refused(observer)
        .bind("127.0.0.1:0")
        .await
        .unwrap();
    let address = listener.local_addr();
    let url = format!("https://localhost:{}/", address.port());
    // Whoever holds the listener has its connections.
    let app = axum::Router::new();
    tokio::spawn(async move { atls_axum::serve(listener, app).await });
    let client = world.plain_client(&["h2", "http/1.1"]);
    let answer = client.get(url).send().await.unwrap();
    (answer.status().as_u16(), address.ip())
}
