//! Measured software.

use ciborium::Value;

use crate::cbor::only;

/// One measured piece of software (RFC 9783 §4.4.1) with all of its parts, measured by SHA-256.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SoftwareComponent {
    /// `measurement-type`, such as `ARoT`.
    pub name: String,
    /// `measurement-value`: SHA-256 of the software, 32 bytes.
    pub measurement: [u8; 32],
    /// `version`, as its maker counts. The standard lets it be absent. Veraison appraises no component without it.
    pub version: String,
    /// `signer-id`: SHA-256 of the key that signed the software, 32 bytes.
    pub signer_id: [u8; 32],
}

impl SoftwareComponent {
    /// A component of version `1.0.0` with an unnamed signer (all zero).
    pub fn new(name: &str, measurement: [u8; 32]) -> Self {
        Self {
            name: name.to_owned(),
            measurement,
            version: "1.0.0".to_owned(),
            signer_id: [0; 32],
        }
    }

    pub(super) fn decode(value: &Value) -> Option<Self> {
        let entries = value.as_map()?;
        let text = |key| Some(only(entries, key)?.as_text()?.to_owned());
        let bytes = |key| only(entries, key)?.as_bytes()?.as_slice().try_into().ok();
        Some(Self {
            name: text(MEASUREMENT_TYPE)?,
            measurement: bytes(MEASUREMENT_VALUE)?,
            version: text(VERSION)?,
            signer_id: bytes(SIGNER_ID)?,
        })
    }

    pub(super) fn encode(&self) -> Value {
        let bytes = |bytes: &[u8]| Value::Bytes(bytes.to_vec());
        Value::Map(vec![
            (MEASUREMENT_TYPE.into(), self.name.as_str().into()),
            (MEASUREMENT_VALUE.into(), bytes(&self.measurement)),
            (VERSION.into(), self.version.as_str().into()),
            (SIGNER_ID.into(), bytes(&self.signer_id)),
        ])
    }
}

const MEASUREMENT_TYPE: u16 = 1;
const MEASUREMENT_VALUE: u16 = 2;
const VERSION: u16 = 4;
const SIGNER_ID: u16 = 5;
