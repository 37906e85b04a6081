//! The runtime data.

use std::fmt;

use atls_core::bounded;
use atls_core::ear::BinaryText;
use serde::Deserialize;
use sha2::Digest;
use sha2::Sha256;

use super::error::AzureFormatError;
use crate::public_key_info::rsa_public_key_info;

/// The runtime data of a VM, at most 1,364 bytes of JSON:
///
/// ```text
/// { "keys": [ { "kid": "HCLAkPub", "kty": "RSA", "n": base64url, "e": base64url, "key_ops": ["sign"] }, … ],
///   "vm-configuration": { "secure-boot": bool, "tpm-enabled": bool, "console-enabled": bool, "vmUniqueId": text, … },
///   "user-data": hex }
/// ```
///
/// Members that are not named here are read over: the digest covers them, and nothing is taken from them.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct RuntimeData {
    /// The DER SubjectPublicKeyInfo of the virtual TPM's attestation key.
    pub attestation_key: Vec<u8>,
    /// How the host set the VM up.
    pub configuration: VmConfiguration,
    /// What software in the guest asked to be signed with this, 64 bytes in hexadecimal. It is no value of a connection.
    pub user_data: String,
    report_data: [u8; 64],
}

/// The configuration of a VM, as the paravisor found it at its start.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub struct VmConfiguration {
    /// Whether the firmware checks what it boots.
    pub secure_boot: bool,
    /// Whether the VM has the virtual TPM.
    pub tpm_enabled: bool,
    /// Whether the VM has a serial console, which its host sees.
    #[serde(default)]
    pub console_enabled: Option<bool>,
    /// Names the VM: personal data.
    #[serde(rename = "vmUniqueId")]
    pub vm_unique_id: String,
}

impl RuntimeData {
    /// Reads runtime data.
    ///
    /// # Errors
    /// [`AzureFormatError::RuntimeData`]
    pub fn decode(bytes: &[u8]) -> Result<Self, AzureFormatError> {
        Self::read(bytes).ok_or(AzureFormatError::RuntimeData)
    }

    /// The report data of a processor's report about it: its SHA-256, and 32 zero bytes.
    pub fn report_data(&self) -> [u8; 64] {
        self.report_data
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        if bytes.len() > MAX_LENGTH || !bounded::json(MAX_VALUES, bytes) {
            return None;
        }
        let json: Json = serde_json::from_slice(bytes).ok()?;
        let mut keys = json.keys.iter().filter(|key| key.kid == AK);
        let (Some(key), None) = (keys.next(), keys.next()) else {
            return None;
        };
        let mut report_data = [0; 64];
        let (digest, _) = report_data.split_first_chunk_mut()?;
        *digest = Sha256::digest(bytes).into();
        Some(Self {
            attestation_key: key.public_key_info()?,
            configuration: json.vm_configuration,
            user_data: json.user_data,
            report_data,
        })
    }
}

/// Without what names the VM.
impl fmt::Debug for RuntimeData {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RuntimeData")
            .field("configuration", &self.configuration)
            .finish_non_exhaustive()
    }
}

/// Without what names the VM.
impl fmt::Debug for VmConfiguration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VmConfiguration")
            .field("secure_boot", &self.secure_boot)
            .field("tpm_enabled", &self.tpm_enabled)
            .field("console_enabled", &self.console_enabled)
            .finish_non_exhaustive()
    }
}

/// A name that stands twice is an error of `serde`.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Json {
    keys: Vec<Key>,
    vm_configuration: VmConfiguration,
    user_data: String,
}

#[derive(Deserialize)]
struct Key {
    kid: String,
    kty: String,
    n: String,
    e: String,
}

impl Key {
    fn public_key_info(&self) -> Option<Vec<u8>> {
        let modulus = BinaryText::Base64Url.decode(&self.n)?;
        let exponent = BinaryText::Base64Url.decode(&self.e)?;
        let is_large = modulus.len() >= MIN_MODULUS && modulus.first() != Some(&0);
        (self.kty == "RSA" && is_large).then(|| rsa_public_key_info(&modulus, &exponent))?
    }
}

const AK: &str = "HCLAkPub";

/// Bytes: what an HCL report has room for.
const MAX_LENGTH: usize = 1364;

/// Names and values; samples have some 40.
const MAX_VALUES: usize = 128;

/// Bytes: RSA of 2048 bits.
const MIN_MODULUS: usize = 256;

#[cfg(test)]
pub(crate) mod tests {
    use proptest::prelude::*;
    use serde_json::Value;
    use serde_json::json;

    use super::*;

    /// A modulus that is 256 times `byte`.
    fn value(byte: u8) -> Value {
        let modulus = match byte {
            0xff => "_".repeat(340) + "_w",
            _ => "qqqq".repeat(85) + "qg",
        };
        json!({
            "keys": [
                { "kid": "HCLAkPub", "key_ops": ["sign"], "kty": "RSA", "e": "AQAB", "n": modulus },
                { "kid": "HCLEkPub", "key_ops": ["encrypt"], "kty": "RSA", "e": "AQAB", "n": "_w" },
            ],
            "vm-configuration": {
                "console-enabled": true, "secure-boot": true, "tpm-enabled": true,
                "tpm-persisted": false, "vmUniqueId": "26F8BC30-774E-4290-8E7A-535F3B672AEE",
            },
            "user-data": "00".repeat(64),
        })
    }

    pub(crate) fn sample() -> Vec<u8> {
        serde_json::to_vec(&value(0xaa)).unwrap()
    }

    fn decode(value: &Value) -> Result<RuntimeData, AzureFormatError> {
        RuntimeData::decode(&serde_json::to_vec(value).unwrap())
    }

    #[test]
    fn the_key_and_the_configuration_are_read() {
        let data = RuntimeData::decode(&sample()).unwrap();
        let expected = rsa_public_key_info(&[0xaa; 256], &[1, 0, 1]);
        assert_eq!(Some(&data.attestation_key), expected.as_ref());
        assert!(data.configuration.secure_boot);
        assert_eq!(data.user_data, "00".repeat(64));
        assert_ne!(
            data.attestation_key,
            decode(&value(0xff)).unwrap().attestation_key
        );
    }

    #[test]
    fn the_report_data_is_the_digest_of_every_byte() {
        let bytes = sample();
        let data = RuntimeData::decode(&bytes).unwrap();
        let digest: [u8; 32] = Sha256::digest(&bytes).into();
        assert_eq!(data.report_data(), [digest, [0; 32]].concat()[..]);
        let spaced = [&bytes[..], b" "].concat();
        let spaced = RuntimeData::decode(&spaced).unwrap();
        assert_ne!(spaced.report_data(), data.report_data());
    }

    #[test]
    fn there_is_exactly_one_attestation_key_of_good_form() {
        let alter = |alter: fn(&mut Value)| {
            let mut value = value(0xaa);
            alter(&mut value);
            decode(&value)
        };
        let refused = Err(AzureFormatError::RuntimeData);
        let keys = |value: &mut Value, index: usize| value["keys"][index].take();
        assert_eq!(alter(|v| v["keys"][0]["kid"] = "HCLEkPub".into()), refused);
        assert_eq!(alter(|v| v["keys"][1]["kid"] = "HCLAkPub".into()), refused);
        assert_eq!(alter(|v| v["keys"][0]["kty"] = "EC".into()), refused);
        assert_eq!(
            alter(|v| v["keys"][0]["n"] = "q".repeat(339).into()),
            refused
        );
        assert_eq!(alter(|v| v["keys"][0]["n"] = "".into()), refused);
        assert_eq!(alter(|v| v["keys"][0]["e"] = "%".into()), refused);
        assert_eq!(alter(|v| v["keys"] = json!([])), refused);
        assert_eq!(alter(|v| v["user-data"] = json!(1)), refused);
        assert_eq!(alter(|v| v["vm-configuration"] = json!({})), refused);
        let mut without = value(0xaa);
        keys(&mut without, 0);
        assert_eq!(decode(&without), refused);
    }

    #[test]
    fn a_name_that_stands_twice_is_refused() {
        let text = String::from_utf8(sample()).unwrap();
        for name in ["\"secure-boot\":true", "\"kty\":\"RSA\"", "\"e\":\"AQAB\""] {
            let twice = text.replacen(name, &format!("{name},{name}"), 1);
            let refused = RuntimeData::decode(twice.as_bytes());
            assert_eq!(refused, Err(AzureFormatError::RuntimeData), "{name}");
        }
    }

    #[test]
    fn every_truncation_is_refused() {
        let bytes = sample();
        for length in 0..bytes.len() {
            assert!(RuntimeData::decode(&bytes[..length]).is_err(), "{length}");
        }
    }

    #[test]
    fn nesting_and_length_are_bounded() {
        let deep = [&b"{\"keys\":"[..], &[b'['; 1300]].concat();
        assert!(RuntimeData::decode(&deep).is_err());
        let mut long = sample();
        long.resize(MAX_LENGTH, b' ');
        assert!(RuntimeData::decode(&long).is_ok());
        long.push(b' ');
        assert!(RuntimeData::decode(&long).is_err());
    }

    proptest! {
        #[test]
        fn arbitrary_text_never_panics(text in "[ -~]{0,300}", at in 0..900_usize) {
            let mut bytes = sample();
            let at = at.min(bytes.len());
            bytes.splice(at..at, text.bytes());
            let _ = RuntimeData::decode(&bytes);
            let _ = RuntimeData::decode(text.as_bytes());
        }
    }
}
