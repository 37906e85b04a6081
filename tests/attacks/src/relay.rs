//! Evidence of a genuine machine, fetched while the victim waits.

use std::sync::Arc;

use adversary::AUTHENTICATOR;
use adversary::REQUEST;
use atls_core::Challenge;
use atls_core::OwnedAttestRequest;
use atls_core::Session;
use atls_core::Side;
use atls_tower::weaker::Mode;
use end_to_end::ForgedKey;
use rustls::crypto::CryptoProvider;

use crate::duel::Middle;
use crate::lab::Lab;
use crate::lab::MODES;
use crate::lab::attest;
use crate::lab::evidence_in;
use crate::outcome::Cell;
use crate::outcome::Row;

pub(crate) async fn rows(lab: &Lab) -> Vec<Row> {
    let [pre, intra, post] = MODES;
    vec![
        Row {
            id: "L1",
            title: "relay without a leaked key",
            text: "The attacker ends the victim's TLS under a key of his own, passes the victim's challenge to the genuine \
                   server, and presents what comes back: its Evidence in a certificate of his, its authenticator as it is. \
                   Evidence names another key, and the authenticator's MAC is of another connection.",
            cells: [
                with_own_key(lab, pre).await,
                with_own_key(lab, intra).await,
                authenticator(lab).await,
            ],
        },
        Row {
            id: "L2",
            title: "relay with the leaked leaf key",
            text: "The same, with the private key of the certificate, which leaked out of the machine. Nonce and key are all \
                   that the weaker modes look at, and both are right. The post-handshake binder has this connection's \
                   exporter in it, and the genuine server's Evidence that of another.",
            cells: [
                with_leaked_key(lab, pre).await,
                with_leaked_key(lab, intra).await,
                evidence(lab).await,
            ],
        },
        Row {
            id: "L3",
            title: "evidence oracle",
            text: "Something in the genuine machine quotes what a caller chose, under the attestation key. That breaks \
                   every mode (the post-handshake one together with a mis-issued certificate): the attacker has the very \
                   value attested that the victim expects. It is assumption 2 of \
                   the threat model, and why a request for Evidence is made from a live connection, or from a key and a \
                   nonce that are hashed under a name of their own; `Bound` has no constructor that takes octets as they \
                   are.",
            cells: [
                oracle(lab, pre).await,
                oracle(lab, intra).await,
                oracle(lab, post).await,
            ],
        },
        Row {
            id: "L4",
            title: "a proxy that ends TLS",
            text: "An honest reverse proxy, outside of the attested machine, was given the service's certificate and key and \
                   passes octets on. With RA-TLS the victim cannot tell, and the proxy reads everything. In the \
                   intra-handshake mode it has no key that any Evidence names; in the post-handshake mode the \
                   authenticators that it passes on are of its other connection.",
            cells: [
                proxied(lab, pre).await,
                proxied(lab, intra).await,
                proxied(lab, post).await,
            ],
        },
        Row {
            id: "O1",
            title: "another mode as oracle",
            text: "A machine that also attests in the handshake signs over any nonce of 32 octets. The attacker, under a key \
                   that it attests, chooses as nonce the value that the victim's connection exports, or none at all, and \
                   presents the result in the victim's mode. What the modes bind is hashed under names of their own, so \
                   none equals another's.",
            cells: [
                foreign(lab, pre).await,
                Cell::NotApplicable("this is the mode's own service; see L3"),
                foreign(lab, post).await,
            ],
        },
    ]
}

async fn with_own_key(lab: &Lab, mode: Mode) -> Cell {
    let genuine = lab.genuine(mode).await;
    let middle = Middle::new(lab).await;
    let attack = async {
        let (socket, random) = middle.victim().await;
        let loot = lab.loot(genuine.address, Some(random)).await;
        let own = ForgedKey::new().certify(Some(&loot.evidence));
        middle.end_tls(socket, own).await
    };
    middle.duel(mode, lab.trusting_a(), attack).await
}

async fn with_leaked_key(lab: &Lab, mode: Mode) -> Cell {
    let genuine = lab.genuine(mode).await;
    let middle = Middle::new(lab).await;
    let attack = async {
        let (socket, random) = middle.victim().await;
        let loot = lab.loot(genuine.address, Some(random)).await;
        middle.end_tls(socket, loot.identity).await
    };
    middle.duel(mode, lab.trusting_a(), attack).await
}

/// Request and authenticator, passed on as they are.
async fn authenticator(lab: &Lab) -> Cell {
    let genuine = lab.genuine(Mode::AfterHandshake).await;
    let middle = Middle::new(lab).await;
    let attack = async {
        let (socket, _) = middle.victim().await;
        let mut link = middle.end_tls(socket, lab.misissued()).await?;
        let (_, request) = link.read().await.unwrap();
        let mut upstream = lab.upstream(genuine.address, None).await;
        upstream.write(REQUEST, &request).await.unwrap();
        let (_, answer) = upstream.read().await.unwrap();
        link.write(AUTHENTICATOR, &answer).await.unwrap();
        Some(link)
    };
    let mode = Mode::AfterHandshake;
    middle.duel(mode, lab.trusting_a(), attack).await
}

/// The Evidence, made for the victim's very context, in an authenticator under the leaked key.
async fn evidence(lab: &Lab) -> Cell {
    let genuine = lab.genuine(Mode::AfterHandshake).await;
    let middle = Middle::new(lab).await;
    let attack = async {
        let (socket, _) = middle.victim().await;
        let mut link = middle.end_tls(socket, lab.world.stolen_key()).await?;
        let (_, request) = link.read().await.unwrap();
        let challenge = Challenge::receive(&link, &request).unwrap();
        let mut upstream = lab.upstream(genuine.address, None).await;
        upstream.write(REQUEST, &request).await.unwrap();
        let (_, answer) = upstream.read().await.unwrap();
        let evidence = evidence_in(&answer, &lab.world.server_device);
        let answer = challenge.answer(&evidence).unwrap();
        link.write(AUTHENTICATOR, &answer).await.unwrap();
        Some(link)
    };
    let mode = Mode::AfterHandshake;
    middle.duel(mode, lab.trusting_a(), attack).await
}

/// The device is at the attacker's service.
async fn oracle(lab: &Lab, mode: Mode) -> Cell {
    let middle = Middle::new(lab).await;
    let attack = middle.attest(mode, &lab.world.server_device, lab.misissued());
    middle.duel(mode, lab.trusting_a(), attack).await
}

async fn proxied(lab: &Lab, mode: Mode) -> Cell {
    let genuine = lab.genuine(mode).await;
    let certificate = match mode {
        Mode::InCertificate => lab.loot(genuine.address, None).await.identity,
        Mode::InHandshake | Mode::AfterHandshake => lab.world.stolen_key(),
    };
    let middle = Middle::new(lab).await;
    let proxy = async {
        let (socket, _) = middle.victim().await;
        let mut link = middle.end_tls(socket, certificate).await?;
        let mut upstream = lab.upstream(genuine.address, None).await;
        if mode == Mode::AfterHandshake {
            let (kind, request) = link.read().await.unwrap();
            upstream.write(kind, &request).await.unwrap();
            let (kind, answer) = upstream.read().await.unwrap();
            link.write(kind, &answer).await.unwrap();
        }
        // What it could pass on from here, it can read.
        Some(link)
    };
    middle.duel(mode, lab.trusting_a(), proxy).await
}

async fn foreign(lab: &Lab, mode: Mode) -> Cell {
    let device = &lab.world.server_device;
    let middle = Middle::new(lab).await;
    let attested = |key: &ForgedKey, nonce: [u8; 32]| {
        let side = Side::Server;
        OwnedAttestRequest::for_handshake(side, &nonce, &*key.signing).unwrap()
    };
    let own = ForgedKey::new();
    if mode == Mode::InCertificate {
        let evidence = attest(device, &attested(&own, [0; 32])).await;
        let attack = async {
            let (socket, _) = middle.victim().await;
            middle.end_tls(socket, own.certify(Some(&evidence))).await
        };
        return middle.duel(mode, lab.trusting_a(), attack).await;
    }
    let attack = async {
        let (socket, _) = middle.victim().await;
        // A certificate that the victim trusts, over a key that the machine would attest; and a hash as long as a nonce's.
        let identity = lab.misissued();
        let mut link = middle
            .end_tls_by(of_sha_256(), socket, identity.clone())
            .await?;
        let (_, request) = link.read().await.unwrap();
        let mut exported = [0; 32];
        let (_, context) = request.split_at(5);
        let (context, _) = context.split_at(32);
        link.export(b"Attestation", context, &mut exported).unwrap();
        let chosen = OwnedAttestRequest::for_handshake(Side::Server, &exported, &*identity.key);
        let evidence = attest(device, &chosen.unwrap()).await;
        let challenge = Challenge::receive(&link, &request).unwrap();
        let answer = challenge.answer(&evidence).unwrap();
        link.write(AUTHENTICATOR, &answer).await.unwrap();
        Some(link)
    };
    middle.duel(mode, lab.trusting_a(), attack).await
}

/// Cipher suites of SHA-256 only, so that binders are as long as what the weaker modes bind.
fn of_sha_256() -> Arc<CryptoProvider> {
    let mut provider = CryptoProvider::clone(&demo::provider());
    provider.cipher_suites.retain(|suite| {
        let suite = suite.tls13();
        suite.is_some_and(|suite| suite.common.hash_provider.output_len() == 32)
    });
    Arc::new(provider)
}
