//! Arm CCA: a platform token and a realm token (draft-ffm-rats-cca-token, and the profile before it).

mod platform;
mod profile;
mod realm;
mod realm_key;

use atls_core::Bound;
use atls_core::expected::ExpectedValue;
use ciborium::Value;

pub use platform::CcaPlatform;
pub use profile::CcaProfile;
pub use realm::CcaRealm;
pub use realm_key::KeyHash;
pub use realm_key::RealmKey;

use super::claims::Claims;
use super::claims::MAX_VALUES;
use super::error::TokenError;
use super::token::SignedToken;
use crate::cbor;

/// The media type of a [`CcaToken`].
pub const CCA_TOKEN: &str = "application/eat-collection; profile=\"http://arm.com/CCA-SSD/1.0.0\"";

/// The value that the realm challenge carries for a connection: 64 bytes, and so the SHA-512 of the bound value.
pub fn realm_challenge(bound: &Bound) -> ExpectedValue<[u8; 64]> {
    bound.sha512()
}

/// A collection of two tokens.
///
/// ```text
/// #6.399({ 44234: bstr .cbor COSE_Sign1,    platform
///          44241: bstr .cbor COSE_Sign1 })  realm
/// ```
///
/// No signature covers the collection, so anything else in it is refused, and so are indefinite lengths. The platform vouches for the
/// realm's key, which binds the two tokens; that is not verified here.
#[derive(Clone, Debug)]
pub struct CcaToken {
    platform: SignedToken,
    realm: SignedToken,
}

impl CcaToken {
    /// Reads the collection and both tokens.
    ///
    /// # Errors
    /// [`TokenError`]
    pub fn decode(bytes: &[u8]) -> Result<Self, TokenError> {
        let Some(Value::Tag(COLLECTION, tokens)) = cbor::decode_definite(MAX_VALUES, bytes) else {
            return Err(TokenError::Collection);
        };
        let tokens = tokens.into_map().map_err(|_| TokenError::Collection)?;
        if tokens.len() != 2 {
            return Err(TokenError::Collection);
        }
        let token = |key| {
            let token = cbor::only(&tokens, key).and_then(Value::as_bytes);
            SignedToken::decode(token.ok_or(TokenError::Collection)?)
        };
        Ok(Self {
            realm: token(REALM)?,
            platform: token(PLATFORM)?,
        })
    }

    /// Writes the collection of two signed tokens. `None` is not expected: writing to memory does not fail.
    pub fn encode(platform: &[u8], realm: &[u8]) -> Option<Vec<u8>> {
        let token = |key: u16, token: &[u8]| (key.into(), Value::Bytes(token.to_vec()));
        let tokens = Value::Map(vec![token(PLATFORM, platform), token(REALM, realm)]);
        let mut encoded = Vec::new();
        let collection = Value::Tag(COLLECTION, Box::new(tokens));
        ciborium::into_writer(&collection, &mut encoded).ok()?;
        Some(encoded)
    }

    /// The token of the platform.
    pub fn platform_token(&self) -> &SignedToken {
        &self.platform
    }

    /// The token of the realm.
    pub fn realm_token(&self) -> &SignedToken {
        &self.realm
    }

    /// The claims of the platform.
    pub fn platform(&self) -> &Claims {
        self.platform.claims()
    }

    /// The claims of the realm.
    pub fn realm(&self) -> &Claims {
        self.realm.claims()
    }
}

const COLLECTION: u64 = 399;
const PLATFORM: u16 = 44234;
const REALM: u16 = 44241;
