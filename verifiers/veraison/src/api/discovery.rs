//! The discovery document: `/.well-known/veraison/verification`.

use atls_core::MediaType;
use atls_core::bounded;
use atls_core::ear::KeyError;
use atls_core::ear::VerificationKeys;
use atls_remote::Failure;
use atls_remote::KeyFingerprint;
use atls_remote::is_of_type;
use http::Request;
use http::StatusCode;
use http::header::ACCEPT;
use serde::Deserialize;
use serde_json::Value;

use crate::failures;
use crate::service::DEADLINE;
use crate::service::VeraisonService;
use crate::service::within;

impl VeraisonService {
    /// Asks for the formats and the key of the service. Once, at start: not for each appraisal.
    ///
    /// # Errors
    /// [`Failure`]
    pub async fn discover(&self) -> Result<Discovery, Failure> {
        let url = self.endpoint("/.well-known/veraison/verification")?;
        let request = Request::get(url.as_str()).header(ACCEPT, DISCOVERY_TYPE);
        let response = self
            .send(request.body(Vec::new()), within(DEADLINE))
            .await?;
        if response.status() != StatusCode::OK {
            return Err(failures::of_status(&response));
        }
        if !is_of_type(&response, DISCOVERY_TYPE) && !is_of_type(&response, "application/json") {
            return Err(failures::MALFORMED);
        }
        Discovery::decode(response.body()).ok_or(failures::MALFORMED)
    }
}

/// The discovery document. **Its key is a claim**, believed only where it is the pinned one.
#[derive(Clone, Debug)]
pub struct Discovery {
    key: Value,
    fingerprint: KeyFingerprint,
    media_types: Vec<MediaType>,
    version: String,
    state: String,
}

impl Discovery {
    fn decode(body: &[u8]) -> Option<Self> {
        if !bounded::json(MAX_VALUES, body) {
            return None;
        }
        let document: Document = serde_json::from_slice(body).ok()?;
        let listed = document.media_types.iter().filter_map(Value::as_str);
        let media_types = listed.filter_map(|text| MediaType::parse(text).ok());
        Some(Self {
            fingerprint: KeyFingerprint::of(&document.key)?,
            media_types: media_types.take(MAX_LISTED).collect(),
            key: document.key,
            version: document.version,
            state: document.state,
        })
    }

    /// The keys for [`RemoteVerifier::builder`](atls_remote::RemoteVerifier::builder), if the service's key is the pinned one.
    ///
    /// # Errors
    /// [`DiscoveryError`]
    pub fn keys(&self, pinned: &KeyFingerprint) -> Result<VerificationKeys, DiscoveryError> {
        if self.fingerprint != *pinned {
            return Err(DiscoveryError::KeyChanged(self.fingerprint));
        }
        Ok(VerificationKeys::from_jwk(&self.key.to_string())?)
    }

    /// The key that the service claims, to compare with the one that its operator names.
    pub fn key_fingerprint(&self) -> &KeyFingerprint {
        &self.fingerprint
    }

    /// The formats of Evidence that its schemes take. Entries that are no media types are left out.
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

/// The key in a discovery document cannot be believed or used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DiscoveryError {
    /// The key is of a kind that cannot be used.
    #[error("key of the service cannot be used")]
    Key(#[from] KeyError),
    /// The key is not the pinned one. Either somebody else answers, or the operator changed the key: ask them, then pin the new
    /// one.
    #[error("key of the service is not the pinned one but {0}")]
    KeyChanged(KeyFingerprint),
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

const DISCOVERY_TYPE: &str = "application/vnd.veraison.discovery+json";

/// Most values in the document: 128 media types, a key, and a few fields.
const MAX_VALUES: usize = 512;

/// Media types that are read; a service has one or two for each of its schemes.
const MAX_LISTED: usize = 128;
