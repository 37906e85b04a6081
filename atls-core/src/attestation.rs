//! The outcome of appraisal and policy for one peer.
//!
//! [`RelyingParty::appraise`](crate::RelyingParty::appraise) builds a [`Candidate`] from the results of the verifiers, shows it to
//! the policies, and gives a [`PeerAttestation`] if all of them accept it. Where one refuses, there is no value of this module.

use std::any::Any;
use std::fmt;
use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use pki_types::UnixTime;

use crate::binding::Binding;
use crate::ear::Ear;
use crate::ear::Tier;
use crate::finding::Finding;
use crate::media_type::MediaType;
use crate::origin::Origin;

/// A peer that was appraised and that the relying party's policy accepted.
///
/// [`RelyingParty::appraise`](crate::RelyingParty::appraise) is its only constructor. A value of this type proves that the
/// peer's authenticator, binding, Evidence and status were all checked. It dereferences to [`Candidate`].
///
/// ```
/// use atls_core::PeerAttestation;
///
/// /// What an audit log keeps of a peer.
/// fn record(peer: &PeerAttestation) -> String {
///     let devices = peer.items().len();
///     let until = peer.expires_at().as_secs();
///     format!("{}, bound to the {}, {devices} device(s), until {until}", peer.status(), peer.binding())
/// }
/// ```
pub struct PeerAttestation {
    candidate: Candidate,
}

impl PeerAttestation {
    pub(crate) fn new(candidate: Candidate) -> Self {
        Self { candidate }
    }
}

/// Prints the same as [`Candidate`].
impl fmt::Debug for PeerAttestation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("PeerAttestation")
            .field(&self.candidate)
            .finish()
    }
}

impl Deref for PeerAttestation {
    type Target = Candidate;

    fn deref(&self) -> &Candidate {
        &self.candidate
    }
}

/// A peer that was appraised and is not yet accepted: the input of a [`Policy`](crate::Policy).
///
/// ```
/// # use std::sync::Arc;
/// # use atls_core::{Candidate, PolicyViolation, RelyingParty};
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
/// # let verifier = SimVerifier::trusting(SimAttester::generate()?.trust_anchor());
/// let builder = RelyingParty::builder().verifier(Arc::new(verifier));
/// let relying_party = builder.policy(lasts_ten_minutes).build()?;
/// # let _ = relying_party;
/// # Ok(())
/// # }
/// ```
pub struct Candidate {
    pub(crate) items: Vec<AppraisedItem>,
    pub(crate) binding: Binding,
    pub(crate) leaf_key: Vec<u8>,
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
    /// # use atls_core::{Candidate, PolicyViolation};
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

/// One appraised item of Evidence.
#[derive(Clone)]
pub struct AppraisedItem {
    pub(crate) label: String,
    pub(crate) media_type: MediaType,
    pub(crate) ear: Ear,
    pub(crate) origin: Origin,
    pub(crate) claims: Option<Arc<dyn Any + Send + Sync>>,
    pub(crate) findings: Vec<Finding>,
    pub(crate) image: Option<String>,
}

impl AppraisedItem {
    /// The item's label in its collection, which the peer chose; empty if the item came alone.
    pub fn label(&self) -> &str {
        &self.label
    }

    /// The media type by which its verifier was chosen.
    pub fn media_type(&self) -> &MediaType {
        &self.media_type
    }

    /// The Attestation Result.
    pub fn ear(&self) -> &Ear {
        &self.ear
    }

    /// Tells whether it came from a device or a simulator.
    pub fn origin(&self) -> Origin {
        self.origin
    }

    /// The platform's claims, if its verifier gives claims of this type.
    pub fn claims<T: Any>(&self) -> Option<&T> {
        self.claims.as_deref()?.downcast_ref()
    }

    /// The checks that its verifier reports. They are for people; a policy uses the result or the claims.
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// The name that the verifier's policy gives to the recognised software, for logs. There is none if the verifier
    /// names none, or if several verifiers name it differently.
    pub fn image(&self) -> Option<&str> {
        self.image.as_deref()
    }
}

impl fmt::Debug for AppraisedItem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AppraisedItem")
            .field("media_type", &self.media_type)
            .field("ear", &self.ear)
            .field("origin", &self.origin)
            .field("image", &self.image)
            .finish_non_exhaustive()
    }
}
