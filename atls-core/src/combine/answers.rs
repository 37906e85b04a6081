//! The answers of several verifiers about the same Evidence, merged.

use pki_types::UnixTime;

use crate::appraised::Appraised;
use crate::appraised::BindingProof;
use crate::bound::Bound;
use crate::ear::Tier;
use crate::error::AppraisalError;
use crate::instance_id::same_instances;
use crate::limits::CLOCK_SKEW;
use crate::policy::appraised_item::AppraisedItem;
use crate::policy::appraised_item::same_image;

/// The worst of the results so far, and whether a verifier could not be reached.
///
/// A result is never forgotten. The next answer makes the whole worse, or leaves it as it is.
pub(super) struct Answers<'a> {
    bound: &'a Bound,
    now: UnixTime,
    worst: Option<Appraised>,
    unavailable: Option<AppraisalError>,
}

impl<'a> Answers<'a> {
    pub(super) fn new(bound: &'a Bound, now: UnixTime) -> Self {
        Self {
            bound,
            now,
            worst: None,
            unavailable: None,
        }
    }

    /// Adds one answer.
    ///
    /// # Errors
    /// A refusal, which no further answer changes.
    pub(super) fn add(
        &mut self,
        answer: Result<Appraised, AppraisalError>,
    ) -> Result<(), AppraisalError> {
        match answer {
            Ok(result) => self.take(result),
            Err(AppraisalError::Incomplete(results)) => {
                self.unavailable = Some(AppraisalError::Unreachable);
                self.take(results.worst.duplicate())
            }
            Err(unavailable) if is_unavailable(&unavailable) => {
                self.unavailable = Some(unavailable);
                Ok(())
            }
            Err(refusal) => Err(refusal),
        }
    }

    /// The result of verifiers that must all answer.
    ///
    /// # Errors
    /// [`AppraisalError::Incomplete`] where only a part of them answered. A contraindicated result stands even then.
    pub(super) fn of_all(self) -> Result<Appraised, AppraisalError> {
        match (self.worst, self.unavailable) {
            (Some(worst), None) => Ok(worst),
            (Some(worst), _) if worst.ear.status() == Tier::Contraindicated => Ok(worst),
            (Some(worst), Some(_)) => Err(AppraisalError::Incomplete(worst.into())),
            (None, unavailable) => Err(unavailable.unwrap_or(AppraisalError::Unreachable)),
        }
    }

    /// The result of verifiers of which one must answer.
    ///
    /// # Errors
    /// [`AppraisalError`] where none answered.
    pub(super) fn of_any(self) -> Result<Appraised, AppraisalError> {
        let unavailable = self.unavailable;
        self.worst
            .ok_or_else(|| unavailable.unwrap_or(AppraisalError::Unreachable))
    }

    /// Checks connection and time of one result, and merges it with those before.
    fn take(&mut self, result: Appraised) -> Result<(), AppraisalError> {
        if result.is_of_other_connection(self.bound) {
            return Err(AppraisalError::OTHER_CONNECTION);
        }
        let latest = self.now.as_secs().saturating_add(CLOCK_SKEW.as_secs());
        if result.ear.issued_at().as_secs() > latest {
            return Err(AppraisalError::ResultExpired);
        }
        self.worst = Some(match self.worst.take() {
            Some(worst) => worse(worst, result)?,
            None => result,
        });
        Ok(())
    }
}

/// Tells whether the verifier did not answer, so that another may be asked.
pub(super) fn is_unavailable(error: &AppraisalError) -> bool {
    matches!(
        error,
        AppraisalError::Incomplete(_)
            | AppraisalError::StaleCollateral(_)
            | AppraisalError::Unreachable
    )
}

/// The worse of two results about the same Evidence.
///
/// # Errors
/// [`AppraisalError::BadResult`] where they name different keys, since both cannot be right.
fn worse(one: Appraised, other: Appraised) -> Result<Appraised, AppraisalError> {
    let attested_key = match (one.attested_key, other.attested_key) {
        (Some(one), Some(other)) if one != other => return Err(AppraisalError::BadResult),
        (one, other) => one.or(other),
    };
    let origin = one.origin.worse(other.origin);
    let proof = match (one.proof, other.proof) {
        (BindingProof::Connection(matched), BindingProof::Connection(_)) => {
            BindingProof::Connection(matched)
        }
        _ => BindingProof::Key,
    };
    let image = same_image(one.image.as_ref(), other.image.as_ref());
    let instances = same_instances(&one.instances, &other.instances);
    let appraised = Appraised {
        ear: one.ear.worse(other.ear),
        origin,
        proof,
        attested_key,
        claims: one.claims.or(other.claims),
        findings: one.findings,
        image,
        instances,
        // Neither token says what both say together.
        token: None,
        items: items_of_both(one.items, other.items)?,
    };
    Ok(appraised.with_findings(other.findings))
}

/// The worse result about each item of a chain. Where only one verifier tells the items apart, the result is about the whole.
///
/// # Errors
/// [`AppraisalError::BadResult`] where the verifiers saw different items, since both cannot be right.
fn items_of_both(
    one: Vec<AppraisedItem>,
    other: Vec<AppraisedItem>,
) -> Result<Vec<AppraisedItem>, AppraisalError> {
    if one.is_empty() || other.is_empty() {
        return Ok(Vec::new());
    }
    if one.len() != other.len() {
        return Err(AppraisalError::BadResult);
    }
    let pairs = one.into_iter().zip(other);
    let worse: Option<_> = pairs.map(|(one, other)| one.worse(other)).collect();
    worse.ok_or(AppraisalError::BadResult)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::sample::item;

    #[test]
    fn verifiers_that_saw_different_items_cannot_both_be_right() {
        let (cpu, tpm) = (item("cpu", "cpu"), item("tpm", "tpm"));
        let both = vec![cpu.clone(), tpm.clone()];
        for other in [
            vec![cpu.clone()],
            vec![tpm, cpu.clone()],
            vec![cpu.clone(), cpu],
        ] {
            let refused = items_of_both(both.clone(), other).map(drop);
            assert_eq!(refused, Err(AppraisalError::BadResult));
        }
    }

    #[test]
    fn items_that_both_verifiers_tell_apart_are_kept() {
        let both = vec![item("cpu", "cpu"), item("tpm", "tpm")];
        let kept = items_of_both(both.clone(), both.clone()).unwrap();
        let labels: Vec<_> = kept.iter().map(AppraisedItem::label).collect();
        assert_eq!(labels, ["cpu", "tpm"]);
        for (one, other) in [(both.clone(), vec![]), (vec![], both)] {
            assert!(items_of_both(one, other).unwrap().is_empty());
        }
    }
}
