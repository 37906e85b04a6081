//! The Relying Party (RFC 9334 §4.1).
//!
//! A [`Credential`] goes in. The verifiers appraise its items, the policies check the results, and a [`PeerAttestation`] comes
//! out. At the first failure there is a [`Refusal`] instead, and the connection ends.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use pki_types::UnixTime;

use crate::cmw::Item;
use crate::ear::Ear;
use crate::error::AppraisalError;
use crate::error::ConfigError;
use crate::error::Fault;
use crate::exchange::Credential;
use crate::limits::CLOCK_SKEW;
use crate::limits::DEFAULT_MAX_AGE;
use crate::media_type::MediaType;
use crate::peer_attestation::PeerAttestation;
use crate::policy::Candidate;
use crate::policy::Policy;
use crate::policy::standard::StandardPolicy;
use crate::refusal::Refusal;
use crate::verifier::ConceptualMessage;
use crate::verifier::Evidence;
use crate::verifier::Verifier;

/// Accepts or refuses peers, by its verifiers and its policies.
///
/// ```
/// # use std::sync::Arc;
/// # use atls_core::{policy::Candidate, PolicyViolation, RelyingParty, StandardPolicy};
/// # use atls_sim::{SimAttester, SimVerifier};
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let device = SimAttester::generate()?;
/// let relying_party = RelyingParty::builder()
///     .verifier(Arc::new(SimVerifier::new(device.trust_anchor())))
///     .standard_policy(StandardPolicy::new().dangerous_accept_simulated())
///     .build()?;
/// assert_eq!(relying_party.media_types().len(), 1);
/// # Ok(())
/// # }
/// ```
pub struct RelyingParty {
    verifiers: Vec<Arc<dyn Verifier>>,
    standard: StandardPolicy,
    further: Vec<Arc<dyn Policy>>,
    max_age: Duration,
}

impl RelyingParty {
    /// A builder with [`StandardPolicy::new`] and a maximum age of one hour.
    pub fn builder() -> RelyingPartyBuilder {
        RelyingPartyBuilder {
            relying_party: Self {
                verifiers: Vec::new(),
                standard: StandardPolicy::new(),
                further: Vec::new(),
                max_age: DEFAULT_MAX_AGE,
            },
        }
    }

    /// The media types that its verifiers appraise, for the request to the peer.
    pub fn media_types(&self) -> Vec<MediaType> {
        self.verifiers
            .iter()
            .flat_map(|verifier| verifier.media_types())
            .cloned()
            .collect()
    }

    /// Has every item of the credential appraised and checks the policies. There is no other way to a [`PeerAttestation`].
    ///
    /// A verifier must give a result about each item of Evidence or Attestation Results, under the value of this connection.
    /// An item without a verifier refuses the peer.
    ///
    /// # Errors
    /// [`Refusal`], which names the party at fault. There is no partial acceptance.
    pub async fn appraise(
        &self,
        credential: Credential,
        now: UnixTime,
    ) -> Result<PeerAttestation, Refusal> {
        let is_whole = |collection: &MediaType| self.media_types().contains(collection);
        let items = credential.cmw.items_with(is_whole);
        let (endorsements, decisive): (Vec<_>, Vec<_>) =
            items.into_iter().partition(Item::is_endorsements_only);
        let mut appraised = Vec::with_capacity(decisive.len());
        let mut expires_at = match &credential.validity {
            Some(validity) => validity.end(now).ok_or(Refusal::Expired(Fault::Peer))?,
            None => u64::MAX,
        };
        let mut binding = credential.binding;
        for item in &decisive {
            let (media_type, verifier) = self.verifier_for(item)?;
            let evidence = Evidence::new(&media_type, item.value(), &credential.bound)
                .with_endorsements(&endorsements)
                .with_report_data(credential.report_data.as_ref());
            let result = verifier
                .appraise(&evidence, now)
                .await
                .map_err(|error| refusal(error, verifier))?;
            if result.is_of_other_connection(&credential.bound) {
                return Err(Refusal::Appraisal(AppraisalError::OTHER_CONNECTION));
            }
            if result
                .attested_key
                .as_ref()
                .is_some_and(|key| *key != credential.leaf_key)
            {
                return Err(Refusal::KeyMismatch);
            }
            let end = self
                .expiry(&result.ear, now)
                .ok_or_else(|| Refusal::Expired(fault_of_result_source(verifier)))?;
            expires_at = expires_at.min(end);
            binding = binding.min(result.binding());
            appraised.extend(result.into_items(item.label(), media_type));
        }
        if appraised.is_empty() {
            return Err(Refusal::NothingToAppraise);
        }
        let candidate = Candidate {
            items: appraised.into(),
            binding,
            leaf_key: credential.leaf_key.into(),
            tls: credential.tls,
            appraised_at: now,
            expires_at: UnixTime::since_unix_epoch(Duration::from_secs(expires_at)),
        };
        self.standard.check(&candidate)?;
        for policy in &self.further {
            policy.check(&candidate)?;
        }
        Ok(PeerAttestation::new(candidate))
    }

    fn verifier_for(&self, item: &Item<'_>) -> Result<(MediaType, &dyn Verifier), Refusal> {
        let media_type = item.media_type().ok_or(Refusal::NoVerifier)?;
        let (media_type, verifier) = self
            .verifiers
            .iter()
            .find_map(|verifier| {
                let mut own = verifier.media_types().iter();
                // The connection holds the verifier's own value.
                let own = own.find(|own| **own == media_type)?;
                Some((own.clone(), verifier))
            })
            .ok_or(Refusal::NoVerifier)?;
        let labelled = match verifier.conceptual_message() {
            ConceptualMessage::Evidence => item.is_evidence(),
            ConceptualMessage::AttestationResults => item.is_attestation_results(),
        };
        if labelled {
            Ok((media_type, &**verifier))
        } else {
            Err(Refusal::WrongLabel)
        }
    }

    /// The lesser of `exp` and `iat` + maximum age, in seconds since the epoch. There is none if it has passed, or if `iat` is
    /// in the future.
    fn expiry(&self, ear: &Ear, now: UnixTime) -> Option<u64> {
        let issued_at = ear.issued_at().as_secs();
        if issued_at > now.as_secs().saturating_add(CLOCK_SKEW.as_secs()) {
            return None;
        }
        let by_age = issued_at.saturating_add(self.max_age.as_secs());
        let expiry = ear
            .expires_at()
            .map_or(by_age, |exp| exp.as_secs().min(by_age));
        (expiry > now.as_secs()).then_some(expiry)
    }
}

impl fmt::Debug for RelyingParty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RelyingParty")
            .field("media_types", &self.media_types())
            .field("standard", &self.standard)
            .field("further_policies", &self.further.len())
            .field("max_age", &self.max_age)
            .finish()
    }
}

/// Makes a [`RelyingParty`].
///
/// ```
/// # use std::{sync::Arc, time::Duration};
/// # use atls_core::{policy::Candidate, ConfigError, PolicyViolation, RelyingParty};
/// # use atls_sim::{SimAttester, SimVerifier};
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let device = SimAttester::generate()?;
/// let one_device = |peer: &Candidate| match peer.items().len() {
///     1 => Ok(()),
///     _ => Err(PolicyViolation::custom("one device expected")),
/// };
/// RelyingParty::builder()
///     .verifier(Arc::new(SimVerifier::new(device.trust_anchor())))
///     .policy(one_device) // besides the standard policy
///     .max_age(Duration::from_secs(600))
///     .build()?;
///
/// // Without a verifier nothing could be accepted, which is a mistake.
/// assert!(RelyingParty::builder().build().is_err());
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
#[must_use]
pub struct RelyingPartyBuilder {
    relying_party: RelyingParty,
}

impl RelyingPartyBuilder {
    /// Adds a verifier for the media types that it names.
    pub fn verifier(mut self, verifier: Arc<dyn Verifier>) -> Self {
        self.relying_party.verifiers.push(verifier);
        self
    }

    /// Replaces the standard policy, for example by one that accepts more.
    pub fn standard_policy(mut self, policy: StandardPolicy) -> Self {
        self.relying_party.standard = policy;
        self
    }

    /// Adds a policy that is checked after the standard one. It can refuse more peers and never accept more.
    pub fn policy(mut self, policy: impl Policy + 'static) -> Self {
        self.relying_party.further.push(Arc::new(policy));
        self
    }

    /// Sets the greatest age of a result, counted from its `iat`; [`DEFAULT_MAX_AGE`] by default. When a result reaches it, the
    /// connection ends and the next one attests again.
    pub fn max_age(mut self, max_age: Duration) -> Self {
        self.relying_party.max_age = max_age;
        self
    }

    /// # Errors
    /// [`ConfigError`] without a verifier, with two verifiers for one media type, or with a maximum age of zero.
    pub fn build(self) -> Result<RelyingParty, ConfigError> {
        let relying_party = self.relying_party;
        if relying_party.verifiers.is_empty() {
            return Err(ConfigError::NoVerifier);
        }
        if relying_party
            .verifiers
            .iter()
            .any(|verifier| verifier.media_types().is_empty())
        {
            return Err(ConfigError::IdleVerifier);
        }
        if relying_party.max_age.as_secs() == 0 {
            return Err(ConfigError::NoMaxAge);
        }
        let mut known = BTreeSet::new();
        for media_type in relying_party.media_types() {
            if !known.insert(media_type.clone()) {
                return Err(ConfigError::AmbiguousVerifier(media_type));
            }
        }
        Ok(relying_party)
    }
}

/// Blames a bad result on the party that gave it.
fn refusal(error: AppraisalError, verifier: &dyn Verifier) -> Refusal {
    match error {
        AppraisalError::BadResult => Refusal::BadResult(fault_of_result_source(verifier)),
        AppraisalError::ResultExpired => Refusal::Expired(fault_of_result_source(verifier)),
        other => Refusal::Appraisal(other),
    }
}

fn fault_of_result_source(verifier: &dyn Verifier) -> Fault {
    match verifier.conceptual_message() {
        ConceptualMessage::AttestationResults => Fault::Peer,
        ConceptualMessage::Evidence => Fault::Verifier,
    }
}
