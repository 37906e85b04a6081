//! What several verifiers answered about the same Evidence, taken together.

use pki_types::UnixTime;

use crate::appraised::Appraised;
use crate::appraised::BindingProof;
use crate::bound::Bound;
use crate::ear::Tier;
use crate::error::AppraisalError;
use crate::limits::CLOCK_SKEW;
use crate::origin::Origin;

/// The worst of the results so far, and whether somebody could not be asked.
///
/// A result is never forgotten: whoever is asked next makes the whole worse, or leaves it.
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

    /// Where one who could not be asked leaves no result.
    ///
    /// # Errors
    /// [`AppraisalError::Incomplete`] where others reached one, unless that is contraindicated whatever is still missing.
    pub(super) fn of_all(self) -> Result<Appraised, AppraisalError> {
        match (self.worst, self.unavailable) {
            (Some(worst), None) => Ok(worst),
            (Some(worst), _) if worst.ear.status() == Tier::Contraindicated => Ok(worst),
            (Some(worst), Some(_)) => Err(AppraisalError::Incomplete(worst.into())),
            (None, unavailable) => Err(unavailable.unwrap_or(AppraisalError::Unreachable)),
        }
    }

    /// Where the one who answered stands for all who could not be asked.
    ///
    /// # Errors
    /// Where nobody answered.
    pub(super) fn of_any(self) -> Result<Appraised, AppraisalError> {
        let unavailable = self.unavailable;
        self.worst
            .ok_or_else(|| unavailable.unwrap_or(AppraisalError::Unreachable))
    }

    /// Each result is judged on its own before it is merged: by its connection, and by its time.
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

/// Whether nobody answered, so that another may be asked.
pub(super) fn is_unavailable(error: &AppraisalError) -> bool {
    matches!(
        error,
        AppraisalError::Incomplete(_)
            | AppraisalError::StaleCollateral(_)
            | AppraisalError::Unreachable
    )
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
    let proof = match (one.proof, other.proof) {
        (BindingProof::Connection(matched), BindingProof::Connection(_)) => {
            BindingProof::Connection(matched)
        }
        _ => BindingProof::Key,
    };
    let image = match (one.image, other.image) {
        (Some(one), Some(other)) if one != other => None,
        (one, other) => one.or(other),
    };
    let appraised = Appraised {
        ear: one.ear.worse(other.ear),
        origin,
        proof,
        attested_key,
        claims: one.claims.or(other.claims),
        findings: one.findings,
        image,
    };
    Ok(appraised.with_findings(other.findings))
}
