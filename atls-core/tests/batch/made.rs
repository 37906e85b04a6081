//! Batches as they are made: their Evidence, its size, and the failures.

use atls_core::AttestError;
use atls_core::ProtocolError;
use atls_core::cmw::Cmw;
use atls_core::cmw::CmwError;
use atls_core::cmw::Indicator;
use atls_core::cmw::Label;
use atls_core::cmw::Type;
use atls_core::exchange::OwnedAttestRequest;
use atls_core::exchange::SendError;
use atls_core::exchange::batch::Batch;
use atls_core::exchange::batch::BatchError;
use atls_core::exchange::batch::Batches;
use atls_core::session::Side;
use rustls::CipherSuite;

use crate::connections::Connection;
use crate::connections::Party;
use crate::connections::Plain;
use crate::connections::SHA256;
use crate::connections::appraise;
use crate::connections::attest;
use crate::connections::batch;
use crate::connections::evidence;
use crate::connections::leaf;
use crate::connections::media_type;
use crate::connections::node;
use crate::support::identity;
use crate::support::providers;

#[test]
fn every_connection_of_a_batch_is_accepted_in_both_roles_and_under_both_hashes() {
    for attests in [Side::Server, Side::Client] {
        for size in [2, 3, 5, 8] {
            // Suites of either hash, in one batch.
            let connections = (0..size).map(|n| {
                let suite = [SHA256, SHA384][n % 2];
                Connection::of(attests, suite, &Party::new())
            });
            let mut lengths = Vec::new();
            for (connection, answer) in attest(connections.collect()) {
                lengths.push(connection.bound().len());
                let credential = connection.finish(&answer.unwrap());
                assert_eq!(credential.bound().as_bytes().len(), 32);
                assert_eq!(credential.cmw().items().len(), 1);
                assert!(appraise(Plain::new(), credential).is_ok());
            }
            assert!(lengths.contains(&32) && lengths.contains(&48));
        }
    }
}

#[test]
fn a_batch_of_one_is_plain_evidence_over_the_binder_itself() {
    let connection = Connection::new();
    let bound = connection.bound();
    let (connection, answer) = attest(vec![connection]).pop().unwrap();
    let answer = answer.unwrap();
    assert!(!answer.is_of_batch());
    assert_eq!(answer, evidence(&bound));
    let credential = connection.finish(&answer);
    assert_eq!(credential.bound().as_bytes(), bound);
    assert_eq!(credential.selection().unwrap().batches, Batches::No);
    assert!(appraise(Plain::new(), credential).is_ok());
}

#[test]
fn an_answer_of_a_batch_says_so_and_its_evidence_carries_the_root() {
    let connections = vec![Connection::new(), Connection::new()];
    let leaves: Vec<_> = connections.iter().map(|c| leaf(&c.bound())).collect();
    let root = node(&leaves[0], &leaves[1]);
    for (connection, answer) in attest(connections) {
        let credential = connection.finish(&answer.unwrap());
        assert_eq!(credential.selection().unwrap().batches, Batches::Yes);
        assert_eq!(credential.bound().as_bytes(), root);
        assert_eq!(credential.cmw(), &evidence(&root));
    }
}

#[test]
fn a_composite_with_endorsements_is_shared_whole() {
    let connections = vec![Connection::new(), Connection::new(), Connection::new()];
    let batch = batch(connections);
    let bound = batch.request().bound().as_bytes().to_vec();
    let members = vec![
        ("cpu".into(), evidence(&bound)),
        (
            "certificates".into(),
            Cmw::record(
                Type::Media(media_type()),
                b"endorsement".to_vec(),
                Some(Indicator::ENDORSEMENTS),
            ),
        ),
    ];
    let made = Cmw::collection(Some("tag:example.com,2026:two".to_owned()), members).unwrap();
    for (connection, answer) in batch.answer(Ok(made.clone())) {
        let credential = connection.finish(&answer.unwrap());
        assert_eq!(credential.cmw(), &made);
        assert!(appraise(Plain::new(), credential).is_ok());
    }
}

#[test]
fn a_failure_is_given_to_every_connection() {
    let failed = AttestError::Device("unplugged".to_owned());
    let answers = batch(vec![Connection::new(), Connection::new()]).answer(Err(failed.clone()));
    let errors: Vec<_> = answers.map(|(_, answer)| answer.unwrap_err()).collect();
    assert_eq!(errors, [failed.clone(), failed]);
}

#[test]
fn evidence_without_room_for_a_proof_fails_and_is_not_cut() {
    let full = |items: u8| {
        let members = (0..items).map(|n| (Label::Integer(n.into()), evidence(&[n])));
        Cmw::collection(None, members.collect()).unwrap()
    };
    let deep = (0..4).fold(evidence(b"deep"), |inner, _| {
        Cmw::collection(None, vec![("a".into(), inner)]).unwrap()
    });
    for made in [full(8), deep] {
        let two = batch(vec![Connection::new(), Connection::new()]);
        assert_eq!(two.check_room(&made), Err(CmwError::NoRoomForProof.into()));
        for (_, answer) in two.answer(Ok(made)) {
            assert_eq!(answer, Err(CmwError::NoRoomForProof.into()));
        }
    }
    for (connection, answer) in
        batch(vec![Connection::new(), Connection::new()]).answer(Ok(full(7)))
    {
        assert_eq!(connection.finish(&answer.unwrap()).cmw(), &full(7));
    }
}

#[test]
fn the_largest_evidence_of_a_batch_has_room_for_the_longest_proof_whatever_its_size() {
    // The record of the Evidence takes 28 bytes beside it. The longest proof has 574, that of a batch of two 86.
    const LARGEST: usize = 64_944 - 28;
    let made = |length| Cmw::evidence(media_type(), vec![7; length]);
    let two = || batch(vec![Connection::new(), Connection::new()]);
    for (connection, answer) in two().answer(Ok(made(LARGEST))) {
        let answer = answer.unwrap();
        assert_eq!(answer.encode().unwrap().len(), 65_518 - 574 + 86);
        assert_eq!(connection.finish(&answer).cmw(), &made(LARGEST));
    }
    for (_, answer) in two().answer(Ok(made(LARGEST + 1))) {
        assert_eq!(answer, Err(CmwError::NoRoomForProof.into()));
    }
}

#[test]
fn what_does_not_fit_into_an_answer_declines_and_says_why() {
    let made = Cmw::evidence(media_type(), vec![7; 65_520 - 28 + 1]);
    let connection = Connection::new();
    let (answer, reason) = connection.challenge.answer_or_decline(&made).unwrap();
    let too_large = SendError::Cmw(CmwError::TooLarge);
    assert_eq!(reason, Some(too_large.into()));
    let refused = connection.pending.finish(&answer).map(drop);
    assert_eq!(refused, Err(ProtocolError::Declined));
}

#[test]
fn no_connections_make_no_batch_nor_do_those_that_take_none() {
    let empty: Vec<(OwnedAttestRequest, ())> = Vec::new();
    assert_eq!(Batch::new(empty).unwrap_err(), BatchError::Empty);
    let silent = Connection::with(|parameters| parameters.batches = Batches::No);
    let minimal = Connection::minimal(&Party::new());
    for alone in [silent, minimal] {
        assert_eq!(alone.challenge.to_attest().unwrap().batches(), Batches::No);
        let requests = vec![(Connection::new().to_attest(), ()), (alone.to_attest(), ())];
        assert_eq!(Batch::new(requests).unwrap_err(), BatchError::Unsuitable);
        assert!(Batch::new(vec![(alone.to_attest(), ())]).is_ok());
    }
    let of_key = OwnedAttestRequest::for_key(&*identity(&providers()[0]).key).unwrap();
    assert_eq!(of_key.as_request().batches(), Batches::No);
}

#[test]
fn a_batch_has_at_most_65_536_connections() {
    let request = Connection::new().to_attest();
    let of = |size: usize| Batch::new(vec![(request.clone(), ()); size]).map(|batch| batch.len());
    assert_eq!(of(65_536), Ok(65_536));
    assert_eq!(of(65_537), Err(BatchError::TooLarge));
}

#[test]
fn what_a_device_makes_for_a_batch_is_not_batched_again() {
    let two = batch(vec![Connection::new(), Connection::new()]);
    assert_eq!(two.request().batches(), Batches::No);
    let one = batch(vec![Connection::new()]);
    assert_eq!(one.request().batches(), Batches::No);
    // An attester that gives such Evidence all the same does not get through.
    let mut answers = attest(vec![Connection::new(), Connection::new()]);
    let batched = answers.remove(0).1.unwrap();
    for (_, answer) in two.answer(Ok(batched.clone())) {
        assert_eq!(answer, Err(AttestError::Cmw(CmwError::NestedProof)));
    }
    let nested = Cmw::collection(None, vec![("a".into(), batched.clone())]);
    assert_eq!(nested, Err(CmwError::NestedProof));
    let in_certificate = atls_core::exchange::certificate::cmw_extension(&batched);
    assert_eq!(in_certificate, Err(CmwError::NestedProof));
    assert_eq!(batched.to_json(), Err(CmwError::NotInJson));
}

const SHA384: CipherSuite = CipherSuite::TLS13_AES_256_GCM_SHA384;
