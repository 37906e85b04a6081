//! Old Evidence, presented as new.

use adversary::AUTHENTICATOR;
use adversary::REQUEST;
use atls_core::exchange::Challenge;
use atls_core::exchange::Order;
use atls_core::exchange::Parameters;
use atls_tower::ClientConnector;
use atls_tower::ClientTerms;
use atls_tower::weaker::Mode;

use crate::client::context_of;
use crate::duel::Middle;
use crate::lab::DAY;
use crate::lab::Lab;
use crate::lab::MODES;
use crate::lab::ask;
use crate::lab::attest_challenge;
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
            text: "The machine served the attacker once: it attested to an earlier request on this very connection, which the \
                   victim is to have sent. He answers the victim's request with that authenticator verbatim, and with a \
                   new one around that Evidence. Each request has a context of its own, and so has the binder. With new \
                   Evidence he is accepted, which is checked too. In the weaker modes nothing can be asked a second time.",
            cells: [
                Cell::NotApplicable(once),
                Cell::NotApplicable(once),
                within(lab).await,
            ],
        },
        Row {
            id: "R3",
            title: "context reuse",
            text: "A victim that attests too gets its own context back in the attacker's request, to have its answer used in \
                   the other direction. A context is spent when its request is sent or received, in either direction.",
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

/// The attacker's answer, on the connection on which the machine served him once.
#[derive(Clone, Copy)]
enum Again {
    /// The authenticator that answered the earlier request.
    Authenticator,
    /// A new authenticator around the Evidence for the earlier request.
    Evidence,
    /// The answer that he would have to have.
    Fresh,
}

async fn within(lab: &Lab) -> Cell {
    let fresh = again(lab, Again::Fresh).await;
    assert_eq!(fresh, Cell::Succeeds, "what is replayed would be good");
    let authenticator = again(lab, Again::Authenticator).await;
    authenticator.and(again(lab, Again::Evidence).await)
}

async fn again(lab: &Lab, answer: Again) -> Cell {
    let device = &lab.world.server_device;
    let middle = Middle::new(lab).await;
    let attack = async {
        let (socket, _) = middle.victim().await;
        let identity = lab.world.stolen_key();
        let mut link = middle.end_tls(socket, identity.clone()).await?;
        let (_, request) = link.read().await.unwrap();
        let mut before = request.clone();
        *context_of(&mut before).last_mut().unwrap() ^= 1;
        let view = link.with_identity(identity).unwrap();
        let earlier = Challenge::receive(&view, &before).unwrap();
        let old = attest_challenge(device, &earlier).await;
        let challenge = Challenge::receive(&link, &request).unwrap();
        let answer = match answer {
            Again::Authenticator => earlier.answer(&old),
            Again::Evidence => challenge.answer(&old),
            Again::Fresh => {
                let fresh = attest_challenge(device, &challenge).await;
                challenge.answer(&fresh)
            }
        };
        link.write(AUTHENTICATOR, &answer.unwrap()).await.unwrap();
        Some(link)
    };
    let mode = Mode::AfterHandshake;
    middle.duel(mode, lab.trusting_a(), attack).await
}

async fn mirrored(lab: &Lab) -> Cell {
    let victim = attesting_first(lab);
    let middle = Middle::new(lab).await;
    let attack = async {
        let (socket, _) = middle.victim().await;
        let mut link = middle.end_tls(socket, lab.world.stolen_key()).await?;
        let (_, mut asked) = link.read().await.unwrap();
        let parameters = Parameters::server(lab.trusting_a().media_types(), Order::ClientFirst);
        let asking = atls_core::exchange::request(&link, &demo::provider(), Some(&parameters));
        let (mut request, _) = asking.unwrap();
        context_of(&mut request).copy_from_slice(context_of(&mut asked));
        link.write(REQUEST, &request).await.unwrap();
        if let Ok((AUTHENTICATOR, authenticator)) = link.read().await {
            link.write(AUTHENTICATOR, &authenticator).await.unwrap();
        }
        Some(link)
    };
    middle.duel_with(victim, attack).await
}

/// A client that attests by device A, before the server does.
fn attesting_first(lab: &Lab) -> ClientConnector {
    let terms = ClientTerms::new()
        .require_peer(lab.trusting_a())
        .attester(lab.world.server_device.clone())
        .attest_before_server();
    ClientConnector::new(lab.world.client_tls(&["http/1.1"]), terms).unwrap()
}
