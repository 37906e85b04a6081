//! The discovery document: `/.well-known/veraison/verification`.

use atls_core::MediaType;
use atls_core::bounded;
use atls_core::ear::VerificationKeys;
use serde::Deserialize;
use serde_json::Value;

use crate::error::VeraisonError;
use crate::fingerprint::KeyFingerprint;

/// The discovery document. **Its key is a claim**: believed only where it is the pinned one.
#[derive(Clone, Debug)]
pub struct Discovery {
    key: Value,
    fingerprint: KeyFingerprint,
    media_types: Vec<MediaType>,
    version: String,
    state: String,
}

impl Discovery {
    pub(crate) fn decode(body: &[u8]) -> Result<Self, VeraisonError> {
        if !bounded::json(MAX_VALUES, body) {
            return Err(VeraisonError::Malformed);
        }
        let document: Document =
            serde_json::from_slice(body).map_err(|_| VeraisonError::Malformed)?;
        let fingerprint = KeyFingerprint::of(&document.key).ok_or(VeraisonError::Malformed)?;
        Ok(Self {
            key: document.key,
            fingerprint,
            media_types: media_types(document.media_types.iter().filter_map(Value::as_str)),
            version: document.version,
            state: document.state,
        })
    }

    /// The keys for [`RemoteVerifier::builder`](atls_remote::RemoteVerifier::builder), if the service's is the pinned one.
    ///
    /// # Errors
    /// [`VeraisonError::KeyChanged`], or [`VeraisonError::Key`] for one that is pinned and of a kind that cannot be used.
    pub fn keys(&self, pinned: &KeyFingerprint) -> Result<VerificationKeys, VeraisonError> {
        if self.fingerprint != *pinned {
            return Err(VeraisonError::KeyChanged(self.fingerprint));
        }
        Ok(VerificationKeys::from_jwk(&self.key.to_string())?)
    }

    /// Which key the service claims, to compare with what its operator says.
    pub fn key_fingerprint(&self) -> &KeyFingerprint {
        &self.fingerprint
    }

    /// The formats of Evidence that its schemes take. Those that are no media types are left out.
    pub fn media_types(&self) -> &[MediaType] {
        &self.media_types
    }

    /// The version of its software.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// Whether it says `READY`.
    pub fn is_ready(&self) -> bool {
        self.state == "READY"
    }
}

#[derive(Deserialize)]
struct Document {
    #[serde(rename = "ear-verification-key")]
    key: Value,
    #[serde(rename = "media-types")]
    media_types: Vec<Value>,
    version: String,
    #[serde(rename = "service-state")]
    state: String,
}

pub(crate) fn media_types<'a>(texts: impl IntoIterator<Item = &'a str>) -> Vec<MediaType> {
    texts
        .into_iter()
        .filter_map(|text| MediaType::parse(text).ok())
        .take(MAX_LISTED)
        .collect()
}

/// Most values in the document: 128 media types, a key, and a few fields.
const MAX_VALUES: usize = 512;

/// Media types of one list that are read; a service has one or two for each of its schemes.
pub(crate) const MAX_LISTED: usize = 128;
