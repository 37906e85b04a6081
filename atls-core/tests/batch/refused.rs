//! Proofs that are refused.

use atls_core::AppraisalError;
use atls_core::ProtocolError;
use atls_core::Refusal;
use atls_core::cmw::CmwError;
use atls_core::exchange::SendError;
use atls_core::exchange::batch::Batch;
use atls_core::exchange::batch::Batches;
use atls_core::exchange::batch::ProofError;

use crate::connections::BATCH;
use crate::connections::Connection;
use crate::connections::Party;
use crate::connections::Plain;
use crate::connections::appraise;
use crate::connections::attest;
use crate::connections::cbor;
use crate::connections::cbor_proof;
use crate::connections::collection;
use crate::connections::evidence;
use crate::connections::map;
use crate::connections::proof;
use crate::connections::proof_record;

#[test]
fn an_answer_goes_to_the_connection_that_it_was_made_for() {
    let mut answers = attest(vec![Connection::new(), Connection::new()]);
    let (second, _) = answers.pop().unwrap();
    let (_, first) = answers.pop().unwrap();
    let refused = second.challenge.answer(&first.unwrap()).unwrap_err();
    assert_eq!(refused, SendError::OtherMember.into());
}

#[test]
fn a_peer_that_takes_no_batches_is_sent_none() {
    let mut answers = attest(vec![Connection::new(), Connection::new()]);
    let batched = answers.remove(0).1.unwrap();
    let silent = Connection::with(|parameters| parameters.batches = Batches::No);
    let minimal = Connection::minimal(&Party::new());
    for connection in [silent, minimal] {
        let refused = connection.challenge.answer(&batched).unwrap_err();
        assert_eq!(refused, SendError::UnwantedBatch.into());
    }
}

#[test]
fn a_proof_of_another_connection_leads_elsewhere() {
    let victim = Connection::new();
    let answers = attest(vec![
        Connection::new(),
        Connection::new(),
        Connection::new(),
    ]);
    for (_, answer) in answers {
        let moved = answer.unwrap().encode().unwrap();
        let credential = victim.again().presented(&moved, BATCH).unwrap();
        assert_eq!(appraise(Plain::new(), credential), NOT_BOUND);
    }
}

#[test]
fn a_proof_of_another_batch_does_not_serve_this_evidence() {
    let connections = vec![Connection::new(), Connection::new()];
    let root = batch_root(&connections);
    let other = [7; 32];
    for (index, connection) in connections.into_iter().enumerate() {
        // The genuine Evidence of this batch, with a proof that leads from this connection to another root.
        let foreign = proof(index.try_into().unwrap(), 2, &other);
        let message = collection(&evidence(&root), &foreign);
        let credential = connection.presented(&message, BATCH).unwrap();
        assert_eq!(appraise(Plain::new(), credential), NOT_BOUND);
    }
}

#[test]
fn evidence_over_the_binder_does_not_pass_as_that_of_a_batch_nor_the_other_way_round() {
    let connection = Connection::new();
    let own = evidence(&connection.bound());
    let message = collection(&own, &proof(0, 2, &[7; 32]));
    let credential = connection.presented(&message, BATCH).unwrap();
    assert_eq!(appraise(Plain::new(), credential), NOT_BOUND);

    let connections = vec![Connection::new(), Connection::new()];
    let root = batch_root(&connections);
    for connection in connections {
        let message = evidence(&root).encode().unwrap();
        let credential = connection.presented(&message, NO_BATCH).unwrap();
        assert_eq!(appraise(Plain::new(), credential), NOT_BOUND);
    }
}

#[test]
fn malformed_proofs_are_refused_one_by_one() {
    let path = |hashes: usize| vec![7; hashes * 32];
    for (index, size, path, error) in [
        (0, 0, path(0), ProofError::Size),
        (0, 1, path(0), ProofError::Size),
        (0, 65_537, path(16), ProofError::Size),
        (2, 2, path(1), ProofError::Index),
        (5, 3, path(2), ProofError::Index),
        (0, 2, path(0), ProofError::PathLength),
        (0, 2, path(2), ProofError::PathLength),
        (0, 2, vec![7; 31], ProofError::PathLength),
        (0, 2, vec![7; 33], ProofError::PathLength),
        (2, 3, path(2), ProofError::PathLength),
    ] {
        let message = collection(&evidence(b"e"), &cbor_proof(index, size, &path));
        let refused = Connection::new().presented(&message, BATCH).unwrap_err();
        assert_eq!(refused, error.into(), "{index} of {size}");
    }
    let valid = cbor_proof(1, 2, &path(1));
    for malformed in [
        Vec::new(),
        [&valid[..], &[0]].concat(),
        valid[..valid.len() - 1].to_vec(),
        [&[0x83, 0x18, 1, 2][..], &valid[3..]].concat(),
        [&[0xd8, 24][..], &valid].concat(),
        valid[1..].to_vec(),
    ] {
        let message = collection(&evidence(b"e"), &malformed);
        let refused = Connection::new().presented(&message, BATCH).unwrap_err();
        assert_eq!(refused, ProofError::Malformed.into(), "{malformed:02x?}");
    }
}

#[test]
fn anything_but_one_evidence_and_one_proof_is_refused() {
    let (one, two) = (cbor(&evidence(b"e")), cbor(&evidence(b"f")));
    let proof = proof_record(&proof(0, 2, &[7; 32]));
    let labelled = |indicator: u8| [&[0x83][..], &proof[1..], &[indicator]].concat();
    let json = evidence(b"e").to_json().unwrap();
    let not_of_batch = [
        ("Evidence alone", one.clone()),
        ("proof alone", proof.clone()),
        ("no proof", map(&[(0, &one)])),
        ("two Evidence", map(&[(0, &one), (1, &two)])),
        (
            "two Evidence and a proof",
            map(&[(0, &one), (1, &proof), (2, &two)]),
        ),
        (
            "a second proof",
            map(&[(0, &one), (1, &proof), (2, &proof)]),
        ),
        ("proof first", map(&[(0, &proof), (1, &one)])),
        ("other labels", map(&[(1, &one), (2, &proof)])),
        ("a labelled proof", map(&[(0, &one), (1, &labelled(4))])),
        (
            "a proof in a collection",
            map(&[(0, &one), (1, &map(&[(0, &proof)]))]),
        ),
        ("not sorted", [&[0xa2, 1][..], &proof, &[0], &one].concat()),
        (
            "long labels",
            [&[0xa2, 0x18, 0][..], &one, &[1], &proof].concat(),
        ),
        (
            "indefinite",
            [&[0xbf, 0][..], &one, &[1], &proof, &[0xff]].concat(),
        ),
        ("JSON", json),
        (
            "text labels",
            [&[0xa2, 0x61, b'0'][..], &one, &[0x61, b'1'], &proof].concat(),
        ),
        (
            "a typed collection",
            [&[0xa3, 0][..], &one, &[1], &proof, b"\x68__cmwc_t\x65tag:x"].concat(),
        ),
        (
            "Evidence in another encoding",
            [&[0xa2, 0, 0x98, 3][..], &one[1..], &[1], &proof].concat(),
        ),
    ];
    for (what, message) in not_of_batch {
        let refused = Connection::new().presented(&message, BATCH).unwrap_err();
        assert_eq!(refused, ProofError::NotOfBatch.into(), "{what}");
    }
    let unexpected = [
        ("two proofs", map(&[(0, &proof), (1, &proof)])),
        (
            "a nested proof",
            map(&[(0, &map(&[(0, &one), (1, &proof)])), (1, &proof)]),
        ),
        (
            "a nested proof with label",
            map(&[(0, &map(&[(0, &one), (1, &labelled(2))])), (1, &proof)]),
        ),
    ];
    for (what, message) in unexpected {
        let refused = Connection::new().presented(&message, BATCH).unwrap_err();
        assert_eq!(refused, ProofError::Unexpected.into(), "{what}");
    }
    let trailing = [map(&[(0, &one), (1, &proof)]), vec![0]].concat();
    let refused = Connection::new().presented(&trailing, BATCH).unwrap_err();
    assert_eq!(refused, CmwError::Malformed.into());
    // Without any of these it is taken.
    let message = map(&[(0, &one), (1, &proof)]);
    assert!(Connection::new().presented(&message, BATCH).is_ok());
}

#[test]
fn a_proof_where_none_was_offered_or_chosen_is_refused() {
    let message = collection(&evidence(b"e"), &proof(0, 2, &[7; 32]));
    let alone = proof_record(&proof(0, 2, &[7; 32]));
    let silent = || Connection::with(|parameters| parameters.batches = Batches::No);
    let refused = silent().presented(&message, BATCH).unwrap_err();
    assert_eq!(refused, ProtocolError::UnsupportedParameters);
    for message in [&message, &alone] {
        for connection in [silent(), Connection::new()] {
            let refused = connection.presented(message, NO_BATCH).unwrap_err();
            assert_eq!(refused, ProofError::Unexpected.into());
        }
        let minimal = Connection::minimal(&Party::new());
        let refused = minimal.presented(message, &[]).unwrap_err();
        assert_eq!(refused, ProofError::Unexpected.into());
        // No selection, although batches were offered.
        let refused = Connection::new().presented(message, &[]).unwrap_err();
        assert_eq!(refused, ProofError::Unexpected.into());
    }
}

#[test]
fn every_truncation_of_a_batched_message_is_refused() {
    let message = collection(&evidence(b"e"), &proof(2, 5, &[7; 96]));
    assert!(Connection::new().presented(&message, BATCH).is_ok());
    for length in 1..message.len() {
        let cut = Connection::new().presented(&message[..length], BATCH);
        assert!(cut.is_err(), "{length}");
    }
}

fn batch_root(connections: &[Connection]) -> Vec<u8> {
    let requests = connections
        .iter()
        .map(|connection| (connection.to_attest(), ()));
    let batch = Batch::new(requests.collect()).unwrap();
    batch.request().bound().as_bytes().to_vec()
}

const NO_BATCH: &[u8] = &[0xa2, 1, 1, 4, 0xf5];

const NOT_BOUND: Result<(), Refusal> = Err(Refusal::Appraisal(AppraisalError::NotBound));
