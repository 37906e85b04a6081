//! The claims of a token.

use atls_core::Origin;
use ciborium::Value;

use super::error::TokenError;
use super::lifecycle::Lifecycle;
use super::origin::origin_of;
use super::profile::Profile;
use super::software::SoftwareComponent;
use crate::cbor;

/// The claims of a token (RFC 9783 §4).
///
/// Each claim must stand there once, with its own type, when it is asked for. Claims that nobody asks for are ignored, as the profile
/// and EAT demand.
#[derive(Clone, Debug)]
pub struct Claims(Vec<(Value, Value)>);

impl Claims {
    pub(super) fn decode(payload: &[u8]) -> Result<Self, TokenError> {
        match cbor::decode(MAX_VALUES, payload) {
            Some(Value::Map(entries)) => Ok(Self(entries)),
            _ => Err(TokenError::Claims),
        }
    }

    /// `bootseed`.
    ///
    /// # Errors
    /// [`TokenError::Claim`], here and below.
    pub fn boot_seed(&self) -> Result<&[u8], TokenError> {
        self.bytes(self.profile()?.boot_seed())
    }

    /// `psa-client-id`: the caller of the attestation service; negative for the non-secure side.
    ///
    /// # Errors
    /// [`TokenError::Claim`]
    pub fn client_id(&self) -> Result<i32, TokenError> {
        self.integer(CLIENT_ID)
    }

    /// `psa-implementation-id`, of any length.
    ///
    /// # Errors
    /// [`TokenError::Claim`]
    pub fn implementation_id(&self) -> Result<&[u8], TokenError> {
        self.bytes(IMPLEMENTATION_ID)
    }

    /// `ueid`: the device.
    ///
    /// # Errors
    /// [`TokenError::Claim`]
    pub fn instance_id(&self) -> Result<&[u8], TokenError> {
        self.bytes(UEID)
    }

    /// `psa-security-lifecycle`, `cca-platform-lifecycle`.
    ///
    /// # Errors
    /// [`TokenError::Claim`]
    pub fn lifecycle(&self) -> Result<Lifecycle, TokenError> {
        let code: u16 = self.integer(LIFECYCLE)?;
        Ok(Lifecycle::from(code))
    }

    /// `eat_nonce`, `cca-realm-challenge`: one value, of any length. An array of nonces is refused.
    ///
    /// # Errors
    /// [`TokenError::Claim`]
    pub fn nonce(&self) -> Result<&[u8], TokenError> {
        self.bytes(EAT_NONCE)
    }

    /// The origin by the implementation ID.
    ///
    /// # Errors
    /// [`TokenError::Claim`]
    pub fn origin(&self) -> Result<Origin, TokenError> {
        Ok(origin_of(self.implementation_id()?))
    }

    /// `eat_profile`, which must be one that is known here.
    ///
    /// # Errors
    /// [`TokenError::Claim`]
    pub fn profile(&self) -> Result<Profile, TokenError> {
        self.read(EAT_PROFILE, |value| Profile::of(value.as_text()?))
    }

    /// `psa-software-components`, at least one.
    ///
    /// # Errors
    /// [`TokenError::Claim`]
    pub fn software(&self) -> Result<Vec<SoftwareComponent>, TokenError> {
        self.read(SOFTWARE, |value| {
            let parts = value.as_array().filter(|parts| !parts.is_empty())?;
            parts.iter().map(SoftwareComponent::decode).collect()
        })
    }

    fn bytes(&self, key: u16) -> Result<&[u8], TokenError> {
        self.read(key, |value| Some(value.as_bytes()?.as_slice()))
    }

    fn integer<T: TryFrom<i128>>(&self, key: u16) -> Result<T, TokenError> {
        self.read(key, |value| T::try_from(value.as_integer()?.into()).ok())
    }

    fn read<'a, T>(
        &'a self,
        key: u16,
        read: impl FnOnce(&'a Value) -> Option<T>,
    ) -> Result<T, TokenError> {
        let value = cbor::only(&self.0, key).and_then(read);
        value.ok_or(TokenError::Claim(key))
    }
}

/// Most values in the claims of one token. 16 software components have some 200.
pub(super) const MAX_VALUES: usize = 1024;

pub(super) const EAT_NONCE: u16 = 10;
pub(super) const UEID: u16 = 256;
pub(super) const EAT_PROFILE: u16 = 265;
pub(super) const CLIENT_ID: u16 = 2394;
pub(super) const LIFECYCLE: u16 = 2395;
pub(super) const IMPLEMENTATION_ID: u16 = 2396;
pub(super) const SOFTWARE: u16 = 2399;
