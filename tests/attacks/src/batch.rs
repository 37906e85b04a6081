//! Evidence that a genuine server made for many connections at once.

use std::sync::Arc;

use adversary::AUTHENTICATOR;
use adversary::Link;
use adversary::REQUEST;
use atls_core::cmw::Cmw;
use atls_core::cmw::Type;
use atls_core::exchange::ATTESTATION_PARAMETERS;
use atls_core::exchange::CMW_ATTESTATION;
use atls_core::exchange::CanAttest;
use atls_core::exchange::Challenge;
use atls_core::exchange::Parameters;
use atls_core::exchange::authenticator::Extension;
use atls_core::exchange::authenticator::ReceivedRequest;
use atls_core::exchange::batch::Batch;
use atls_sim::SimAttester;
use atls_tower::Batcher;
use atls_tower::ServerTerms;
use atls_tower::weaker::Mode;
use ciborium::Value;
use end_to_end::Gate;
use end_to_end::Gated;

use crate::duel::Middle;
use crate::lab::Lab;
use crate::outcome::Cell;
use crate::outcome::Row;

pub(crate) async fn rows(lab: &Lab) -> Vec<Row> {
    let no_batches = "there is no place in which a peer could say that it takes Evidence of a batch, and nobody gives it any";
    vec![
        Row {
            id: "B1",
            title: "Evidence of a batch, moved to another connection",
            text: "The genuine server makes Evidence for many connections at once. The attacker has some of them, so he has their \
                   Evidence and inclusion proofs, and he holds the leaf key, which leaked. He gives the victim the Evidence with \
                   the proof of a connection of his, with a proof of another batch, and without a proof. The victim computes the \
                   root from its own binder, so no proof of another connection leads to the root that the Evidence carries. With \
                   Evidence of a batch that the victim's connection is in, he is accepted, which is checked too.",
            cells: [
                Cell::NotApplicable(no_batches),
                Cell::NotApplicable(no_batches),
                moved(lab).await,
            ],
        },
        Row {
            id: "B2",
            title: "misuse of inclusion proofs",
            text: "A proof stands beside Evidence that the answer does not call that of a batch, as it would had the victim \
                   not offered to take any; it is missing where the answer says that there is one; there are two; its index, size or path \
                   do not fit each other; it is not in the one encoding. Whether batches were offered and chosen stands in the \
                   request and in the authenticator that signs it, within TLS, so nobody in between takes it away (L1). Further \
                   malformed proofs are tested in `atls-core/tests/batch`.",
            cells: [
                Cell::NotApplicable(no_batches),
                Cell::NotApplicable(no_batches),
                misused(lab).await,
            ],
        },
    ]
}

async fn moved(lab: &Lab) -> Cell {
    let [one, two] = [taken(lab).await, taken(lab).await];
    assert_eq!(
        within(lab).await,
        Cell::Succeeds,
        "what is moved would be good"
    );
    let mut refused = present(lab, &one.message(), OF_BATCH).await;
    for proof in [&two.proof, &one.others_proof] {
        let message = of_batch(&one.evidence, proof);
        refused = refused.and(present(lab, &message, OF_BATCH).await);
    }
    refused.and(present(lab, &one.evidence, OF_ONE).await)
}

async fn misused(lab: &Lab) -> Cell {
    let taken = taken(lab).await;
    let genuine = taken.message();
    let mut refused = present(lab, &genuine, OF_ONE).await;
    refused = refused.and(present(lab, &taken.evidence, OF_BATCH).await);
    let twice = of_batch(&taken.proof, &taken.proof);
    refused = refused.and(present(lab, &twice, OF_BATCH).await);
    let hash = [7; 32];
    for proof in [
        proof(2, 2, &hash),
        proof(0, 1, &[]),
        proof(0, 2, &[]),
        [proof(0, 2, &hash), vec![0]].concat(),
    ] {
        let message = of_batch(&taken.evidence, &record(&proof));
        refused = refused.and(present(lab, &message, OF_BATCH).await);
    }
    refused
}

/// What the attacker has of a batch, as it stands in `cmw_data`.
struct Taken {
    evidence: Vec<u8>,
    proof: Vec<u8>,
    /// Of another of his connections in the same batch.
    others_proof: Vec<u8>,
}

impl Taken {
    fn message(&self) -> Vec<u8> {
        of_batch(&self.evidence, &self.proof)
    }
}

/// The attacker has three connections with the genuine server, of which two share what its device makes.
async fn taken(lab: &Lab) -> Taken {
    let gate = Gate::new();
    let device = Gated {
        inner: lab.world.server_device.clone(),
        gate: gate.clone(),
    };
    let batcher = Batcher::builder(device).spawn().unwrap();
    let terms = ServerTerms::new().attester(Arc::new(batcher.clone()));
    let genuine = lab.world.serve(terms).await;
    let _alone = asking(lab, genuine.address).await;
    gate.reached_by(1).await;
    let mut sharing = [
        asking(lab, genuine.address).await,
        asking(lab, genuine.address).await,
    ];
    while batcher.stats().waiting < sharing.len() {
        tokio::task::yield_now().await;
    }
    gate.open();
    let mut messages = Vec::new();
    for link in &mut sharing {
        let (kind, authenticator) = link.read().await.unwrap();
        assert_eq!(kind, AUTHENTICATOR);
        messages.push(parts(&cmw_data_in(&authenticator)));
    }
    let [(evidence, proof), (same, others_proof)] = messages.try_into().unwrap();
    assert_eq!(evidence, same);
    Taken {
        evidence,
        proof,
        others_proof,
    }
}

async fn asking(lab: &Lab, server: std::net::SocketAddr) -> Link {
    let mut link = lab.upstream(server, None).await;
    let formats = lab.trusting_a().media_types();
    let parameters = Parameters::client(formats, true, CanAttest::No);
    let asking = atls_core::exchange::request(&link, &demo::provider(), Some(&parameters));
    link.write(REQUEST, &asking.unwrap().0).await.unwrap();
    link
}

/// The victim comes to the attacker, who holds the server's key and authenticates these extensions by it.
async fn present(lab: &Lab, cmw_data: &[u8], selection: &[u8]) -> Cell {
    let middle = Middle::new(lab).await;
    let attack = async {
        let (socket, _) = middle.victim().await;
        let mut link = middle.end_tls(socket, lab.world.stolen_key()).await?;
        let (_, request) = link.read().await.unwrap();
        let length = u16::try_from(cmw_data.len()).unwrap();
        let extensions = [
            Extension {
                code: CMW_ATTESTATION,
                data: [&length.to_be_bytes(), cmw_data].concat(),
            },
            Extension {
                code: ATTESTATION_PARAMETERS,
                data: selection.to_vec(),
            },
        ];
        let request = ReceivedRequest::receive(&link, &request).unwrap();
        let answer = request.authenticate(&extensions).unwrap();
        link.write(AUTHENTICATOR, &answer).await.unwrap();
        Some(link)
    };
    let mode = Mode::AfterHandshake;
    middle.duel(mode, lab.trusting_a(), attack).await
}

/// The device is at the attacker's service, and makes Evidence for the victim's connection and one of his own.
async fn within(lab: &Lab) -> Cell {
    let middle = Middle::new(lab).await;
    let attack = async {
        let (socket, _) = middle.victim().await;
        let mut link = middle.end_tls(socket, lab.world.stolen_key()).await?;
        let (_, request) = link.read().await.unwrap();
        let challenge = Challenge::receive(&link, &request).unwrap();
        let to_attest = challenge.to_attest().unwrap().to_owned();
        let batch = Batch::new(vec![(to_attest.clone(), ()), (to_attest, ())]).unwrap();
        let device: &SimAttester = &lab.world.server_device;
        let made = atls_core::Attester::attest(device, batch.request()).await;
        let (_, evidence) = batch.answer(made).next().unwrap();
        let answer = challenge.answer(&evidence.unwrap()).unwrap();
        link.write(AUTHENTICATOR, &answer).await.unwrap();
        Some(link)
    };
    let mode = Mode::AfterHandshake;
    middle.duel(mode, lab.trusting_a(), attack).await
}

/// Cuts the extension `cmw_attestation` out of an authenticator: its code, its length, and the length of a map of two within it.
fn cmw_data_in(authenticator: &[u8]) -> Vec<u8> {
    let place = authenticator
        .windows(7)
        .position(|bytes| bytes.starts_with(&[0xff, 0]) && bytes.ends_with(&[0xa2]));
    let (_, rest) = authenticator.split_at(place.unwrap());
    let [_, _, _, _, high, low, data @ ..] = rest else {
        panic!("an extension");
    };
    let length = usize::from(u16::from_be_bytes([*high, *low]));
    data.split_at(length).0.to_vec()
}

/// Evidence and proof, each as it is written.
fn parts(message: &[u8]) -> (Vec<u8>, Vec<u8>) {
    let value: Value = ciborium::from_reader(message).unwrap();
    let members = value.into_map().unwrap();
    let mut written = members.iter().map(|(_, member)| {
        let mut bytes = Vec::new();
        ciborium::into_writer(member, &mut bytes).unwrap();
        bytes
    });
    (written.next().unwrap(), written.next().unwrap())
}

fn of_batch(evidence: &[u8], proof: &[u8]) -> Vec<u8> {
    [&[0xa2, 0][..], evidence, &[1], proof].concat()
}

fn proof(index: u32, size: u32, path: &[u8]) -> Vec<u8> {
    let fields = vec![index.into(), size.into(), Value::Bytes(path.to_vec())];
    let mut bytes = Vec::new();
    ciborium::into_writer(&Value::Array(fields), &mut bytes).unwrap();
    bytes
}

fn record(proof: &[u8]) -> Vec<u8> {
    let kind = "application/vnd.atls.inclusion-proof+cbor".parse().unwrap();
    let record = Cmw::record(Type::Media(kind), proof.to_vec(), None);
    record.encode().unwrap()
}

/// The selection of an answer that is of a batch: `{1: 1, 3: true, 4: true}`.
const OF_BATCH: &[u8] = &[0xa3, 1, 1, 3, 0xf5, 4, 0xf5];
/// And of one that is not.
const OF_ONE: &[u8] = &[0xa2, 1, 1, 4, 0xf5];
