//! ClientHellos that say one thing to whoever looks for challenges of ACME, and another to the handshake: rustls reads a second one after a
//! HelloRetryRequest. And a client that sends no more than one.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

use std::sync::Arc;

use atls_tower::AttestedStream;
use atls_tower::Error;
use atls_tower::ServerAcceptor;
use atls_tower::ServerTerms;
use end_to_end::World;
use end_to_end::load;
use rustls::ClientConnection;
use rustls::NamedGroup;
use rustls::ServerConfig;
use rustls::crypto::CryptoProvider;
use rustls::server::ClientHello;
use rustls::server::ResolvesServerCert;
use rustls::sign::CertifiedKey;
use rustls::sign::SingleCertAndKey;
use tokio::io::AsyncReadExt;
use tokio::io::AsyncWriteExt;
use tokio::io::DuplexStream;

/// Lists of protocols as they are in a ClientHello, of the same length.
const ACME: &[u8] = b"\x0aacme-tls/1";
const HTTP: &[u8] = b"\x08http/1.1\x01x";

/// Has an answer for every name.
#[derive(Debug)]
struct Answers(Arc<CertifiedKey>);

impl ResolvesServerCert for Answers {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.0.clone())
    }
}

/// Its server knows a group that clients offer no share of, so it asks each for a second ClientHello. It demands nothing of clients.
fn acceptor(world: &World) -> ServerAcceptor {
    let mut provider = CryptoProvider::clone(&demo::provider());
    let known = |it: &&dyn rustls::crypto::SupportedKxGroup| it.name() == NamedGroup::secp256r1;
    provider.kx_groups.retain(known);
    let key = SingleCertAndKey::from(load(&world.issued));
    let mut tls = ServerConfig::builder_with_provider(Arc::new(provider))
        .with_protocol_versions(&[&rustls::version::TLS13])
        .unwrap()
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(key));
    tls.alpn_protocols = vec![b"http/1.1".to_vec()];
    let challenge = load(&world.authority.issue().unwrap());
    let terms = ServerTerms::new()
        .attester(world.server_device.clone())
        .tls_alpn_01(Arc::new(Answers(challenge)));
    ServerAcceptor::new(tls, terms).unwrap()
}

fn client(world: &World) -> ClientConnection {
    let tls = world.client_tls(&["acme-tls/1"]);
    ClientConnection::new(Arc::new(tls), "localhost".try_into().unwrap()).unwrap()
}

/// What the client has to say, with these protocols in place of its own.
fn flight(client: &mut ClientConnection, protocols: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    client.write_tls(&mut bytes).unwrap();
    let mut windows = bytes.windows(ACME.len());
    if let Some(at) = windows.position(|window| window == ACME) {
        bytes[at..at + ACME.len()].copy_from_slice(protocols);
    }
    bytes
}

/// Sends a ClientHello with each list of protocols, and goes on with the handshake as far as the server does.
async fn outcome_of(hellos: [&[u8]; 2]) -> Result<AttestedStream<DuplexStream>, Error> {
    let world = World::new();
    let acceptor = acceptor(&world);
    let (mut near, far) = tokio::io::duplex(64 * 1024);
    let mut client = client(&world);
    let sending = async {
        let mut buffer = vec![0; 64 * 1024];
        for protocols in hellos.into_iter().chain([ACME]) {
            let bytes = flight(&mut client, protocols);
            if near.write_all(&bytes).await.is_err() {
                break;
            }
            let read = near.read(&mut buffer).await.unwrap();
            client.read_tls(&mut &buffer[..read]).unwrap();
            // The transcripts differ where a ClientHello was changed: the client cannot read the rest.
            let _ = client.process_new_packets();
        }
        // The end of the connection, for a server that waits.
        drop(near);
    };
    let (outcome, ()) = tokio::join!(acceptor.accept(far), sending);
    outcome
}

#[tokio::test]
async fn a_challenge_is_answered_after_a_second_client_hello() {
    let outcome = outcome_of([ACME, ACME]).await.unwrap_err();
    assert!(outcome.is_acme_challenge(), "{outcome:?}");
}

#[tokio::test]
async fn whoever_begins_as_a_challenge_comes_to_no_other_protocol() {
    let outcome = outcome_of([ACME, HTTP]).await.unwrap_err();
    assert!(outcome.is_tls() && !outcome.is_acme_challenge());
    assert!(without_protocol(&outcome), "{outcome:?}");
}

#[tokio::test]
async fn whoever_begins_as_a_client_comes_to_no_challenge() {
    let outcome = outcome_of([HTTP, ACME]).await.unwrap_err();
    assert!(outcome.is_tls() && !outcome.is_acme_challenge());
    assert!(without_protocol(&outcome), "{outcome:?}");
}

fn without_protocol(outcome: &Error) -> bool {
    outcome
        .report()
        .to_string()
        .contains("peer doesn't support any known protocol")
}

#[tokio::test(start_paused = true)]
async fn a_challenge_that_does_not_go_on_ends_at_the_deadline_of_the_handshake() {
    let world = World::new();
    let acceptor = acceptor(&world);
    let (mut near, far) = tokio::io::duplex(64 * 1024);
    let hello = flight(&mut client(&world), ACME);
    near.write_all(&hello).await.unwrap();
    let outcome = acceptor.accept(far).await.unwrap_err();
    assert_eq!(outcome.reason(), "timeout_handshake");
    drop(near);
}
