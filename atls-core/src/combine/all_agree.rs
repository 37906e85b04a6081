//! Several verifiers that must all reach a result.

use std::fmt;
use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;

use pki_types::UnixTime;

use crate::appraised::Appraised;
use crate::box_future::BoxFuture;
use crate::combine::answers::Answers;
use crate::combine::answers::is_unavailable;
use crate::combine::interchangeable::InterchangeableVerifiers;
use crate::error::AppraisalError;
use crate::error::ConfigError;
use crate::media_type::MediaType;
use crate::verifier::ConceptualMessage;
use crate::verifier::Evidence;
use crate::verifier::Verifier;

/// Several verifiers for the same media types. All are asked at once, each must reach a result, and the worst status counts. So
/// no single verifier, mistaken or bribed, can have a peer accepted by the standard policy.
///
/// A refusal outranks unavailability. An unreachable verifier never hides that another refused, or found the peer
/// contraindicated. If the others found something else, the outcome is [`AppraisalError::Incomplete`]. A
/// [`Failover`](crate::combine::Failover) around this verifier remembers it. The time of each result is checked on its own.
///
/// The result merges those of the verifiers. Where two verifiers make one claim, the worse value stands. A claim that one verifier
/// makes stands as it is, and so does a part of the attester that one verifier names. A policy identifier stands if all verifiers
/// that name the part name it. The platform's own claims are those of the first verifier that gives any. The findings are those
/// of all. So a further [`Policy`](crate::policy::Policy) that asks for a claim may trust one verifier alone.
///
/// ```
/// # use std::sync::Arc;
/// # use atls_core::{RelyingParty, combine::AllAgree};
/// # use atls_sim::{SimAttester, SimVerifier};
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let device = SimAttester::generate()?.trust_anchor();
/// # let (first, second) = (SimVerifier::new(device.clone()), SimVerifier::new(device));
/// let verifier = AllAgree::new(vec![Arc::new(first), Arc::new(second)])?;
/// let relying_party = RelyingParty::builder().verifier(Arc::new(verifier)).build()?;
/// assert_eq!(relying_party.media_types().len(), 1);
/// # Ok(())
/// # }
/// ```
pub struct AllAgree {
    verifiers: InterchangeableVerifiers,
}

impl AllAgree {
    /// Combines verifiers.
    ///
    /// # Errors
    /// [`ConfigError`] without verifiers, or where their media types or kinds of message differ.
    pub fn new(verifiers: Vec<Arc<dyn Verifier>>) -> Result<Self, ConfigError> {
        Ok(Self {
            verifiers: InterchangeableVerifiers::new(verifiers)?,
        })
    }

    async fn ask(
        &self,
        evidence: &Evidence<'_>,
        now: UnixTime,
    ) -> Result<Appraised, AppraisalError> {
        let verifiers = self.verifiers.verifiers.iter();
        let asked = verifiers.map(|verifier| verifier.appraise(evidence, now));
        let mut answers = Answers::new(evidence.bound(), now);
        for answer in all(asked.collect()).await? {
            answers.add(answer)?;
        }
        answers.of_all()
    }
}

impl Verifier for AllAgree {
    fn media_types(&self) -> &[MediaType] {
        &self.verifiers.media_types
    }

    fn conceptual_message(&self) -> ConceptualMessage {
        self.verifiers.conceptual_message
    }

    fn generation(&self) -> u64 {
        self.verifiers.generation()
    }

    fn appraise<'a>(
        &'a self,
        evidence: &'a Evidence<'a>,
        now: UnixTime,
    ) -> BoxFuture<'a, Result<Appraised, AppraisalError>> {
        Box::pin(self.ask(evidence, now))
    }
}

impl fmt::Debug for AllAgree {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AllAgree")
            .field("media_types", &self.verifiers.media_types)
            .field("verifiers", &self.verifiers.verifiers.len())
            .finish()
    }
}

/// Polls all until each is done. The first refusal ends the wait, since no other answer can change it.
async fn all(
    asked: Vec<BoxFuture<'_, Result<Appraised, AppraisalError>>>,
) -> Result<Vec<Result<Appraised, AppraisalError>>, AppraisalError> {
    let mut slots: Vec<_> = asked.into_iter().map(|future| (future, None)).collect();
    poll_fn(|cx| {
        let mut done = true;
        for (future, answer) in &mut slots {
            if answer.is_some() {
                continue;
            }
            match future.as_mut().poll(cx) {
                Poll::Ready(Err(refusal)) if !is_unavailable(&refusal) => {
                    return Poll::Ready(Err(refusal));
                }
                Poll::Ready(answered) => *answer = Some(answered),
                Poll::Pending => done = false,
            }
        }
        if done {
            Poll::Ready(Ok(()))
        } else {
            Poll::Pending
        }
    })
    .await?;
    Ok(slots.into_iter().filter_map(|(_, answer)| answer).collect())
}
