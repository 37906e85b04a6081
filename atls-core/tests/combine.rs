//! Verifiers made of verifiers: results used again, verifiers in place of others, verifiers that must agree.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod support;

use std::future::Future;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;
use std::task::Context;
use std::task::Poll;
use std::task::Wake;
use std::task::Waker;
use std::time::Duration;

use atls_core::AppraisalError;
use atls_core::Appraised;
use atls_core::Binding;
use atls_core::Bound;
use atls_core::BoxFuture;
use atls_core::ConceptualMessage;
use atls_core::ConfigError;
use atls_core::Evidence;
use atls_core::Fault;
use atls_core::MediaType;
use atls_core::Origin;
use atls_core::Refusal;
use atls_core::RelyingParty;
use atls_core::Stale;
use atls_core::Verifier;
use atls_core::cmw::Cmw;
use atls_core::cmw::Indicator;
use atls_core::cmw::Label;
use atls_core::cmw::Type;
use atls_core::combine::AllAgree;
use atls_core::combine::Cached;
use atls_core::combine::Failover;
use atls_core::ear::Appraisal;
use atls_core::ear::Category;
use atls_core::ear::Ear;
use atls_core::ear::Tier;
use atls_core::ear::TrustClaim;
use atls_core::ear::TrustVector;
use atls_core::ear::VerifierId;
use atls_core::exchange::Challenge;
use atls_core::exchange::Credential;
use atls_core::pki_types::UnixTime;
use support::Pair;
use support::identity;
use support::providers;
use test_support::at;
use test_support::ready;

const NOW: u64 = 1_000_000;

// --- Results that are used again ---------------------------------------------------------------------------------------

#[test]
fn the_same_evidence_is_appraised_once() {
    let (verifier, cached) = cached(affirming());
    let bound = bound();
    for second in [0, 1, 59] {
        let appraised = ready(appraise(&cached, &bound, b"evidence", NOW + second)).unwrap();
        assert_eq!(appraised.ear().issued_at(), at(NOW));
        assert_eq!(appraised.ear().status(), Tier::Affirming);
    }
    assert_eq!(verifier.asked(), 1);
}

#[test]
fn other_evidence_another_value_or_another_format_is_appraised() {
    let (verifier, cached) = cached(affirming());
    let one = bound();
    let other = bound();
    ready(appraise(&cached, &one, b"evidence", NOW)).unwrap();
    ready(appraise(&cached, &one, b"evidencf", NOW)).unwrap();
    ready(appraise(&cached, &one, b"evidenc", NOW)).unwrap();
    ready(appraise(&cached, &other, b"evidence", NOW)).unwrap();
    let media_type = second_type();
    let evidence = Evidence::new(&media_type, b"evidence", &one);
    ready(cached.appraise(&evidence, at(NOW))).unwrap();
    assert_eq!(verifier.asked(), 5);
}

#[test]
fn other_endorsements_are_other_evidence() {
    let (verifier, cached) = cached(affirming());
    let (credential, _) = credential(
        &Cmw::collection(
            None,
            vec![
                (
                    Label::Text("evidence".to_owned()),
                    Cmw::evidence(first_type(), b"evidence".to_vec()),
                ),
                (
                    Label::Text("chain".to_owned()),
                    Cmw::record(
                        Type::Media("test/chain".parse().unwrap()),
                        b"chain".to_vec(),
                        Some(Indicator::ENDORSEMENTS),
                    ),
                ),
            ],
        )
        .unwrap(),
    );
    ready(appraise(&cached, credential.bound(), b"evidence", NOW)).unwrap();
    ready(party(cached).appraise(credential, at(NOW))).unwrap();
    assert_eq!(verifier.asked(), 2);
}

#[test]
fn a_newer_policy_appraises_again() {
    let (verifier, cached) = cached(affirming());
    let bound = bound();
    ready(appraise(&cached, &bound, b"evidence", NOW)).unwrap();
    verifier.generation.store(1, Ordering::SeqCst);
    verifier.script(Err(AppraisalError::UnknownKey));
    assert_eq!(
        ready(appraise(&cached, &bound, b"evidence", NOW)).unwrap_err(),
        AppraisalError::UnknownKey
    );
    assert_eq!(verifier.asked(), 2);
}

#[test]
fn a_policy_that_changes_during_the_appraisal_makes_its_result_an_old_one() {
    let (verifier, cached) = cached(affirming());
    verifier.close();
    let bound = bound();
    let task = Task::pending(appraise(&cached, &bound, b"evidence", NOW));
    verifier.generation.store(1, Ordering::SeqCst);
    verifier.open();
    assert!(task.woken().is_ok());
    ready(appraise(&cached, &bound, b"evidence", NOW)).unwrap();
    assert_eq!(verifier.asked(), 2);
}

#[test]
fn a_result_is_not_used_beyond_its_end_or_the_maximum_age() {
    let (verifier, cached) = cached(Ok(appraised(result(2).with_expiry(at(NOW + 10)))));
    let bound = bound();
    for (second, asked) in [(0, 1), (9, 1), (10, 2)] {
        let _ = ready(appraise(&cached, &bound, b"evidence", NOW + second));
        assert_eq!(verifier.asked(), asked, "{second}");
    }
    let (verifier, cached) = self::cached(affirming());
    for (second, asked) in [(0, 1), (59, 1), (60, 2), (119, 2), (120, 3)] {
        let _ = ready(appraise(&cached, &bound, b"evidence", NOW + second));
        assert_eq!(verifier.asked(), asked, "{second}");
    }
    // Nor by a clock that is set back.
    let _ = ready(appraise(&cached, &bound, b"evidence", NOW + 61));
    assert_eq!(verifier.asked(), 3);
    let _ = ready(appraise(&cached, &bound, b"evidence", NOW + 60));
    assert_eq!(verifier.asked(), 4);
    let shorter = Cached::new(verifier.clone()).with_max_age(Duration::from_secs(5));
    for (second, asked) in [(0, 5), (4, 5), (5, 6)] {
        let _ = ready(appraise(&shorter, &bound, b"evidence", NOW + second));
        assert_eq!(verifier.asked(), asked, "{second}");
    }
}

#[test]
fn failures_are_not_kept() {
    let (verifier, cached) = cached(Err(AppraisalError::Unreachable));
    let bound = bound();
    ready(appraise(&cached, &bound, b"evidence", NOW)).unwrap_err();
    verifier.script(affirming());
    ready(appraise(&cached, &bound, b"evidence", NOW)).unwrap();
    assert_eq!(verifier.asked(), 2);
}

#[test]
fn a_result_that_is_used_again_is_as_bad_as_it_was() {
    let (verifier, cached) = cached(Ok(appraised(result(99))));
    let (credential, _) = credential(&Cmw::evidence(first_type(), b"evidence".to_vec()));
    let first = ready(appraise(&cached, credential.bound(), b"evidence", NOW)).unwrap();
    assert_eq!(first.ear().status(), Tier::Contraindicated);
    let refusal = ready(party(cached).appraise(credential, at(NOW))).unwrap_err();
    assert!(matches!(refusal, Refusal::Policy(_)), "{refusal}");
    assert_eq!(verifier.asked(), 1);
}

#[test]
fn keys_are_compared_for_each_connection_and_never_from_the_cache() {
    for own in [true, false] {
        let (verifier, cached) = cached(affirming());
        let (credential, leaf_key) = credential(&Cmw::evidence(first_type(), b"evidence".to_vec()));
        let key = if own { leaf_key } else { b"another".to_vec() };
        verifier.script(Ok(appraised(result(2)).with_attested_key(key)));
        ready(appraise(&cached, credential.bound(), b"evidence", NOW)).unwrap();
        let decision = ready(party(cached).appraise(credential, at(NOW)));
        match decision {
            Ok(_) => assert!(own),
            Err(refusal) => assert_eq!((refusal, own), (Refusal::KeyMismatch, false)),
        }
        assert_eq!(verifier.asked(), 1);
    }
}

#[test]
fn results_are_bounded_in_number_and_bytes() {
    let verifier = Scripted::new(affirming());
    let cached = Cached::new(verifier.clone()).with_capacity(2, 1000);
    let bound = bound();
    for (bytes, asked) in [
        (&b"a"[..], 1),
        (b"b", 2),
        (b"a", 2),
        (b"c", 3),
        (b"b", 3),
        (b"a", 4),
    ] {
        ready(appraise(&cached, &bound, bytes, NOW)).unwrap();
        assert_eq!(verifier.asked(), asked, "{bytes:?}");
    }
    // What is larger than all there is room for is appraised, and not kept.
    let large = vec![0; 1001];
    ready(appraise(&cached, &bound, &large, NOW)).unwrap();
    ready(appraise(&cached, &bound, &large, NOW)).unwrap();
    assert_eq!(verifier.asked(), 6);
    // Nor has it left anything in the way.
    let half = vec![0; 500];
    for bytes in [&half, &half, &vec![1; 500], &half] {
        ready(appraise(&cached, &bound, bytes, NOW)).unwrap();
    }
    assert_eq!(verifier.asked(), 8);
}

#[test]
fn a_result_that_expired_makes_room_for_its_successor() {
    let verifier = Scripted::new(affirming());
    let cached = Cached::new(verifier.clone()).with_capacity(2, 1000);
    let bound = bound();
    for second in [0, 60, 120, 180] {
        ready(appraise(&cached, &bound, b"a", NOW + second)).unwrap();
    }
    ready(appraise(&cached, &bound, b"b", NOW + 180)).unwrap();
    ready(appraise(&cached, &bound, b"a", NOW + 180)).unwrap();
    assert_eq!(verifier.asked(), 5);
}

// --- At once -----------------------------------------------------------------------------------------------------------

#[test]
fn those_who_ask_at_once_share_one_appraisal() {
    for script in [affirming(), Err(AppraisalError::BadSignature)] {
        let good = script.is_ok();
        let (verifier, cached) = cached(script);
        verifier.close();
        let bound = bound();
        let tasks: Vec<_> = (0..100)
            .map(|_| Task::pending(appraise(&cached, &bound, b"evidence", NOW)))
            .collect();
        assert_eq!(verifier.asked(), 1);
        verifier.open();
        for task in tasks {
            assert_eq!(task.woken().is_ok(), good);
        }
        assert_eq!(verifier.asked(), 1);
    }
}

#[test]
fn another_takes_over_from_one_whose_connection_closed() {
    let (verifier, cached) = cached(affirming());
    verifier.close();
    let bound = bound();
    let leader = Task::pending(appraise(&cached, &bound, b"evidence", NOW));
    let gone = Task::pending(appraise(&cached, &bound, b"evidence", NOW));
    let mut second = Task::pending(appraise(&cached, &bound, b"evidence", NOW));
    let mut third = Task::pending(appraise(&cached, &bound, b"evidence", NOW));
    drop(gone);
    drop(leader);
    assert!(second.is_woken() && third.is_woken());
    assert!(second.poll().is_none() && third.poll().is_none());
    assert_eq!(verifier.asked(), 2);
    verifier.open();
    assert!(second.woken().is_ok());
    assert!(third.woken().is_ok());
    assert_eq!(verifier.asked(), 2);
}

#[test]
fn who_asks_for_other_evidence_waits_for_nobody() {
    let (verifier, cached) = cached(affirming());
    verifier.close();
    let bound = bound();
    let stuck = Task::pending(appraise(&cached, &bound, b"slow", NOW));
    verifier.open();
    assert!(ready(appraise(&cached, &bound, b"quick", NOW)).is_ok());
    assert!(stuck.woken().is_ok());
}

// --- One in place of another -------------------------------------------------------------------------------------------

#[test]
fn the_next_is_asked_only_where_the_former_is_unavailable() {
    for (first, second_asked) in [
        (affirming(), 0),
        (Ok(appraised(result(99))), 0),
        (Err(AppraisalError::Malformed), 0),
        (Err(AppraisalError::BadSignature), 0),
        (Err(AppraisalError::UnknownKey), 0),
        (Err(AppraisalError::NotBound), 0),
        (Err(AppraisalError::Expired), 0),
        (Err(AppraisalError::BadResult), 0),
        (Err(AppraisalError::ResultExpired), 0),
        (Err(AppraisalError::NoResult), 0),
        (Err(AppraisalError::Local("no clock")), 0),
        (Err(AppraisalError::Unreachable), 1),
        (
            Err(AppraisalError::StaleCollateral(Stale::undated("list"))),
            1,
        ),
    ] {
        let (one, two) = (Scripted::new(first.clone()), Scripted::new(affirming()));
        let failover = Failover::new(vec![one.clone(), two.clone()]).unwrap();
        let outcome = ready(appraise(&failover, &bound(), b"evidence", NOW));
        assert_eq!((one.asked(), two.asked()), (1, second_asked));
        match (first, second_asked) {
            (_, 1) => assert_eq!(outcome.unwrap().ear().status(), Tier::Affirming),
            (Ok(first), _) => assert_eq!(*outcome.unwrap().ear(), first.ear),
            (Err(error), _) => assert_eq!(outcome.unwrap_err(), error),
        }
    }
}

#[test]
fn where_none_is_available_there_is_no_result() {
    let one = Scripted::new(Err(AppraisalError::StaleCollateral(Stale::undated("list"))));
    let two = Scripted::new(Err(AppraisalError::Unreachable));
    let failover = Failover::new(vec![one, two]).unwrap();
    assert_eq!(
        ready(appraise(&failover, &bound(), b"evidence", NOW)).unwrap_err(),
        AppraisalError::Unreachable
    );
}

#[test]
fn a_refusal_of_the_second_stands() {
    let one = Scripted::new(Err(AppraisalError::Unreachable));
    let two = Scripted::new(Err(AppraisalError::NotBound));
    let three = Scripted::new(affirming());
    let failover = Failover::new(vec![one, two, three.clone()]).unwrap();
    assert_eq!(
        ready(appraise(&failover, &bound(), b"evidence", NOW)).unwrap_err(),
        AppraisalError::NotBound
    );
    assert_eq!(three.asked(), 0);
}

// --- All of them -------------------------------------------------------------------------------------------------------

#[test]
fn each_claim_is_as_bad_as_the_worst_verifier_says() {
    let one = vector(&[
        (Category::Hardware, 2),
        (Category::Executables, 3),
        (Category::Configuration, 32),
    ]);
    let two = vector(&[
        (Category::Hardware, 32),
        (Category::Executables, 2),
        (Category::Configuration, 0),
        (Category::RuntimeOpaque, 2),
    ]);
    let three = vector(&[(Category::Executables, 97)]);
    for order in [[0, 1, 2], [2, 1, 0], [1, 2, 0]] {
        let vectors = [one.clone(), two.clone(), three.clone()];
        let verifiers = order.map(|number| {
            let appraisal = Appraisal::new(vectors[number].clone());
            any(Scripted::new(Ok(appraised(local("device", appraisal)))))
        });
        let all = AllAgree::new(verifiers.into()).unwrap();
        let worst = ready(appraise(&all, &bound(), b"evidence", NOW)).unwrap();
        let part = worst.ear().submod("device").unwrap();
        let values = Category::ALL.map(|category| part.vector().get(category).tier());
        assert_eq!(
            &values[1..6],
            [
                Tier::Warning,
                Tier::Contraindicated,
                Tier::None,
                Tier::Warning,
                Tier::Affirming
            ]
        );
        assert_eq!(worst.ear().status(), Tier::Contraindicated);
    }
}

#[test]
fn the_status_is_the_worst_even_where_no_claim_says_so() {
    let doubtful = Appraisal::new(vector(&[(Category::Hardware, 2)])).with_status(Tier::Warning);
    let nothing = Appraisal::new(TrustVector::new());
    for (other, status) in [(doubtful, Tier::Warning), (nothing, Tier::None)] {
        let one = Scripted::new(affirming());
        let two = Scripted::new(Ok(appraised(local("device", other))));
        for pair in [vec![any(one.clone()), two.clone()], vec![two, one]] {
            let all = AllAgree::new(pair).unwrap();
            let worst = ready(appraise(&all, &bound(), b"evidence", NOW)).unwrap();
            assert_eq!(worst.ear().status(), status);
        }
    }
}

#[test]
fn parts_that_only_one_verifier_names_stand() {
    let bad = Appraisal::new(vector(&[(Category::Executables, 96)]));
    let one = Scripted::new(affirming());
    let two = Scripted::new(Ok(appraised(local("another", bad))));
    let all = AllAgree::new(vec![one, two]).unwrap();
    let worst = ready(appraise(&all, &bound(), b"evidence", NOW)).unwrap();
    let parts: Vec<_> = worst
        .ear()
        .submods()
        .map(|(name, part)| (name.to_owned(), part.status()))
        .collect();
    assert_eq!(
        parts,
        [
            ("another".to_owned(), Tier::Contraindicated),
            ("device".to_owned(), Tier::Affirming)
        ]
    );
    assert_eq!(worst.ear().status(), Tier::Contraindicated);
}

#[test]
fn any_failure_refuses() {
    for error in [
        AppraisalError::Unreachable,
        AppraisalError::NotBound,
        AppraisalError::BadResult,
    ] {
        for place in 0..3 {
            let verifiers = (0..3).map(|number| {
                let failing = number == place;
                let script = if failing {
                    Err(error.clone())
                } else {
                    affirming()
                };
                any(Scripted::new(script))
            });
            let all = AllAgree::new(verifiers.collect()).unwrap();
            match ready(appraise(&all, &bound(), b"evidence", NOW)).unwrap_err() {
                AppraisalError::Incomplete(results) => {
                    assert_eq!(error, AppraisalError::Unreachable);
                    assert_eq!(results.status(), Tier::Affirming);
                }
                refusal => assert_eq!(refusal, error),
            }
        }
    }
}

#[test]
fn one_that_cannot_be_asked_hides_no_refusal() {
    let unreachable = || any(Scripted::new(Err(AppraisalError::Unreachable)));
    for (bad, expected) in [
        (Err(AppraisalError::NotBound), Err(AppraisalError::NotBound)),
        (
            Err(AppraisalError::BadSignature),
            Err(AppraisalError::BadSignature),
        ),
        (Ok(appraised(result(99))), Ok(Tier::Contraindicated)),
    ] {
        let bad = || any(Scripted::new(bad.clone()));
        for pair in [vec![unreachable(), bad()], vec![bad(), unreachable()]] {
            let all: Arc<dyn Verifier> = Arc::new(AllAgree::new(pair).unwrap());
            let next = Scripted::new(affirming());
            let failover = Failover::new(vec![all, next.clone()]).unwrap();
            let outcome = ready(appraise(&failover, &bound(), b"evidence", NOW));
            assert_eq!(outcome.map(|result| result.ear().status()), expected);
            assert_eq!(next.asked(), 0);
        }
    }
}

#[test]
fn what_a_part_of_all_found_is_remembered() {
    let doubtful = any(Scripted::new(Ok(appraised(result(32)))));
    let unreachable = any(Scripted::new(Err(AppraisalError::Unreachable)));
    let all: Arc<dyn Verifier> = Arc::new(AllAgree::new(vec![doubtful, unreachable]).unwrap());
    let failover = Failover::new(vec![all, Scripted::new(affirming())]).unwrap();
    let outcome = ready(appraise(&failover, &bound(), b"evidence", NOW)).unwrap();
    assert_eq!(outcome.ear().status(), Tier::Warning);
}

#[test]
fn a_result_of_the_future_is_not_hidden_by_an_older_one() {
    let issued = |seconds| {
        let part = Appraisal::new(vector(&[(Category::Hardware, 2)]));
        let ear = Ear::local(VerifierId::new("t", "1"), at(seconds), "device", part);
        any(Scripted::new(Ok(appraised(ear))))
    };
    for (ahead, accepted) in [(60, true), (61, false)] {
        for turned in [false, true] {
            let mut pair = vec![issued(NOW), issued(NOW + ahead)];
            if turned {
                pair.reverse();
            }
            let (credential, _) = credential(&Cmw::evidence(first_type(), b"evidence".to_vec()));
            let decision = ready(party(AllAgree::new(pair).unwrap()).appraise(credential, at(NOW)));
            let refusal = decision.map(drop).err();
            let expected = (!accepted).then_some(Refusal::Expired(Fault::Verifier));
            assert_eq!(refusal, expected, "{ahead}");
        }
    }
}

#[test]
fn all_are_asked_at_once_and_all_are_waited_for() {
    let verifiers = [(); 3].map(|()| Scripted::new(affirming()));
    verifiers.iter().for_each(|verifier| verifier.close());
    let all = verifiers.clone().map(|verifier| any(verifier));
    let all = AllAgree::new(all.into()).unwrap();
    let bound = bound();
    let mut task = Task::pending(appraise(&all, &bound, b"evidence", NOW));
    assert!(verifiers.iter().all(|verifier| verifier.asked() == 1));
    for verifier in &verifiers[..2] {
        verifier.open();
        assert!(task.poll().is_none());
    }
    verifiers[2].open();
    assert!(task.woken().is_ok());
    assert!(verifiers.iter().all(|verifier| verifier.asked() == 1));
}

#[test]
fn a_result_of_all_lives_as_long_as_the_shortest() {
    let ear = |issued_at, expires_at: Option<u64>| {
        let part = Appraisal::new(vector(&[(Category::Hardware, 2)]));
        let ear = Ear::local(VerifierId::new("t", "1"), at(issued_at), "device", part);
        let ear = match expires_at {
            Some(end) => ear.with_expiry(at(end)),
            None => ear,
        };
        any(Scripted::new(Ok(appraised(ear))))
    };
    let all = AllAgree::new(vec![
        ear(NOW, Some(NOW + 50)),
        ear(NOW - 5, None),
        ear(NOW - 3, Some(NOW + 40)),
    ])
    .unwrap();
    let worst = ready(appraise(&all, &bound(), b"evidence", NOW)).unwrap();
    assert_eq!(worst.ear().issued_at(), at(NOW - 5));
    assert_eq!(worst.ear().expires_at(), Some(at(NOW + 40)));
}

#[test]
fn what_is_no_grade_is_said_only_where_all_say_it() {
    let part = |same: &str, differs: &str| {
        Appraisal::new(vector(&[(Category::Hardware, 2)]))
            .with_policy_id(same)
            .with_policy_id(differs)
            .with_extension("same", same.into())
            .with_extension("differs", differs.into())
    };
    let verifiers = ["one", "two", "one"].map(|name| {
        let ear = Ear::local(
            VerifierId::new(name, "1"),
            at(NOW),
            "device",
            part("x", name),
        );
        any(Scripted::new(Ok(appraised(ear))))
    });
    let all = AllAgree::new(verifiers.into()).unwrap();
    let worst = ready(appraise(&all, &bound(), b"evidence", NOW)).unwrap();
    let part = worst.ear().submod("device").unwrap();
    assert_eq!(part.extension("same"), Some(&"x".into()));
    assert_eq!(part.extension("differs"), None);
    assert_eq!(part.policy_ids(), ["x"]);
    assert_eq!(worst.ear().verifier().developer(), "one & two & one");
}

#[test]
fn one_simulator_or_weaker_binding_is_that_of_all() {
    let simulated = Plan {
        origin: Origin::Simulated,
        ..appraised(result(2))
    };
    let by_key = Plan {
        binding: Binding::Key,
        ..appraised(result(2)).with_attested_key(b"key".to_vec())
    };
    for other in [simulated, by_key] {
        for turned in [false, true] {
            let mut verifiers = vec![
                any(Scripted::new(affirming())),
                Scripted::new(Ok(other.clone())),
            ];
            if turned {
                verifiers.reverse();
            }
            let all = AllAgree::new(verifiers).unwrap();
            let worst = ready(appraise(&all, &bound(), b"evidence", NOW)).unwrap();
            assert_eq!(worst.origin(), other.origin);
            assert_eq!(worst.binding(), other.binding);
            assert!(worst.binding() == Binding::Key || worst.origin() == Origin::Simulated);
        }
    }
}

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

// --- Configuration -----------------------------------------------------------------------------------------------------

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

// --- Support -----------------------------------------------------------------------------------------------------------

/// Says what it was told to say, as often as it is asked; while closed it says nothing.
struct Scripted {
    media_types: Vec<MediaType>,
    conceptual_message: ConceptualMessage,
    generation: AtomicU64,
    asked: AtomicUsize,
    script: Mutex<Script>,
    closed: AtomicBool,
    wakers: Mutex<Vec<Waker>>,
}

impl Scripted {
    fn new(script: Script) -> Arc<Self> {
        Arc::new(Self::plain(script))
    }

    fn plain(script: Script) -> Self {
        Self {
            media_types: vec![first_type(), second_type()],
            conceptual_message: ConceptualMessage::Evidence,
            generation: AtomicU64::new(0),
            asked: AtomicUsize::new(0),
            script: Mutex::new(script),
            closed: AtomicBool::new(false),
            wakers: Mutex::default(),
        }
    }

    fn script(&self, script: Script) {
        *self.script.lock().unwrap() = script;
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    fn close(&self) {
        self.closed.store(true, Ordering::SeqCst);
    }

    fn open(&self) {
        self.closed.store(false, Ordering::SeqCst);
        let wakers = std::mem::take(&mut *self.wakers.lock().unwrap());
        wakers.into_iter().for_each(Waker::wake);
    }
}

impl Verifier for Scripted {
    fn media_types(&self) -> &[MediaType] {
        &self.media_types
    }

    fn conceptual_message(&self) -> ConceptualMessage {
        self.conceptual_message
    }

    fn generation(&self) -> u64 {
        self.generation.load(Ordering::SeqCst)
    }

    fn appraise<'a>(
        &'a self,
        evidence: &'a Evidence<'a>,
        _: UnixTime,
    ) -> BoxFuture<'a, Result<Appraised, AppraisalError>> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        Box::pin(poll_fn(|cx| {
            if self.closed.load(Ordering::SeqCst) {
                self.wakers.lock().unwrap().push(cx.waker().clone());
                return Poll::Pending;
            }
            let script = self.script.lock().unwrap().clone();
            Poll::Ready(script.map(|plan| plan.carry_out(evidence.bound())))
        }))
    }
}

type Script = Result<Plan, AppraisalError>;

/// What a verifier is to find, whenever it is asked.
#[derive(Clone)]
struct Plan {
    ear: Ear,
    origin: Origin,
    attested_key: Option<Vec<u8>>,
    binding: Binding,
    /// Of another connection, whose proof is given in place of this one's.
    stashed: Option<Bound>,
}

impl Plan {
    fn with_attested_key(mut self, key: Vec<u8>) -> Self {
        self.attested_key = Some(key);
        self
    }

    fn carry_out(self, bound: &Bound) -> Appraised {
        let matched = support::matched(self.stashed.as_ref().unwrap_or(bound));
        let appraised = match (self.binding, self.attested_key) {
            (Binding::Key, Some(key)) => Appraised::bound_to_key_only(self.ear, self.origin, key),
            (_, key) => {
                let appraised = Appraised::bound_to_connection(self.ear, self.origin, matched);
                key.into_iter()
                    .fold(appraised, Appraised::with_attested_key)
            }
        };
        appraised.with_claims("claims")
    }
}

/// A future under a waker of its own.
struct Task<'a, T> {
    future: Pin<Box<dyn Future<Output = T> + 'a>>,
    woken: Arc<Woken>,
}

#[derive(Default)]
struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::SeqCst);
    }
}

impl<'a, T> Task<'a, T> {
    fn pending(future: impl Future<Output = T> + 'a) -> Self {
        let mut task = Self {
            future: Box::pin(future),
            woken: Arc::default(),
        };
        assert!(task.poll().is_none(), "already done");
        task
    }

    fn is_woken(&self) -> bool {
        self.woken.0.load(Ordering::SeqCst)
    }

    fn poll(&mut self) -> Option<T> {
        self.woken.0.store(false, Ordering::SeqCst);
        let waker = Waker::from(self.woken.clone());
        match self.future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(done) => Some(done),
            Poll::Pending => None,
        }
    }

    /// Polled again as an executor would: only because it was woken. It must be done then.
    fn woken(mut self) -> T {
        assert!(self.is_woken(), "not woken");
        self.poll().expect("not done")
    }
}

async fn appraise(
    verifier: &dyn Verifier,
    bound: &Bound,
    bytes: &[u8],
    seconds: u64,
) -> Result<Appraised, AppraisalError> {
    let media_type = first_type();
    let evidence = Evidence::new(&media_type, bytes, bound);
    verifier.appraise(&evidence, at(seconds)).await
}

fn cached(script: Script) -> (Arc<Scripted>, Cached<Arc<Scripted>>) {
    let verifier = Scripted::new(script);
    (verifier.clone(), Cached::new(verifier))
}

fn any(verifier: Arc<Scripted>) -> Arc<dyn Verifier> {
    verifier
}

fn affirming() -> Script {
    Ok(appraised(result(2)))
}

fn appraised(ear: Ear) -> Plan {
    Plan {
        ear,
        origin: Origin::Device,
        attested_key: None,
        binding: Binding::Connection,
        stashed: None,
    }
}

/// About `device`, issued now.
fn result(hardware: i8) -> Ear {
    local(
        "device",
        Appraisal::new(vector(&[(Category::Hardware, hardware)])),
    )
}

fn local(name: &str, appraisal: Appraisal) -> Ear {
    Ear::local(VerifierId::new("test", "1"), at(NOW), name, appraisal)
}

fn vector(claims: &[(Category, i8)]) -> TrustVector {
    claims
        .iter()
        .fold(TrustVector::new(), |vector, (category, value)| {
            vector.with(*category, TrustClaim::new(*value))
        })
}

fn party(verifier: impl Verifier + 'static) -> RelyingParty {
    RelyingParty::builder()
        .verifier(Arc::new(verifier))
        .build()
        .unwrap()
}

/// The value of a connection of its own.
fn bound() -> Bound {
    credential(&Cmw::evidence(first_type(), Vec::new()))
        .0
        .bound()
        .clone()
}

/// What a server that sent this message is credited with, and its key.
fn credential(cmw: &Cmw) -> (Credential, Vec<u8>) {
    let provider = &providers()[0];
    let pair = Pair::new(provider.clone(), &identity(provider), None);
    let (request, pending) = atls_core::exchange::request(&pair.client, provider, None).unwrap();
    let challenge = Challenge::receive(&pair.server, &request).unwrap();
    let credential = pending.finish(&challenge.answer(cmw).unwrap()).unwrap();
    let leaf_key = credential.leaf_key().to_vec();
    (credential, leaf_key)
}

fn first_type() -> MediaType {
    "test/evidence".parse().unwrap()
}

fn second_type() -> MediaType {
    "test/other".parse().unwrap()
}
