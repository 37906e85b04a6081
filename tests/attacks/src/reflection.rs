//! The victim's own attestation, sent back to it.

use std::sync::Arc;

use adversary::AUTHENTICATOR;
use adversary::Link;
use adversary::REQUEST;
use adversary::VERDICT;
use atls_core::Challenge;
use atls_core::Order;
use atls_core::OwnedAttestRequest;
use atls_core::Parameters;
use atls_core::RelyingParty;
use atls_core::Session;
use atls_core::Side;
use atls_sim::SimAttester;
use atls_tower::ClientConnector;
use atls_tower::ClientTerms;
use atls_tower::weaker::InHandshake;
use atls_tower::weaker::Mode;
use end_to_end::ForgedKey;
use rustls::client::ResolvesClientCert;
use rustls::sign::CertifiedKey;
use tokio::net::TcpListener;

use crate::asking;
use crate::duel::Middle;
use crate::duel::visit;
use crate::lab::Lab;
use crate::lab::MODES;
use crate::lab::evidence_in;
use crate::lab::lenient;
use crate::outcome::Cell;
use crate::outcome::Row;

pub(crate) async fn rows(lab: &Lab) -> Vec<Row> {
    let [pre, intra, _] = MODES;
    let with_key =
        "Evidence is inseparable from the certificate's key: X1 with the key, K1 without";
    vec![
        Row {
            id: "X1",
            title: "reflection",
            text: "Client and server are machines of one kind, and both attest. The attacker takes what the client presents \
                   as client and presents it to the same client as server; in the weaker modes the client's key leaked to \
                   him, and in the intra-handshake mode he asks on one connection with the `client_random` of the other. \
                   Evidence about a key has no direction. Evidence of a handshake names the side that attests, and an \
                   authenticator answers another context under keys of the other side.",
            cells: [
                reflected(lab, pre).await,
                reflected(lab, intra).await,
                authenticator(lab, Returned::Authenticator).await,
            ],
        },
        Row {
            id: "X2",
            title: "crossing the Evidence of the two ends",
            text: "The client attests first, to the attacker who holds the server's leaf key; he puts the client's Evidence \
                   into his own authenticator. The binder of each direction has another context and another key.",
            cells: [
                Cell::NotApplicable(with_key),
                Cell::NotApplicable(with_key),
                authenticator(lab, Returned::Evidence).await,
            ],
        },
    ]
}

async fn reflected(lab: &Lab, mode: Mode) -> Cell {
    let device = SimAttester::generate().unwrap();
    let party = trusting(&device);
    let resolver: Arc<dyn ResolvesClientCert> = match mode {
        Mode::InHandshake => {
            let clock = lab.world.clock.clone();
            Arc::new(InHandshake::new(Box::new(device), lab.leaky(), clock).unwrap())
        }
        Mode::InCertificate | Mode::AfterHandshake => lab.identity(&Arc::new(device)).await,
    };
    let mut tls = lab.any_server(demo::provider());
    tls.client_auth_cert_resolver = resolver;
    let terms = ClientTerms::new().require_peer(party).servers_attest(mode);
    let victim = ClientConnector::new(tls, terms).unwrap();

    let middle = Middle::new(lab).await;
    let elsewhere = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = elsewhere.local_addr().unwrap();
    let attack = async {
        let (socket, random) = middle.victim().await;
        // The same client comes to another server of his, and attests to it.
        let presenting = visit(&victim, address);
        let (_, own) = tokio::join!(presenting, taken(lab, &elsewhere, &random));
        if mode == Mode::InHandshake {
            // The nonce is right, the key is: all that differs is the side.
            let side = Side::Client;
            let request = OwnedAttestRequest::for_handshake(side, &random, &*own.key).unwrap();
            let [certificate] = &own.cert[..] else {
                panic!("one certificate");
            };
            let value = request.as_request().bound().as_bytes();
            assert!(certificate.windows(32).any(|octets| octets == value));
        }
        middle.end_tls(socket, own).await
    };
    middle.duel_with(victim.clone(), attack).await
}

/// The certificate that a client presents to a server that asks with this nonce, and its leaked key.
async fn taken(lab: &Lab, listener: &TcpListener, nonce: &[u8; 32]) -> Arc<CertifiedKey> {
    let (socket, _) = listener.accept().await.unwrap();
    let identity = ForgedKey::new().certify(None);
    let tls = Arc::new(asking::server(lab, identity.clone(), nonce));
    let link = Link::accept(tls, socket, identity).await.unwrap();
    let chain = link.handshake().peer_chain().to_vec();
    let key = lab.leaked(chain.first().unwrap());
    key.with(chain)
}

#[derive(Clone, Copy)]
enum Returned {
    Authenticator,
    Evidence,
}

async fn authenticator(lab: &Lab, returned: Returned) -> Cell {
    let device = Arc::new(SimAttester::generate().unwrap());
    let terms = ClientTerms::new()
        .require_peer(trusting(&device))
        .attester(device.clone())
        .attest_before_server();
    let victim = ClientConnector::new(lab.world.client_tls(&["h2"]), terms).unwrap();
    let middle = Middle::new(lab).await;
    let attack = async {
        let (socket, _) = middle.victim().await;
        let mut link = middle.end_tls(socket, lab.world.stolen_key()).await?;
        let (_, request) = link.read().await.unwrap();
        let challenge = Challenge::receive(&link, &request).unwrap();
        let lured = lure(&mut link, &trusting(&device)).await;
        let answer = match returned {
            Returned::Authenticator => lured,
            Returned::Evidence => challenge.answer(&evidence_in(&lured, &device)).unwrap(),
        };
        link.write(AUTHENTICATOR, &answer).await.unwrap();
        Some(link)
    };
    middle.duel_with(victim, attack).await
}

/// Asks the client to attest first, and gets its authenticator.
async fn lure(link: &mut Link, formats_of: &RelyingParty) -> Vec<u8> {
    let parameters = Parameters::server(formats_of.media_types(), Order::ClientFirst);
    let (request, _) = atls_core::request(link, &demo::provider(), Some(&parameters)).unwrap();
    link.write(REQUEST, &request).await.unwrap();
    let (kind, authenticator) = link.read().await.unwrap();
    assert_eq!(kind, AUTHENTICATOR);
    link.write(VERDICT, &[0, 0, 0, 14, 16]).await.unwrap();
    authenticator
}

fn trusting(device: &SimAttester) -> Arc<RelyingParty> {
    let verifier = atls_sim::SimVerifier::trusting(device.trust_anchor());
    Arc::new(lenient().verifier(Arc::new(verifier)).build().unwrap())
}
