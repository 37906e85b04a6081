//! The input of policies: a peer that was appraised.
//!
//! [`RelyingParty::appraise`](crate::RelyingParty::appraise) builds a [`Candidate`] from the results of the verifiers and shows it
//! to the policies. If all accept it, it becomes a [`PeerAttestation`](crate::PeerAttestation).

use std::any::Any;
use std::fmt;
use std::time::Duration;

use pki_types::UnixTime;

use crate::binding::Binding;
use crate::ear::Tier;
use crate::policy::appraised_item::AppraisedItem;
use crate::session::TlsFacts;

/// A peer that was appraised and is not yet accepted: the input of a [`Policy`](crate::policy::Policy).
///
/// ```
/// # use std::sync::Arc;
/// # use atls_core::{policy::Candidate, PolicyViolation, RelyingParty};
/// # use atls_sim::{SimAttester, SimVerifier};
/// /// A policy of the application, besides the standard one.
/// fn lasts_ten_minutes(peer: &Candidate) -> Result<(), PolicyViolation> {
///     match peer.valid_for(peer.appraised_at()).as_secs() {
///         600.. => Ok(()),
///         _ => Err(PolicyViolation::custom("ends too soon")),
///     }
/// }
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let verifier = SimVerifier::new(SimAttester::generate()?.trust_anchor());
/// let builder = RelyingParty::builder().verifier(Arc::new(verifier));
/// let relying_party = builder.policy(lasts_ten_minutes).build()?;
/// # let _ = relying_party;
/// # Ok(())
/// # }
/// ```
pub struct Candidate {
    pub(crate) items: Box<[AppraisedItem]>,
    pub(crate) binding: Binding,
    pub(crate) leaf_key: Box<[u8]>,
    pub(crate) tls: TlsFacts,
    pub(crate) appraised_at: UnixTime,
    pub(crate) expires_at: UnixTime,
}

impl Candidate {
    /// The worst status of all items.
    pub fn status(&self) -> Tier {
        let statuses = self.items.iter().map(|item| item.ear().status());
        statuses.reduce(Tier::worst).unwrap_or(Tier::None)
    }

    /// The binding of the attestation: the weakest of all items.
    pub fn binding(&self) -> Binding {
        self.binding
    }

    /// One item for each device that attested, at least one.
    pub fn items(&self) -> &[AppraisedItem] {
        &self.items
    }

    /// The platform claims of this type, if exactly one item has some.
    ///
    /// ```
    /// # use atls_core::{policy::Candidate, PolicyViolation};
    /// # struct SimClaims { client_id: i32 }
    /// fn client_id_is_positive(peer: &Candidate) -> Result<(), PolicyViolation> {
    ///     match peer.claims::<SimClaims>()?.client_id {
    ///         1.. => Ok(()),
    ///         _ => Err(PolicyViolation::custom("from the non-secure side")),
    ///     }
    /// }
    /// ```
    ///
    /// # Errors
    /// [`ClaimsError::Absent`] without any, [`ClaimsError::Ambiguous`] with several. A peer that attests for several devices
    /// chooses their number and their order, so the first one says nothing about the others. Look at
    /// [`all_claims`](Self::all_claims) then.
    pub fn claims<T: Any>(&self) -> Result<&T, ClaimsError> {
        let mut all = self.all_claims();
        let first = all.next().ok_or(ClaimsError::Absent)?;
        match all.next() {
            None => Ok(first),
            Some(_) => Err(ClaimsError::Ambiguous),
        }
    }

    /// Iterates over the platform claims of this type of every item that has some, in the order in which the peer sent them.
    /// A policy over them must check each, and must say what holds without any.
    pub fn all_claims<T: Any>(&self) -> impl Iterator<Item = &T> {
        self.items.iter().filter_map(AppraisedItem::claims)
    }

    /// The DER SubjectPublicKeyInfo of the key that authenticated the peer.
    pub fn leaf_key(&self) -> &[u8] {
        &self.leaf_key
    }

    /// The TLS connection on which the peer attested: version, suite, group of the key exchange, and the scheme of the peer's key.
    pub fn tls(&self) -> TlsFacts {
        self.tls
    }

    /// The time at which the peer was appraised.
    pub fn appraised_at(&self) -> UnixTime {
        self.appraised_at
    }

    /// The time at which the first of the results expires. From then on the peer counts as unattested.
    pub fn expires_at(&self) -> UnixTime {
        self.expires_at
    }

    /// Tells whether the attestation has expired.
    pub fn is_expired(&self, now: UnixTime) -> bool {
        now >= self.expires_at
    }

    /// The time for which the attestation stays valid; zero once it has expired.
    pub fn valid_for(&self, now: UnixTime) -> Duration {
        Duration::from_secs(self.expires_at.as_secs().saturating_sub(now.as_secs()))
    }
}

/// Prints status, binding and times. Keys, labels and claims identify devices, so it leaves them out.
impl fmt::Debug for Candidate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Candidate")
            .field("items", &self.items)
            .field("binding", &self.binding)
            .field("tls", &self.tls)
            .field("appraised_at", &self.appraised_at)
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
}

/// No single set of claims stands for the peer as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ClaimsError {
    /// No item has claims of this type: another platform attested. Accept that platform's claims too, or refuse the peer.
    #[error("peer has no claims of this type")]
    Absent,
    /// Several items have claims of this type: several devices attested. Check each by [`Candidate::all_claims`].
    #[error("several devices of the peer have claims of this type")]
    Ambiguous,
}
