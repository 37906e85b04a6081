//! Evidence of a genuine machine, fetched while the victim waits.

use adversary::AUTHENTICATOR;
use adversary::REQUEST;
use atls_core::exchange::Challenge;
use atls_tower::weaker::Mode;
use end_to_end::ForgedKey;

use crate::duel::Middle;
use crate::lab::Lab;
use crate::lab::MODES;
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
                   the threat model, and why a request for Evidence is made from a live connection, or from a key, alone or with \
                   a nonce: `Bound` has no constructor that takes bytes as they are.",
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
                   passes bytes on. With RA-TLS the victim cannot tell, and the proxy reads everything. In the \
                   intra-handshake mode it has no key that any Evidence names; in the post-handshake mode the \
                   authenticators that it passes on are of its other connection.",
            cells: [
                proxied(lab, pre).await,
                proxied(lab, intra).await,
                proxied(lab, post).await,
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
        // It can read all that it could pass on from here.
        Some(link)
    };
    middle.duel(mode, lab.trusting_a(), proxy).await
}
