//! The answers of a verifier, and how acceptable they are.

use atls_core::AppraisalError;
use atls_core::Appraised;
use atls_core::Bound;
use atls_core::Stale;
use atls_core::ear::Tier;
use test_support::at;

use crate::NOW;
use crate::stated::Stated;

/// How acceptable an outcome is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Acceptance {
    /// By the standard policy.
    Accepted,
    /// By one that was loosened.
    Doubtful,
    /// By none.
    Refused,
}

/// The answer of one verifier.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Answer {
    Result(Stated),
    Error(AppraisalError),
}

impl Answer {
    pub(crate) fn all() -> Vec<Self> {
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

    pub(crate) fn is_unavailable(&self) -> bool {
        matches!(
            self,
            Self::Error(AppraisalError::StaleCollateral(_) | AppraisalError::Unreachable)
        )
    }

    pub(crate) fn acceptance(&self) -> Acceptance {
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

    pub(crate) fn stated(&self) -> Option<&Stated> {
        match self {
            Self::Error(_) => None,
            Self::Result(stated) => Some(stated),
        }
    }

    pub(crate) fn give(&self, bound: &Bound) -> Result<Appraised, AppraisalError> {
        match self {
            Self::Error(error) => Err(error.clone()),
            Self::Result(stated) => Ok(stated.give(bound)),
        }
    }
}

/// As a relying party sees it, which refuses results from the future.
pub(crate) fn acceptance(outcome: &Result<Appraised, AppraisalError>) -> Acceptance {
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
