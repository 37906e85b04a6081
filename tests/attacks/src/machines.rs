//! Evidence of several roots of trust, of which one is another machine's.

use std::sync::Arc;

use atls_core::Attester;
use atls_core::RelyingParty;
use atls_core::combine::CompositeAttester;
use atls_core::exchange::certificate::Format;
use atls_core::policy::Composition;
use atls_core::policy::ExpectedItem;
use atls_tower::Blocking;
use atls_tower::weaker::Mode;
use end_to_end::azure::ForgedAzure;
use rustls::sign::SingleCertAndKey;

use crate::duel::led_to;
use crate::lab::Lab;
use crate::lab::MODES;
use crate::lab::lenient;
use crate::lab::terms_of;
use crate::outcome::Cell;
use crate::outcome::Row;

pub(crate) async fn rows(lab: &Lab) -> Vec<Row> {
    let [pre, intra, post] = MODES;
    vec![
        Row {
            id: "M1",
            title: "items of two machines, chained",
            text: "The attacker has a TPM of his own, and the report and the runtime data of a genuine confidential VM of \
                   Azure, which are no secrets. He has his TPM quote the victim's value, and presents its quote beside them \
                   (the cuckoo attack from outside of the VM). In the post-handshake mode he has a mis-issued certificate too. \
                   The VM's processor vouches for the key of its own virtual TPM. As the VM itself presents it, the Evidence is \
                   accepted, which is checked too.",
            cells: [
                chained(lab, pre).await,
                chained(lab, intra).await,
                chained(lab, post).await,
            ],
        },
        Row {
            id: "M2",
            title: "items of two machines, each carrying the binder",
            text: "The victim demands two items, of two devices that a machine has. The attacker may use one device of each of two \
                   machines, and has each attest to the victim's value. In the post-handshake mode he has a mis-issued \
                   certificate too. Each item is about this connection, and nothing in them says that they are of one machine: \
                   `AppraisedItem::chained_to` is none. Where that matters, demand a chain (M1), or pin the instance of each.",
            cells: [
                side_by_side(lab, pre).await,
                side_by_side(lab, intra).await,
                side_by_side(lab, post).await,
            ],
        },
    ]
}

async fn chained(lab: &Lab, mode: Mode) -> Cell {
    let vm = ForgedAzure::snp();
    let party = lenient().verifier(Arc::new(vm.verifier()));
    let party = Arc::new(party.build().unwrap());
    let mut attackers = ForgedAzure::snp();
    attackers.processor = vm.processor.clone();
    attackers.runtime = vm.runtime.clone();
    attackers.key = ForgedAzure::other_key();
    let honest = Arc::new(Blocking::spawn(vm).unwrap());
    let met = presented(lab, mode, party.clone(), honest).await;
    assert_eq!(met, Cell::Succeeds, "the VM itself is good");
    let mixed = Arc::new(Blocking::spawn(attackers).unwrap());
    presented(lab, mode, party, mixed).await
}

async fn side_by_side(lab: &Lab, mode: Mode) -> Cell {
    let one: Arc<dyn Attester> = lab.world.server_device.clone();
    let other: Arc<dyn Attester> = lab.other.clone();
    let format = one.media_types().first().unwrap().clone();
    let expected = ["cpu", "device"].map(|label| ExpectedItem::new(format.clone()).labelled(label));
    let party = lenient()
        .verifier(Arc::new(lab.trusting_both()))
        .policy(Composition::of(expected));
    let both = CompositeAttester::of([("cpu".into(), one), ("device".into(), other)]);
    let party = Arc::new(party.build().unwrap());
    presented(lab, mode, party, Arc::new(both)).await
}

/// The network leads the victim to a server that presents this device's Evidence.
async fn presented(
    lab: &Lab,
    mode: Mode,
    party: Arc<RelyingParty>,
    device: Arc<dyn Attester>,
) -> Cell {
    let terms = terms_of(mode);
    let certificate = Arc::new(SingleCertAndKey::from(lab.misissued()));
    let (terms, tls) = match mode {
        Mode::InCertificate => {
            let identity = lab.identity_in(Format::default(), device).await;
            (terms, lab.tls(identity))
        }
        Mode::InHandshake => (
            terms.attester(device).attest_in_handshake(),
            lab.tls(certificate),
        ),
        Mode::AfterHandshake => (terms.attester(device), lab.tls(certificate)),
    };
    let server = lab.world.serve_with(terms, tls).await;
    led_to(lab, mode, party, &server).await
}
