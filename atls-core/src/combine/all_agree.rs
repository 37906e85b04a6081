//! Several verifiers that must all be content.

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

/// Several verifiers for the same media types, all asked at once: each must reach a result, and the status of all is the
/// worst. So no one of them, mistaken or bribed, has a peer accepted by the standard policy alone.
///
/// A refusal outranks unavailability: a verifier that cannot be asked never hides that another refused, or found the peer
/// contraindicated. Where others found something else, there is no result but [`AppraisalError::Incomplete`], which a
/// [`Failover`](crate::combine::Failover) around this remembers. Each result's time is judged on its own.
///
/// That holds of the *status*. A claim that two verifiers make is as bad as the worse says, and identifiers of policies count
/// where both name them; but verifiers see different things, and a claim that only one makes stands as that one has it, as does
/// a part of the attester that only one names. The platform's own claims are those of the first verifier that gives any, the
/// findings those of all. A
/// further [`Policy`](crate::Policy) that asks for such a claim trusts the one verifier that makes it.
///
/// ```
/// # use std::sync::Arc;
/// # use atls_core::{RelyingParty, combine::AllAgree};
/// # use atls_sim::{SimAttester, SimVerifier};
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let device = SimAttester::generate()?.trust_anchor();
/// # let (first, second) = (SimVerifier::trusting(device.clone()), SimVerifier::trusting(device));
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
    /// # Errors
    /// [`ConfigError`] without verifiers, or where their media types or kinds differ.
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

/// Polls all until each is done; the first refusal ends it, as no other answer would change it.
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
