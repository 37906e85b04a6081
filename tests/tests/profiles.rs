//! Versions of the draft, through every entrance: both ends are configured alike, or they part with an error that says so.
#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

use std::sync::Arc;

use adversary::AUTHENTICATOR;
use adversary::Link;
use adversary::REQUEST;
use atls_core::AppraisalError;
use atls_core::Attester;
use atls_core::Binding;
use atls_core::Fault;
use atls_core::ProtocolError;
use atls_core::Refusal;
use atls_core::WireProfile;
use atls_core::exchange::Challenge;
use atls_core::exchange::Order;
use atls_core::exchange::Parameters;
use atls_core::exchange::RefusalCode;
use atls_core::exchange::Requester;
use atls_core::session::Side;
use atls_reqwest::ResponseExt;
use atls_tower::AttestedStream;
use atls_tower::ClientConnector;
use atls_tower::ClientTerms;
use atls_tower::Error;
use atls_tower::ServerAcceptor;
use atls_tower::ServerTerms;
use atls_tower::weaker::Mode;
use atls_tower::weaker::dangerous_any_server;
use end_to_end::World;
use end_to_end::exchange_error;
use end_to_end::reqwest_client;
use end_to_end::weak;
use tokio::io::AsyncWriteExt;
use tokio::io::DuplexStream;
use tokio::net::TcpListener;
use tokio::net::TcpStream;

type Ends = (
    Result<AttestedStream<DuplexStream>, Error>,
    Result<AttestedStream<DuplexStream>, Error>,
);

#[tokio::test]
async fn both_ends_of_a_profile_attest_to_each_other_in_either_order() {
    let world = World::new();
    for profile in [WireProfile::EXPAT_03, made_up()] {
        for order in [Order::ClientLast, Order::ClientFirst] {
            let mut server = mutual_server(&world).profile(profile);
            let mut client = mutual_client(&world).profile(profile);
            if order == Order::ClientFirst {
                (server, client) = (server.client_first(), client.attest_before_server());
            }
            let (accepted, connected) = connect(&world, server, client).await;
            assert!(accepted.unwrap().peer().is_some(), "{profile}");
            assert!(connected.unwrap().peer().is_some(), "{profile}");
        }
    }
}

#[tokio::test]
async fn two_profiles_part_by_name_at_the_server_and_by_verdict_at_the_client() {
    let world = World::new();
    for (of_server, of_client) in [
        (WireProfile::EXPAT_03, made_up()),
        (made_up(), WireProfile::EXPAT_03),
    ] {
        let server = mutual_server(&world).profile(of_server);
        let client = mutual_client(&world).profile(of_client);
        let (accepted, connected) = connect(&world, server, client).await;
        let accepted = accepted.unwrap_err();
        let expected = ProtocolError::OtherProfile {
            own: of_server,
            peer: of_client.name().into(),
        };
        assert_eq!(accepted.protocol(), Some(&expected));
        assert_eq!(accepted.fault(), Fault::Peer);
        let report = accepted.report().to_string();
        assert!(
            report.contains("configure both for the same one"),
            "{report}"
        );
        let connected = connected.unwrap_err();
        assert_eq!(connected.refused_by_peer(), Some(RefusalCode::Incompatible));
        assert!(
            connected.to_string().contains("wire profile"),
            "{connected}"
        );
    }
}

#[tokio::test]
async fn reqwest_speaks_the_profile_that_it_is_given_and_no_other() {
    let world = World::new();
    let terms = ServerTerms::new().attester(world.server_device.clone());
    let server = world.serve(terms.profile(made_up())).await;
    let client = || world.client().require_peer(world.about_servers());

    let attested = client().profile(made_up()).build().unwrap();
    let response = reqwest_client(&attested).get(server.url("/")).send().await;
    assert!(response.unwrap().attestation(&attested).is_ok());

    let other = client().build().unwrap();
    let refused = reqwest_client(&other).get(server.url("/")).send().await;
    let refused = exchange_error(&refused.unwrap_err());
    assert_eq!(refused.refused_by_peer(), Some(RefusalCode::Incompatible));
    assert_eq!(server.hits(), 1);
}

/// The names are equal and the labels are not: what a peer says about itself decides nothing.
#[tokio::test]
async fn a_server_that_lies_about_its_profile_is_not_bound() {
    let world = World::new();
    let liar = profile("made-up", "Attestation", CODE);
    let server = ServerTerms::new().attester(world.server_device.clone());
    let client = ClientTerms::new().require_peer(world.about_servers());
    let (_, connected) = connect(&world, server.profile(liar), client.profile(made_up())).await;
    let refused = connected.unwrap_err();
    assert_eq!(
        refused.refusal(),
        Some(&Refusal::Appraisal(AppraisalError::NotBound))
    );
}

/// A server cannot move a client to another profile by asking in it.
#[tokio::test]
async fn a_server_that_asks_in_another_profile_is_left() {
    let world = World::new();
    for (own, asked) in [
        (WireProfile::EXPAT_03, made_up()),
        (made_up(), WireProfile::EXPAT_03),
    ] {
        let client = mutual_client(&world).profile(own);
        let (refused, _) = against(&world, client, async |link, _| {
            let (kind, _) = link.read().await.unwrap();
            assert_eq!(kind, REQUEST);
            let parameters = Parameters::server(Vec::new(), Order::ClientLast);
            let requester =
                Requester::in_profile(asked, Side::Server, &demo::provider(), Some(&parameters));
            let request = requester.unwrap().prepare().unwrap();
            link.write(REQUEST, request.as_bytes()).await.unwrap();
        })
        .await;
        let expected = ProtocolError::OtherProfile {
            own,
            peer: asked.name().into(),
        };
        assert_eq!(refused.protocol(), Some(&expected));
    }
}

/// The older profile's answer to a client of a newer one whose label alone is new: everything verifies but the Evidence.
#[tokio::test]
async fn an_answer_of_the_older_profile_is_refused_and_no_http_is_sent() {
    let world = World::new();
    let newer = profile("newer", LABEL, WireProfile::EXPAT_03.cmw_attestation());
    let older = profile(
        "newer",
        "Attestation",
        WireProfile::EXPAT_03.cmw_attestation(),
    );
    let client = ClientTerms::new()
        .require_peer(world.about_servers())
        .profile(newer);
    let (refused, sent) = against(&world, client, async |link, world| {
        let (_, request) = link.read().await.unwrap();
        let challenge = Challenge::in_profile(older, link, &request).unwrap();
        let to_attest = challenge.to_attest().unwrap();
        let evidence = world.server_device.attest(to_attest).await.unwrap();
        let answer = challenge.answer(&evidence).unwrap();
        link.write(AUTHENTICATOR, &answer).await.unwrap();
    })
    .await;
    assert_eq!(
        refused.refusal(),
        Some(&Refusal::Appraisal(AppraisalError::NotBound))
    );
    assert_eq!(sent, [3, 0, 0, 0, 5, 2, 0, 0, 0, 0], "the verdict alone");
}

/// Their values are no part of a profile, so ends of different profiles still understand each other there.
#[tokio::test]
async fn the_weaker_modes_are_the_same_in_every_profile() {
    let world = World::new();
    let server = ServerTerms::new()
        .attester(world.server_device.clone())
        .attest_in_handshake()
        .profile(made_up());
    let client = ClientTerms::new()
        .require_peer(weak(&world.server_device, Binding::Handshake))
        .servers_attest(Mode::InHandshake);
    let mut tls = world.client_tls(&[]);
    tls.dangerous()
        .set_certificate_verifier(dangerous_any_server(&demo::provider()));
    let acceptor = ServerAcceptor::new(world.server_tls(), server).unwrap();
    let connector = ClientConnector::new(tls, client).unwrap();
    let (near, far) = tokio::io::duplex(64 * 1024);
    let connecting = connector.connect("localhost".try_into().unwrap(), far);
    let connecting = async {
        let mut stream = connecting.await.unwrap();
        let binding = stream.peer().unwrap().binding();
        stream.write_all(b"GET").await.unwrap();
        stream.flush().await.unwrap();
        binding
    };
    let (accepted, binding) = tokio::join!(acceptor.accept(near), connecting);
    assert_eq!(binding, Binding::Handshake);
    assert!(accepted.is_ok());
}

async fn connect(world: &World, server: ServerTerms, client: ClientTerms) -> Ends {
    let acceptor = ServerAcceptor::new(world.server_tls(), server).unwrap();
    let connector = ClientConnector::new(world.client_tls(&[]), client).unwrap();
    let (near, far) = tokio::io::duplex(64 * 1024);
    let connecting = connector.connect("localhost".try_into().unwrap(), far);
    tokio::join!(acceptor.accept(near), connecting)
}

/// The error of a client whose server does as a script says, and what the client sent after that.
async fn against(
    world: &World,
    client: ClientTerms,
    script: impl AsyncFnOnce(&mut Link, &World),
) -> (Error, Vec<u8>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = async {
        let (socket, _) = listener.accept().await.unwrap();
        let tls = Arc::new(world.server_tls());
        let mut link = Link::accept(tls, socket, world.stolen_key()).await.unwrap();
        script(&mut link, world).await;
        link.drain().await
    };
    let connecting = async {
        let connector = ClientConnector::new(world.client_tls(&[]), client).unwrap();
        let socket = TcpStream::connect(address).await.unwrap();
        let connected = connector.connect("localhost".try_into().unwrap(), socket);
        connected.await.unwrap_err()
    };
    let (error, sent) = tokio::join!(connecting, server);
    (error, sent)
}

fn mutual_server(world: &World) -> ServerTerms {
    ServerTerms::new()
        .attester(world.server_device.clone())
        .require_peer(world.about_clients())
}

fn mutual_client(world: &World) -> ClientTerms {
    ClientTerms::new()
        .attester(world.client_device.clone())
        .require_peer(world.about_servers())
}

/// Of no draft, and unlike every other.
fn made_up() -> WireProfile {
    profile("made-up", LABEL, CODE)
}

fn profile(name: &'static str, label: &'static str, code: u16) -> WireProfile {
    WireProfile::dangerous_unpublished(name, label, code).unwrap()
}

const LABEL: &str = "EXPORTER-made-up";
const CODE: u16 = 0xff77;
