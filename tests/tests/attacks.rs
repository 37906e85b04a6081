//! The attacks of the literature on attested TLS, run against the post-handshake mode. The attacker is in the middle, has a
//! trusted certificate for the server's name, and where the name of a test says so, the server's own leaf key.
//!
//! | | attack | tests |
//! |---|---|---|
//! | R1, R2, R3 | replay: across connections, within one, of a context | `replay_…` |
//! | L1, L2, L4 | relay: without and with the leaked leaf key, through an honest proxy | `relay_…` |
//! | D1 | diversion to another attested machine | `diversion_…` |
//! | K1 | key substitution | `key_substitution_…` |
//! | X1, X2 | reflection, crossing the Evidence of the two ends | `reflection_…`, `crossing_…` |
//! | P1 | a passport of another connection | `a_passport_…` |
//! | T1, T2, T3 | tickets, gating, pooling | `tickets_…`, `early_data_…`, `pooling_…`; gating is in `hostile_clients` and `hostile_servers` |
//!
//! K2 (malformed binding) is in the laboratory (`tests/attacks`), in all three modes, and in the tests of each platform; N1, N2,
//! N4 are in the core's.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::sync::Arc;

use adversary::AUTHENTICATOR;
use adversary::Link;
use adversary::REQUEST;
use atls_core::AppraisalError;
use atls_core::Attester;
use atls_core::Candidate;
use atls_core::PolicyViolation;
use atls_core::ProtocolError;
use atls_core::Refusal;
use atls_core::Verifier;
use atls_core::cmw::Cmw;
use atls_core::exchange::Challenge;
use atls_reqwest::Attested;
use atls_reqwest::Http;
use atls_reqwest::ResponseExt;
use atls_sim::SimAttester;
use atls_sim::SimClaims;
use atls_sim::SimVerifier;
use atls_tower::ServerTerms;
use demo::Issued;
use end_to_end::PassportOffice;
use end_to_end::Served;
use end_to_end::World;
use end_to_end::exchange_error;
use end_to_end::lenient;
use end_to_end::load;
use end_to_end::refusal;
use end_to_end::reqwest_client;
use tokio::net::TcpListener;
use tokio::net::TcpStream;

/// A man in the middle: victims connect to him, and he may connect to the genuine server.
struct Middle {
    listener: TcpListener,
    certificate: Issued,
    genuine: std::net::SocketAddr,
}

impl Middle {
    async fn new(certificate: Issued, genuine: &Served) -> Self {
        Self {
            listener: TcpListener::bind("127.0.0.1:0").await.unwrap(),
            certificate,
            genuine: genuine.address,
        }
    }

    /// With a certificate for the server's name that he should not have got, over a key of his own.
    async fn misissued(world: &World, genuine: &Served) -> Self {
        Self::new(world.authority.issue().unwrap(), genuine).await
    }

    /// With the server's own certificate and key.
    async fn with_leaked_key(world: &World, genuine: &Served) -> Self {
        let stolen = Issued {
            chain: world.issued.chain.clone(),
            key: world.issued.key.clone_key(),
        };
        Self::new(stolen, genuine).await
    }

    fn url(&self) -> String {
        format!(
            "https://localhost:{}/",
            self.listener.local_addr().unwrap().port()
        )
    }

    /// The victim's connection, ended here.
    async fn victim(&self) -> Link {
        let (socket, _) = self.listener.accept().await.unwrap();
        let tls = Arc::new(self.certificate.server().unwrap());
        Link::accept(tls, socket, load(&self.certificate))
            .await
            .unwrap()
    }

    /// A connection of his own to the genuine server.
    async fn upstream(&self, world: &World) -> Link {
        let socket = TcpStream::connect(self.genuine).await.unwrap();
        let tls = Arc::new(world.client_tls(&["h2"]));
        Link::connect(tls, socket, None).await.unwrap()
    }
}

/// Evidence that the genuine server gives to anybody who asks, over the asker's connection.
async fn harvest(link: &mut Link) -> Cmw {
    let (request, pending) = atls_core::exchange::request(link, &demo::provider(), None).unwrap();
    link.write(REQUEST, &request).await.unwrap();
    let (_, authenticator) = link.read().await.unwrap();
    pending.finish(&authenticator).unwrap().cmw().clone()
}

/// Runs the victim against the attacker. The victim must refuse, and nothing but frames may have reached the attacker.
async fn refused(
    attested: &Attested,
    middle: &Middle,
    attack: impl Future<Output = Link>,
) -> atls_tower::Error {
    let client = reqwest_client(attested);
    let victim = client.get(middle.url()).send();
    let attacker = async {
        let mut link = attack.await;
        link.drain().await
    };
    let (response, sent) = tokio::join!(victim, attacker);
    assert!(
        !sent
            .windows(3)
            .any(|bytes| bytes == b"PRI" || bytes == b"GET"),
        "a request was sent"
    );
    exchange_error(&response.unwrap_err())
}

#[tokio::test]
async fn replay_of_evidence_across_connections_fails_even_with_the_leaked_key() {
    let world = World::new();
    let server = world.serve_attested().await;
    let middle = Middle::with_leaked_key(&world, &server).await;
    let recorded = harvest(&mut middle.upstream(&world).await).await;
    let attack = async {
        let mut link = middle.victim().await;
        let (_, request) = link.read().await.unwrap();
        let challenge = Challenge::receive(&link, &request).unwrap();
        link.write(AUTHENTICATOR, &challenge.answer(&recorded).unwrap())
            .await
            .unwrap();
        link
    };
    let error = refused(&world.demanding(), &middle, attack).await;
    assert_eq!(
        error.refusal(),
        Some(&Refusal::Appraisal(AppraisalError::NotBound))
    );
}

#[tokio::test]
async fn replay_of_an_authenticator_across_connections_fails() {
    let world = World::new();
    let server = world.serve_attested().await;
    let middle = Middle::with_leaked_key(&world, &server).await;
    let mut upstream = middle.upstream(&world).await;
    let (request, _) = atls_core::exchange::request(&upstream, &demo::provider(), None).unwrap();
    upstream.write(REQUEST, &request).await.unwrap();
    let (_, recorded) = upstream.read().await.unwrap();
    let attack = async {
        let mut link = middle.victim().await;
        link.read().await.unwrap();
        link.write(AUTHENTICATOR, &recorded).await.unwrap();
        link
    };
    let error = refused(&world.demanding(), &middle, attack).await;
    assert_eq!(error.protocol(), Some(&ProtocolError::ContextMismatch));
}

#[tokio::test]
async fn replay_within_a_connection_fails_for_authenticator_and_evidence() {
    let world = World::new();
    let (near, far) = link_pair(&world).await;
    let ask = || atls_core::exchange::request(&near, &demo::provider(), None).unwrap();
    let (first_request, first_pending) = ask();
    let challenge = Challenge::receive(&far, &first_request).unwrap();
    let old = world
        .server_device
        .attest(challenge.to_attest().unwrap())
        .await
        .unwrap();
    let first = challenge.answer(&old).unwrap();
    let party = world.about_servers();
    let now = rustls::time_provider::TimeProvider::current_time(&*world.clock).unwrap();
    assert!(
        party
            .appraise(first_pending.finish(&first).unwrap(), now)
            .await
            .is_ok()
    );
    // Asked again on the same connection: the first answer verbatim,
    let (_, pending) = ask();
    assert_eq!(
        pending.finish(&first).unwrap_err(),
        ProtocolError::ContextMismatch
    );
    // and a new answer around the old Evidence.
    let (request, pending) = ask();
    let again = Challenge::receive(&far, &request)
        .unwrap()
        .answer(&old)
        .unwrap();
    let refused = party
        .appraise(pending.finish(&again).unwrap(), now)
        .await
        .unwrap_err();
    assert_eq!(refused, Refusal::Appraisal(AppraisalError::NotBound));
}

#[tokio::test]
async fn replay_of_a_context_in_the_other_direction_fails() {
    let world = World::new();
    let (near, far) = link_pair(&world).await;
    let (mut request, _) = atls_core::exchange::request(&near, &demo::provider(), None).unwrap();
    Challenge::receive(&far, &request).unwrap();
    // The server asks the client with the client's own context.
    request[0] = 13;
    assert_eq!(
        Challenge::receive(&near, &request).unwrap_err(),
        ProtocolError::ContextSpent
    );
}

#[tokio::test]
async fn relay_of_request_and_authenticator_fails() {
    let world = World::new();
    let server = world.serve_attested().await;
    for leaked in [false, true] {
        let middle = match leaked {
            false => Middle::misissued(&world, &server).await,
            true => Middle::with_leaked_key(&world, &server).await,
        };
        let attack = async {
            let mut link = middle.victim().await;
            let (_, request) = link.read().await.unwrap();
            let mut upstream = middle.upstream(&world).await;
            upstream.write(REQUEST, &request).await.unwrap();
            let (_, authenticator) = upstream.read().await.unwrap();
            link.write(AUTHENTICATOR, &authenticator).await.unwrap();
            link
        };
        let error = refused(&world.demanding(), &middle, attack).await;
        assert_eq!(
            error.protocol(),
            Some(&ProtocolError::BadFinished),
            "leaked: {leaked}"
        );
    }
}

/// The attack that the binding to the connection exists for: the intra-handshake and pre-handshake modes fall to it.
#[tokio::test]
async fn relay_of_evidence_under_the_leaked_key_fails() {
    let world = World::new();
    let server = world.serve_attested().await;
    let middle = Middle::with_leaked_key(&world, &server).await;
    let attack = async {
        let mut link = middle.victim().await;
        let (_, request) = link.read().await.unwrap();
        let challenge = Challenge::receive(&link, &request).unwrap();
        // He asks the genuine server with the victim's very context.
        let mut upstream = middle.upstream(&world).await;
        upstream.write(REQUEST, &request).await.unwrap();
        let (_, authenticator) = upstream.read().await.unwrap();
        let evidence = evidence_in(&authenticator, &world);
        link.write(AUTHENTICATOR, &challenge.answer(&evidence).unwrap())
            .await
            .unwrap();
        link
    };
    let error = refused(&world.demanding(), &middle, attack).await;
    assert_eq!(
        error.refusal(),
        Some(&Refusal::Appraisal(AppraisalError::NotBound))
    );
}

#[tokio::test]
async fn relay_through_an_honest_proxy_that_ends_tls_fails() {
    let world = World::new();
    let server = world.serve_attested().await;
    let middle = Middle::with_leaked_key(&world, &server).await;
    let client = reqwest_client(&world.demanding());
    let victim = client.get(middle.url()).send();
    let proxy = async {
        let mut link = middle.victim().await;
        let mut upstream = middle.upstream(&world).await;
        let _ = tokio::io::copy_bidirectional(&mut link.tls, &mut upstream.tls).await;
    };
    let (response, ()) = tokio::join!(victim, proxy);
    let error = exchange_error(&response.unwrap_err());
    assert_eq!(error.protocol(), Some(&ProtocolError::BadFinished));
    assert_eq!(server.hits(), 0);
}

#[tokio::test]
async fn diversion_to_another_attested_machine_fails_by_its_certificate() {
    let (world, elsewhere) = (World::new(), World::new());
    let other = elsewhere.serve_attested().await;
    // The client even trusts the other machine's device.
    let both = SimVerifier::new(world.server_device.trust_anchor())
        .with_trust_anchor(elsewhere.server_device.trust_anchor());
    let attested = demanding(&world, both, |_| Ok(()));
    let error = reqwest_client(&attested)
        .get(other.url("/"))
        .send()
        .await
        .unwrap_err();
    assert!(error.is_connect());
    assert!(
        exchange_error(&error).is_tls() && exchange_error(&error).is_peer(),
        "TLS refuses: {error:?}"
    );
    assert_eq!(other.hits(), 0);
}

/// With a certificate for the name as well, another genuine machine is another genuine machine: only a policy that names
/// the instance tells them apart. The second half shows that it would pass without.
#[tokio::test]
async fn diversion_with_a_misissued_certificate_fails_by_the_instance_only() {
    let world = World::new();
    let other_device = Arc::new(SimAttester::generate().unwrap());
    let tls = world.authority.server().unwrap();
    let terms = ServerTerms::new().attester(other_device.clone());
    let other = world.serve_with(terms, tls).await;
    let both = || {
        SimVerifier::new(world.server_device.trust_anchor())
            .with_trust_anchor(other_device.trust_anchor())
    };
    let ours = world.server_device.trust_anchor().instance_id().to_vec();
    let pinned = move |peer: &Candidate| match peer.claims::<SimClaims>() {
        Ok(claims) if claims.instance_id == ours => Ok(()),
        _ => Err(PolicyViolation::custom("another machine")),
    };
    let error = reqwest_client(&demanding(&world, both(), pinned))
        .get(other.url("/"))
        .send()
        .await;
    let refused = Refusal::Policy(PolicyViolation::custom("another machine"));
    assert_eq!(
        exchange_error(&error.unwrap_err()).refusal(),
        Some(&refused)
    );
    assert_eq!(other.hits(), 0);
    let unpinned = demanding(&world, both(), |_| Ok(()));
    assert!(
        reqwest_client(&unpinned)
            .get(other.url("/"))
            .send()
            .await
            .is_ok()
    );
}

#[tokio::test]
async fn key_substitution_fails_under_either_key() {
    let world = World::new();
    let server = world.serve_attested().await;
    // The genuine key in the authenticator, his own in TLS,
    let middle = Middle::misissued(&world, &server).await;
    let attack = async {
        let mut link = middle.victim().await;
        let (_, request) = link.read().await.unwrap();
        let challenge =
            Challenge::receive(&link.with_identity(world.stolen_key()).unwrap(), &request).unwrap();
        let evidence = world
            .server_device
            .attest(challenge.to_attest().unwrap())
            .await
            .unwrap();
        let authenticator = challenge.answer(&evidence).unwrap();
        link.write(AUTHENTICATOR, &authenticator).await.unwrap();
        link
    };
    let error = refused(&world.demanding(), &middle, attack).await;
    assert_eq!(error.protocol(), Some(&ProtocolError::KeyMismatch));
    // and Evidence about the genuine key, on this very connection, in an authenticator under his.
    let middle = Middle::misissued(&world, &server).await;
    let attack = async {
        let mut link = middle.victim().await;
        let (_, request) = link.read().await.unwrap();
        let genuine =
            Challenge::receive(&link.with_identity(world.stolen_key()).unwrap(), &request).unwrap();
        let evidence = world
            .server_device
            .attest(genuine.to_attest().unwrap())
            .await
            .unwrap();
        let challenge = Challenge::receive(&link, &request).unwrap();
        link.write(AUTHENTICATOR, &challenge.answer(&evidence).unwrap())
            .await
            .unwrap();
        link
    };
    let error = refused(&world.demanding(), &middle, attack).await;
    assert_eq!(
        error.refusal(),
        Some(&Refusal::Appraisal(AppraisalError::NotBound))
    );
}

#[tokio::test]
async fn reflection_of_the_clients_own_authenticator_fails() {
    let world = World::new();
    let server = world.serve_attested().await;
    let middle = Middle::with_leaked_key(&world, &server).await;
    let attested = first(&world, &world.server_device);
    let attack = async {
        let mut link = middle.victim().await;
        link.read().await.unwrap();
        let authenticator = lure(&mut link, &world).await;
        link.write(AUTHENTICATOR, &authenticator).await.unwrap();
        link
    };
    let error = refused(&attested, &middle, attack).await;
    assert_eq!(error.protocol(), Some(&ProtocolError::ContextMismatch));
}

/// Client and server are the same kind of machine, and the client attests first: its Evidence comes back to it.
#[tokio::test]
async fn crossing_the_evidence_of_the_two_ends_fails() {
    let world = World::new();
    let server = world.serve_attested().await;
    let middle = Middle::with_leaked_key(&world, &server).await;
    let attested = first(&world, &world.server_device);
    let attack = async {
        let mut link = middle.victim().await;
        let (_, request) = link.read().await.unwrap();
        let challenge = Challenge::receive(&link, &request).unwrap();
        let authenticator = lure(&mut link, &world).await;
        let evidence = evidence_in(&authenticator, &world);
        link.write(AUTHENTICATOR, &challenge.answer(&evidence).unwrap())
            .await
            .unwrap();
        link
    };
    let error = refused(&attested, &middle, attack).await;
    assert_eq!(
        error.refusal(),
        Some(&Refusal::Appraisal(AppraisalError::NotBound))
    );
}

#[tokio::test]
async fn tickets_are_not_given() {
    let world = World::new();
    let server = world.serve(ServerTerms::plain()).await;
    let socket = TcpStream::connect(server.address).await.unwrap();
    let tls = Arc::new(world.client_tls(&["http/1.1"]));
    let mut link = Link::connect(tls, socket, None).await.unwrap();
    tokio::io::AsyncWriteExt::write_all(
        &mut link.tls,
        b"GET / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n",
    )
    .await
    .unwrap();
    assert!(link.drain().await.ends_with(b"hello"));
    let tokio_rustls::TlsStream::Client(stream) = &link.tls else {
        panic!("a client");
    };
    assert_eq!(stream.get_ref().1.tls13_tickets_received(), 0);
}

/// A client that would resume and send early data if it could finds that it cannot: no ticket, and no early data on a second
/// connection of the very same configuration.
#[tokio::test]
async fn early_data_and_resumption_are_not_possible() {
    let world = World::new();
    let server = world.serve(ServerTerms::plain()).await;
    let mut tls = world.client_tls(&["http/1.1"]);
    tls.enable_early_data = true;
    tls.resumption = rustls::client::Resumption::in_memory_sessions(8);
    let connector = tokio_rustls::TlsConnector::from(Arc::new(tls)).early_data(true);
    for _ in 0..2 {
        let socket = TcpStream::connect(server.address).await.unwrap();
        let name = "localhost".try_into().unwrap();
        let mut stream = connector.connect(name, socket).await.unwrap();
        let request = b"GET / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
        tokio::io::AsyncWriteExt::write_all(&mut stream, request)
            .await
            .unwrap();
        let mut answer = Vec::new();
        let _ = tokio::io::AsyncReadExt::read_to_end(&mut stream, &mut answer).await;
        assert!(answer.ends_with(b"hello"));
        let connection = stream.get_ref().1;
        assert!(!connection.is_early_data_accepted());
        assert_eq!(
            connection.handshake_kind(),
            Some(rustls::HandshakeKind::Full)
        );
    }
}

/// P1: results instead of Evidence. The issuer answers the attester's own binder; the relying party wants its own.
#[tokio::test]
async fn a_passport_of_another_connection_is_refused() {
    let world = World::new();
    let office = PassportOffice::new();
    let now = rustls::time_provider::TimeProvider::current_time(&*world.clock).unwrap();
    let party = atls_core::RelyingParty::builder()
        .verifier(office.verifier())
        .build()
        .unwrap();
    let (near, far) = link_pair(&world).await;
    let ask = |link: &Link| atls_core::exchange::request(link, &demo::provider(), None).unwrap();
    let (request, pending) = ask(&near);
    let challenge = Challenge::receive(&far, &request).unwrap();
    let passport = office.issue(challenge.to_attest().unwrap().bound().as_bytes(), now);
    let authenticator = challenge.answer(&passport).unwrap();
    assert!(
        party
            .appraise(pending.finish(&authenticator).unwrap(), now)
            .await
            .is_ok()
    );
    // The same passport, on another connection of the same two.
    let (near, far) = link_pair(&world).await;
    let (request, pending) = ask(&near);
    let authenticator = Challenge::receive(&far, &request)
        .unwrap()
        .answer(&passport)
        .unwrap();
    let refused = party
        .appraise(pending.finish(&authenticator).unwrap(), now)
        .await
        .unwrap_err();
    assert_eq!(refused, Refusal::Appraisal(AppraisalError::NotBound));
}

#[tokio::test]
async fn pooling_never_carries_a_decision_to_another_connection() {
    let world = World::new();
    let mut server = world.serve_attested().await;
    let attested = world
        .client()
        .require_peer(world.about_servers())
        .http(Http::One)
        .build()
        .unwrap();
    let client = reqwest_client(&attested);
    let response = client.get(server.url("/")).send().await.unwrap();
    assert!(response.attestation(&attested).is_ok());
    response.text().await.unwrap();
    // The same address is now served by somebody who has the certificate and no attestation.
    let address = server.address;
    server.stop();
    server.task.await.unwrap().unwrap();
    let listener = TcpListener::bind(address).await.unwrap();
    let acceptor =
        atls_tower::ServerAcceptor::new(world.server_tls(), ServerTerms::plain()).unwrap();
    let impostor = Served::over(atls_axum::AttestedListener::new(listener, acceptor).unwrap());
    let error = client.get(impostor.url("/")).send().await.unwrap_err();
    assert!(refusal(&error).in_exchange().unwrap().is_peer_unattested());
    assert_eq!(impostor.hits(), 0);
}

/// Two ends of one connection, nothing done on it yet.
async fn link_pair(world: &World) -> (Link, Link) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let socket = TcpStream::connect(listener.local_addr().unwrap())
        .await
        .unwrap();
    let (accepted, _) = listener.accept().await.unwrap();
    let (client, server) = (
        Arc::new(world.client_tls(&[])),
        Arc::new(world.server_tls()),
    );
    let (near, far) = tokio::join!(
        Link::connect(client, socket, Some(world.stolen_key())),
        Link::accept(server, accepted, world.stolen_key())
    );
    (near.unwrap(), far.unwrap())
}

/// A client that demands attestation by this verifier and policy.
fn demanding(
    world: &World,
    verifier: SimVerifier,
    policy: impl Fn(&Candidate) -> Result<(), PolicyViolation> + Send + Sync + 'static,
) -> Attested {
    let verifier: Arc<dyn Verifier> = Arc::new(verifier);
    let party = atls_core::RelyingParty::builder()
        .verifier(verifier)
        .standard_policy(atls_core::StandardPolicy::new().dangerous_accept_simulated())
        .policy(policy)
        .build();
    world
        .client()
        .require_peer(Arc::new(party.unwrap()))
        .build()
        .unwrap()
}

/// A client that attests before the server, with the server's kind of device.
fn first(world: &World, device: &Arc<SimAttester>) -> Attested {
    let party = Arc::new(lenient(device).build().unwrap());
    let builder = world.client().require_peer(party);
    builder
        .attester(device.clone())
        .attest_before_server()
        .build()
        .unwrap()
}

/// Asks the client to attest first, and gets its authenticator.
async fn lure(link: &mut Link, world: &World) -> Vec<u8> {
    let formats = world.about_clients().media_types();
    let parameters =
        atls_core::exchange::Parameters::server(formats, atls_core::exchange::Order::ClientFirst);
    let (request, _) =
        atls_core::exchange::request(link, &demo::provider(), Some(&parameters)).unwrap();
    link.write(REQUEST, &request).await.unwrap();
    let (kind, authenticator) = link.read().await.unwrap();
    assert_eq!(kind, AUTHENTICATOR);
    link.write(adversary::VERDICT, &[0, 0, 0, 14, 16])
        .await
        .unwrap();
    authenticator
}

/// Cuts the Evidence out of an authenticator, without any check: the token follows its media type.
fn evidence_in(authenticator: &[u8], world: &World) -> Cmw {
    let media_type = world.server_device.media_types()[0].clone();
    let name = media_type.to_string().into_bytes();
    let start = authenticator
        .windows(name.len())
        .position(|bytes| bytes == name)
        .unwrap()
        + name.len();
    let [0x59, high, low, ..] = authenticator[start..] else {
        panic!("an octet string with two bytes of length");
    };
    let length = usize::from(u16::from_be_bytes([high, low]));
    Cmw::evidence(
        media_type,
        authenticator[start + 3..start + 3 + length].to_vec(),
    )
}
