//! Ends that keep no rule: they attest, have no end of their own, heed no goodbye, and go on for as long as they are let.

use std::net::SocketAddr;
use std::sync::Arc;

use adversary::AUTHENTICATOR;
use adversary::Link;
use adversary::REQUEST;
use adversary::VERDICT;
use atls_core::Attester;
use atls_core::exchange::CanAttest;
use atls_core::exchange::Challenge;
use atls_core::exchange::Parameters;
use end_to_end::World;
use end_to_end::load;
use tokio::net::TcpListener;
use tokio::net::TcpStream;

/// A client of a server that demands attestation, before its first request. It tells the server that its attestation is good for an
/// hour: the client's own is what ends.
pub(crate) async fn attested_client(world: &World, address: SocketAddr, alpn: &str) -> Link {
    let socket = TcpStream::connect(address).await.unwrap();
    let tls = Arc::new(world.client_tls(&[alpn]));
    let identity = load(&World::new().issued);
    let mut link = Link::connect(tls, socket, Some(identity)).await.unwrap();
    let formats = world.about_servers().media_types();
    let parameters = Parameters::client(formats, true, CanAttest::AfterServer);
    let asking = atls_core::exchange::request(&link, &demo::provider(), Some(&parameters));
    let (request, pending) = asking.unwrap();
    link.write(REQUEST, &request).await.unwrap();
    let asked = expect(&mut link, REQUEST).await;
    let challenge = Challenge::receive(&link, &asked).unwrap();
    let authenticator = expect(&mut link, AUTHENTICATOR).await;
    pending.finish(&authenticator).unwrap();
    link.write(VERDICT, &FOR_AN_HOUR).await.unwrap();
    let attesting = world.client_device.attest(challenge.to_attest().unwrap());
    let evidence = attesting.await.unwrap();
    let authenticator = challenge.answer(&evidence).unwrap();
    link.write(AUTHENTICATOR, &authenticator).await.unwrap();
    assert_eq!(expect(&mut link, VERDICT).await[0], 0, "it is accepted");
    link
}

/// A server that attested to the next client, before the first request.
pub(crate) async fn attested_server(world: &World, listener: &TcpListener, alpn: &str) -> Link {
    let (socket, _) = listener.accept().await.unwrap();
    let mut tls = world.server_tls();
    tls.alpn_protocols = vec![alpn.as_bytes().to_vec()];
    let accepting = Link::accept(Arc::new(tls), socket, world.stolen_key());
    let mut link = accepting.await.unwrap();
    let asked = expect(&mut link, REQUEST).await;
    let challenge = Challenge::receive(&link, &asked).unwrap();
    let attesting = world.server_device.attest(challenge.to_attest().unwrap());
    let evidence = attesting.await.unwrap();
    let authenticator = challenge.answer(&evidence).unwrap();
    link.write(AUTHENTICATOR, &authenticator).await.unwrap();
    assert_eq!(expect(&mut link, VERDICT).await[0], 0, "it is accepted");
    link
}

async fn expect(link: &mut Link, kind: u8) -> Vec<u8> {
    let (found, payload) = link.read().await.unwrap();
    assert_eq!(found, kind);
    payload
}

/// Accepted, for 3600 seconds.
const FOR_AN_HOUR: [u8; 5] = [0, 0, 0, 14, 16];
