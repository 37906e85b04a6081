//! The verifier of a virtual TPM whose key another root of trust vouches for, in the same message.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use atls_core::AppraisalError;
use atls_core::Bound;
use atls_core::BoxFuture;
use atls_core::MediaType;
use atls_core::Origin;
use atls_core::combine::chain::SignedAppraisal;
use atls_core::combine::chain::SignedVerifier;
use atls_core::combine::chain::UnboundEvidence;
use atls_core::expected::ExpectedValue;
use atls_core::finding::Finding;
use atls_core::pki_types::UnixTime;
use atls_formats::tpm::Public;
use atls_formats::tpm::TpmEvidence;
use atls_formats::tpm::qualifying_data;
use atls_reference::Live;
use rustls::crypto::CryptoProvider;
use rustls::crypto::WebPkiSupportedAlgorithms;

use crate::attestation_key::AttestationKey;
use crate::keys::TpmKeys;
use crate::policy::TpmPolicy;
use crate::quoted::Quoted;
use crate::trusted_key::TrustedKey;
use crate::verifier::AppraisedQuote;

/// Appraises quotes by a policy, **under the key that came with them**. It needs no file of keys, and is no
/// [`Verifier`](atls_core::Verifier): a [`Chain`](atls_core::combine::chain::Chain) makes a result of its own, where the processor that runs the
/// virtual TPM vouches for the key.
///
/// ```
/// use std::sync::Arc;
/// use atls_core::combine::chain::SignedVerifier;
/// use atls_reference::Live;
/// use atls_tpm::{TpmPolicy, VouchedTpmVerifier};
///
/// # fn example(policy: TpmPolicy) -> Result<(), Box<dyn std::error::Error>> {
/// # let provider = rustls::crypto::ring::default_provider();
/// let of_the_vtpm = VouchedTpmVerifier::new(Arc::new(Live::fixed(policy)?), &provider);
/// let part: Arc<dyn SignedVerifier> = Arc::new(of_the_vtpm); // for a platform such as Azure
/// # let _ = part;
/// # Ok(())
/// # }
/// ```
pub struct VouchedTpmVerifier {
    policy: Arc<Live<TpmPolicy>>,
    supported: WebPkiSupportedAlgorithms,
    media_types: Vec<MediaType>,
}

impl VouchedTpmVerifier {
    /// Accepts what `policy` says. The provider verifies signatures.
    pub fn new(policy: Arc<Live<TpmPolicy>>, provider: &CryptoProvider) -> Self {
        Self {
            policy,
            supported: provider.signature_verification_algorithms,
            media_types: crate::media_type().into_iter().collect(),
        }
    }

    fn appraise(&self, evidence: &[u8], now: UnixTime) -> Result<SignedAppraisal, AppraisalError> {
        let valid = self.policy.valid_at(now);
        let (policy, ends) = valid.map_err(AppraisalError::StaleCollateral)?;
        let ak = TpmEvidence::decode(evidence)?.ak;
        let spki = Public::decode(&ak)?.subject_public_key_info();
        // One that may leave its TPM, or signs what it is given, is none to vouch for.
        let key = AttestationKey::decode(&ak).map_err(|_| AppraisalError::UnknownKey)?;
        let keys = TpmKeys::new(vec![TrustedKey::provided(NAME, key)]);
        let mut quoted = Quoted::verify(evidence, &keys, &self.supported, now)?;
        // No file of keys says which machine it is of.
        quoted.key = Cow::Owned(quoted.key.into_owned());
        let challenge = quoted.attest.extra_data.clone();
        let mut quote = AppraisedQuote::of(&policy, quoted, now)?.within(ends);
        let mut findings = quote.findings.iter_mut();
        if let Some(key) = findings.find(|finding| finding.check() == "tpm.key") {
            *key =
                Finding::passed("tpm.key").with_note("another item of the evidence vouches for it");
        }
        quote.findings = self.policy.located(&policy, quote.findings);
        // The chain takes the root's origin where that is worse.
        let recorded = quote.recorded(Origin::Device, challenge);
        Ok(SignedAppraisal::new(
            recorded,
            spki.ok_or(AppraisalError::Malformed)?,
        ))
    }
}

impl SignedVerifier for VouchedTpmVerifier {
    fn media_types(&self) -> &[MediaType] {
        &self.media_types
    }

    fn generation(&self) -> u64 {
        self.policy.generation()
    }

    fn expected_value(&self, bound: &Bound) -> ExpectedValue {
        qualifying_data(bound)
    }

    fn appraise_signed<'a>(
        &'a self,
        evidence: &'a UnboundEvidence<'a>,
        now: UnixTime,
    ) -> BoxFuture<'a, Result<SignedAppraisal, AppraisalError>> {
        Box::pin(async move { self.appraise(evidence.bytes(), now) })
    }
}

impl fmt::Debug for VouchedTpmVerifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VouchedTpmVerifier")
            .field("policy", &self.policy)
            .finish_non_exhaustive()
    }
}

/// In place of a name in a file of keys.
const NAME: &str = "vouched for by the processor";
