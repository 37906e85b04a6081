//! The claims of a PSA device.

use std::fmt;

use ciborium::Value;

use super::claims::Claims;
use super::component::Component;
use super::component::is_digest;
use super::ecdsa::Ecdsa;
use super::error::TokenError;
use super::lifecycle::Lifecycle;
use super::numbers::CERTIFICATION_REFERENCE;
use super::numbers::CLIENT_ID;
use super::numbers::EAT_NONCE;
use super::numbers::EAT_PROFILE;
use super::numbers::IMPLEMENTATION_ID;
use super::numbers::LIFECYCLE;
use super::numbers::SOFTWARE;
use super::numbers::UEID;
use super::numbers::VERIFICATION_SERVICE;
use super::profile::Profile;
use super::token_writer::TokenToSign;

/// All claims that a device makes about itself (RFC 9783 §4), each of the size that the standard gives it.
#[derive(Clone, PartialEq, Eq)]
#[allow(
    clippy::exhaustive_structs,
    reason = "the claims of the format, for its writers too"
)]
pub struct PsaDevice {
    /// `eat_profile`.
    pub profile: Profile,
    /// `eat_nonce`: 32, 48 or 64 bytes.
    pub nonce: Vec<u8>,
    /// `ueid`: 0x01 and 32 bytes.
    pub instance_id: [u8; 33],
    /// `psa-implementation-id`.
    pub implementation_id: [u8; 32],
    /// `psa-client-id`: the caller of the attestation service; negative for the non-secure side.
    pub client_id: i32,
    /// `psa-security-lifecycle`.
    pub lifecycle: Lifecycle,
    /// `bootseed`, 8 to 32 bytes, the same until the next boot.
    pub boot_seed: Option<Vec<u8>>,
    /// `psa-certification-reference`.
    pub certification_reference: Option<String>,
    /// `psa-software-components`, at least one.
    pub components: Vec<Component>,
    /// `psa-verification-service-indicator`: a hint that nobody should follow.
    pub verification_service: Option<String>,
}

/// Without what identifies the device.
impl fmt::Debug for PsaDevice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PsaDevice")
            .field("profile", &self.profile)
            .field("lifecycle", &self.lifecycle)
            .field("components", &self.components)
            .finish_non_exhaustive()
    }
}

impl PsaDevice {
    /// Takes the claims of a token.
    ///
    /// # Errors
    /// [`TokenError::Claim`]
    pub fn of(claims: &Claims) -> Result<Self, TokenError> {
        let owned = |claims: &Claims, key| claims.text(key).map(str::to_owned);
        let nonce = claims.nonce()?.to_vec();
        if !is_digest(&nonce) {
            return Err(TokenError::Claim(EAT_NONCE));
        }
        let instance_id: [u8; 33] = claims.array(UEID)?;
        if instance_id.first() != Some(&RAND) {
            return Err(TokenError::Claim(UEID));
        }
        let profile = claims.profile()?;
        let boot_seed = claims.optional(profile.boot_seed(), |claims, key| {
            let seed = claims.bytes(key)?;
            match (8..=32).contains(&seed.len()) {
                true => Ok(seed.to_vec()),
                false => Err(TokenError::Claim(key)),
            }
        })?;
        Ok(Self {
            profile,
            nonce,
            instance_id,
            implementation_id: claims.array(IMPLEMENTATION_ID)?,
            client_id: claims.client_id()?,
            lifecycle: claims.lifecycle()?,
            boot_seed,
            certification_reference: claims.optional(CERTIFICATION_REFERENCE, owned)?,
            components: claims.components()?,
            verification_service: claims.optional(VERIFICATION_SERVICE, owned)?,
        })
    }

    /// A token with these claims, to be signed by this algorithm. `None` is not expected: writing to memory does not fail.
    pub fn to_sign(&self, ecdsa: Ecdsa) -> Option<TokenToSign> {
        let bytes = |bytes: &[u8]| Value::Bytes(bytes.to_vec());
        let components = self.components.iter().map(Component::encode);
        let mut claims = vec![
            (EAT_PROFILE.into(), self.profile.name().into()),
            (EAT_NONCE.into(), bytes(&self.nonce)),
            (UEID.into(), bytes(&self.instance_id)),
            (IMPLEMENTATION_ID.into(), bytes(&self.implementation_id)),
            (CLIENT_ID.into(), self.client_id.into()),
            (LIFECYCLE.into(), self.lifecycle.code().into()),
            (SOFTWARE.into(), Value::Array(components.collect())),
        ];
        let seed = self.boot_seed.as_deref();
        claims.extend(seed.map(|seed| (self.profile.boot_seed().into(), bytes(seed))));
        for (key, text) in [
            (CERTIFICATION_REFERENCE, &self.certification_reference),
            (VERIFICATION_SERVICE, &self.verification_service),
        ] {
            claims.extend(text.iter().map(|text| (key.into(), text.as_str().into())));
        }
        TokenToSign::of(ecdsa, &Value::Map(self.profile.numbered(claims)))
    }
}

/// The first byte of a `ueid` of type RAND (RFC 9711 §4.2.1).
pub(super) const RAND: u8 = 1;
