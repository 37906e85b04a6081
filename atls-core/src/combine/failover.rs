//! One verifier in place of another that cannot be reached.

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

/// Several verifiers for the same media types, asked in order. The next one is asked only if the former is *unavailable*:
/// [`AppraisalError::Unreachable`] or [`AppraisalError::StaleCollateral`]. The first answer is final, whatever it is. A peer that
/// gets a bad answer from one verifier must not get a second try with another.
///
/// An [`AllAgree`](crate::combine::AllAgree) of which only a part answered is unavailable too ([`AppraisalError::Incomplete`]). The
/// next verifier is asked, and the worse of both answers stands.
///
/// Each verifier must be good enough on its own, since an attacker who keeps one from answering chooses the next. Each sets its
/// own time limit; the deadline of the connection covers all of them together.
///
/// ```
/// # use std::sync::Arc;
/// # use atls_core::{RelyingParty, combine::Failover};
/// # use atls_sim::{SimAttester, SimVerifier};
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let device = SimAttester::generate()?.trust_anchor();
/// # let (first, second) = (SimVerifier::new(device.clone()), SimVerifier::new(device));
/// // The second is asked if the first cannot be reached.
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
    /// Combines verifiers, the preferred one first.
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
