//! Genuine machines, and not the one that was meant.

use std::sync::Arc;

use atls_core::Candidate;
use atls_core::PolicyViolation;
use atls_core::RelyingParty;
use atls_sim::SimAttester;
use atls_sim::SimClaims;
use atls_sim::SimVerifier;
use atls_tower::ServerTerms;
use atls_tower::weaker::Mode;
use end_to_end::ForgedKey;

use crate::duel::Middle;
use crate::duel::led_to;
use crate::lab::Lab;
use crate::lab::MODES;
use crate::lab::lenient;
use crate::outcome::Cell;
use crate::outcome::Row;

pub(crate) async fn rows(lab: &Lab) -> Vec<Row> {
    let [pre, intra, post] = MODES;
    let no_pkix = "its certificates are self-signed, so none needs to be mis-issued: D1";
    vec![
        Row {
            id: "D1",
            title: "diversion to another machine",
            text: "The network leads the victim to machine B, as genuine as A, of the same software, and somebody else's. \
                   Attestation alone cannot object. In the post-handshake mode the certificate is checked as ever, and \
                   B has none for this name.",
            cells: [
                diverted(lab, pre).await,
                diverted(lab, intra).await,
                diverted(lab, post).await,
            ],
        },
        Row {
            id: "D1 mis-issued",
            title: "diversion with a mis-issued certificate",
            text: "As D1, and B has a certificate for the server's name that its authority should not have issued. Then \
                   nothing but the instance tells the machines apart, in any mode.",
            cells: [
                Cell::NotApplicable(no_pkix),
                Cell::NotApplicable(no_pkix),
                misissued(lab, anybody(lab)).await,
            ],
        },
        Row {
            id: "D1 pinned",
            title: "diversion, the instance being pinned",
            text: "As the two before, against a policy that names the machine (here by the `ueid` of its token). This is \
                   what whoever uses a weaker mode must do.",
            cells: [
                pinned(lab, pre).await,
                pinned(lab, intra).await,
                misissued(lab, only_a(lab)).await,
            ],
        },
        Row {
            id: "D2",
            title: "a compromised attestation key of any machine",
            text: "The attacker has the attestation key of some machine B, which its maker endorses, and signs Evidence at \
                   will, for any software. The weaker modes accept him anywhere. In the post-handshake mode he also \
                   needs a certificate for the name; a policy that pins the instance refuses him in all of them.",
            cells: [
                forged(lab, pre).await,
                forged(lab, intra).await,
                forged(lab, post).await,
            ],
        },
    ]
}

/// Every genuine machine is good.
fn anybody(lab: &Lab) -> Arc<RelyingParty> {
    let builder = lenient().verifier(Arc::new(lab.trusting_both()));
    Arc::new(builder.build().unwrap())
}

/// Machine A is good.
fn only_a(lab: &Lab) -> Arc<RelyingParty> {
    let anchor = lab.world.server_device.trust_anchor();
    let policy = move |peer: &Candidate| match peer.claims::<SimClaims>() {
        Some(claims) if claims.instance_id == anchor.instance_id() => Ok(()),
        _ => Err(PolicyViolation::custom("another machine")),
    };
    let builder = lenient()
        .verifier(Arc::new(lab.trusting_both()))
        .policy(policy);
    Arc::new(builder.build().unwrap())
}

async fn diverted(lab: &Lab, mode: Mode) -> Cell {
    let party = anybody(lab);
    if mode == Mode::AfterHandshake {
        // Its certificate is of an authority that the victim does not know.
        let terms = ServerTerms::new().attester(lab.other.clone());
        let elsewhere = Lab::new();
        let other = elsewhere.world.serve(terms).await;
        return led_to(lab, mode, party, other.address).await;
    }
    let other = lab.genuine_with(mode, &lab.other, ServerTerms::new()).await;
    led_to(lab, mode, party, other.address).await
}

async fn pinned(lab: &Lab, mode: Mode) -> Cell {
    let party = only_a(lab);
    let genuine = lab.genuine(mode).await;
    let met = led_to(lab, mode, party.clone(), genuine.address).await;
    assert_eq!(met, Cell::Succeeds, "the machine that was meant is good");
    let other = lab.genuine_with(mode, &lab.other, ServerTerms::new()).await;
    led_to(lab, mode, party, other.address).await
}

async fn misissued(lab: &Lab, party: Arc<RelyingParty>) -> Cell {
    let terms = ServerTerms::new().attester(lab.other.clone());
    let tls = lab.world.authority.server().unwrap();
    let other = lab.world.serve_with(terms, tls).await;
    led_to(lab, Mode::AfterHandshake, party, other.address).await
}

/// What the attacker's software signs with the compromised key.
async fn forged(lab: &Lab, mode: Mode) -> Cell {
    let compromised = SimAttester::generate().unwrap();
    let verifier = SimVerifier::trusting(lab.world.server_device.trust_anchor())
        .and_trusting(compromised.trust_anchor());
    let party = Arc::new(lenient().verifier(Arc::new(verifier)).build().unwrap());
    let middle = Middle::new(lab).await;
    let attack = middle.attest(mode, &compromised, ForgedKey::new().certify(None));
    middle.duel(mode, party, attack).await
}
