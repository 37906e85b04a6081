//! Ordinary HTTPS clients at a server that requires attestation: they learn what is wanted, and nothing that they ask
//! for is done.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use std::io::IoSlice;
use std::sync::Arc;
use std::time::Duration;

use adversary::Link;
use adversary::REQUEST;
use adversary::VERDICT;
use atls_axum::AttestedListener;
use atls_core::exchange::CanAttest;
use atls_core::exchange::Parameters;
use atls_tower::ServerAcceptor;
use atls_tower::ServerTerms;
use end_to_end::Served;
use end_to_end::World;
use end_to_end::reqwest;
use end_to_end::reqwest_client;
use end_to_end::time::PATIENCE;
use end_to_end::time::wait_settled;
use tokio::io::AsyncReadExt;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

fn terms(world: &World) -> ServerTerms {
    let terms = ServerTerms::new().attester(world.server_device.clone());
    terms.require_peer(world.about_clients())
}

async fn is_told(response: reqwest::Response) {
    assert_eq!(response.status(), 403);
    let kind = response.headers().get("content-type").unwrap();
    assert_eq!(kind, "application/problem+json");
    let problem: serde_json::Value =
        serde_json::from_slice(&response.bytes().await.unwrap()).unwrap();
    assert_eq!(problem["type"], "about:blank");
    assert_eq!(problem["status"], 403);
    assert_eq!(problem["code"], "attested-tls-required");
    assert!(problem["detail"].as_str().unwrap().contains("attested TLS"));
}

async fn goes_on(world: &World, server: &Served) {
    assert_eq!(server.hits(), 0, "a plain client reached a handler");
    let client = reqwest_client(&world.mutual());
    assert!(client.get(server.url("/")).send().await.is_ok());
}

#[tokio::test]
async fn a_plain_client_is_told_what_is_wanted() {
    for alpn in [&["h2"][..], &["http/1.1"], &[]] {
        let world = World::new();
        let server = world.serve(terms(&world)).await;
        let client = world.plain_client(alpn);
        for _ in 0..3 {
            is_told(client.get(server.url("/")).send().await.unwrap()).await;
        }
        goes_on(&world, &server).await;
    }
}

/// The body is more than any buffer takes; a connection that is reset would lose the answer.
#[tokio::test]
async fn a_plain_client_that_sends_much_is_told_too() {
    for alpn in ["h2", "http/1.1"] {
        let world = World::new();
        let server = world.serve(terms(&world)).await;
        let client = world.plain_client(&[alpn]);
        let request = client.post(server.url("/")).body(vec![0; 100_000]);
        is_told(request.send().await.unwrap()).await;
        goes_on(&world, &server).await;
    }
}

async fn plain(world: &World, server: &Served, alpn: &[&str]) -> Link {
    let socket = TcpStream::connect(server.address).await.unwrap();
    let tls = Arc::new(world.client_tls(alpn));
    Link::connect(tls, socket, None).await.unwrap()
}

/// Everything up to `close_notify`; without one, reading fails.
async fn to_the_end(link: &mut Link) -> Vec<u8> {
    let mut rest = Vec::new();
    let reading = tokio::time::timeout(PATIENCE, link.tls.read_to_end(&mut rest));
    let read = reading.await.expect("the server closes");
    read.expect("the server says goodbye");
    rest
}

#[tokio::test]
async fn pipelined_requests_of_a_plain_client_get_one_answer() {
    let world = World::new();
    let server = world.serve(terms(&world)).await;
    let mut link = plain(&world, &server, &["http/1.1"]).await;
    let request = b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n".repeat(5);
    link.tls.write_all(&request).await.unwrap();
    link.tls.flush().await.unwrap();
    let answer = String::from_utf8(to_the_end(&mut link).await).unwrap();
    assert!(answer.starts_with("HTTP/1.1 403"), "{answer}");
    assert_eq!(answer.matches("HTTP/1.1").count(), 1);
    goes_on(&world, &server).await;
}

#[tokio::test]
async fn every_refusal_ends_with_a_goodbye() {
    let world = World::new();
    let server = world
        .serve(terms(&world).first_byte(LIMIT).deadline(LIMIT))
        .await;

    // Silence, no HTTP at all, half a frame, and a frame that nobody asked for.
    for bytes in [&[][..], b"\0\0\0", &[REQUEST, 0], &[VERDICT, 0, 0, 0, 0]] {
        let mut link = plain(&world, &server, &[]).await;
        link.tls.write_all(bytes).await.unwrap();
        link.tls.flush().await.unwrap();
        wait_settled(LIMIT).await;
        to_the_end(&mut link).await;
    }

    // A client that speaks the protocol and cannot attest.
    let mut link = plain(&world, &server, &[]).await;
    let formats = world.about_servers().media_types();
    let parameters = Parameters::client(formats, true, CanAttest::No);
    let (request, _) =
        atls_core::exchange::request(&link, &demo::provider(), Some(&parameters)).unwrap();
    link.write(REQUEST, &request).await.unwrap();
    let verdict = to_the_end(&mut link).await;
    assert_eq!(verdict.first(), Some(&VERDICT));
    goes_on(&world, &server).await;
}

#[tokio::test]
async fn an_acceptor_without_http_says_goodbye_to_a_plain_client() {
    let world = World::new();
    let acceptor = ServerAcceptor::new(world.server_tls(), terms(&world)).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let accepting = tokio::spawn(async move {
        let (socket, _) = listener.accept().await.unwrap();
        acceptor.accept(socket).await
    });
    let socket = TcpStream::connect(address).await.unwrap();
    let tls = Arc::new(world.client_tls(&[]));
    let mut link = Link::connect(tls, socket, None).await.unwrap();
    link.tls.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
    link.tls.flush().await.unwrap();
    assert_eq!(to_the_end(&mut link).await, b"");
    drop(link);
    assert!(accepting.await.unwrap().unwrap_err().is_peer_unattested());
}

/// Those who dawdle with a request that would be refused anyway hold no place for long.
#[tokio::test]
async fn plain_clients_that_dawdle_make_room() {
    let world = World::new();
    let acceptor = ServerAcceptor::new(world.server_tls(), terms(&world)).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let builder = AttestedListener::builder(acceptor).pending(1);
    let server = Served::over(builder.over(listener).unwrap());
    let mut link = plain(&world, &server, &["http/1.1"]).await;
    link.tls.write_all(b"GET / HTTP/1.1\r\n").await.unwrap();
    link.tls.flush().await.unwrap();
    wait_settled(LIMIT).await;
    goes_on(&world, &server).await;
    to_the_end(&mut link).await;
}

/// Its first byte was read to tell that it does not attest. The clock of this test stands still, so that whatever is kept back is a timeout
/// at once.
#[tokio::test(start_paused = true)]
async fn what_a_plain_client_and_its_server_say_to_each_other_arrives_whole() {
    let world = World::new();
    let asks_nobody = ServerTerms::new().attester(world.server_device.clone());
    let acceptor = ServerAcceptor::new(world.server_tls(), asks_nobody).unwrap();
    // Less than an answer: the rest of it waits for the flush.
    let (near, far) = tokio::io::duplex(1024);
    let client = async {
        let tls = TlsConnector::from(Arc::new(world.client_tls(&[])));
        let name = "localhost".try_into().unwrap();
        let mut tls = tls.connect(name, far).await.unwrap();
        tls.write_all(b"question").await.unwrap();
        tls.flush().await.unwrap();
        let mut answer = vec![0; 6 + LONG];
        tls.read_exact(&mut answer).await.unwrap();
        tls.write_all(b"thanks").await.unwrap();
        tls.flush().await.unwrap();
        let mut rest = Vec::new();
        tls.read_to_end(&mut rest).await.expect("a goodbye");
        (answer, rest)
    };
    let server = async {
        let mut stream = acceptor.accept(near).await.unwrap();
        let mut question = [0; 8];
        stream.read_exact(&mut question).await.unwrap();
        let parts = [IoSlice::new(b"an"), IoSlice::new(b"swer")];
        assert_eq!(stream.write_vectored(&parts).await.unwrap(), 6);
        stream.write_all(&[7; LONG]).await.unwrap();
        stream.flush().await.unwrap();
        let mut thanks = [0; 6];
        stream.read_exact(&mut thanks).await.unwrap();
        stream.shutdown().await.unwrap();
        (question, thanks)
    };
    let both = async { tokio::join!(client, server) };
    let both = tokio::time::timeout(Duration::from_secs(60), both).await;
    let ((answer, rest), (question, thanks)) = both.expect("nothing is kept back");
    assert_eq!((&question, &thanks), (b"question", b"thanks"));
    assert_eq!(answer, [&b"answer"[..], &[7; LONG]].concat());
    assert_eq!(rest, b"");
}

/// Bytes of an answer that no transport here takes at once.
const LONG: usize = 16 * 1024;

/// More than an honest client needs, however busy the machine is, and than a refused one gets.
const LIMIT: Duration = Duration::from_secs(30);
