//! Failures of a Verifier.

use super::fault::Fault;
use crate::combine::IncompleteResults;
use crate::stale::Stale;

/// A Verifier reached no result. Every variant refuses the peer; there is no partial result.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AppraisalError {
    /// The Evidence does not parse, or lacks what its format demands.
    #[error(
        "evidence is malformed; the peer's attester and this verifier may be of different versions of the format"
    )]
    Malformed,
    /// The Evidence's signature or chain does not verify.
    #[error(
        "evidence signature does not verify; the evidence was altered, or is of no genuine device"
    )]
    BadSignature,
    /// The Evidence is signed by a key that this verifier does not trust.
    #[error(
        "evidence is signed by an unknown key; if the device is one of yours, \
         give the verifier its trust anchor or endorsements"
    )]
    UnknownKey,
    /// The Evidence carries another challenge than this connection's, or none. It is replayed or relayed. In a minimal exchange, which
    /// names no [`WireProfile`](crate::WireProfile), two ends of different profiles look like that too.
    #[error(
        "evidence is not bound to this connection; it is replayed or relayed, something terminates TLS in between, \
         or the ends are configured for different wire profiles"
    )]
    NotBound,
    /// The items of a chain do not belong together: one that carries no value of the connection does not vouch for the key that
    /// signed the one that does. They are of different machines, or altered.
    #[error(
        "items of the evidence are not of one machine: one does not vouch for the key that signed the other"
    )]
    NotChained,
    /// The Evidence, or a certificate that the peer sent with it, is outside its validity at the given time.
    #[error("evidence has expired; if the peer made it just now, compare the clocks of both ends")]
    Expired,
    /// Collateral of the verifier's own (endorsements, revocation lists, trust anchors) is outside its validity at the
    /// given time, and no other was available. Refresh the piece that it names.
    #[error("collateral of the verifier is outside its validity: {0}")]
    StaleCollateral(Stale),
    /// The verifier, or a service that it needs, could not be reached. Nothing is known about the peer.
    #[error("verifier could not be reached; see its own log event, the network and its address")]
    Unreachable,
    /// Several verifiers must agree, and some of them could not be reached. It holds the results of the others. Nothing is
    /// decided about the peer. Make every verifier reachable.
    #[error("a verifier that must agree could not be reached; the others say {}", .0.status())]
    Incomplete(IncompleteResults),
    /// A result has a wrong signature, form or nonce. The fault is that of the service or, with a passport, of the peer;
    /// [`RelyingParty`](crate::RelyingParty) tells them apart.
    #[error("attestation result cannot be used")]
    BadResult,
    /// A result is outside its validity at the given time. The fault is that of the same party as with
    /// [`BadResult`](Self::BadResult).
    #[error("attestation result has expired")]
    ResultExpired,
    /// The Evidence cannot be verified without an Endorsement that nobody gave, such as the certificate of the key that
    /// signed it. Let the peer send it along, or give it to the verifier's own source.
    #[error("no {what}: neither the evidence nor the collateral source has one")]
    NoEndorsement {
        /// The missing Endorsement, such as `VCEK`.
        what: &'static str,
        /// The party at fault: the verifier if its source was to supply the Endorsement, the peer if the Evidence was.
        due_from: Fault,
    },
    /// The service answered that it gives no result, and gave no reason. Some services answer so to Evidence that they do not
    /// accept, so it counts as the peer's fault. Otherwise a peer could choose the next verifier by it, or wake the operator.
    /// A broken service that answers in the same way shows in its own logs.
    #[error("verifier gave no result and no reason; its own log may have one")]
    NoResult,
    /// This end cannot appraise. The text gives the reason, such as an unknown time or an algorithm that the provider lacks.
    #[error("this end cannot appraise: {0}")]
    Local(&'static str),
}

/// Reference values that have ended are the verifier's own, as its collateral is.
impl From<Stale> for AppraisalError {
    fn from(stale: Stale) -> Self {
        Self::StaleCollateral(stale)
    }
}

impl AppraisalError {
    /// A verifier gave a result about another connection, which it had kept.
    pub(crate) const OTHER_CONNECTION: Self =
        Self::Local("a verifier gave a result about another connection");

    /// One stable word for metrics, such as `not_bound`.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::BadResult => "bad_result",
            Self::BadSignature => "bad_signature",
            Self::Expired => "expired",
            Self::Incomplete(_) => "incomplete",
            Self::Local(_) => "local",
            Self::Malformed => "malformed",
            Self::NoEndorsement { .. } => "no_endorsement",
            Self::NoResult => "no_result",
            Self::NotBound => "not_bound",
            Self::NotChained => "not_chained",
            Self::ResultExpired => "result_expired",
            Self::StaleCollateral(_) => "stale_collateral",
            Self::UnknownKey => "unknown_key",
            Self::Unreachable => "unreachable",
        }
    }

    /// The party at fault, for a verifier of Evidence. With a passport the [`Refusal`](crate::Refusal) names it.
    pub fn fault(&self) -> Fault {
        match self {
            Self::BadResult
            | Self::Incomplete(_)
            | Self::ResultExpired
            | Self::StaleCollateral(_)
            | Self::Unreachable => Fault::Verifier,
            Self::Local(_) => Fault::Local,
            Self::NoEndorsement { due_from, .. } => *due_from,
            Self::BadSignature
            | Self::Expired
            | Self::Malformed
            | Self::NoResult
            | Self::NotBound
            | Self::NotChained
            | Self::UnknownKey => Fault::Peer,
        }
    }
}
