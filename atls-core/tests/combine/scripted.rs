//! Verifiers that follow a script.

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

use atls_core::AppraisalError;
use atls_core::Appraised;
use atls_core::Binding;
use atls_core::Bound;
use atls_core::BoxFuture;
use atls_core::ConceptualMessage;
use atls_core::Evidence;
use atls_core::MediaType;
use atls_core::Origin;
use atls_core::RelyingParty;
use atls_core::Verifier;
use atls_core::cmw::Cmw;
use atls_core::ear::Appraisal;
use atls_core::ear::Category;
use atls_core::ear::Ear;
use atls_core::ear::TrustClaim;
use atls_core::ear::TrustVector;
use atls_core::ear::VerifierId;
use atls_core::exchange::Challenge;
use atls_core::exchange::Credential;
use atls_core::pki_types::UnixTime;
use test_support::at;

use crate::support::Pair;
use crate::support::identity;
use crate::support::providers;

pub(crate) const NOW: u64 = 1_000_000;

/// Gives the result of its script each time it is asked; while closed it gives none.
pub(crate) struct Scripted {
    pub(crate) media_types: Vec<MediaType>,
    pub(crate) conceptual_message: ConceptualMessage,
    pub(crate) generation: AtomicU64,
    pub(crate) asked: AtomicUsize,
    pub(crate) script: Mutex<Script>,
    pub(crate) closed: AtomicBool,
    pub(crate) wakers: Mutex<Vec<Waker>>,
}

impl Scripted {
    pub(crate) fn new(script: Script) -> Arc<Self> {
        Arc::new(Self::plain(script))
    }

    pub(crate) fn plain(script: Script) -> Self {
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

    pub(crate) fn script(&self, script: Script) {
        *self.script.lock().unwrap() = script;
    }

    pub(crate) fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    pub(crate) fn close(&self) {
        self.closed.store(true, Ordering::SeqCst);
    }

    pub(crate) fn open(&self) {
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

pub(crate) type Script = Result<Plan, AppraisalError>;

/// The result of a verifier, each time it is asked.
#[derive(Clone)]
pub(crate) struct Plan {
    pub(crate) ear: Ear,
    pub(crate) origin: Origin,
    pub(crate) attested_key: Option<Vec<u8>>,
    pub(crate) binding: Binding,
    /// Of another connection, whose proof is given in place of this one's.
    pub(crate) stashed: Option<Bound>,
}

impl Plan {
    pub(crate) fn with_attested_key(mut self, key: Vec<u8>) -> Self {
        self.attested_key = Some(key);
        self
    }

    fn carry_out(self, bound: &Bound) -> Appraised {
        let matched = crate::support::matched(self.stashed.as_ref().unwrap_or(bound));
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
pub(crate) struct Task<'a, T> {
    future: Pin<Box<dyn Future<Output = T> + 'a>>,
    pub(crate) woken: Arc<Woken>,
}

#[derive(Default)]
pub(crate) struct Woken(pub(crate) AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::SeqCst);
    }
}

impl<'a, T> Task<'a, T> {
    pub(crate) fn pending(future: impl Future<Output = T> + 'a) -> Self {
        let mut task = Self {
            future: Box::pin(future),
            woken: Arc::default(),
        };
        assert!(task.poll().is_none(), "already done");
        task
    }

    pub(crate) fn is_woken(&self) -> bool {
        self.woken.0.load(Ordering::SeqCst)
    }

    pub(crate) fn poll(&mut self) -> Option<T> {
        self.woken.0.store(false, Ordering::SeqCst);
        let waker = Waker::from(self.woken.clone());
        match self.future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(done) => Some(done),
            Poll::Pending => None,
        }
    }

    /// Polled again as an executor would: only because it was woken. It must be done then.
    pub(crate) fn woken(mut self) -> T {
        assert!(self.is_woken(), "not woken");
        self.poll().expect("not done")
    }
}

pub(crate) async fn appraise(
    verifier: &dyn Verifier,
    bound: &Bound,
    bytes: &[u8],
    seconds: u64,
) -> Result<Appraised, AppraisalError> {
    let media_type = first_type();
    let evidence = Evidence::new(&media_type, bytes, bound);
    verifier.appraise(&evidence, at(seconds)).await
}

pub(crate) fn any(verifier: Arc<Scripted>) -> Arc<dyn Verifier> {
    verifier
}

pub(crate) fn affirming() -> Script {
    Ok(appraised(result(2)))
}

pub(crate) fn appraised(ear: Ear) -> Plan {
    Plan {
        ear,
        origin: Origin::Device,
        attested_key: None,
        binding: Binding::Connection,
        stashed: None,
    }
}

/// About `device`, issued now.
pub(crate) fn result(hardware: i8) -> Ear {
    local(
        "device",
        Appraisal::new(vector(&[(Category::Hardware, hardware)])),
    )
}

pub(crate) fn local(name: &str, appraisal: Appraisal) -> Ear {
    Ear::local(VerifierId::new("test", "1"), at(NOW), name, appraisal)
}

pub(crate) fn vector(claims: &[(Category, i8)]) -> TrustVector {
    claims
        .iter()
        .fold(TrustVector::new(), |vector, (category, value)| {
            vector.with(*category, TrustClaim::new(*value))
        })
}

pub(crate) fn party(verifier: impl Verifier + 'static) -> RelyingParty {
    RelyingParty::builder()
        .verifier(Arc::new(verifier))
        .build()
        .unwrap()
}

/// The value of a connection of its own.
pub(crate) fn bound() -> Bound {
    credential(&Cmw::evidence(first_type(), Vec::new()))
        .0
        .bound()
        .clone()
}

/// The credential of a server that sent this message, and its key.
pub(crate) fn credential(cmw: &Cmw) -> (Credential, Vec<u8>) {
    let provider = &providers()[0];
    let pair = Pair::new(provider.clone(), &identity(provider), None);
    let (request, pending) = atls_core::exchange::request(&pair.client, provider, None).unwrap();
    let challenge = Challenge::receive(&pair.server, &request).unwrap();
    let credential = pending.finish(&challenge.answer(cmw).unwrap()).unwrap();
    let leaf_key = credential.leaf_key().to_vec();
    (credential, leaf_key)
}

pub(crate) fn first_type() -> MediaType {
    "test/evidence".parse().unwrap()
}

pub(crate) fn second_type() -> MediaType {
    "test/other".parse().unwrap()
}
