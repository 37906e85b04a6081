//! Several verifiers that must all be content.

use std::fmt;
use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;

use pki_types::UnixTime;

use crate::BoxFuture;
use crate::appraised::Appraised;
use crate::appraised::Tie;
use crate::combine::Alike;
use crate::error::AppraisalError;
use crate::error::ConfigError;
use crate::media_type::MediaType;
use crate::verifier::Conveys;
use crate::verifier::Evidence;
use crate::verifier::Origin;
use crate::verifier::Verifier;

/// Several verifiers for the same media types, all asked at once: each must reach a result, and the status of all is the
/// worst. So no one of them, mistaken or bribed, has a peer accepted by the standard policy alone.
///
/// That holds of the *status*. A claim that two verifiers make is as bad as the worse says, and identifiers of policies count
/// where both name them; but verifiers see different things, and a claim that only one makes stands as that one has it, as does
/// a part of the attester that only one names. The platform's own claims are those of the first verifier that gives any, the
/// findings those of all. A
/// further [`Policy`](crate::Policy) that asks for such a claim trusts the one verifier that makes it.
pub struct AllAgree {
    verifiers: Alike,
}

impl AllAgree {
    /// # Errors
    /// [`ConfigError`] without verifiers, or where their media types or kinds differ.
    pub fn new(verifiers: Vec<Arc<dyn Verifier>>) -> Result<Self, ConfigError> {
        Ok(Self {
            verifiers: Alike::new(verifiers)?,
        })
    }

    async fn ask(
        &self,
        evidence: &Evidence<'_>,
        now: UnixTime,
    ) -> Result<Appraised, AppraisalError> {
        let verifiers = self.verifiers.verifiers.iter();
        let asked = verifiers.map(|verifier| verifier.appraise(evidence, now));
        let results = all(asked.collect()).await?;
        for result in &results {
            result.binding_under(evidence.bound())?;
        }
        let mut results = results.into_iter();
        let first = results.next().ok_or(AppraisalError::BadResult)?;
        results.try_fold(first, worse)
    }
}

impl Verifier for AllAgree {
    fn media_types(&self) -> &[MediaType] {
        &self.verifiers.media_types
    }

    fn conveys(&self) -> Conveys {
        self.verifiers.conveys
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

/// # Errors
/// [`AppraisalError::BadResult`] where they found different keys in one Evidence: they cannot both be right.
fn worse(one: Appraised, other: Appraised) -> Result<Appraised, AppraisalError> {
    let attested_key = match (one.attested_key, other.attested_key) {
        (Some(one), Some(other)) if one != other => return Err(AppraisalError::BadResult),
        (one, other) => one.or(other),
    };
    let origin = match one.origin {
        Origin::Device => other.origin,
        worse => worse,
    };
    let image = match (one.image, other.image) {
        (Some(one), Some(other)) if one != other => None,
        (one, other) => one.or(other),
    };
    let tie = match (one.tie, other.tie) {
        (Tie::Connection(matched), Tie::Connection(_)) => Tie::Connection(matched),
        _ => Tie::Key,
    };
    let appraised = Appraised {
        ear: one.ear.worse(other.ear),
        origin,
        tie,
        attested_key,
        claims: one.claims.or(other.claims),
        findings: one.findings,
        image,
    };
    Ok(appraised.with_findings(other.findings))
}

/// Polls all until each is done; the first error ends it.
async fn all(
    asked: Vec<BoxFuture<'_, Result<Appraised, AppraisalError>>>,
) -> Result<Vec<Appraised>, AppraisalError> {
    let mut slots: Vec<_> = asked.into_iter().map(|future| (future, None)).collect();
    poll_fn(|cx| {
        let mut done = true;
        for (future, result) in &mut slots {
            if result.is_some() {
                continue;
            }
            match future.as_mut().poll(cx) {
                Poll::Ready(Ok(appraised)) => *result = Some(appraised),
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
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
    Ok(slots.into_iter().filter_map(|(_, result)| result).collect())
}
