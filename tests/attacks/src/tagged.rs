//! The other format of RA-TLS: DICE tagged evidence, of a forged TDX machine.

use std::sync::Arc;

use atls_core::exchange::OwnedAttestRequest;
use atls_core::exchange::certificate;
use atls_core::exchange::certificate::Format;
use atls_core::exchange::certificate::ID_PE_CMW;
use atls_core::exchange::certificate::TAGGED_EVIDENCE;
use atls_tower::ServerTerms;
use atls_tower::weaker::Mode;
use end_to_end::DcapDevice;
use end_to_end::ForgedKey;
use end_to_end::Tee;
use end_to_end::dcap_challenge;

use crate::duel::Middle;
use crate::lab::Lab;
use crate::lab::MODES;
use crate::outcome::Cell;
use crate::outcome::Row;

pub(crate) async fn rows(lab: &Lab) -> Vec<Row> {
    let [pre, intra, _] = MODES;
    let no_evidence = "its certificates carry no Evidence";
    let no_nonce = "the format has no room for a nonce: F1";
    vec![
        Row {
            id: "F1",
            title: "replay of DICE tagged evidence",
            text: "R1 on a server that presents the interoperable RA-TLS format, a TDX quote over claims that name its key. It is \
                   about the key alone, as Evidence in `id-pe-cmw` is there, and no Evidence where one over a nonce is \
                   expected.",
            cells: [
                replayed(lab, pre).await,
                replayed(lab, intra).await,
                Cell::NotApplicable(no_evidence),
            ],
        },
        Row {
            id: "F2",
            title: "claims of DICE tagged evidence",
            text: "The attacker has a genuine TDX machine at his service and writes the rest as he likes: claims of another \
                   key, alone and beside a quote over his own; claims quoted without the digest of the key, or with it \
                   under another algorithm's number; claims altered after they were quoted; the quote in a CMW; another \
                   tag; bytes after claims or extension; `id-pe-cmw` beside it, each being good alone. With nothing \
                   altered he is accepted, which is checked too.",
            cells: [
                altered(lab).await,
                Cell::NotApplicable(no_nonce),
                Cell::NotApplicable(no_evidence),
            ],
        },
    ]
}

async fn replayed(lab: &Lab, mode: Mode) -> Cell {
    let device = Arc::new(DcapDevice::new(&lab.world, Tee::Tdx));
    let party = device.weakly_trusted();
    let identity = lab.identity_in(Format::TaggedEvidence, device).await;
    let tls = lab.tls(identity);
    let genuine = lab.world.serve_with(ServerTerms::plain(), tls).await;
    let old = lab.loot(genuine.address, None).await;
    drop(genuine);
    let middle = Middle::new(lab).await;
    let attack = async {
        let (socket, _) = middle.victim().await;
        middle.end_tls(socket, old.identity).await
    };
    middle.duel(mode, party, attack).await
}

async fn altered(lab: &Lab) -> Cell {
    let device = DcapDevice::new(&lab.world, Tee::Tdx);
    let (key, other) = (ForgedKey::new(), ForgedKey::new());
    let (claims, report_data) = certificate::claims_for_key(&key.spki()).unwrap();
    let (of_other, about_other) = certificate::claims_for_key(&other.spki()).unwrap();
    let good = device.tagged(&claims);

    let mut algorithm = claims.clone();
    // The last 36 bytes: an array of two, the number 1, a digest.
    let at = algorithm.len().checked_sub(35).unwrap();
    *algorithm.get_mut(at).unwrap() = 7;
    let mut other_tag = good.clone();
    *other_tag.get_mut(2).unwrap() += 1;
    let about_key = OwnedAttestRequest::for_key(&*key.signing).unwrap();
    let in_cmw = |report_data: &[u8; 64]| {
        let value = certificate::cmw_extension(&device.evidence(report_data)).unwrap();
        (ID_PE_CMW, value)
    };
    let cmw = in_cmw(&dcap_challenge(about_key.as_request()));
    let tagged = |value| (TAGGED_EVIDENCE, value);

    for good in [tagged(good.clone()), cmw.clone()] {
        let accepted = presented(lab, &device, &key, vec![good]).await;
        assert_eq!(accepted, Cell::Succeeds, "what is altered is good");
    }
    let longer = [&claims[..], &[0]].concat();
    // The same map in another encoding.
    let (_, entries) = claims.split_at(1);
    let indefinite = [&[0xbf], entries, &[0xff]].concat();
    let after = [&good[..], &[0]].concat();
    let of_other = vec![tagged(device.tagged(&of_other))];
    let mut refused = presented(lab, &device, &key, of_other).await;
    for extensions in [
        vec![tagged(device.tagged_beside(&about_other, &claims))],
        vec![tagged(device.tagged(&[0xa0]))],
        vec![tagged(device.tagged(&algorithm))],
        vec![tagged(device.tagged_beside(&report_data, &indefinite))],
        vec![in_cmw(&report_data)],
        vec![tagged(other_tag)],
        vec![tagged(device.tagged(&longer))],
        vec![tagged(after)],
        vec![cmw, tagged(good)],
    ] {
        refused = refused.and(presented(lab, &device, &key, extensions).await);
    }
    refused
}

async fn presented(
    lab: &Lab,
    device: &DcapDevice,
    key: &ForgedKey,
    extensions: Extensions,
) -> Cell {
    let middle = Middle::new(lab).await;
    let attack = async {
        let (socket, _) = middle.victim().await;
        middle.end_tls(socket, key.certify_with(extensions)).await
    };
    middle
        .duel(Mode::InCertificate, device.weakly_trusted(), attack)
        .await
}

type Extensions = Vec<(&'static [u64], Vec<u8>)>;
