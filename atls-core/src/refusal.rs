//! The refusal of a peer.

use crate::ear::Tier;
use crate::error::AppraisalError;
use crate::error::Fault;
use crate::exchange::RefusalCode;
use crate::finding::Finding;
use crate::policy::violation::PolicyViolation;

/// A peer was refused, for this reason.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// A verifier reached no result.
    #[error("appraisal failed")]
    Appraisal(#[source] AppraisalError),
    /// A result has a wrong signature, form or nonce. The verifier is at fault or, with a passport, the peer.
    #[error("attestation result cannot be used")]
    BadResult(Fault),
    /// The result is older than the maximum age, has expired, or is from the future; or this end does not know the time. The
    /// verifier is at fault or, with a passport, the peer.
    #[error("attestation result has expired")]
    Expired(Fault),
    /// The Evidence names another key than the one that authenticated this connection.
    #[error("evidence is about another key than the one that authenticated this connection")]
    KeyMismatch,
    /// No verifier of this relying party accepts the format of an item.
    #[error(
        "no verifier accepts the format of the attestation; add the verifier of the peer's platform"
    )]
    NoVerifier,
    /// The CMW holds neither Evidence nor Attestation Results.
    #[error("attestation holds nothing to appraise: neither evidence nor a result")]
    NothingToAppraise,
    /// A policy does not accept the result.
    #[error("attestation does not satisfy the policy")]
    Policy(#[from] PolicyViolation),
    /// Evidence is labelled as Attestation Results, or Attestation Results as Evidence.
    #[error("attestation is labelled as another kind of message")]
    WrongLabel,
}

impl Refusal {
    /// The party at fault.
    pub fn fault(&self) -> Fault {
        match self {
            Self::Appraisal(error) => error.fault(),
            Self::BadResult(fault) | Self::Expired(fault) => *fault,
            Self::Policy(violation) => violation.fault(),
            _ => Fault::Peer,
        }
    }

    /// One stable word for metrics, such as `not_bound` or `policy_status`.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Appraisal(error) => error.reason(),
            Self::BadResult(_) => "bad_result",
            Self::Expired(_) => "result_expired",
            Self::KeyMismatch => "key_mismatch",
            Self::NoVerifier => "no_verifier",
            Self::NothingToAppraise => "nothing_to_appraise",
            Self::Policy(PolicyViolation::Binding(_)) => "policy_binding",
            Self::Policy(PolicyViolation::Custom(_)) => "policy_custom",
            Self::Policy(PolicyViolation::ExtraItem(_)) => "policy_extra_item",
            Self::Policy(PolicyViolation::GroupNotKnown(_)) => "policy_group_not_known",
            Self::Policy(PolicyViolation::MissingItem(_)) => "policy_missing_item",
            Self::Policy(PolicyViolation::NotHybrid(_)) => "policy_not_hybrid",
            Self::Policy(PolicyViolation::Simulated) => "policy_simulated",
            Self::Policy(PolicyViolation::Status(_)) => "policy_status",
            Self::Policy(PolicyViolation::UnknownInstance { .. }) => "policy_instance",
            Self::WrongLabel => "wrong_label",
        }
    }

    /// The checks that failed, if the peer's status is the reason.
    pub fn findings(&self) -> &[Finding] {
        match self {
            Self::Policy(violation) => violation.findings(),
            _ => &[],
        }
    }

    /// The peer's status, if it is the reason.
    pub fn status(&self) -> Option<Tier> {
        match self {
            Self::Policy(PolicyViolation::Status(status)) => Some(status.tier()),
            _ => None,
        }
    }

    /// The code for the peer. It holds no detail of the appraisal.
    pub fn code(&self) -> RefusalCode {
        match self {
            _ if self.fault() != Fault::Peer => RefusalCode::Unavailable,
            Self::NoVerifier => RefusalCode::Incompatible,
            _ => RefusalCode::NotAccepted,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::NotKnown;

    #[test]
    fn a_peer_learns_who_can_do_something_about_it() {
        for (refusal, fault, code) in [
            (Refusal::WrongLabel, Fault::Peer, RefusalCode::NotAccepted),
            (Refusal::NoVerifier, Fault::Peer, RefusalCode::Incompatible),
            (
                Refusal::Policy(PolicyViolation::Simulated),
                Fault::Peer,
                RefusalCode::NotAccepted,
            ),
            (
                Refusal::Policy(PolicyViolation::GroupNotKnown(NotKnown::NoAuthenticator)),
                Fault::Local,
                RefusalCode::Unavailable,
            ),
            (
                Refusal::Appraisal(AppraisalError::NotBound),
                Fault::Peer,
                RefusalCode::NotAccepted,
            ),
            (
                Refusal::Appraisal(AppraisalError::Unreachable),
                Fault::Verifier,
                RefusalCode::Unavailable,
            ),
            (
                Refusal::Expired(Fault::Verifier),
                Fault::Verifier,
                RefusalCode::Unavailable,
            ),
            (
                Refusal::BadResult(Fault::Peer),
                Fault::Peer,
                RefusalCode::NotAccepted,
            ),
        ] {
            assert_eq!(
                (refusal.fault(), refusal.code()),
                (fault, code),
                "{refusal}"
            );
        }
    }

    /// Metrics and alerts go by the word.
    #[test]
    fn a_refusal_by_a_verifier_has_the_word_of_the_verifier() {
        let refusal = Refusal::Appraisal(AppraisalError::NotBound);
        assert_eq!(refusal.reason(), "not_bound");
        assert_eq!(Refusal::KeyMismatch.reason(), "key_mismatch");
        assert_eq!(
            Refusal::Policy(PolicyViolation::Simulated).reason(),
            "policy_simulated"
        );
    }

    #[test]
    fn a_refusal_without_a_status_has_none() {
        for refusal in [
            Refusal::NoVerifier,
            Refusal::Policy(PolicyViolation::Simulated),
        ] {
            assert_eq!(refusal.status(), None);
            assert!(refusal.findings().is_empty());
        }
    }
}
