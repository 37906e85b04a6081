//! Nested verifiers, whose leaves answer at a time of their own.

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
use atls_core::Verifier;
use atls_core::combine::AllAgree;
use atls_core::combine::Cached;
use atls_core::combine::Failover;
use atls_core::exchange::OwnedAttestRequest;
use atls_core::pki_types::UnixTime;
use test_support::at;

use crate::NOW;
use crate::answer::Answer;
use crate::support::identity;
use crate::support::providers;

/// A nesting of verifiers. Each leaf answers at a time of its own.
#[derive(Clone, Debug)]
pub(crate) enum Tree {
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
    pub(crate) fn run(&self) -> (Result<Appraised, AppraisalError>, Vec<Answer>) {
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

    pub(crate) fn leaves(&mut self) -> Vec<&mut Answer> {
        match self {
            Self::Leaf(answer, _) => vec![answer],
            Self::AllAgree(trees) | Self::Failover(trees) => {
                trees.iter_mut().flat_map(Self::leaves).collect()
            }
            Self::Cached(tree) => tree.leaves(),
        }
    }
}

/// The time, in polls, and who has answered.
#[derive(Default)]
struct World {
    turn: AtomicUsize,
    pub(crate) answered: Mutex<Vec<Answer>>,
}

pub(crate) struct Leaf {
    pub(crate) answer: Answer,
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

pub(crate) fn bound() -> Bound {
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
