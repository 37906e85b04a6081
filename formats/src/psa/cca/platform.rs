//! The claims of a platform.

use std::fmt;

use ciborium::Value;

use super::profile::CcaProfile;
use crate::psa::claims::Claims;
use crate::psa::component::Component;
use crate::psa::component::is_digest;
use crate::psa::device::RAND;
use crate::psa::ecdsa::Ecdsa;
use crate::psa::error::TokenError;
use crate::psa::lifecycle::Lifecycle;
use crate::psa::numbers::EAT_NONCE;
use crate::psa::numbers::EAT_PROFILE;
use crate::psa::numbers::IMPLEMENTATION_ID;
use crate::psa::numbers::LIFECYCLE;
use crate::psa::numbers::SOFTWARE;
use crate::psa::numbers::UEID;
use crate::psa::numbers::VERIFICATION_SERVICE;
use crate::psa::token_writer::TokenToSign;

/// All claims of a platform token (draft-ffm-rats-cca-token §4.3 to §4.7), each of the size that the draft gives it.
#[derive(Clone, PartialEq, Eq)]
#[allow(
    clippy::exhaustive_structs,
    reason = "the claims of the format, for its writers too"
)]
pub struct CcaPlatform {
    /// `eat_profile`.
    pub profile: CcaProfile,
    /// `eat_nonce`: the digest of the realm's key, 32, 48 or 64 bytes.
    pub challenge: Vec<u8>,
    /// `cca-platform-implementation-id`: the kind of platform.
    pub implementation_id: [u8; 32],
    /// `ueid`, which names the key that signs: 0x01 and 32 bytes.
    pub instance_id: [u8; 33],
    /// `cca-platform-config`, in the maker's own form.
    pub configuration: Vec<u8>,
    /// `cca-platform-lifecycle`.
    pub lifecycle: Lifecycle,
    /// `cca-platform-sw-components`, at least one.
    pub components: Vec<Component>,
    /// `cca-platform-hash-algo-id`: the name of the algorithm of the components that name none.
    pub hash_algorithm: String,
    /// `cca-platform-service-indicator`: a hint that nobody should follow.
    pub verification_service: Option<String>,
}

/// Without what identifies the device.
impl fmt::Debug for CcaPlatform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CcaPlatform")
            .field("profile", &self.profile)
            .field("lifecycle", &self.lifecycle)
            .field("components", &self.components)
            .finish_non_exhaustive()
    }
}

impl CcaPlatform {
    /// Takes the claims of a platform token.
    ///
    /// # Errors
    /// [`TokenError::Claim`]
    pub fn of(claims: &Claims) -> Result<Self, TokenError> {
        let profile = claims.read(EAT_PROFILE, |value| {
            CcaProfile::of_platform(value.as_text()?)
        });
        let challenge = claims.nonce()?.to_vec();
        if !is_digest(&challenge) {
            return Err(TokenError::Claim(EAT_NONCE));
        }
        let instance_id: [u8; 33] = claims.array(UEID)?;
        if instance_id.first() != Some(&RAND) {
            return Err(TokenError::Claim(UEID));
        }
        let owned = |claims: &Claims, key| claims.text(key).map(str::to_owned);
        Ok(Self {
            profile: profile?,
            challenge,
            implementation_id: claims.array(IMPLEMENTATION_ID)?,
            instance_id,
            configuration: claims.bytes(CONFIGURATION)?.to_vec(),
            lifecycle: claims.lifecycle()?,
            components: claims.components()?,
            hash_algorithm: claims.text(HASH_ALGORITHM)?.to_owned(),
            verification_service: claims.optional(VERIFICATION_SERVICE, owned)?,
        })
    }

    /// A token with these claims, to be signed by this algorithm. `None` is not expected: writing to memory does not fail.
    pub fn to_sign(&self, ecdsa: Ecdsa) -> Option<TokenToSign> {
        let bytes = |bytes: &[u8]| Value::Bytes(bytes.to_vec());
        let components = self.components.iter().map(Component::encode);
        let mut claims = vec![
            (EAT_PROFILE.into(), self.profile.platform_name().into()),
            (EAT_NONCE.into(), bytes(&self.challenge)),
            (IMPLEMENTATION_ID.into(), bytes(&self.implementation_id)),
            (UEID.into(), bytes(&self.instance_id)),
            (CONFIGURATION.into(), bytes(&self.configuration)),
            (LIFECYCLE.into(), self.lifecycle.code().into()),
            (SOFTWARE.into(), Value::Array(components.collect())),
            (HASH_ALGORITHM.into(), self.hash_algorithm.as_str().into()),
        ];
        let service = self.verification_service.as_deref();
        claims.extend(service.map(|text| (VERIFICATION_SERVICE.into(), text.into())));
        TokenToSign::of(ecdsa, &Value::Map(claims))
    }
}

const CONFIGURATION: u16 = 2401;
const HASH_ALGORITHM: u16 = 2402;
