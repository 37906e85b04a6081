//! Keys and proofs behind a combination, and the formats that can be combined.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use atls_core::AppraisalError;
use atls_core::ConceptualMessage;
use atls_core::ConfigError;
use atls_core::Fault;
use atls_core::Refusal;
use atls_core::Verifier;
use atls_core::cmw::Cmw;
use atls_core::combine::AllAgree;
use atls_core::combine::Cached;
use atls_core::combine::Failover;
use test_support::at;
use test_support::ready;

use crate::scripted::NOW;
use crate::scripted::Plan;
use crate::scripted::Scripted;
use crate::scripted::affirming;
use crate::scripted::any;
use crate::scripted::appraise;
use crate::scripted::appraised;
use crate::scripted::bound;
use crate::scripted::credential;
use crate::scripted::first_type;
use crate::scripted::party;
use crate::scripted::result;
use crate::scripted::second_type;

#[test]
fn verifiers_that_find_different_keys_give_no_result() {
    let naming = |key: &[u8]| {
        let appraised = appraised(result(2)).with_attested_key(key.to_vec());
        any(Scripted::new(Ok(appraised)))
    };
    let all = AllAgree::new(vec![naming(b"one"), naming(b"two")]).unwrap();
    assert_eq!(
        ready(appraise(&all, &bound(), b"evidence", NOW)).unwrap_err(),
        AppraisalError::BadResult
    );
}

#[test]
fn a_key_that_one_verifier_finds_is_compared() {
    let (credential, _) = credential(&Cmw::evidence(first_type(), b"evidence".to_vec()));
    let naming = appraised(result(2)).with_attested_key(b"another".to_vec());
    let all = AllAgree::new(vec![
        any(Scripted::new(affirming())),
        Scripted::new(Ok(naming)),
    ])
    .unwrap();
    assert_eq!(
        ready(party(all).appraise(credential, at(NOW))).unwrap_err(),
        Refusal::KeyMismatch
    );
}

#[test]
fn a_proof_of_another_connection_is_worth_nothing() {
    let stashed = || {
        any(Scripted::new(Ok(Plan {
            stashed: Some(bound()),
            ..appraised(result(2))
        })))
    };
    let good = || any(Scripted::new(affirming()));
    let combinations: [Box<dyn Fn() -> Arc<dyn Verifier>>; 5] = [
        Box::new(stashed),
        Box::new(|| Arc::new(Cached::new(stashed()))),
        Box::new(|| Arc::new(Failover::new(vec![stashed(), good()]).unwrap())),
        Box::new(|| Arc::new(AllAgree::new(vec![stashed(), good()]).unwrap())),
        Box::new(|| Arc::new(AllAgree::new(vec![good(), stashed()]).unwrap())),
    ];
    for combined in combinations {
        let (credential, _) = credential(&Cmw::evidence(first_type(), b"evidence".to_vec()));
        let refusal = ready(party(combined()).appraise(credential, at(NOW))).unwrap_err();
        assert_eq!(refusal.fault(), Fault::Local, "{refusal}");
    }
}

#[test]
fn only_verifiers_of_the_same_formats_are_combined() {
    let usual = || any(Scripted::new(affirming()));
    let with = |media_types, conceptual_message| {
        any(Arc::new(Scripted {
            media_types,
            conceptual_message,
            ..Scripted::plain(affirming())
        }))
    };
    let turned = with(
        vec![second_type(), first_type()],
        ConceptualMessage::Evidence,
    );
    let fewer = with(vec![first_type()], ConceptualMessage::Evidence);
    let more = with(
        vec![first_type(), second_type(), "test/third".parse().unwrap()],
        ConceptualMessage::Evidence,
    );
    let results = with(
        vec![first_type(), second_type()],
        ConceptualMessage::AttestationResults,
    );
    let idle = with(vec![], ConceptualMessage::Evidence);
    for (verifiers, expected) in [
        (vec![usual()], None),
        (vec![usual(), turned], None),
        (vec![], Some(ConfigError::NoVerifier)),
        (vec![idle], Some(ConfigError::IdleVerifier)),
        (
            vec![usual(), fewer.clone()],
            Some(ConfigError::UnlikeVerifiers),
        ),
        (vec![fewer, usual()], Some(ConfigError::UnlikeVerifiers)),
        (vec![usual(), more], Some(ConfigError::UnlikeVerifiers)),
        (vec![usual(), results], Some(ConfigError::UnlikeVerifiers)),
    ] {
        assert_eq!(Failover::new(verifiers.clone()).err(), expected);
        assert_eq!(AllAgree::new(verifiers).err(), expected);
    }
}

#[test]
fn combinations_have_the_formats_and_generations_of_what_they_combine() {
    let (one, two) = (Scripted::new(affirming()), Scripted::new(affirming()));
    let pair = || vec![any(one.clone()), two.clone()];
    let combinations: [Arc<dyn Verifier>; 3] = [
        Arc::new(Failover::new(pair()).unwrap()),
        Arc::new(AllAgree::new(pair()).unwrap()),
        Arc::new(Cached::new(AllAgree::new(pair()).unwrap())),
    ];
    for verifier in combinations {
        assert_eq!(verifier.media_types(), [first_type(), second_type()]);
        assert_eq!(verifier.conceptual_message(), ConceptualMessage::Evidence);
        let before = verifier.generation();
        one.generation.fetch_add(1, Ordering::SeqCst);
        let between = verifier.generation();
        two.generation.fetch_add(1, Ordering::SeqCst);
        assert!(before < between && between < verifier.generation());
    }
}
