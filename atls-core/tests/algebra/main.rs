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

#[path = "../support/mod.rs"]
mod support;

mod meaning;
mod stated;

use std::collections::BTreeSet;
use std::future::poll_fn;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;
use std::task::Context;
use std::task::Poll;
use std::task::Waker;

use atls_core::AppraisalError;
use atls_core::Appraised;
use atls_core::Bound;
use atls_core::BoxFuture;
use atls_core::Evidence;
use atls_core::MediaType;
use atls_core::Stale;
use atls_core::Verifier;
use atls_core::combine::AllAgree;
use atls_core::combine::Cached;
use atls_core::combine::Failover;
use atls_core::ear::Tier;
use atls_core::exchange::OwnedAttestRequest;
use atls_core::pki_types::UnixTime;
use meaning::Meaning;
use proptest::prelude::*;
use proptest::sample::select;
use stated::Stated;
use stated::Strength;
use support::identity;
use support::providers;
use test_support::at;

/// How acceptable an outcome is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Acceptance {
    /// By the standard policy.
    Accepted,
    /// By one that was loosened.
    Doubtful,
    /// By none.
    Refused,
}

/// What one verifier answers.
#[derive(Clone, Debug, PartialEq)]
enum Answer {
    Result(Stated),
    Error(AppraisalError),
}

impl Answer {
    fn all() -> Vec<Self> {
        let results = [2, 32, 1, 96].map(|claim| Self::Result(Stated::claiming(claim)));
        let errors = [
            AppraisalError::BadResult,
            AppraisalError::BadSignature,
            AppraisalError::Local("no clock"),
            AppraisalError::NoResult,
            AppraisalError::NotBound,
            AppraisalError::StaleCollateral(Stale::undated("list")),
            AppraisalError::Unreachable,
        ];
        let future = Self::Result(Stated::claiming(2).issued_at(NOW + 61));
        let all = results.into_iter().chain([future]);
        all.chain(errors.map(Self::Error)).collect()
    }

    fn is_unavailable(&self) -> bool {
        matches!(
            self,
            Self::Error(AppraisalError::StaleCollateral(_) | AppraisalError::Unreachable)
        )
    }

    fn acceptance(&self) -> Acceptance {
        match self {
            Self::Error(_) => Acceptance::Refused,
            Self::Result(stated) if stated.is_from_future() => Acceptance::Refused,
            Self::Result(stated) => match stated.claim {
                2 => Acceptance::Accepted,
                32 => Acceptance::Doubtful,
                _ => Acceptance::Refused,
            },
        }
    }

    fn stated(&self) -> Option<&Stated> {
        match self {
            Self::Error(_) => None,
            Self::Result(stated) => Some(stated),
        }
    }

    fn give(&self, bound: &Bound) -> Result<Appraised, AppraisalError> {
        match self {
            Self::Error(error) => Err(error.clone()),
            Self::Result(stated) => Ok(stated.give(bound)),
        }
    }
}

/// A nesting of verifiers. Each leaf answers at a time of its own.
#[derive(Clone, Debug)]
enum Tree {
    Leaf(Answer, usize),
    AllAgree(Vec<Self>),
    Cached(Box<Self>),
    Failover(Vec<Self>),
}

impl Tree {
    fn build(&self, world: &Arc<World>) -> Arc<dyn Verifier> {
        let all = |trees: &[Self]| trees.iter().map(|tree| tree.build(world)).collect();
        match self {
            Self::Leaf(answer, delay) => Arc::new(Leaf {
                answer: answer.clone(),
                ready_at: *delay,
                world: Arc::clone(world),
                media_types: [media_type()],
            }),
            Self::AllAgree(trees) => Arc::new(AllAgree::new(all(trees)).unwrap()),
            Self::Cached(tree) => Arc::new(Cached::new(tree.build(world))),
            Self::Failover(trees) => Arc::new(Failover::new(all(trees)).unwrap()),
        }
    }

    /// The outcome, and what was answered on the way.
    fn run(&self) -> (Result<Appraised, AppraisalError>, Vec<Answer>) {
        let world = Arc::new(World::default());
        let verifier = self.build(&world);
        let (media_type, bound) = (media_type(), bound());
        let evidence = Evidence::new(&media_type, b"evidence", &bound);
        let mut appraisal = verifier.appraise(&evidence, at(NOW));
        loop {
            let polled = appraisal
                .as_mut()
                .poll(&mut Context::from_waker(Waker::noop()));
            if let Poll::Ready(outcome) = polled {
                return (outcome, world.answered.lock().unwrap().clone());
            }
            let turn = world.turn.fetch_add(1, Ordering::SeqCst);
            assert!(turn < 1000, "never done");
        }
    }

    fn leaves(&mut self) -> Vec<&mut Answer> {
        match self {
            Self::Leaf(answer, _) => vec![answer],
            Self::AllAgree(trees) | Self::Failover(trees) => {
                trees.iter_mut().flat_map(Self::leaves).collect()
            }
            Self::Cached(tree) => tree.leaves(),
        }
    }
}

/// As a relying party sees it, which refuses results from the future.
fn acceptance(outcome: &Result<Appraised, AppraisalError>) -> Acceptance {
    let Ok(result) = outcome else {
        return Acceptance::Refused;
    };
    match result.ear().status() {
        _ if result.ear().issued_at() > at(NOW + 60) => Acceptance::Refused,
        Tier::Affirming => Acceptance::Accepted,
        Tier::Warning => Acceptance::Doubtful,
        _ => Acceptance::Refused,
    }
}

/// What must hold of every nesting.
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
    // Who cannot be asked hides no refusal, and no second key.
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
fn tree() -> impl Strategy<Value = Tree> {
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

// --- Helpers -----------------------------------------------------------------------------------------------------------

/// The time, in polls, and who has answered.
#[derive(Default)]
struct World {
    turn: AtomicUsize,
    answered: Mutex<Vec<Answer>>,
}

struct Leaf {
    answer: Answer,
    ready_at: usize,
    world: Arc<World>,
    media_types: [MediaType; 1],
}

impl Verifier for Leaf {
    fn media_types(&self) -> &[MediaType] {
        &self.media_types
    }

    fn appraise<'a>(
        &'a self,
        evidence: &'a Evidence<'a>,
        _: UnixTime,
    ) -> BoxFuture<'a, Result<Appraised, AppraisalError>> {
        Box::pin(poll_fn(|_| {
            if self.world.turn.load(Ordering::SeqCst) < self.ready_at {
                return Poll::Pending;
            }
            let mut answered = self.world.answered.lock().unwrap();
            answered.push(self.answer.clone());
            Poll::Ready(self.answer.give(evidence.bound()))
        }))
    }
}

fn bound() -> Bound {
    static BOUND: std::sync::OnceLock<Bound> = std::sync::OnceLock::new();
    let make = || {
        let request = OwnedAttestRequest::for_key(&*identity(&providers()[0]).key).unwrap();
        request.as_request().bound().clone()
    };
    BOUND.get_or_init(make).clone()
}

fn media_type() -> MediaType {
    "test/evidence".parse().unwrap()
}

const NOW: u64 = 1_000_000;
