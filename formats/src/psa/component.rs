//! Measured firmware.

use ciborium::Value;

use super::software::SoftwareComponent;
use crate::cbor;

/// One measured piece of firmware of a device or platform (RFC 9783 §4.4.1, draft-ffm-rats-cca-token §4.6). Its digests are of
/// SHA-256, SHA-384 or SHA-512.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(
    clippy::exhaustive_structs,
    reason = "the fields of the format, for its writers too"
)]
pub struct Component {
    /// 1, `measurement-type` or `component type`, such as `RMM`.
    pub kind: Option<String>,
    /// 2, `measurement-value`: 32, 48 or 64 bytes.
    pub measurement: Vec<u8>,
    /// 4, `version`, as its maker counts.
    pub version: Option<String>,
    /// 5, `signer-id`, the digest of the key that signed it: 32, 48 or 64 bytes.
    pub signer_id: Vec<u8>,
    /// 6, the name of the hash algorithm of `measurement`. Devices spell it as they like.
    pub hash_algorithm: Option<String>,
}

impl Component {
    pub(super) fn decode(value: &Value) -> Option<Self> {
        let entries = value.as_map()?;
        let digest = |key| {
            let digest = cbor::only(entries, key)?.as_bytes()?;
            is_digest(digest).then(|| digest.clone())
        };
        let text = |key: u8| match cbor::has(entries, key) {
            false => Some(None),
            true => Some(Some(cbor::only(entries, key)?.as_text()?.to_owned())),
        };
        Some(Self {
            kind: text(KIND)?,
            measurement: digest(MEASUREMENT)?,
            version: text(VERSION)?,
            signer_id: digest(SIGNER_ID)?,
            hash_algorithm: text(HASH_ALGORITHM)?,
        })
    }

    pub(super) fn encode(&self) -> Value {
        let text = |key: u8, text: &Option<String>| Some((key.into(), text.as_deref()?.into()));
        let bytes = |key: u8, bytes: &[u8]| Some((key.into(), Value::Bytes(bytes.to_vec())));
        let entries = [
            text(KIND, &self.kind),
            bytes(MEASUREMENT, &self.measurement),
            text(VERSION, &self.version),
            bytes(SIGNER_ID, &self.signer_id),
            text(HASH_ALGORITHM, &self.hash_algorithm),
        ];
        Value::Map(entries.into_iter().flatten().collect())
    }
}

impl From<SoftwareComponent> for Component {
    fn from(software: SoftwareComponent) -> Self {
        Self {
            kind: Some(software.name),
            measurement: software.measurement.to_vec(),
            version: Some(software.version),
            signer_id: software.signer_id.to_vec(),
            hash_algorithm: None,
        }
    }
}

/// Whether the bytes are as long as a digest of SHA-256, SHA-384 or SHA-512.
pub(super) fn is_digest(bytes: &[u8]) -> bool {
    [32, 48, 64].contains(&bytes.len())
}

const KIND: u8 = 1;
const MEASUREMENT: u8 = 2;
const VERSION: u8 = 4;
const SIGNER_ID: u8 = 5;
const HASH_ALGORITHM: u8 = 6;
