//! Old Evidence, presented as new.

use adversary::AUTHENTICATOR;
use atls_core::Challenge;
use atls_core::ProtocolError;
use atls_core::Refusal;
use atls_tower::weaker::Mode;
use rustls::time_provider::TimeProvider;

use crate::duel::Middle;
use crate::lab::DAY;
use crate::lab::Lab;
use crate::lab::MODES;
use crate::lab::ask;
use crate::lab::attest_challenge;
use crate::link::pair;
use crate::outcome::Cell;
use crate::outcome::Row;

pub(crate) async fn rows(lab: &Lab) -> Vec<Row> {
    let [pre, intra, post] = MODES;
    let once = "one certificate is presented per connection, and nothing is asked again on it";
    let no_request = "there is no request with a context";
    vec![
        Row {
            id: "R1",
            title: "replay across connections",
            text: "The attacker recorded the Evidence of an earlier connection and holds the leaf key, which leaked. The \
                   machine itself has been switched off since. In RA-TLS the Evidence is about the key, and about no \
                   connection; in the other modes it answers another connection's challenge.",
            cells: [
                across(lab, pre).await,
                across(lab, intra).await,
                across(lab, post).await,
            ],
        },
        Row {
            id: "R1b",
            title: "replay after the certificate ended",
            text: "R1 a day after the certificate's notAfter. As it was it is refused, which is checked too; so the \
                   attacker signs another for the same key, around the same Evidence, with a notAfter of his choice. \
                   The lifetime of a certificate bounds what an honest machine presents and not what can be replayed: \
                   nothing does but a time that the Evidence itself has in it, or knowing that the key leaked.",
            cells: [
                rewrapped(pre).await,
                rewrapped(intra).await,
                Cell::NotApplicable("its Evidence is in no certificate: R1"),
            ],
        },
        Row {
            id: "R2",
            title: "replay within a connection",
            text: "Asked a second time on one connection, the attacker answers with his first authenticator verbatim, \
                   then with a new one around the first Evidence. Each request has a context of its own, and so has the \
                   binder. In the weaker modes nothing can be asked a second time.",
            cells: [
                Cell::NotApplicable(once),
                Cell::NotApplicable(once),
                within(lab).await,
            ],
        },
        Row {
            id: "R3",
            title: "context reuse",
            text: "A request comes back to its sender with the same context, to have its answer used in the other \
                   direction. A context is spent when its request is sent or received, in either direction.",
            cells: [
                Cell::NotApplicable(no_request),
                Cell::NotApplicable(no_request),
                mirrored(lab).await,
            ],
        },
    ]
}

async fn across(lab: &Lab, mode: Mode) -> Cell {
    let genuine = lab.genuine(mode).await;
    let middle = Middle::new(lab).await;
    if mode == Mode::AfterHandshake {
        let old = ask(&mut lab.upstream(genuine.address, None).await).await;
        drop(genuine);
        let attack = async {
            let (socket, _) = middle.victim().await;
            let mut link = middle.end_tls(socket, lab.world.stolen_key()).await?;
            let (_, request) = link.read().await.unwrap();
            let challenge = Challenge::receive(&link, &request).unwrap();
            let answer = challenge.answer(&old).unwrap();
            link.write(AUTHENTICATOR, &answer).await.unwrap();
            Some(link)
        };
        return middle.duel(mode, lab.trusting_a(), attack).await;
    }
    let old = lab.loot(genuine.address, None).await;
    drop(genuine);
    let attack = async {
        let (socket, _) = middle.victim().await;
        middle.end_tls(socket, old.identity).await
    };
    middle.duel(mode, lab.trusting_a(), attack).await
}

/// In a world of its own, whose clock moves on.
async fn rewrapped(mode: Mode) -> Cell {
    let lab = &Lab::new();
    let genuine = lab.genuine(mode).await;
    let old = lab.loot(genuine.address, None).await;
    drop(genuine);
    lab.world.clock.advance(2 * DAY);
    let present = async |identity| {
        let middle = Middle::new(lab).await;
        let attack = async {
            let (socket, _) = middle.victim().await;
            middle.end_tls(socket, identity).await
        };
        middle.duel(mode, lab.trusting_a(), attack).await
    };
    let ended = present(old.identity).await;
    assert_eq!(ended, Cell::refused("Expired(Peer)"));
    present(old.key.certify(Some(&old.evidence))).await
}

async fn within(lab: &Lab) -> Cell {
    let (near, far) = pair(lab).await;
    let ask = || atls_core::request(&near, &demo::provider(), None).unwrap();
    let party = lab.trusting_a();
    let now = lab.world.clock.current_time().unwrap();

    let (request, pending) = ask();
    let challenge = Challenge::receive(&far, &request).unwrap();
    let old = attest_challenge(&lab.world.server_device, &challenge).await;
    let first = challenge.answer(&old).unwrap();
    let accepted = party.decide(pending.finish(&first).unwrap(), now).await;
    assert!(accepted.is_ok(), "what is replayed was good");

    let (_, pending) = ask();
    let verbatim = pending.finish(&first).unwrap_err();
    assert_eq!(verbatim, ProtocolError::ContextMismatch);

    let (request, pending) = ask();
    let challenge = Challenge::receive(&far, &request).unwrap();
    let again = challenge.answer(&old).unwrap();
    match party.decide(pending.finish(&again).unwrap(), now).await {
        Err(Refusal::Appraisal(error)) => Cell::refused(&format!("{verbatim:?}, {error:?}")),
        other => panic!("{other:?}"),
    }
}

async fn mirrored(lab: &Lab) -> Cell {
    let (near, far) = pair(lab).await;
    let (mut request, _) = atls_core::request(&near, &demo::provider(), None).unwrap();
    Challenge::receive(&far, &request).unwrap();
    // The type of a server's request, the context of the client's.
    *request.first_mut().unwrap() = 13;
    let error = Challenge::receive(&near, &request).unwrap_err();
    Cell::refused(&format!("{error:?}"))
}
