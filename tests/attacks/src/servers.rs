//! The victim is a server that demands attestation of its clients.

use std::sync::Arc;

use atls_core::RelyingParty;
use atls_core::exchange::OwnedAttestRequest;
use atls_core::session::Side;
use atls_tower::weaker::Mode;
use end_to_end::ForgedKey;

use crate::client::Genuine;
use crate::client::blocking;
use crate::diversion::anybody;
use crate::diversion::only_a;
use crate::guard::Asked;
use crate::guard::Guard;
use crate::lab::Lab;
use crate::lab::MODES;
use crate::lab::attest;
use crate::outcome::Cell;
use crate::outcome::Row;

pub(crate) async fn rows() -> Vec<Row> {
    // A resolver of certificates lives for as long as it likes, and an attacker's looks into the laboratory.
    let lab: &'static Lab = Box::leak(Box::new(Lab::new()));
    let [pre, intra, post] = MODES;
    vec![
        Row {
            id: "R1 server",
            title: "replay, against a server",
            text: "R1 the other way around: the attacker has the Evidence that a client presented to him at an earlier time, \
                   and its key, which leaked.",
            cells: [
                replayed(lab, pre).await,
                replayed(lab, intra).await,
                replayed(lab, post).await,
            ],
        },
        Row {
            id: "L2 server",
            title: "relay with the leaked key, against a server",
            text: "L2 the other way around: a genuine client comes to the attacker, who asks it what the victim asks him: with \
                   the nonce of its handshake, with the context of its request.",
            cells: [
                relayed(lab, pre).await,
                relayed(lab, intra).await,
                relayed(lab, post).await,
            ],
        },
        Row {
            id: "D1 server",
            title: "another machine as client",
            text: "The client is machine B, as genuine as any, and somebody else's. Clients have no name to be checked, so \
                   nothing objects in any mode: which machines may come is the policy's to say.",
            cells: [
                another(lab, pre, anybody(lab)).await,
                another(lab, intra, anybody(lab)).await,
                another(lab, post, anybody(lab)).await,
            ],
        },
        Row {
            id: "D1 server, pinned",
            title: "another machine as client, the instance being pinned",
            text: "The same against a policy that names the machines that may come.",
            cells: [
                another(lab, pre, only_a(lab)).await,
                another(lab, intra, only_a(lab)).await,
                another(lab, post, only_a(lab)).await,
            ],
        },
        Row {
            id: "K1 server",
            title: "key substitution, against a server",
            text: "Genuine Evidence about a client's key, over the right nonce or for this very connection, presented under a \
                   key of the attacker.",
            cells: [
                substituted(lab, pre).await,
                substituted(lab, intra).await,
                substituted(lab, post).await,
            ],
        },
    ]
}

async fn replayed(lab: &'static Lab, mode: Mode) -> Cell {
    let client = Genuine::new(lab, mode).await;
    let old = client.taken(lab, &[1; 32]).await;
    let guard = Guard::new(lab, mode, client.trusted());
    if mode == Mode::AfterHandshake {
        let answer = async |asked: Asked<'_>| asked.answer(old.identity, &old.evidence);
        return guard.exchange(answer).await;
    }
    guard.present(move |_| old.identity.clone()).await
}

async fn relayed(lab: &'static Lab, mode: Mode) -> Cell {
    let client = Arc::new(Genuine::new(lab, mode).await);
    let guard = Guard::new(lab, mode, client.trusted());
    if mode == Mode::AfterHandshake {
        let answer = async |asked: Asked<'_>| {
            let loot = client.taken(lab, &asked.context()).await;
            asked.answer(loot.identity, &loot.evidence)
        };
        return guard.exchange(answer).await;
    }
    let resolve = move |nonce: Option<[u8; 32]>| {
        let client = client.clone();
        let taking = async move || client.taken(lab, &nonce.unwrap_or_default()).await;
        blocking(taking).identity
    };
    guard.present(resolve).await
}

/// Honest but for who it is.
async fn another(lab: &'static Lab, mode: Mode, party: Arc<RelyingParty>) -> Cell {
    let own = Arc::new(ForgedKey::new());
    presented(lab, mode, party, (own.clone(), own)).await
}

async fn substituted(lab: &'static Lab, mode: Mode) -> Cell {
    let own = Arc::new(ForgedKey::new());
    let good = presented(lab, mode, anybody(lab), (own.clone(), own.clone())).await;
    assert_eq!(good, Cell::Succeeds, "all but the key is right");
    let genuine = Arc::new(ForgedKey::new());
    presented(lab, mode, anybody(lab), (own, genuine)).await
}

/// Under the first key, Evidence of machine B about the second.
async fn presented(
    lab: &'static Lab,
    mode: Mode,
    party: Arc<RelyingParty>,
    (own, about): (Arc<ForgedKey>, Arc<ForgedKey>),
) -> Cell {
    let guard = Guard::new(lab, mode, party);
    if mode == Mode::AfterHandshake {
        let answer = async |asked: Asked<'_>| {
            let evidence = asked.attest(&lab.other, about.certify(None)).await;
            asked.answer(own.certify(None), &evidence)
        };
        return guard.exchange(answer).await;
    }
    let resolve = move |nonce: Option<[u8; 32]>| {
        let key = &*about.signing;
        let request = match nonce {
            Some(nonce) => OwnedAttestRequest::for_handshake(Side::Client, &nonce, key),
            None => OwnedAttestRequest::for_key(key),
        };
        let request = request.unwrap();
        let evidence = blocking(async move || attest(&lab.other, &request).await);
        own.certify(Some(&evidence))
    };
    guard.present(resolve).await
}

/// The server's own Evidence, for this very connection, in the client's place.
pub(crate) async fn crossed(lab: &Lab) -> Cell {
    // The server would even trust its own kind of device in a client.
    let guard = Guard::new(lab, Mode::AfterHandshake, lab.trusting_a());
    let answer = async |asked: Asked<'_>| {
        let servers = asked.servers.clone();
        asked.answer(ForgedKey::new().certify(None), &servers)
    };
    guard.exchange(answer).await
}
