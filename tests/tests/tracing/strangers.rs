//! Peers that speak something else than attested TLS.

use std::sync::Arc;

use atls_tower::ServerTerms;
use end_to_end::World;
use end_to_end::reqwest_client;
use rustls::ClientConfig;
use rustls::ServerConfig;
use tokio::io::AsyncReadExt;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::TlsConnector;

use crate::log::assert_one;
use crate::log::capture;
use crate::log::of;
use crate::log::requiring;

#[tokio::test]
async fn a_server_that_does_not_attest_is_a_warning_of_the_client() {
    let (log, _guard) = capture();
    let world = World::new();
    let server = world.serve(ServerTerms::plain()).await;
    let client = reqwest_client(&world.demanding());
    client.get(server.url("/")).send().await.unwrap_err();
    let words = ["peer did not attest", "give it an attester", "fault=peer"];
    assert_one(&of(&log, "client"), "WARN", &words);
}

#[tokio::test]
async fn a_plain_client_where_attestation_is_required_is_no_warning() {
    let (log, _guard) = capture();
    let world = World::new();
    let server = requiring(&world).await;
    let client = world.plain_client(&["h2", "http/1.1"]);
    let answer = client.get(server.url("/")).send().await.unwrap();
    assert_eq!(answer.status(), 403);
    assert_one(&of(&log, "server"), "INFO", &["peer did not attest"]);
}

#[tokio::test]
async fn the_noise_of_the_internet_is_debug() {
    let (log, _guard) = capture();
    let world = World::new();
    let server = requiring(&world).await;
    for (sent, said) in [
        (&b""[..], "closed the connection during the TLS handshake"),
        (
            b"\x16\x03\x01",
            "closed the connection during the TLS handshake",
        ),
        (
            b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n",
            "plain HTTP to the TLS port",
        ),
        (b"\x15\x03\x01\x00\x02\x02\x28", "no TLS ClientHello"),
    ] {
        let mut socket = TcpStream::connect(server.address).await.unwrap();
        socket.write_all(sent).await.unwrap();
        socket.shutdown().await.unwrap();
        // A reset is an end too.
        let _ = socket.read_to_end(&mut Vec::new()).await;
        assert_one(&of(&log, "server"), "DEBUG", &[said]);
    }
    let tls = TlsConnector::from(Arc::new(world.client_tls(&["h2"])));
    let socket = TcpStream::connect(server.address).await.unwrap();
    let name = "localhost".try_into().unwrap();
    let mut stream = tls.connect(name, socket).await.unwrap();
    stream.shutdown().await.unwrap();
    let _ = stream.read_to_end(&mut Vec::new()).await;
    let said = ["right after the TLS handshake"];
    assert_one(&of(&log, "server"), "DEBUG", &said);
}

#[tokio::test]
async fn a_client_of_tls_1_2_is_told_from_others() {
    let (log, _guard) = capture();
    let world = World::new();
    let server = requiring(&world).await;
    let tls = ClientConfig::builder_with_provider(demo::provider())
        .with_protocol_versions(&[&rustls::version::TLS12])
        .unwrap()
        .with_root_certificates(world.authority.roots().unwrap())
        .with_no_client_auth();
    let socket = TcpStream::connect(server.address).await.unwrap();
    let name = "localhost".try_into().unwrap();
    let connected = TlsConnector::from(Arc::new(tls))
        .connect(name, socket)
        .await;
    connected.unwrap_err();
    let said = ["the client speaks TLS 1.2 at most; attested TLS needs 1.3"];
    assert_one(&of(&log, "server"), "INFO", &said);
}

#[tokio::test]
async fn a_server_of_tls_1_2_is_told_from_others() {
    let (log, _guard) = capture();
    let world = World::new();
    let tls = ServerConfig::builder_with_provider(demo::provider())
        .with_protocol_versions(&[&rustls::version::TLS12])
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(world.issued.chain.clone(), world.issued.key.clone_key())
        .unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (socket, _) = listener.accept().await.unwrap();
        let accepted = TlsAcceptor::from(Arc::new(tls)).accept(socket).await;
        accepted.unwrap_err();
    });
    let client = reqwest_client(&world.demanding());
    let url = format!("https://localhost:{}/", address.port());
    let error = client.get(url).send().await.unwrap_err();
    assert!(end_to_end::exchange_error(&error).is_old_tls());
    let said = ["the server speaks TLS 1.2 at most; attested TLS needs 1.3"];
    assert_one(&of(&log, "client"), "WARN", &said);
}

#[tokio::test]
async fn a_server_without_tls_is_told_from_others() {
    let (log, _guard) = capture();
    let world = World::new();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (mut socket, _) = listener.accept().await.unwrap();
        let answer = b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n";
        socket.write_all(answer).await.unwrap();
        let _ = socket.read_to_end(&mut Vec::new()).await;
    });
    let client = reqwest_client(&world.demanding());
    let url = format!("https://localhost:{}/", address.port());
    let error = client.get(url).send().await.unwrap_err();
    assert!(end_to_end::exchange_error(&error).is_no_tls());
    let said = ["server does not speak TLS"];
    assert_one(&of(&log, "client"), "WARN", &said);
}
