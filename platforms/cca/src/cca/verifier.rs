//! The verifier half for realms: bytes, the time, trusted keys and a policy.

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
use atls_core::ear::Ear;
use atls_core::ear::VerifierId;
use atls_core::pki_types::UnixTime;
use atls_formats::psa;
use atls_formats::psa::CCA_TOKEN;
use atls_reference::Live;
use rustls::crypto::CryptoProvider;
use rustls::crypto::WebPkiSupportedAlgorithms;

use super::authentic::Authentic;
use super::claims::CcaClaims;
use super::findings;
use super::trust_vector::Decided;
use crate::keys::CcaKeys;
use crate::keys::TrustedKey;
use crate::policy::CcaPolicy;

/// Appraises CCA tokens, offline, in this order:
///
/// 1. collection, frames and claims have their form;
/// 2. the file of keys has a CPAK for the platform's implementation and instance, and it signed the platform token;
/// 3. the platform token carries the digest of the realm's key, which signed the realm token;
/// 4. the policy is checked, which gives a result, good or bad;
/// 5. the realm challenge is the expected one, all 64 bytes: otherwise the result is about no connection, and dropped.
pub struct CcaVerifier {
    policy: Arc<Live<CcaPolicy>>,
    keys: Arc<Live<CcaKeys>>,
    supported: WebPkiSupportedAlgorithms,
    origin: Origin,
    media_types: Vec<MediaType>,
}

impl CcaVerifier {
    /// Trusts these keys, and accepts what the policy says, both as they are at that moment. The provider verifies signatures.
    ///
    /// There is no root of all platforms, so the file of keys says of each key whether hardware holds it, whose results are
    /// [`Origin::Device`], or software, whose results are [`Origin::Simulated`].
    pub fn new(
        policy: Arc<Live<CcaPolicy>>,
        keys: Arc<Live<CcaKeys>>,
        provider: &CryptoProvider,
    ) -> Self {
        Self {
            policy,
            keys,
            supported: provider.signature_verification_algorithms,
            origin: Origin::Device,
            media_types: MediaType::parse(CCA_TOKEN).into_iter().collect(),
        }
    }

    /// Takes every key for one that software holds: for tests. Whoever holds it makes any token, so results say
    /// [`Origin::Simulated`], which default policies refuse.
    pub fn dangerous_with_software_keys(
        keys: Arc<Live<CcaKeys>>,
        policy: Arc<Live<CcaPolicy>>,
        provider: &CryptoProvider,
    ) -> Self {
        Self {
            origin: Origin::Simulated,
            ..Self::new(policy, keys, provider)
        }
    }

    /// Appraises a recorded token as [`Verifier::appraise`] does, **but for its binding**: the realm challenge is compared with
    /// nothing. For trying a policy on Evidence out of a file.
    ///
    /// # Errors
    /// [`AppraisalError`]: no result.
    pub async fn appraise_recorded(
        &self,
        evidence: &[u8],
        now: UnixTime,
    ) -> Result<RecordedAppraisal, AppraisalError> {
        self.appraise_token(evidence, now)
    }

    fn appraise_token(
        &self,
        evidence: &[u8],
        now: UnixTime,
    ) -> Result<RecordedAppraisal, AppraisalError> {
        let stale = AppraisalError::StaleCollateral;
        let (policy, ends) = self.policy.valid_at(now).map_err(stale)?;
        let (keys, ends_of_keys) = self.keys.valid_at(now).map_err(stale)?;
        let token = Authentic::verify(evidence, &keys, &self.supported)?;
        let (challenge, origin) = (token.realm.challenge, self.origin_of(token.key));
        let decided = Decided::of(&policy, &token);
        let verifier = VerifierId::new("atls-cca", env!("CARGO_PKG_VERSION"));
        let ear = Ear::local(verifier, now, "cca-platform", decided.platform(&token))
            .with_submod("cca-realm", decided.realm());
        let ear = ends_of_keys.limit(ends.limit(ear));
        let findings = findings::of(&policy, &token, &decided);
        let findings = self.policy.located(&policy, findings);
        let image = decided.image.map(|image| image.name.clone());
        let claims = CcaClaims {
            key: token.key.name.clone(),
            firmware: decided.firmware.map(|firmware| firmware.name.clone()),
            image: image.clone(),
            platform: token.platform,
            realm: token.realm,
        };
        Ok(RecordedAppraisal::new(ear, origin, challenge)
            .with_instances(claims.instances())
            .with_claims(claims)
            .with_findings(findings)
            .with_image(image))
    }

    fn origin_of(&self, key: &TrustedKey) -> Origin {
        match key.software {
            true => Origin::Simulated,
            false => self.origin,
        }
    }
}

impl Verifier for CcaVerifier {
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
        Box::pin(async move {
            let recorded = self.appraise_token(evidence.bytes(), now)?;
            recorded.bind(&psa::realm_challenge(evidence.bound()))
        })
    }
}

impl fmt::Debug for CcaVerifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CcaVerifier")
            .field("policy", &self.policy)
            .field("origin", &self.origin)
            .finish_non_exhaustive()
    }
}
