//! The verifier half for devices: bytes, the time, trusted keys and a policy.

use std::fmt;
use std::sync::Arc;

use atls_core::AppraisalError;
use atls_core::Appraised;
use atls_core::BoxFuture;
use atls_core::Evidence;
use atls_core::MediaType;
use atls_core::Origin;
use atls_core::RecordedAppraisal;
use atls_core::Verifier;
use atls_core::ear::Appraisal;
use atls_core::ear::Category;
use atls_core::ear::Ear;
use atls_core::ear::Tier;
use atls_core::ear::TrustClaim;
use atls_core::ear::TrustVector;
use atls_core::ear::VerifierId;
use atls_core::pki_types::UnixTime;
use atls_formats::psa;
use atls_formats::psa::Lifecycle;
use atls_formats::psa::Profile;
use atls_formats::psa::PsaDevice;
use atls_formats::psa::SignedToken;
use atls_reference::Ends;
use atls_reference::Live;
use rustls::crypto::CryptoProvider;
use rustls::crypto::WebPkiSupportedAlgorithms;

use super::claims::PsaClaims;
use super::findings;
use crate::keys::PsaKeys;
use crate::keys::TrustedKey;
use crate::policy::PsaFirmware;
use crate::policy::PsaPolicy;
use crate::signature::verify;

/// Appraises PSA tokens, offline, in this order:
///
/// 1. frame and claims have their form, and the profile is that of the media type;
/// 2. the file of keys has an IAK for the device's implementation and instance, and it signed the token;
/// 3. the policy is checked, which gives a result, good or bad;
/// 4. `eat_nonce` is the expected one, whole: otherwise the result is about no connection, and dropped.
pub struct PsaVerifier {
    policy: Arc<Live<PsaPolicy>>,
    keys: Arc<Live<PsaKeys>>,
    supported: WebPkiSupportedAlgorithms,
    origin: Origin,
    media_types: Vec<MediaType>,
}

impl PsaVerifier {
    /// Trusts these keys, and accepts what the policy says, both as they are at that moment. The provider verifies signatures.
    ///
    /// Results are [`Origin::Device`], or [`Origin::Simulated`] for a key of which the file says that software holds it, such as that of
    /// `atls-sim`. Its tokens have a media type of this verifier, so one relying party has this verifier or `SimVerifier`.
    pub fn new(
        policy: Arc<Live<PsaPolicy>>,
        keys: Arc<Live<PsaKeys>>,
        provider: &CryptoProvider,
    ) -> Self {
        let media_types = PROFILES.map(|profile| MediaType::parse(profile.media_type()));
        Self {
            policy,
            keys,
            supported: provider.signature_verification_algorithms,
            origin: Origin::Device,
            media_types: media_types.into_iter().flatten().collect(),
        }
    }

    /// Takes every key for one that software holds: for tests. Whoever holds it makes any token, so results say
    /// [`Origin::Simulated`], which default policies refuse.
    pub fn dangerous_with_software_keys(
        keys: Arc<Live<PsaKeys>>,
        policy: Arc<Live<PsaPolicy>>,
        provider: &CryptoProvider,
    ) -> Self {
        Self {
            origin: Origin::Simulated,
            ..Self::new(policy, keys, provider)
        }
    }

    /// Appraises a recorded token as [`Verifier::appraise`] does, **but for its binding**: `eat_nonce` is compared with nothing. For
    /// trying a policy on Evidence out of a file. A token of any profile is taken.
    ///
    /// # Errors
    /// [`AppraisalError`]: no result.
    pub async fn appraise_recorded(
        &self,
        evidence: &[u8],
        now: UnixTime,
    ) -> Result<RecordedAppraisal, AppraisalError> {
        let stale = AppraisalError::StaleCollateral;
        let (policy, ends) = self.policy.valid_at(now).map_err(stale)?;
        let (keys, ends_of_keys) = self.keys.valid_at(now).map_err(stale)?;
        let ends = [ends, ends_of_keys];
        let token = Authentic::verify(evidence, &keys, &self.supported)?;
        Ok(self.result((&policy, ends), token, now))
    }

    fn appraise_now(
        &self,
        evidence: &Evidence<'_>,
        now: UnixTime,
    ) -> Result<Appraised, AppraisalError> {
        let stale = AppraisalError::StaleCollateral;
        let (policy, ends) = self.policy.valid_at(now).map_err(stale)?;
        let (keys, ends_of_keys) = self.keys.valid_at(now).map_err(stale)?;
        let ends = [ends, ends_of_keys];
        let token = Authentic::verify(evidence.bytes(), &keys, &self.supported)?;
        let media_type = MediaType::parse(token.device.profile.media_type());
        if media_type.as_ref() != Ok(evidence.media_type()) {
            return Err(AppraisalError::Malformed);
        }
        let recorded = self.result((&policy, ends), token, now);
        recorded.bind(&psa::eat_nonce(evidence.bound()))
    }

    /// The result of the policy for a genuine token.
    fn result(
        &self,
        (policy, ends): (&Arc<PsaPolicy>, [Ends; 2]),
        token: Authentic<'_>,
        now: UnixTime,
    ) -> RecordedAppraisal {
        let device = &token.device;
        let about: Vec<_> = policy
            .devices
            .iter()
            .filter(|known| known.is_about(device))
            .collect();
        let firmware = about.iter().find(|known| known.unlike(device).is_nothing());
        let name = firmware.map(|firmware| firmware.name.clone());
        let known: Vec<_> = about
            .iter()
            .map(|known| (known.name.as_str(), known.components.as_slice()))
            .collect();
        let mut findings = vec![
            findings::key("psa.key", token.key),
            findings::lifecycle("psa.lifecycle", device.lifecycle),
        ];
        findings.extend(findings::components(
            "psa",
            name.as_deref(),
            &known,
            &device.components,
        ));
        let verifier = VerifierId::new("atls-cca", env!("CARGO_PKG_VERSION"));
        let appraisal = appraisal(device, firmware.copied());
        let ear = Ear::local(verifier, now, "psa", appraisal);
        let ear = ends.into_iter().fold(ear, |ear, ends| ends.limit(ear));
        let origin = self.origin_of(&token);
        let claims = PsaClaims {
            key: token.key.name.clone(),
            firmware: name.clone(),
            device: token.device,
        };
        RecordedAppraisal::new(ear, origin, claims.device.nonce.clone())
            .with_instances(claims.instances())
            .with_claims(claims)
            .with_findings(self.policy.located(policy, findings))
            .with_image(name)
    }

    fn origin_of(&self, token: &Authentic<'_>) -> Origin {
        match token.key.software {
            true => Origin::Simulated,
            false => self.origin,
        }
    }
}

/// The word of a trusted device. Whether it is about a connection was not asked.
struct Authentic<'a> {
    key: &'a TrustedKey,
    device: PsaDevice,
}

impl<'a> Authentic<'a> {
    fn verify(
        evidence: &[u8],
        keys: &'a PsaKeys,
        supported: &WebPkiSupportedAlgorithms,
    ) -> Result<Self, AppraisalError> {
        let token = SignedToken::decode(evidence)?;
        let device = PsaDevice::of(token.claims())?;
        let key = TrustedKey::find(&keys.keys, &device.implementation_id, &device.instance_id);
        let key = key.ok_or(AppraisalError::UnknownKey)?;
        verify(&token, key.public.key(), supported)?;
        Ok(Self { key, device })
    }
}

/// The table in the crate's README.
fn appraisal(device: &PsaDevice, firmware: Option<&PsaFirmware>) -> Appraisal {
    let by_lifecycle = match device.lifecycle {
        Lifecycle::Secured => 2,
        _ => 96,
    };
    let vector = [
        (Category::InstanceIdentity, by_lifecycle),
        (Category::Configuration, 0),
        (
            Category::Executables,
            if firmware.is_some() { 2 } else { 33 },
        ),
        (Category::FileSystem, 0),
        (Category::Hardware, 2),
        (Category::RuntimeOpaque, by_lifecycle),
        (Category::StorageOpaque, by_lifecycle),
        (Category::SourcedData, 0),
    ]
    .into_iter()
    .fold(TrustVector::new(), |vector, (category, value)| {
        vector.with(category, TrustClaim::new(value))
    });
    match firmware {
        Some(_) => Appraisal::new(vector),
        // 33 alone is a warning, and a policy that accepts warnings must not accept any software.
        None => Appraisal::new(vector).with_status(Tier::Contraindicated),
    }
}

impl Verifier for PsaVerifier {
    fn media_types(&self) -> &[MediaType] {
        &self.media_types
    }

    /// Each grows alone, so the sum is another one whenever either is.
    fn generation(&self) -> u64 {
        let keys = self.keys.generation();
        self.policy.generation().wrapping_add(keys)
    }

    fn appraise<'a>(
        &'a self,
        evidence: &'a Evidence<'a>,
        now: UnixTime,
    ) -> BoxFuture<'a, Result<Appraised, AppraisalError>> {
        Box::pin(async move { self.appraise_now(evidence, now) })
    }
}

impl fmt::Debug for PsaVerifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PsaVerifier")
            .field("policy", &self.policy)
            .field("origin", &self.origin)
            .finish_non_exhaustive()
    }
}

const PROFILES: [Profile; 3] = [Profile::Tfm, Profile::Predecessor, Profile::Legacy];
