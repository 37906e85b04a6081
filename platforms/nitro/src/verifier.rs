//! The verifier half: a document and the time go in; a result comes out under a pinned root and a policy, or an `AppraisalError`.

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
use atls_core::pki_types::UnixTime;
use atls_formats::nitro;
use atls_reference::Digest;
use atls_reference::Live;

use crate::authentic::Authentic;
use crate::chain::AWS_ROOT_G1;
use crate::claims::NitroClaims;
use crate::findings;
use crate::policy::NitroPolicy;
use crate::trust_vector;
use crate::trust_vector::Software;

/// Appraises attestation documents of Nitro Enclaves, offline.
pub struct NitroVerifier {
    policy: Arc<Live<NitroPolicy>>,
    root: Digest<32>,
    origin: Origin,
    media_types: Vec<MediaType>,
}

impl NitroVerifier {
    /// Trusts the AWS root G1. Each appraisal is under `policy` as it is at that moment.
    pub fn new(policy: Arc<Live<NitroPolicy>>) -> Self {
        Self {
            policy,
            root: Digest::from(AWS_ROOT_G1),
            origin: Origin::Device,
            media_types: crate::media_type().into_iter().collect(),
        }
    }

    /// Trusts another root **instead of that of AWS**, by the SHA-256 of its certificate: for tests. The holder of its key makes any
    /// document, so results say [`Origin::Simulated`], which default policies refuse.
    pub fn dangerous_with_root(root: Digest<32>, policy: Arc<Live<NitroPolicy>>) -> Self {
        Self {
            root,
            origin: Origin::Simulated,
            ..Self::new(policy)
        }
    }

    /// Appraises a recorded document as [`Verifier::appraise`] does, **without its binding**: signature, chain, age and registers are
    /// appraised. Nonce and key are compared with nothing, and may be absent. For trying a policy on Evidence out of a file; `now` is
    /// then a time at which the document was valid.
    ///
    /// # Errors
    /// [`AppraisalError`]: no result.
    pub async fn appraise_recorded(
        &self,
        evidence: &[u8],
        now: UnixTime,
    ) -> Result<RecordedAppraisal, AppraisalError> {
        self.appraise_document(evidence, now)
    }

    fn appraise_now(
        &self,
        evidence: &Evidence<'_>,
        now: UnixTime,
    ) -> Result<Appraised, AppraisalError> {
        let recorded = self.appraise_document(evidence.bytes(), now)?;
        // The relying party compares the key with that of the connection. A document without one is refused here.
        if recorded.attested_key().is_none() {
            return Err(AppraisalError::NotBound);
        }
        recorded.bind(&nitro::nonce(evidence.bound()))
    }

    fn appraise_document(
        &self,
        document: &[u8],
        now: UnixTime,
    ) -> Result<RecordedAppraisal, AppraisalError> {
        let (policy, ends) = self.policy.valid_at(now)?;
        let authentic = Authentic::verify(document, &self.root, policy.max_age(), now)?;
        let (mut document, valid_until) = (authentic.document, authentic.valid_until);
        // An absent nonce is that of no connection: none is empty.
        let challenge = document.nonce.take().unwrap_or_default();
        let leaf_key = document.public_key.take();
        let registers = trust_vector::appraise_registers(&policy, &document.pcrs);
        let findings = findings::of(&policy, &document.pcrs, &registers);
        let findings = self.policy.located(&policy, findings);
        let appraisal = Appraisal::new(registers.vector);
        let appraisal = match registers.software {
            Software::Known | Software::Unmeasured => appraisal,
            // 33 alone is a warning, and a policy that accepts warnings must not accept any image.
            Software::Unknown => appraisal.with_status(Tier::Contraindicated),
        };
        let ear = Ear::local(verifier_id(), now, "nitro", appraisal).with_expiry(valid_until);
        let ear = ends.limit(ear);
        let image = registers.image.map(|image| image.name.clone());
        let claims = NitroClaims {
            module_id: document.module_id,
            timestamp_ms: document.timestamp_ms,
            pcrs: document.pcrs,
            user_data: document.user_data,
            image: image.clone(),
        };
        Ok(RecordedAppraisal::new(ear, self.origin, challenge)
            .with_attested_key(leaf_key)
            .with_instances(claims.instances())
            .with_claims(claims)
            .with_findings(findings)
            .with_image(image))
    }
}

impl Verifier for NitroVerifier {
    fn media_types(&self) -> &[MediaType] {
        &self.media_types
    }

    fn generation(&self) -> u64 {
        self.policy.generation()
    }

    fn appraise<'a>(
        &'a self,
        evidence: &'a Evidence<'a>,
        now: UnixTime,
    ) -> BoxFuture<'a, Result<Appraised, AppraisalError>> {
        Box::pin(async move { self.appraise_now(evidence, now) })
    }
}

impl fmt::Debug for NitroVerifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NitroVerifier")
            .field("policy", &self.policy)
            .field("root", &self.root)
            .finish_non_exhaustive()
    }
}

fn verifier_id() -> VerifierId {
    VerifierId::new("atls-nitro", env!("CARGO_PKG_VERSION"))
}
