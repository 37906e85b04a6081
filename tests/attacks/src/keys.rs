//! Evidence about another key, or about nothing.

use std::sync::Arc;

use adversary::AUTHENTICATOR;
use atls_core::RelyingParty;
use atls_core::exchange::Challenge;
use atls_sim::SimVerifier;
use atls_tower::weaker::Mode;
use end_to_end::ForgedKey;

use crate::duel::Middle;
use crate::forged_token::Forger;
use crate::forged_token::Nonce;
use crate::lab::Lab;
use crate::lab::MODES;
use crate::lab::attest;
use crate::lab::attest_challenge;
use crate::lab::lenient;
use crate::lab::request_for;
use crate::outcome::Cell;
use crate::outcome::Row;

pub(crate) async fn rows(lab: &Lab) -> Vec<Row> {
    let [pre, intra, post] = MODES;
    vec![
        Row {
            id: "K1",
            title: "key substitution",
            text: "Genuine Evidence about the server's key, with everything else right, presented under a key of the \
                   attacker. In the post-handshake mode it is tried both ways: the server's key in the authenticator and \
                   his in TLS, and his in both.",
            cells: [
                substituted(lab, pre).await,
                substituted(lab, intra).await,
                substituted_after(lab).await,
            ],
        },
        Row {
            id: "K2",
            title: "malformed binding",
            text: "A device that the verifier trusts signs tokens whose nonce is absent, empty, the first half or all but the \
                   last byte of what is expected, zeros, or what is expected and one byte more. Absent is malformed, \
                   all others are not bound: the value is compared whole. With the exact value the same forger is \
                   accepted, which is checked too. Each platform tests the same for its own format.",
            cells: [
                malformed(lab, pre).await,
                malformed(lab, intra).await,
                malformed(lab, post).await,
            ],
        },
    ]
}

async fn substituted(lab: &Lab, mode: Mode) -> Cell {
    let middle = Middle::new(lab).await;
    let attack = async {
        let (socket, random) = middle.victim().await;
        let genuine = ForgedKey::new();
        let request = request_for(mode, &random, &genuine);
        let evidence = attest(&lab.world.server_device, &request).await;
        let own = ForgedKey::new().certify(Some(&evidence));
        middle.end_tls(socket, own).await
    };
    middle.duel(mode, lab.trusting_a(), attack).await
}

async fn substituted_after(lab: &Lab) -> Cell {
    let device = &lab.world.server_device;
    let middle = Middle::new(lab).await;
    let both = async {
        let (socket, _) = middle.victim().await;
        let mut link = middle.end_tls(socket, lab.misissued()).await?;
        let (_, request) = link.read().await.unwrap();
        let view = link.with_identity(lab.world.stolen_key()).unwrap();
        let genuine = Challenge::receive(&view, &request).unwrap();
        let evidence = attest_challenge(device, &genuine).await;
        let challenge = Challenge::receive(&link, &request).unwrap();
        let answer = challenge.answer(&evidence).unwrap();
        link.write(AUTHENTICATOR, &answer).await.unwrap();
        Some(link)
    };
    let mode = Mode::AfterHandshake;
    let both = middle.duel(mode, lab.trusting_a(), both).await;
    let tls_only = async {
        let (socket, _) = middle.victim().await;
        let mut link = middle.end_tls(socket, lab.misissued()).await?;
        let (_, request) = link.read().await.unwrap();
        let view = link.with_identity(lab.world.stolen_key()).unwrap();
        let genuine = Challenge::receive(&view, &request).unwrap();
        let evidence = attest_challenge(device, &genuine).await;
        let answer = genuine.answer(&evidence).unwrap();
        link.write(AUTHENTICATOR, &answer).await.unwrap();
        Some(link)
    };
    let tls_only = middle.duel(mode, lab.trusting_a(), tls_only).await;
    tls_only.and(both)
}

async fn malformed(lab: &Lab, mode: Mode) -> Cell {
    let forger = Forger::new();
    let verifier = SimVerifier::new(forger.trust_anchor());
    let party = Arc::new(lenient().verifier(Arc::new(verifier)).build().unwrap());
    let good = with_nonce(lab, mode, &party, &forger, Nonce::Exact).await;
    assert_eq!(good, Cell::Succeeds, "the forger forges well");
    let mut refused = with_nonce(lab, mode, &party, &forger, Nonce::Absent).await;
    for nonce in [
        Nonce::Empty,
        Nonce::Half,
        Nonce::Shorter,
        Nonce::Zeros,
        Nonce::Longer,
    ] {
        refused = refused.and(with_nonce(lab, mode, &party, &forger, nonce).await);
    }
    refused
}

async fn with_nonce(
    lab: &Lab,
    mode: Mode,
    party: &Arc<RelyingParty>,
    forger: &Forger,
    nonce: Nonce,
) -> Cell {
    let middle = Middle::new(lab).await;
    let attack = async {
        let (socket, random) = middle.victim().await;
        if mode == Mode::AfterHandshake {
            let mut link = middle.end_tls(socket, lab.misissued()).await?;
            let (_, request) = link.read().await.unwrap();
            let challenge = Challenge::receive(&link, &request).unwrap();
            let evidence = forger.sign(challenge.to_attest().unwrap().bound(), nonce);
            let answer = challenge.answer(&evidence).unwrap();
            link.write(AUTHENTICATOR, &answer).await.unwrap();
            return Some(link);
        }
        let own = ForgedKey::new();
        let request = request_for(mode, &random, &own);
        let evidence = forger.sign(request.as_request().bound(), nonce);
        middle.end_tls(socket, own.certify(Some(&evidence))).await
    };
    middle.duel(mode, party.clone(), attack).await
}
