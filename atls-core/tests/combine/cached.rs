//! Results that are used again.

use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::Ordering;
use std::time::Duration;

use atls_core::AppraisalError;
use atls_core::Evidence;
use atls_core::Refusal;
use atls_core::Verifier;
use atls_core::cmw::Cmw;
use atls_core::cmw::Indicator;
use atls_core::cmw::Label;
use atls_core::cmw::Type;
use atls_core::combine::CacheUse;
use atls_core::combine::Cached;
use atls_core::ear::Tier;
use test_support::at;
use test_support::ready;

use crate::scripted::NOW;
use crate::scripted::Script;
use crate::scripted::Scripted;
use crate::scripted::Task;
use crate::scripted::affirming;
use crate::scripted::appraise;
use crate::scripted::appraised;
use crate::scripted::bound;
use crate::scripted::credential;
use crate::scripted::first_type;
use crate::scripted::party;
use crate::scripted::result;
use crate::scripted::second_type;

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
fn an_observer_is_told_of_each_caller() {
    let verifier = Scripted::new(affirming());
    let told = Arc::new(Mutex::new(Vec::new()));
    let telling = told.clone();
    let cached =
        Cached::new(verifier.clone()).with_observer(move |used| telling.lock().unwrap().push(used));
    verifier.close();
    let bound = bound();
    let first = Task::pending(appraise(&cached, &bound, b"evidence", NOW));
    let second = Task::pending(appraise(&cached, &bound, b"evidence", NOW));
    verifier.open();
    assert!(first.woken().is_ok() && second.woken().is_ok());
    ready(appraise(&cached, &bound, b"evidence", NOW)).unwrap();
    let expected = [CacheUse::Appraised, CacheUse::Shared, CacheUse::UsedAgain];
    assert_eq!(*told.lock().unwrap(), expected);
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
    // Evidence that is larger than all the room is appraised, and not kept.
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
fn a_caller_that_leaves_is_woken_no_more() {
    let (verifier, cached) = cached(affirming());
    verifier.close();
    let bound = bound();
    let _leader = Task::pending(appraise(&cached, &bound, b"evidence", NOW));
    let gone = Task::pending(appraise(&cached, &bound, b"evidence", NOW));
    let woken = gone.woken.clone();
    drop(gone);
    assert_eq!(Arc::strong_count(&woken), 1);
}

#[test]
fn what_it_saved_is_counted() {
    let (verifier, cached) = cached(affirming());
    verifier.close();
    let bound = bound();
    let task = || Task::pending(appraise(&cached, &bound, b"evidence", NOW));
    let tasks = [task(), task(), task()];
    verifier.open();
    for task in tasks {
        task.woken().unwrap();
    }
    ready(appraise(&cached, &bound, b"evidence", NOW)).unwrap();
    let stats = cached.stats();
    assert_eq!(
        (stats.appraisals, stats.shared, stats.used_again),
        (1, 2, 1)
    );
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

pub(crate) fn cached(script: Script) -> (Arc<Scripted>, Cached<Arc<Scripted>>) {
    let verifier = Scripted::new(script);
    (verifier.clone(), Cached::new(verifier))
}
