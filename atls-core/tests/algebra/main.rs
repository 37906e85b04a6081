//! The algebra of combined verifiers: whatever is nested, in whatever order they answer, none is more content than the verifiers
//! that it asked.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod answer;
mod meaning;
mod stated;
#[path = "../support/mod.rs"]
mod support;
mod tree;

use std::collections::BTreeSet;

use atls_core::AppraisalError;
use proptest::prelude::*;
use proptest::sample::select;
use test_support::at;

use crate::answer::Acceptance;
use crate::answer::Answer;
use crate::answer::acceptance;
use crate::meaning::Meaning;
use crate::stated::Stated;
use crate::stated::Strength;
use crate::tree::Tree;

/// Checks the rules of every nesting.
fn check(tree: &Tree) {
    let (outcome, answered) = tree.run();
    let reached = acceptance(&outcome);
    // Never more content than anybody who answered, and never content without an answer.
    let answers = answered.iter().filter(|answer| !answer.is_unavailable());
    let worst = answers.map(Answer::acceptance).max();
    assert!(
        Some(reached) >= worst && (worst.is_some() || reached == Acceptance::Refused),
        "{tree:?}: {outcome:?} after {answered:?}"
    );
    // As it is meant, in this order as in any other.
    let meant = match tree.meaning() {
        Meaning::Answered(found) => found.acceptance,
        Meaning::Unavailable(_) => Acceptance::Refused,
    };
    assert_eq!(reached, meant, "{tree:?}: {outcome:?}");
    // A verifier that cannot be asked hides no refusal, and no second key.
    let refuses = |answer: &Answer| matches!(answer, Answer::Error(_)) && !answer.is_unavailable();
    let keys = answered.iter().filter_map(|answer| answer.stated()?.key);
    let has_two_keys = keys.collect::<BTreeSet<_>>().len() > 1;
    if has_two_keys || answered.iter().any(refuses) {
        let error = outcome.map(drop).unwrap_err();
        let incomplete = matches!(error, AppraisalError::Incomplete(_));
        let hidden = incomplete || Answer::Error(error.clone()).is_unavailable();
        assert!(!hidden, "{tree:?}: {error}");
    }
}

/// That a merged result is exactly as strong as its weakest member in each respect, and names the key that any member names.
fn check_strength(tree: &Tree) {
    let (outcome, answered) = tree.run();
    let stated: Vec<_> = answered.iter().filter_map(Answer::stated).collect();
    let Ok(result) = outcome else {
        return;
    };
    let strength = stated.iter().map(|stated| stated.strength());
    let weakest = strength.reduce(Strength::and);
    assert_eq!(Some(Strength::of(&result)), weakest, "{tree:?}");
    // None is made acceptable by an older one beside it.
    let from_future = stated.iter().any(|stated| stated.is_from_future());
    assert_eq!(result.ear().issued_at() > at(NOW + 60), from_future);
    // The key has no accessor: a further verifier that names another is refused, and one that names the same is not.
    let mut keys = stated.iter().filter_map(|stated| stated.key);
    let key = keys.next();
    assert!(keys.all(|other| Some(other) == key), "{tree:?}");
    for probe in [1, 2] {
        let named = Stated::claiming(2).with_key(probe);
        let probe_leaf = Tree::Leaf(Answer::Result(named), 0);
        let probed = Tree::AllAgree(vec![tree.clone(), probe_leaf]).run().0;
        let agrees = !from_future && key.is_none_or(|key| key == probe);
        assert_eq!(probed.is_ok(), agrees, "{tree:?} {probe}");
    }
}

/// That a verifier which is less content makes no nesting more content.
fn check_monotone(tree: &Tree, leaf: usize) {
    let mut worse = tree.clone();
    let mut leaves = worse.leaves();
    let index = leaf % leaves.len();
    let next = match &*leaves[index] {
        Answer::Error(_) => return,
        Answer::Result(stated) => match stated.claim {
            2 => Answer::Result(stated.with_claim(32)),
            32 => Answer::Result(stated.with_claim(1)),
            1 => Answer::Result(stated.with_claim(96)),
            _ => Answer::Error(AppraisalError::NotBound),
        },
    };
    *leaves[index] = next;
    let (before, after) = (acceptance(&tree.run().0), acceptance(&worse.run().0));
    assert!(after >= before, "{tree:?} {before:?}, {worse:?} {after:?}");
}

#[test]
fn every_outcome_in_every_order_of_all_within_failover_and_back() {
    let answers = Answer::all();
    for (one, two, three) in answers.iter().flat_map(|one| {
        let answers = &answers;
        answers
            .iter()
            .flat_map(move |two| answers.iter().map(move |three| (one, two, three)))
    }) {
        for [a, b, c] in [
            [0, 1, 2],
            [0, 2, 1],
            [1, 0, 2],
            [1, 2, 0],
            [2, 0, 1],
            [2, 1, 0],
        ] {
            let leaf = |answer: &Answer, delay| Tree::Leaf(answer.clone(), delay);
            let pair = vec![leaf(one, a), leaf(two, b)];
            let third = leaf(three, c);
            let failover = Tree::Failover(vec![Tree::AllAgree(pair.clone()), third.clone()]);
            let all = Tree::AllAgree(vec![Tree::Failover(pair), third]);
            for tree in [failover, all] {
                check(&tree);
                check_strength(&tree);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4000, ..ProptestConfig::default() })]
    #[test]
    fn no_nesting_is_more_content_than_who_answered(tree in tree(), leaf in any::<usize>()) {
        check(&tree);
        check_strength(&tree);
        check_monotone(&tree, leaf);
    }
}

/// Three deep, over all outcomes; the delays make the order.
pub(crate) fn tree() -> impl Strategy<Value = Tree> {
    let answer = prop_oneof![
        stated::any().prop_map(Answer::Result),
        select(Answer::all()),
    ];
    let leaf = (answer, 0_usize..6);
    let leaf = leaf.prop_map(|(answer, delay)| Tree::Leaf(answer, delay));
    leaf.prop_recursive(3, 27, 3, |inner| {
        let several = proptest::collection::vec(inner.clone(), 1..4);
        prop_oneof![
            several.clone().prop_map(Tree::AllAgree),
            several.prop_map(Tree::Failover),
            inner.prop_map(|tree| Tree::Cached(Box::new(tree))),
        ]
    })
}

pub(crate) const NOW: u64 = 1_000_000;
