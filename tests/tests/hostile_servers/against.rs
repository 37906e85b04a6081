//! A client of ours against a server that a test works by hand.

use std::sync::Arc;
use std::time::Duration;

use adversary::Link;
use adversary::REQUEST;
use atls_core::Attester;
use atls_core::exchange::Challenge;
use atls_tower::AttestedStream;
use atls_tower::ClientConnector;
use atls_tower::ClientTerms;
use atls_tower::Error;
use end_to_end::World;
use end_to_end::time::PATIENCE;
use end_to_end::time::wait_settled;
use tokio::net::TcpListener;
use tokio::net::TcpStream;
use tokio::sync::oneshot;

/// The outcome of one connection of our client to a server that does as a script says.
pub(crate) struct Outcome {
    pub(crate) connected: Result<AttestedStream<TcpStream>, Error>,
    /// The bytes that the server was sent behind the script, up to the close.
    pub(crate) sent: Vec<u8>,
    _server: Link,
}

pub(crate) async fn against(
    terms: fn(&World, ClientTerms) -> ClientTerms,
    script: impl AsyncFnOnce(&mut Link, &World),
) -> Outcome {
    let world = World::new();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (accepted, is_accepted) = oneshot::channel();
    let server = async {
        let (socket, _) = listener.accept().await.unwrap();
        // Who writes little by little would wait for what the other end acknowledges late.
        socket.set_nodelay(true).unwrap();
        let tls = Arc::new(world.server_tls());
        let mut link = Link::accept(tls, socket, world.stolen_key()).await.unwrap();
        script(&mut link, &world).await;
        let drained = tokio::time::timeout(PATIENCE, link.drain());
        let sent = tokio::select! {
            drained = drained => drained.expect("the client closes"),
            Ok(()) = is_accepted => Vec::new(),
        };
        (sent, link)
    };
    let client = async {
        let demands = ClientTerms::new().require_peer(world.about_servers());
        let demands = terms(&world, demands.deadline(LIMIT));
        let tls = world.client_tls(&["http/1.1"]);
        let connector = ClientConnector::new(tls, demands).unwrap();
        let socket = TcpStream::connect(address).await.unwrap();
        socket.set_nodelay(true).unwrap();
        let name = "localhost".try_into().unwrap();
        let connected = connector.connect(name, socket).await;
        if connected.is_ok() {
            accepted.send(()).unwrap();
        }
        connected
    };
    let (connected, (sent, link)) = tokio::join!(client, server);
    Outcome {
        connected,
        sent,
        _server: link,
    }
}

pub(crate) fn as_is(_: &World, terms: ClientTerms) -> ClientTerms {
    terms
}

pub(crate) fn attesting(world: &World, terms: ClientTerms) -> ClientTerms {
    terms.attester(world.client_device.clone())
}

/// Lets the client's time pass.
pub(crate) async fn outlast() {
    wait_settled(LIMIT).await;
}

/// Reads the client's request and makes a good authenticator for it.
pub(crate) async fn good_authenticator(link: &mut Link, world: &World) -> Vec<u8> {
    let (kind, request) = link.read().await.unwrap();
    assert_eq!(kind, REQUEST);
    let challenge = Challenge::receive(link, &request).unwrap();
    let evidence = world
        .server_device
        .attest(challenge.to_attest().unwrap())
        .await
        .unwrap();
    challenge.answer(&evidence).unwrap()
}

/// What the client gives its server: more than an honest one needs, however busy the machine is.
const LIMIT: Duration = Duration::from_secs(30);
