//! The verifier half: bytes, the time, trusted keys and a policy.

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
use atls_core::ear::Ear;
use atls_core::ear::Tier;
use atls_core::ear::VerifierId;
use atls_core::finding::Finding;
use atls_core::pki_types::UnixTime;
use atls_formats::tpm::qualifying_data;
use atls_reference::Ends;
use atls_reference::Live;
use rustls::crypto::CryptoProvider;
use rustls::crypto::WebPkiSupportedAlgorithms;

use crate::claims::TpmClaims;
use crate::findings;
use crate::keys::TpmKeys;
use crate::policy::TpmPolicy;
use crate::quoted::Quoted;
use crate::trust_vector;
use crate::trusted_key::TrustedKey;

/// Appraises quotes of TPMs, offline.
pub struct TpmVerifier {
    policy: Arc<Live<TpmPolicy>>,
    keys: Arc<Live<TpmKeys>>,
    supported: WebPkiSupportedAlgorithms,
    origin: Origin,
    media_types: Vec<MediaType>,
}

impl TpmVerifier {
    /// Trusts these keys, and accepts what `policy` says, both as they are at that moment. The provider verifies signatures.
    ///
    /// There is no root of all TPMs, so the file of keys says of each key whether it is of a TPM that keeps it from everybody else, whose results
    /// are [`Origin::Device`], or of one in software, whose results are [`Origin::Simulated`].
    pub fn new(
        policy: Arc<Live<TpmPolicy>>,
        keys: Arc<Live<TpmKeys>>,
        provider: &CryptoProvider,
    ) -> Self {
        Self {
            policy,
            keys,
            supported: provider.signature_verification_algorithms,
            origin: Origin::Device,
            media_types: crate::media_type().into_iter().collect(),
        }
    }

    /// Takes every key for one of a TPM in software, such as `swtpm`: for tests. The user who runs such a TPM reads its keys out of a file and makes any
    /// quote, so results say [`Origin::Simulated`], which default policies refuse.
    pub fn dangerous_with_software_keys(
        keys: Arc<Live<TpmKeys>>,
        policy: Arc<Live<TpmPolicy>>,
        provider: &CryptoProvider,
    ) -> Self {
        Self {
            origin: Origin::Simulated,
            ..Self::new(policy, keys, provider)
        }
    }

    /// Appraises a recorded quote as [`Verifier::appraise`] does, **but for its binding**: what it carries as `qualifyingData` is
    /// compared with nothing. For trying a policy on Evidence out of a file.
    ///
    /// # Errors
    /// [`AppraisalError`]: no result.
    pub async fn appraise_recorded(
        &self,
        evidence: &[u8],
        now: UnixTime,
    ) -> Result<RecordedAppraisal, AppraisalError> {
        self.appraise_quote(evidence, now)
    }

    fn appraise_quote(
        &self,
        evidence: &[u8],
        now: UnixTime,
    ) -> Result<RecordedAppraisal, AppraisalError> {
        let (policy, ends) = self.policy.valid_at(now)?;
        let keys = self.keys.current();
        let quoted = Quoted::verify(evidence, &keys, &self.supported, now)?;
        let challenge = quoted.attest.extra_data.clone();
        let origin = self.origin_of(&quoted.key);
        let mut quote = AppraisedQuote::of(&policy, quoted, now)?.within(ends);
        quote.findings = self.policy.located(&policy, quote.findings);
        let instances = quote.claims.instances();
        let recorded = quote.recorded(origin, challenge);
        Ok(recorded.with_instances(instances))
    }

    fn origin_of(&self, key: &TrustedKey) -> Origin {
        match key.software {
            true => Origin::Simulated,
            false => self.origin,
        }
    }
}

/// The result of the policy for a genuine quote, with its reasons.
pub(crate) struct AppraisedQuote {
    ear: Ear,
    claims: TpmClaims,
    pub(crate) findings: Vec<Finding>,
}

impl AppraisedQuote {
    /// Without an identity of the machine, which only a file of keys gives to a key.
    pub(crate) fn recorded(self, origin: Origin, challenge: Vec<u8>) -> RecordedAppraisal {
        let image = self.claims.image.clone();
        RecordedAppraisal::new(self.ear, origin, challenge)
            .with_claims(self.claims)
            .with_findings(self.findings)
            .with_image(image)
    }

    /// Ends it no later than the policy.
    pub(crate) fn within(mut self, ends: Ends) -> Self {
        self.ear = ends.limit(self.ear);
        self
    }

    pub(crate) fn of(
        policy: &TpmPolicy,
        quoted: Quoted<'_>,
        now: UnixTime,
    ) -> Result<Self, AppraisalError> {
        let decided = trust_vector::compare(policy, &quoted)?;
        let findings = findings::of(policy, &quoted, &decided);
        let appraisal = Appraisal::new(decided.vector);
        let appraisal = match decided.image {
            Some(_) => appraisal,
            // 33 alone would be a warning, and who accepts warnings must not accept any software.
            None => appraisal.with_status(Tier::Contraindicated),
        };
        let boot = decided.boot;
        let ear = Ear::local(verifier_id(), now, "tpm", appraisal);
        let ear = match quoted.until {
            Some(until) => ear.with_expiry(until),
            None => ear,
        };
        let claims = TpmClaims {
            key: quoted.key.name.clone(),
            ak_certificate: quoted.key.ak_certificate,
            has_plain_counters: quoted.has_plain_counters(),
            banks: quoted.banks,
            clock: quoted.attest.clock,
            firmware_version: quoted.attest.firmware_version,
            image: decided.image.map(|image| image.name.clone()),
            shows_secure_boot: boot.shows_secure_boot,
            events: boot.events.into_values().flatten().collect(),
            files: boot.files.unwrap_or_default(),
        };
        Ok(Self {
            ear,
            claims,
            findings,
        })
    }
}

impl Verifier for TpmVerifier {
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
            let recorded = self.appraise_quote(evidence.bytes(), now)?;
            recorded.bind(&qualifying_data(evidence.bound()))
        })
    }
}

impl fmt::Debug for TpmVerifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TpmVerifier")
            .field("policy", &self.policy)
            .field("origin", &self.origin)
            .finish_non_exhaustive()
    }
}

fn verifier_id() -> VerifierId {
    VerifierId::new("atls-tpm", env!("CARGO_PKG_VERSION"))
}
