//! Results instead of Evidence.

use std::sync::Arc;

use adversary::AUTHENTICATOR;
use atls_core::exchange::Challenge;
use atls_core::exchange::OwnedAttestRequest;
use atls_core::session::Side;
use atls_tower::weaker::Mode;
use end_to_end::ForgedKey;
use end_to_end::PassportOffice;
use rustls::time_provider::TimeProvider;

use crate::duel::Middle;
use crate::lab::Lab;
use crate::lab::MODES;
use crate::lab::lenient;
use crate::link::pair;
use crate::outcome::Cell;
use crate::outcome::Row;

pub(crate) async fn rows(lab: &Lab) -> Vec<Row> {
    let [pre, intra, post] = MODES;
    vec![Row {
        id: "P1",
        title: "passport replay",
        text: "A verifier issued a result for an earlier connection, over what that connection bound. The attacker, who holds \
               the key, presents it on another. It is replay with a result for Evidence, and ends as R1 does.",
        cells: [
            replayed(lab, pre).await,
            replayed(lab, intra).await,
            replayed(lab, post).await,
        ],
    }]
}

async fn replayed(lab: &Lab, mode: Mode) -> Cell {
    let office = PassportOffice::new();
    let party = Arc::new(lenient().verifier(office.verifier()).build().unwrap());
    let now = lab.world.clock.current_time().unwrap();
    let middle = Middle::new(lab).await;
    if mode == Mode::AfterHandshake {
        let (near, far) = pair(lab).await;
        let (request, _) = atls_core::exchange::request(&near, &demo::provider(), None).unwrap();
        let earlier = Challenge::receive(&far, &request).unwrap();
        let bound = earlier.to_attest().unwrap().bound();
        let passport = office.issue(bound.as_bytes(), now);
        let attack = async {
            let (socket, _) = middle.victim().await;
            let mut link = middle.end_tls(socket, lab.world.stolen_key()).await?;
            let (_, request) = link.read().await.unwrap();
            let challenge = Challenge::receive(&link, &request).unwrap();
            let answer = challenge.answer(&passport).unwrap();
            link.write(AUTHENTICATOR, &answer).await.unwrap();
            Some(link)
        };
        return middle.duel(mode, party, attack).await;
    }
    let leaked = ForgedKey::new();
    let request = match mode {
        Mode::InHandshake => {
            OwnedAttestRequest::for_handshake(Side::Server, &[1; 32], &*leaked.signing)
        }
        Mode::InCertificate | Mode::AfterHandshake => OwnedAttestRequest::for_key(&*leaked.signing),
    };
    let request = request.unwrap();
    let passport = office.issue(request.as_request().bound().as_bytes(), now);
    let attack = async {
        let (socket, _) = middle.victim().await;
        middle
            .end_tls(socket, leaked.certify(Some(&passport)))
            .await
    };
    middle.duel(mode, party, attack).await
}
