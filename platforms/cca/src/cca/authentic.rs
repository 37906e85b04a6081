//! Tokens whose signatures verify: what platform and realm said, before the policy is applied.

use atls_core::AppraisalError;
use atls_formats::psa::CcaPlatform;
use atls_formats::psa::CcaRealm;
use atls_formats::psa::CcaToken;
use rustls::crypto::WebPkiSupportedAlgorithms;

use crate::keys::CcaKeys;
use crate::keys::TrustedKey;
use crate::signature::verify;

/// The word of a trusted platform, and that of a realm on it. Whether it is about a connection was not asked.
pub(crate) struct Authentic<'a> {
    pub(crate) key: &'a TrustedKey,
    pub(crate) platform: CcaPlatform,
    pub(crate) realm: CcaRealm,
}

impl<'a> Authentic<'a> {
    /// Verifies in this order: a trusted key signed the platform token, the platform token names the realm's key by its digest, and
    /// that key signed the realm token.
    pub(crate) fn verify(
        evidence: &[u8],
        keys: &'a CcaKeys,
        supported: &WebPkiSupportedAlgorithms,
    ) -> Result<Self, AppraisalError> {
        let token = CcaToken::decode(evidence)?;
        let platform = CcaPlatform::of(token.platform())?;
        let realm = CcaRealm::of(token.realm())?;
        let (implementation_id, instance_id) = (&platform.implementation_id, &platform.instance_id);
        let key = TrustedKey::find(&keys.keys, implementation_id, instance_id);
        let key = key.ok_or(AppraisalError::UnknownKey)?;
        verify(token.platform_token(), key.public.key(), supported)?;
        // Two genuine tokens of different realms, or of different platforms, each have a good signature.
        if realm.key_digest() != platform.challenge {
            return Err(AppraisalError::UnknownKey);
        }
        verify(token.realm_token(), realm.key.key(), supported)?;
        Ok(Self {
            key,
            platform,
            realm,
        })
    }
}
