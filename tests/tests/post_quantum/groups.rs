//! The group of the key exchange: hybrid by default, known to both ends, demanded by policy.

use std::sync::Arc;

use atls_core::Fault;
use atls_core::PolicyViolation;
use atls_core::Refusal;
use atls_core::RelyingParty;
use atls_core::policy::RequireHybridGroup;
use atls_core::session::NotKnown;
use atls_reqwest::AttestedBuilder;
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
use end_to_end::lenient;
use end_to_end::reqwest_client;
use end_to_end::weak;
use rustls::CipherSuite;
use rustls::ClientConfig;
use rustls::NamedGroup;
use rustls::ProtocolVersion;
use rustls::SignatureScheme;
use rustls::crypto::CryptoProvider;
use rustls::crypto::SupportedKxGroup;
use rustls::crypto::aws_lc_rs::kx_group::SECP256R1;
use rustls::crypto::aws_lc_rs::kx_group::SECP256R1MLKEM768;
use rustls::crypto::aws_lc_rs::kx_group::X25519;
use rustls::crypto::aws_lc_rs::kx_group::X25519MLKEM768;
use tokio::io::DuplexStream;

#[tokio::test]
async fn two_default_ends_agree_on_a_hybrid_and_both_know_their_connection() {
    let world = World::new();
    let terms = demanding(&world);
    let (accepted, connected) = connect(&world, tls(&world, demo::provider()), terms).await;
    for stream in [accepted.unwrap(), connected.unwrap()] {
        let facts = stream.peer().unwrap().tls();
        assert_eq!(facts.version(), ProtocolVersion::TLSv1_3);
        assert_eq!(facts.suite(), Ok(CipherSuite::TLS13_AES_256_GCM_SHA384));
        assert_eq!(facts.group(), Ok(NamedGroup::X25519MLKEM768));
        let scheme = facts.leaf_scheme().unwrap();
        let known = [
            SignatureScheme::ECDSA_NISTP256_SHA256,
            SignatureScheme::ED25519,
        ];
        assert!(known.contains(&scheme), "{facts}");
    }
}

#[tokio::test]
async fn every_hybrid_satisfies_a_policy_that_demands_one() {
    let world = World::new();
    for group in [X25519MLKEM768, SECP256R1MLKEM768] {
        let (accepted, connected) =
            connect(&world, tls(&world, of_groups(&[group])), demanding(&world)).await;
        assert!(connected.is_ok() && accepted.is_ok(), "{group:?}");
    }
}

/// Also where the server would have had a hybrid: either end can bring a connection down to a curve.
#[tokio::test]
async fn a_curve_alone_is_refused_by_whichever_end_demands_a_hybrid() {
    let world = World::new();
    for group in [X25519, SECP256R1] {
        let client = tls(&world, of_groups(&[group]));
        let (_, refused) = connect(&world, client.clone(), demanding(&world)).await;
        let refused = refused.unwrap_err();
        assert_eq!(
            violation(&refused),
            PolicyViolation::NotHybrid(group.name())
        );
        assert_eq!(refused.fault(), Fault::Peer);

        // The client demands nothing; the server does.
        let terms = ClientTerms::new()
            .require_peer(world.about_servers())
            .attester(world.client_device.clone());
        let (refused, _) = connect(&world, client, terms).await;
        assert_eq!(
            violation(&refused.unwrap_err()),
            PolicyViolation::NotHybrid(group.name())
        );
    }
}

/// reqwest shows no group, so a policy that needs it refuses before HTTP.
#[tokio::test]
async fn reqwest_does_not_know_a_group_that_it_had_a_choice_of() {
    let world = World::new();
    let server = world.serve_attested().await;
    let attested = client(&world, demo::provider()).require_peer(world.about_servers());
    let attested = attested.build().unwrap();
    let response = reqwest_client(&attested).get(server.url("/")).send().await;
    let facts = response.unwrap().attestation(&attested).unwrap().tls();
    assert_eq!(facts.group(), Err(NotKnown::StreamOutOfReach));
    assert_eq!(facts.version(), ProtocolVersion::TLSv1_3);
    // The one suite with SHA-384.
    assert_eq!(facts.suite(), Ok(CipherSuite::TLS13_AES_256_GCM_SHA384));
    assert_eq!(
        facts.leaf_scheme(),
        Ok(SignatureScheme::ECDSA_NISTP256_SHA256)
    );

    let demands = client(&world, demo::provider()).require_peer(hybrid(&world));
    let refused = reqwest_client(&demands.build().unwrap())
        .get(server.url("/"))
        .send()
        .await;
    let refused = exchange_error(&refused.unwrap_err());
    let expected = PolicyViolation::GroupNotKnown(NotKnown::StreamOutOfReach);
    assert_eq!(violation(&refused), expected);
    assert_eq!(refused.fault(), Fault::Local, "the peer did nothing wrong");
    assert_eq!(server.hits(), 1);
}

#[tokio::test]
async fn reqwest_knows_the_group_that_it_had_no_choice_of() {
    let world = World::new();
    let server = world.serve_attested().await;
    let demands = client(&world, demo::hybrid_provider()).require_peer(hybrid(&world));
    let attested = demands.build().unwrap();
    let response = reqwest_client(&attested).get(server.url("/")).send().await;
    let facts = response.unwrap().attestation(&attested).unwrap().tls();
    assert_eq!(facts.group(), Ok(NamedGroup::X25519MLKEM768));

    let curve = client(&world, of_groups(&[X25519])).require_peer(hybrid(&world));
    let refused = reqwest_client(&curve.build().unwrap())
        .get(server.url("/"))
        .send()
        .await;
    let refused = exchange_error(&refused.unwrap_err());
    assert_eq!(
        violation(&refused),
        PolicyViolation::NotHybrid(NamedGroup::X25519)
    );
    assert_eq!(server.hits(), 1);
}

/// Two suites have SHA-256.
#[tokio::test]
async fn reqwest_does_not_guess_among_suites_of_one_hash() {
    let world = World::new();
    let server = world.serve_attested().await;
    let mut provider = (*demo::provider()).clone();
    let suites = &mut provider.cipher_suites;
    suites.retain(|suite| suite.suite() != CipherSuite::TLS13_AES_256_GCM_SHA384);
    let attested = client(&world, Arc::new(provider)).require_peer(world.about_servers());
    let attested = attested.build().unwrap();
    let response = reqwest_client(&attested).get(server.url("/")).send().await;
    let facts = response.unwrap().attestation(&attested).unwrap().tls();
    assert_eq!(facts.suite(), Err(NotKnown::StreamOutOfReach));
}

#[tokio::test]
async fn the_weaker_modes_know_the_group_and_no_scheme() {
    let world = World::new();
    let server = ServerTerms::new()
        .attester(world.server_device.clone())
        .attest_in_handshake();
    let terms = ClientTerms::new()
        .require_peer(weak(&world.server_device, atls_core::Binding::Handshake))
        .servers_attest(Mode::InHandshake);
    let mut tls = tls(&world, demo::provider());
    tls.dangerous()
        .set_certificate_verifier(dangerous_any_server(&demo::provider()));
    let acceptor = ServerAcceptor::new(world.server_tls(), server).unwrap();
    let connector = ClientConnector::new(tls, terms).unwrap();
    let (near, far) = tokio::io::duplex(64 * 1024);
    let accepting = tokio::spawn(async move { acceptor.accept(near).await });
    let stream = connector
        .connect("localhost".try_into().unwrap(), far)
        .await;
    let facts = stream.unwrap().peer().unwrap().tls();
    assert_eq!(facts.group(), Ok(NamedGroup::X25519MLKEM768));
    assert_eq!(facts.leaf_scheme(), Err(NotKnown::NoAuthenticator));
    accepting.abort();
}

type Ends = (
    Result<AttestedStream<DuplexStream>, Error>,
    Result<AttestedStream<DuplexStream>, Error>,
);

/// The server attests and demands a hybrid of clients.
async fn connect(world: &World, client: ClientConfig, terms: ClientTerms) -> Ends {
    let clients = lenient(&world.client_device).policy(RequireHybridGroup);
    let server = ServerTerms::new()
        .attester(world.server_device.clone())
        .require_peer(Arc::new(clients.build().unwrap()));
    let mut tls = demo_server(world);
    tls.time_provider = world.clock.clone();
    let acceptor = ServerAcceptor::new(tls, server).unwrap();
    let connector = ClientConnector::new(client, terms).unwrap();
    let (near, far) = tokio::io::duplex(64 * 1024);
    let connecting = connector.connect("localhost".try_into().unwrap(), far);
    tokio::join!(acceptor.accept(near), connecting)
}

/// A server that takes every group.
fn demo_server(world: &World) -> rustls::ServerConfig {
    let groups = [X25519MLKEM768, SECP256R1MLKEM768, X25519, SECP256R1];
    rustls::ServerConfig::builder_with_provider(of_groups(&groups))
        .with_protocol_versions(&[&rustls::version::TLS13])
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(world.issued.chain.clone(), world.issued.key.clone_key())
        .unwrap()
}

/// A client that attests, and demands attestation and a hybrid.
fn demanding(world: &World) -> ClientTerms {
    ClientTerms::new()
        .require_peer(hybrid(world))
        .attester(world.client_device.clone())
}

fn hybrid(world: &World) -> Arc<RelyingParty> {
    let party = lenient(&world.server_device).policy(RequireHybridGroup);
    Arc::new(party.build().unwrap())
}

fn tls(world: &World, provider: Arc<CryptoProvider>) -> ClientConfig {
    ClientConfig::builder_with_details(provider, world.clock.clone())
        .with_protocol_versions(&[&rustls::version::TLS13])
        .unwrap()
        .with_root_certificates(world.authority.roots().unwrap())
        .with_no_client_auth()
}

fn client(world: &World, provider: Arc<CryptoProvider>) -> AttestedBuilder {
    atls_reqwest::Attested::builder(provider)
        .roots(world.authority.roots().unwrap())
        .time_provider(world.clock.clone())
}

fn of_groups(groups: &[&'static dyn SupportedKxGroup]) -> Arc<CryptoProvider> {
    let mut provider = (*demo::provider()).clone();
    provider.kx_groups = groups.to_vec();
    Arc::new(provider)
}

fn violation(error: &Error) -> PolicyViolation {
    match error.refusal() {
        Some(Refusal::Policy(violation)) => violation.clone(),
        other => panic!("{other:?}"),
    }
}
