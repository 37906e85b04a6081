//! Failures of a Verifier.

use super::fault::Fault;
use crate::combine::IncompleteResults;
use crate::stale::Stale;

/// A Verifier reached no result. There is no partial result: all of these are refusals.
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
    /// The Evidence carries another challenge than this connection's, or none: replay or relay.
    #[error(
        "evidence is not bound to this connection; it is replayed or relayed, or something terminates TLS in between"
    )]
    NotBound,
    /// The Evidence, or a certificate that the peer sent with it, is outside its validity at the given time.
    #[error("evidence has expired; if the peer made it just now, compare the clocks of both ends")]
    Expired,
    /// Collateral of the verifier's own (endorsements, revocation lists, trust anchors) is outside its validity at the
    /// given time, and no other was to be had. Refresh the piece that it names.
    #[error("collateral of the verifier is outside its validity: {0}")]
    StaleCollateral(Stale),
    /// The verifier, or a service it needs, could not be asked. Nothing is known about the peer.
    #[error("verifier could not be reached; see its own log event, the network and its address")]
    Unreachable,
    /// Of several verifiers that must agree some could not be asked; with what the others found. Nothing is decided about the
    /// peer. Make the others reachable.
    #[error("a verifier that must agree could not be reached; the others say {}", .0.status())]
    Incomplete(IncompleteResults),
    /// A result could not be used: signature, shape or nonce are wrong. Who gave it is to blame: the service that was
    /// asked or, with a passport, the peer; [`RelyingParty`](crate::RelyingParty) tells them apart.
    #[error("attestation result cannot be used")]
    BadResult,
    /// A result is outside its validity at the given time. Who gave it is to blame, as with
    /// [`BadResult`](Self::BadResult).
    #[error("attestation result has expired")]
    ResultExpired,
    /// The Evidence cannot be verified without an Endorsement that nobody gave, such as the certificate of the key that
    /// signed it. Whoever was to give it is to blame: let the peer send it along, or give it to the verifier's own source.
    #[error("no {what}: neither the evidence nor the collateral source has one")]
    NoEndorsement {
        /// What is missing, such as `VCEK`.
        what: &'static str,
        /// The verifier's, where its source was to supply it; the peer's, where the Evidence was.
        due_from: Fault,
    },
    /// The service that was asked answered that it gives no result, and not for which reason. Some answer so to Evidence
    /// that they do not accept, so it counts as the peer's fault: a peer must neither choose the next verifier by it nor
    /// wake the operator. A service that is broken and says so in the same way shows in its own logs.
    #[error("verifier gave no result and no reason; its own log may have one")]
    NoResult,
    /// This end cannot appraise: it does not know the time, its provider lacks an algorithm, and the like; the text
    /// says what.
    #[error("this end cannot appraise: {0}")]
    Local(&'static str),
}

impl AppraisalError {
    /// A verifier kept a result and gave it again about another connection.
    pub(crate) const OTHER_CONNECTION: Self =
        Self::Local("a verifier gave a result about another connection");

    /// Whose fault it was, where the verifier was given Evidence. For a passport ask the [`Refusal`](crate::Refusal).
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
            | Self::UnknownKey => Fault::Peer,
        }
    }
}
