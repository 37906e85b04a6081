//! The victim's own attestation, sent back to it.

use std::sync::Arc;

use adversary::AUTHENTICATOR;
use adversary::Link;
use adversary::REQUEST;
use adversary::VERDICT;
use atls_core::ProtocolError;
use atls_core::RelyingParty;
use atls_core::exchange::Challenge;
use atls_core::exchange::Order;
use atls_core::exchange::OwnedAttestRequest;
use atls_core::exchange::Parameters;
use atls_core::session::Handshake;
use atls_core::session::Session;
use atls_core::session::Side;
use atls_sim::SimAttester;
use atls_tower::ClientConnector;
use atls_tower::ClientTerms;
use atls_tower::weaker::Mode;

use crate::client::Genuine;
use crate::duel::Middle;
use crate::lab::Lab;
use crate::lab::MODES;
use crate::lab::attest_challenge;
use crate::lab::evidence_in;
use crate::lab::lenient;
use crate::outcome::Cell;
use crate::outcome::Row;
use crate::servers;

pub(crate) async fn rows(lab: &Lab) -> Vec<Row> {
    let good = under_keys(lab, Keys::OfServers).await;
    assert_eq!(good, Cell::Succeeds, "all but the side is right");
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
                   authenticator answers another context. One that is right in everything else, but made under the keys \
                   by which clients authenticate, is refused too.",
            cells: [
                reflected(lab, pre).await,
                reflected(lab, intra).await,
                authenticator(lab, Returned::Authenticator)
                    .await
                    .and(under_keys(lab, Keys::OfClients).await),
            ],
        },
        Row {
            id: "X2",
            title: "crossing the Evidence of the two ends",
            text: "The client attests first, to the attacker who holds the server's leaf key; he puts the client's Evidence \
                   into his own authenticator. And the other way around: a server attests to the attacker, who puts its \
                   Evidence into the authenticator that he owes it as a client. The binder of each direction has another \
                   context and another key.",
            cells: [
                Cell::NotApplicable(with_key),
                Cell::NotApplicable(with_key),
                authenticator(lab, Returned::Evidence)
                    .await
                    .and(servers::crossed(lab).await),
            ],
        },
    ]
}

async fn reflected(lab: &Lab, mode: Mode) -> Cell {
    let client = Genuine::new(lab, mode).await;
    let middle = Middle::new(lab).await;
    let attack = async {
        let (socket, random) = middle.victim().await;
        // The same client comes to another server of his, and attests to it.
        let own = client.taken(lab, &random).await.identity;
        if mode == Mode::InHandshake {
            // The nonce is right, the key is: all that differs is the side.
            let side = Side::Client;
            let request = OwnedAttestRequest::for_handshake(side, &random, &*own.key).unwrap();
            let [certificate] = &own.cert[..] else {
                panic!("one certificate");
            };
            let value = request.as_request().bound().as_bytes();
            assert!(certificate.windows(32).any(|bytes| bytes == value));
        }
        middle.end_tls(socket, own).await
    };
    middle.duel_with(client.connector(), attack).await
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
    let victim = ClientConnector::new(lab.world.client_tls(&["http/1.1"]), terms).unwrap();
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

/// By which a server authenticates.
#[derive(Clone, Copy)]
enum Keys {
    OfClients,
    OfServers,
}

async fn under_keys(lab: &Lab, keys: Keys) -> Cell {
    let middle = Middle::new(lab).await;
    let attack = async {
        let (socket, _) = middle.victim().await;
        let mut link = middle.end_tls(socket, lab.misissued()).await?;
        let (_, request) = link.read().await.unwrap();
        let session = Under { link: &link, keys };
        let challenge = Challenge::receive(&session, &request).unwrap();
        let evidence = attest_challenge(&lab.world.server_device, &challenge).await;
        let answer = challenge.answer(&evidence).unwrap();
        link.write(AUTHENTICATOR, &answer).await.unwrap();
        Some(link)
    };
    let mode = Mode::AfterHandshake;
    middle.duel(mode, lab.trusting_a(), attack).await
}

/// The connection, with what it exports for the one side in the place of what it exports for the other.
struct Under<'a> {
    link: &'a Link,
    keys: Keys,
}

impl Session for Under<'_> {
    fn handshake(&self) -> &Handshake {
        self.link.handshake()
    }

    fn export(&self, label: &[u8], context: &[u8], output: &mut [u8]) -> Result<(), ProtocolError> {
        const SERVER: &[u8] = b"EXPORTER-server ";
        match (self.keys, label.strip_prefix(SERVER)) {
            (Keys::OfClients, Some(rest)) => {
                let label = [b"EXPORTER-client ", rest].concat();
                self.link.export(&label, context, output)
            }
            _ => self.link.export(label, context, output),
        }
    }
}

/// Asks the client to attest first, and gets its authenticator.
async fn lure(link: &mut Link, formats_of: &RelyingParty) -> Vec<u8> {
    let parameters = Parameters::server(formats_of.media_types(), Order::ClientFirst);
    let (request, _) =
        atls_core::exchange::request(link, &demo::provider(), Some(&parameters)).unwrap();
    link.write(REQUEST, &request).await.unwrap();
    let (kind, authenticator) = link.read().await.unwrap();
    assert_eq!(kind, AUTHENTICATOR);
    link.write(VERDICT, &[0, 0, 0, 14, 16]).await.unwrap();
    authenticator
}

fn trusting(device: &SimAttester) -> Arc<RelyingParty> {
    let verifier = atls_sim::SimVerifier::new(device.trust_anchor());
    Arc::new(lenient().verifier(Arc::new(verifier)).build().unwrap())
}
