//! The claims of a token.

use ciborium::Value;

use super::component::Component;
use super::error::TokenError;
use super::legacy;
use super::lifecycle::Lifecycle;
use super::numbers::CLIENT_ID;
use super::numbers::EAT_NONCE;
use super::numbers::EAT_PROFILE;
use super::numbers::IMPLEMENTATION_ID;
use super::numbers::LIFECYCLE;
use super::numbers::SOFTWARE;
use super::numbers::UEID;
use super::profile::Profile;
use super::software::SoftwareComponent;
use crate::cbor;
use crate::printed::printed_by_name;

/// The claims of a token (RFC 9783 §4).
///
/// Each claim must stand there once, with its own type, when it is asked for. Claims that nobody asks for are ignored, as the profile
/// and EAT demand. No length in them may be indefinite, as the profiles demand; numbers and lengths need not be in their shortest form.
///
/// The claims of `PSA_IOT_PROFILE_1` are read as those of RFC 9783 that replaced them.
#[derive(Clone)]
pub struct Claims(Vec<(Value, Value)>);

printed_by_name!(Claims, "Claims");

impl Claims {
    pub(super) fn decode(payload: &[u8]) -> Result<Self, TokenError> {
        match cbor::decode_definite(MAX_VALUES, payload) {
            Some(Value::Map(entries)) => Ok(Self(legacy::renumbered(entries))),
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

    /// `psa-software-components`, `cca-platform-sw-components`: at least one, with or without its optional parts.
    ///
    /// # Errors
    /// [`TokenError::Claim`]
    pub fn components(&self) -> Result<Vec<Component>, TokenError> {
        self.read(SOFTWARE, |value| {
            let parts = value.as_array().filter(|parts| !parts.is_empty())?;
            parts.iter().map(Component::decode).collect()
        })
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

    pub(super) fn bytes(&self, key: u16) -> Result<&[u8], TokenError> {
        self.read(key, |value| Some(value.as_bytes()?.as_slice()))
    }

    pub(super) fn array<const N: usize>(&self, key: u16) -> Result<[u8; N], TokenError> {
        let bytes = self.bytes(key)?;
        bytes.try_into().map_err(|_| TokenError::Claim(key))
    }

    pub(super) fn text(&self, key: u16) -> Result<&str, TokenError> {
        self.read(key, Value::as_text)
    }

    /// A claim that may be absent.
    pub(super) fn optional<T>(
        &self,
        key: u16,
        read: impl FnOnce(&Self, u16) -> Result<T, TokenError>,
    ) -> Result<Option<T>, TokenError> {
        match cbor::has(&self.0, key) {
            true => read(self, key).map(Some),
            false => Ok(None),
        }
    }

    fn integer<T: TryFrom<i128>>(&self, key: u16) -> Result<T, TokenError> {
        self.read(key, |value| T::try_from(value.as_integer()?.into()).ok())
    }

    pub(super) fn read<'a, T>(
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
