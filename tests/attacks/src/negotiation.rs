//! Less than was asked for, or more.

use std::sync::Arc;

use adversary::AUTHENTICATOR;
use adversary::Link;
use adversary::REQUEST;
use atls_core::ProtocolError;
use atls_core::exchange::Challenge;
use atls_sim::SimVerifier;
use atls_tower::weaker::Mode;
use end_to_end::ForgedKey;
use end_to_end::Unreachable;

use crate::duel::Middle;
use crate::duel::led_to;
use crate::lab::Lab;
use crate::lab::MODES;
use crate::lab::attest;
use crate::lab::lenient;
use crate::lab::request_for;
use crate::outcome::Cell;
use crate::outcome::Row;

pub(crate) async fn rows(lab: &Lab) -> Vec<Row> {
    let [pre, intra, post] = MODES;
    let no_answer = "a certificate cannot say that it declines; without Evidence it is N1";
    vec![
        Row {
            id: "N1",
            title: "attestation stripped",
            text: "A server with a good certificate leaves the Evidence out: of its certificate, or of a valid authenticator. \
                   The victim alone demands it, so nothing is negotiated away.",
            cells: [
                stripped(lab, pre).await,
                stripped(lab, intra).await,
                answered(lab, Challenge::answer_without_attestation).await,
            ],
        },
        Row {
            id: "N2",
            title: "empty authenticator",
            text: "The server declines, authentically. That is an outcome of its own, and not a good one.",
            cells: [
                Cell::NotApplicable(no_answer),
                Cell::NotApplicable(no_answer),
                answered(lab, Challenge::decline).await,
            ],
        },
        Row {
            id: "N3",
            title: "the verifier fails",
            text: "The server is genuine and the victim's verifier cannot be reached. Nothing is known then, so nothing is \
                   accepted. Results that are unsigned, expired, of another nonce or under another key are tested with the \
                   verifiers, in `atls-core/tests/ear` and `verifiers/*`.",
            cells: [
                without_verifier(lab, pre).await,
                without_verifier(lab, intra).await,
                without_verifier(lab, post).await,
            ],
        },
        Row {
            id: "N4",
            title: "misuse of the extension",
            text: "Good Evidence stands in the certificate twice; a request's `cmw_attestation`, which must be empty, is not. \
                   Unsolicited, repeated, misplaced, empty and trailing extensions of authenticators are tested in \
                   `atls-core/tests/authenticator`.",
            cells: [
                twice(lab, pre).await,
                twice(lab, intra).await,
                not_empty(lab).await,
            ],
        },
    ]
}

async fn stripped(lab: &Lab, mode: Mode) -> Cell {
    let middle = Middle::new(lab).await;
    let attack = async {
        let (socket, _) = middle.victim().await;
        middle.end_tls(socket, lab.world.stolen_key()).await
    };
    middle.duel(mode, lab.trusting_a(), attack).await
}

async fn answered(
    lab: &Lab,
    answer: impl FnOnce(Challenge) -> Result<Vec<u8>, ProtocolError>,
) -> Cell {
    let middle = Middle::new(lab).await;
    let attack = async {
        let (socket, _) = middle.victim().await;
        let mut link = middle.end_tls(socket, lab.world.stolen_key()).await?;
        let (_, request) = link.read().await.unwrap();
        let challenge = Challenge::receive(&link, &request).unwrap();
        link.write(AUTHENTICATOR, &answer(challenge).unwrap())
            .await
            .unwrap();
        Some(link)
    };
    let mode = Mode::AfterHandshake;
    middle.duel(mode, lab.trusting_a(), attack).await
}

async fn without_verifier(lab: &Lab, mode: Mode) -> Cell {
    let genuine = lab.genuine(mode).await;
    let verifier = SimVerifier::new(lab.world.server_device.trust_anchor());
    let party = lenient().verifier(Arc::new(Unreachable(verifier)));
    led_to(lab, mode, Arc::new(party.build().unwrap()), &genuine).await
}

async fn twice(lab: &Lab, mode: Mode) -> Cell {
    let middle = Middle::new(lab).await;
    let attack = async {
        let (socket, random) = middle.victim().await;
        let own = ForgedKey::new();
        let request = request_for(mode, &random, &own);
        let evidence = attest(&lab.world.server_device, &request).await;
        let certificate = own.certify([&evidence, &evidence]);
        middle.end_tls(socket, certificate).await
    };
    middle.duel(mode, lab.trusting_a(), attack).await
}

/// A client sends the genuine server a request whose extension has a byte in it.
async fn not_empty(lab: &Lab) -> Cell {
    let acceptor = {
        let terms = atls_tower::ServerTerms::new().attester(lab.world.server_device.clone());
        atls_tower::ServerAcceptor::new(lab.world.server_tls(), terms).unwrap()
    };
    let (near, far) = crate::link::sockets().await;
    let client = async {
        let tls = Arc::new(lab.any_server(demo::provider()));
        let mut link = Link::connect(tls, near, None).await.unwrap();
        let (request, _) = atls_core::exchange::request(&link, &demo::provider(), None).unwrap();
        link.write(REQUEST, &with_one_more_byte(&request))
            .await
            .unwrap();
        link.drain().await
    };
    let (answer, accepted) = tokio::join!(client, acceptor.accept(far));
    assert!(answer.is_empty());
    Cell::by(&accepted.unwrap_err())
}

/// Type and length of `cmw_attestation`, one byte of data, and the lengths around it.
fn with_one_more_byte(request: &[u8]) -> Vec<u8> {
    let place = request
        .windows(4)
        .position(|bytes| bytes == [0xff, 0, 0, 0]);
    let (before, after) = request.split_at(place.unwrap());
    let (_, after) = after.split_at(4);
    let mut changed = [before, &[0xff, 0, 0, 1, 7], after].concat();
    // The low bytes of the message's length and of the length of its extensions, behind a context of 32.
    for place in [3, 4 + 1 + 32 + 1] {
        let low = changed.get_mut(place).unwrap();
        *low = low.checked_add(1).unwrap();
    }
    changed
}
