//! Verifiers that must agree.

use std::sync::Arc;

use atls_core::AppraisalError;
use atls_core::Binding;
use atls_core::Fault;
use atls_core::Origin;
use atls_core::Refusal;
use atls_core::Verifier;
use atls_core::cmw::Cmw;
use atls_core::combine::AllAgree;
use atls_core::combine::Failover;
use atls_core::ear::Appraisal;
use atls_core::ear::Category;
use atls_core::ear::Ear;
use atls_core::ear::Tier;
use atls_core::ear::TrustVector;
use atls_core::ear::VerifierId;
use test_support::at;
use test_support::ready;

use crate::scripted::NOW;
use crate::scripted::Plan;
use crate::scripted::Scripted;
use crate::scripted::Task;
use crate::scripted::affirming;
use crate::scripted::any;
use crate::scripted::appraise;
use crate::scripted::appraised;
use crate::scripted::bound;
use crate::scripted::credential;
use crate::scripted::first_type;
use crate::scripted::local;
use crate::scripted::party;
use crate::scripted::result;
use crate::scripted::vector;

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
fn a_refusal_ends_the_wait_for_the_others() {
    let slow = Scripted::new(affirming());
    slow.close();
    let strict = Scripted::new(Err(AppraisalError::NotBound));
    let all = AllAgree::new(vec![any(slow), any(strict)]).unwrap();
    let refused = ready(appraise(&all, &bound(), b"evidence", NOW)).map(drop);
    assert_eq!(refused, Err(AppraisalError::NotBound));
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
