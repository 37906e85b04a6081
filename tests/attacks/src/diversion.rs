//! Genuine machines, and not the one that was meant.

use std::sync::Arc;

use atls_core::RelyingParty;
use atls_core::policy::instance::KnownInstances;
use atls_sim::SimAttester;
use atls_sim::SimVerifier;
use atls_tower::weaker::Mode;
use end_to_end::Served;
use rustls::sign::CertifiedKey;

use crate::duel::Middle;
use crate::duel::led_to;
use crate::lab::Lab;
use crate::lab::MODES;
use crate::lab::lenient;
use crate::outcome::Cell;
use crate::outcome::Row;

pub(crate) async fn rows(lab: &Lab) -> Vec<Row> {
    let [pre, intra, post] = MODES;
    let no_pkix = "its certificates are self-signed, so none needs to be mis-issued";
    let own = || lab.of_another_name();
    let (any, pins) = (Victim::TakesAnyMachine, Victim::PinsTheInstance);
    vec![
        Row {
            id: "D1",
            title: "diversion to another machine",
            text: "The network leads the victim to machine B, as genuine as A, of the same software, and somebody else's. \
                   Attestation alone cannot object. In the post-handshake mode the certificate is checked as ever: B has \
                   one of the same authority, for its own name.",
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
            text: "As D1, and in the post-handshake mode as D1 mis-issued, against a policy that names the machine (here by \
                   `sim.instance_id`; [instances](instances.md) has those of all platforms). This is what whoever uses a weaker mode must do.",
            cells: [
                pinned(lab, pre).await,
                pinned(lab, intra).await,
                misissued(lab, only_a(lab)).await,
            ],
        },
        Row {
            id: "D2",
            title: "a compromised attestation key of any machine",
            text: "The attacker has the attestation key of some machine, which its maker endorses, and signs Evidence at \
                   will, for any software. The weaker modes accept him anywhere. In the post-handshake mode he needs a \
                   certificate for the name: he has one of the same authority for another name.",
            cells: [
                forged(lab, pre, own(), any).await,
                forged(lab, intra, own(), any).await,
                forged(lab, post, own(), any).await,
            ],
        },
        Row {
            id: "D2 mis-issued",
            title: "a compromised attestation key and a mis-issued certificate",
            text: "As D2, and he has a certificate for the server's name. Then nothing is left to tell him from the server \
                   but the instance.",
            cells: [
                Cell::NotApplicable(no_pkix),
                Cell::NotApplicable(no_pkix),
                forged(lab, post, lab.misissued(), any).await,
            ],
        },
        Row {
            id: "D2 pinned",
            title: "a compromised attestation key, the instance being pinned",
            text: "As D2, and in the post-handshake mode as D2 mis-issued, against a policy that names machine A. An \
                   attacker with A's own attestation key passes: nothing in any mode tells him from A.",
            cells: [
                forged(lab, pre, own(), pins).await,
                forged(lab, intra, own(), pins).await,
                forged(lab, post, lab.misissued(), pins).await,
            ],
        },
    ]
}

/// Every genuine machine is good.
pub(crate) fn anybody(lab: &Lab) -> Arc<RelyingParty> {
    let builder = lenient().verifier(Arc::new(lab.trusting_both()));
    Arc::new(builder.build().unwrap())
}

/// Machine A is good.
pub(crate) fn only_a(lab: &Lab) -> Arc<RelyingParty> {
    let builder = lenient()
        .verifier(Arc::new(lab.trusting_both()))
        .policy(is_a(lab));
    Arc::new(builder.build().unwrap())
}

fn is_a(lab: &Lab) -> KnownInstances {
    let anchor = lab.world.server_device.trust_anchor();
    KnownInstances::new().with("sim.instance_id", anchor.instance_id())
}

async fn diverted(lab: &Lab, mode: Mode) -> Cell {
    led_to(lab, mode, anybody(lab), &other(lab, mode).await).await
}

/// B has a certificate too, of the same authority, for a name of its own.
async fn other(lab: &Lab, mode: Mode) -> Served {
    let certificate = lab.of_another_name();
    lab.genuine_under(certificate, mode, &lab.other).await
}

async fn pinned(lab: &Lab, mode: Mode) -> Cell {
    let party = only_a(lab);
    let genuine = lab.genuine(mode).await;
    let met = led_to(lab, mode, party.clone(), &genuine).await;
    assert_eq!(met, Cell::Succeeds, "the machine that was meant is good");
    led_to(lab, mode, party, &other(lab, mode).await).await
}

async fn misissued(lab: &Lab, party: Arc<RelyingParty>) -> Cell {
    let mode = Mode::AfterHandshake;
    let other = lab.genuine_under(lab.misissued(), mode, &lab.other).await;
    led_to(lab, mode, party, &other).await
}

/// Whom the victim trusts, beside A: the machine whose key the attacker has.
#[derive(Clone, Copy)]
enum Victim {
    TakesAnyMachine,
    PinsTheInstance,
}

/// The Evidence that the attacker's software signs with the compromised key, under this certificate in the post-handshake mode.
async fn forged(lab: &Lab, mode: Mode, certificate: Arc<CertifiedKey>, victim: Victim) -> Cell {
    let compromised = SimAttester::generate().unwrap();
    let verifier = SimVerifier::new(lab.world.server_device.trust_anchor())
        .with_trust_anchor(compromised.trust_anchor());
    let party = lenient().verifier(Arc::new(verifier));
    let party = match victim {
        Victim::TakesAnyMachine => party,
        Victim::PinsTheInstance => party.policy(is_a(lab)),
    };
    let middle = Middle::new(lab).await;
    let attack = middle.attest(mode, &compromised, certificate);
    middle
        .duel(mode, Arc::new(party.build().unwrap()), attack)
        .await
}
