//! One verifier in place of another that cannot be asked.

use std::fmt;
use std::sync::Arc;

use pki_types::UnixTime;

use crate::appraised::Appraised;
use crate::box_future::BoxFuture;
use crate::combine::answers::Answers;
use crate::combine::interchangeable::InterchangeableVerifiers;
use crate::error::AppraisalError;
use crate::error::ConfigError;
use crate::media_type::MediaType;
use crate::verifier::ConceptualMessage;
use crate::verifier::Evidence;
use crate::verifier::Verifier;

/// Several verifiers for the same media types, asked in order: the next one only where the former is *unavailable*, which is
/// [`AppraisalError::Unreachable`] or [`AppraisalError::StaleCollateral`]. One that answered is the last, whatever it
/// said: a peer that gets a bad answer out of one verifier must not be judged by another instead.
///
/// An [`AllAgree`](crate::combine::AllAgree) of which a part answered is unavailable too ([`AppraisalError::Incomplete`]). The next one is
/// asked, and what the part found stays: the whole is the worse of both.
///
/// Each must be good enough on its own: who can keep one from answering chooses the next. How long an unavailable one may
/// take is its own matter; the deadline of the connection is one for all.
///
/// ```
/// # use std::sync::Arc;
/// # use atls_core::{RelyingParty, combine::Failover};
/// # use atls_sim::{SimAttester, SimVerifier};
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let device = SimAttester::generate()?.trust_anchor();
/// # let (first, second) = (SimVerifier::trusting(device.clone()), SimVerifier::trusting(device));
/// // The second is asked where the first cannot be.
/// let verifier = Failover::new(vec![Arc::new(first), Arc::new(second)])?;
/// let relying_party = RelyingParty::builder().verifier(Arc::new(verifier)).build()?;
/// assert_eq!(relying_party.media_types().len(), 1);
/// # Ok(())
/// # }
/// ```
pub struct Failover {
    verifiers: InterchangeableVerifiers,
}

impl Failover {
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
        let mut answers = Answers::new(evidence.bound(), now);
        for verifier in &self.verifiers.verifiers {
            let answer = verifier.appraise(evidence, now).await;
            let answered = answer.is_ok();
            answers.add(answer)?;
            if answered {
                return answers.of_any();
            }
        }
        answers.of_all()
    }
}

impl Verifier for Failover {
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

impl fmt::Debug for Failover {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Failover")
            .field("media_types", &self.verifiers.media_types)
            .field("verifiers", &self.verifiers.verifiers.len())
            .finish()
    }
}
