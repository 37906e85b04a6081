//! The reason for which a policy refuses a peer.

use std::borrow::Cow;
use std::fmt;

use rustls::NamedGroup;

use super::bad_composition::BadComposition;
use super::bad_status::BadStatus;
use super::candidate::ClaimsError;
use crate::binding::Binding;
use crate::error::Fault;
use crate::finding;
use crate::finding::AtEnd;
use crate::finding::Finding;
use crate::finding::Place;
use crate::session::NotKnown;

/// The reason for which a policy refuses a peer.
///
/// ```
/// use atls_core::{Fault, PolicyViolation};
///
/// let violation = PolicyViolation::custom("not the current release");
/// assert_eq!(violation.to_string(), "not the current release");
/// assert_eq!(violation.fault(), Fault::Peer);
/// ```
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PolicyViolation {
    /// The attestation is bound more weakly than the policy wants, and so open to the attacks that [`Binding`] names. Let the
    /// peer attest after the handshake, or accept the weaker binding by [`StandardPolicy::dangerous_accept_binding`](crate::StandardPolicy::dangerous_accept_binding).
    #[error(
        "attestation is bound to the {0} only, so it can be relayed or replayed; let the peer attest after the handshake, \
         or accept the weaker binding by StandardPolicy::dangerous_accept_binding"
    )]
    Binding(Binding),
    /// A policy of the application refuses, in its own words.
    #[error("{0}")]
    Custom(Cow<'static, str>),
    /// An item of the attestation is none that a [`Composition`](crate::policy::Composition) names. Let the peer leave it out, or allow it by
    /// [`Composition::allow`](crate::policy::Composition::allow).
    #[error(
        "attestation has an item too many, of {}; allow it by Composition::allow, or let the peer leave it out{}",
        finding::bounded(.0.item()), .0
    )]
    ExtraItem(BadComposition),
    /// The group of the key exchange is not known, and the policy demands one. Configure a single group, or a client whose TLS stream
    /// is in reach.
    #[error(
        "group of the key exchange is not known: {0}; configure a single group, or use a connector of atls-tower"
    )]
    GroupNotKnown(NotKnown),
    /// The attestation lacks an item that a [`Composition`](crate::policy::Composition) requires.
    #[error("attestation lacks an item of {}; let the peer send it, under that label{}", .0.item(), .0)]
    MissingItem(BadComposition),
    /// The key exchange is no hybrid of a curve and ML-KEM. Offer X25519MLKEM768 at both ends, first or alone: rustls' provider
    /// `aws_lc_rs` has it, and `ring` has not.
    #[error(
        "key exchange {0:?} is no hybrid with ML-KEM; let both ends offer X25519MLKEM768, which the provider aws-lc-rs has"
    )]
    NotHybrid(NamedGroup),
    /// The Evidence comes from a simulator. Accept it in development by
    /// [`StandardPolicy::dangerous_accept_simulated`](crate::StandardPolicy::dangerous_accept_simulated).
    #[error(
        "evidence comes from a simulator, which proves nothing; for development accept it by \
         StandardPolicy::dangerous_accept_simulated"
    )]
    Simulated,
    /// The peer is none of the [known instances](crate::policy::instance::KnownInstances). The text names none: the log may be public.
    #[error(
        "peer is none of the known instances; add it to them, or find out which machine answers under this name{}{}",
        Stated(.stated), AtEnd(.place.as_ref())
    )]
    UnknownInstance {
        /// The kinds of the identities that its Evidence states, such as `tdx.ppid`; not their values.
        stated: Vec<&'static str>,
        /// The place of the policy that knows instances.
        place: Option<Place>,
    },
    /// The worst status of all appraised items is not accepted.
    #[error(transparent)]
    Status(#[from] BadStatus),
}

impl PolicyViolation {
    /// The party at fault: the peer, but this end where it does not know what its policy asks for.
    pub fn fault(&self) -> Fault {
        match self {
            Self::GroupNotKnown(_) => Fault::Local,
            _ => Fault::Peer,
        }
    }

    /// The place of the policy that refuses, where it is a rule of a file about items or instances; [findings](Self::findings) have
    /// places of their own.
    pub fn place(&self) -> Option<&Place> {
        match self {
            Self::ExtraItem(bad) | Self::MissingItem(bad) => bad.place(),
            Self::UnknownInstance { place, .. } => place.as_ref(),
            _ => None,
        }
    }

    /// Sets the [place](Self::place). It changes nothing for a reason that has none.
    #[must_use]
    pub fn with_place(self, rule: Place) -> Self {
        match self {
            Self::ExtraItem(bad) => Self::ExtraItem(bad.with_place(rule)),
            Self::MissingItem(bad) => Self::MissingItem(bad.with_place(rule)),
            Self::UnknownInstance { stated, .. } => Self::UnknownInstance {
                stated,
                place: Some(rule),
            },
            other => other,
        }
    }

    /// The checks that failed. There are none if a policy of the application refused.
    pub fn findings(&self) -> &[Finding] {
        match self {
            Self::Status(status) => status.findings(),
            _ => &[],
        }
    }

    /// A refusal by a policy of the application.
    pub fn custom(reason: impl Into<Cow<'static, str>>) -> Self {
        Self::Custom(reason.into())
    }
}

/// A policy that asks for one set of claims refuses a peer that does not have exactly one.
impl From<ClaimsError> for PolicyViolation {
    fn from(error: ClaimsError) -> Self {
        Self::custom(error.to_string())
    }
}

/// The kinds of identities, as the text ends with them.
struct Stated<'a>(&'a [&'static str]);

impl fmt::Display for Stated<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            [] => f.write_str("; its evidence states no identity"),
            kinds => write!(f, "; its evidence states {}", kinds.join(", ")),
        }
    }
}
