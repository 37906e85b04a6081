//! The public key of a platform or device, as files have it.

use std::fmt;

use atls_core::pki_types::SubjectPublicKeyInfoDer;
use atls_core::pki_types::pem::PemObject;
use atls_formats::psa::EcKey;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde::Deserialize;
use serde::Deserializer;
use serde::Serialize;
use serde::Serializer;
use serde::de;
use sha2::Digest;
use sha2::Sha256;

/// An attestation key: P-256, P-384 or P-521. In files a SubjectPublicKeyInfo in PEM (RFC 7468), as in CoRIMs.
#[derive(Clone, PartialEq, Eq)]
pub struct PublicKey(EcKey);

/// The text is no key that is used here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PublicKeyError;

impl PublicKey {
    /// Reads one key in PEM, `-----BEGIN PUBLIC KEY-----`.
    ///
    /// # Errors
    /// [`PublicKeyError`] for anything but an uncompressed point of P-256, P-384 or P-521.
    pub fn from_pem(text: &str) -> Result<Self, PublicKeyError> {
        let spki = SubjectPublicKeyInfoDer::from_pem_slice(text.as_bytes());
        let spki = spki.map_err(|_| PublicKeyError)?;
        EcKey::from_spki(&spki).map(Self).ok_or(PublicKeyError)
    }

    /// Whether its private half is published, as those of reference firmware are: anybody signs by it.
    pub(crate) fn is_published(&self) -> bool {
        let digest: [u8; 32] = Sha256::digest(self.0.point()).into();
        PUBLISHED.contains(&digest)
    }

    pub(crate) fn key(&self) -> &EcKey {
        &self.0
    }
}

impl From<EcKey> for PublicKey {
    fn from(key: EcKey) -> Self {
        Self(key)
    }
}

/// Without the point: a key identifies a device.
impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl fmt::Display for PublicKeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(EXPECTED)
    }
}

impl std::error::Error for PublicKeyError {}

impl Serialize for PublicKey {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&pem(&self.0.to_spki()))
    }
}

impl<'de> Deserialize<'de> for PublicKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(PemVisitor)
    }
}

struct PemVisitor;

impl de::Visitor<'_> for PemVisitor {
    type Value = PublicKey;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(EXPECTED)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<PublicKey, E> {
        PublicKey::from_pem(text).map_err(|_| E::invalid_value(de::Unexpected::Str(text), &self))
    }
}

fn pem(der: &[u8]) -> String {
    let mut text = "-----BEGIN PUBLIC KEY-----\n".to_owned();
    for line in BASE64_STANDARD.encode(der).as_bytes().chunks(64) {
        text.extend(line.iter().copied().map(char::from));
        text.push('\n');
    }
    text.push_str("-----END PUBLIC KEY-----\n");
    text
}

const EXPECTED: &str = "a public key of P-256, P-384 or P-521 in PEM, with an uncompressed point";

/// SHA-256 of the points of three keys whose private halves everybody has: the CPAK of Trusted Firmware-A, the IAK of Trusted Firmware-M,
/// and the key of Veraison's samples.
const PUBLISHED: [[u8; 32]; 3] = [
    [
        0x9b, 0xdb, 0x47, 0x04, 0x56, 0xc7, 0xc1, 0x34, 0x83, 0x49, 0xe8, 0x8f, 0x38, 0x54, 0x0f,
        0x43, 0xe7, 0xa7, 0x99, 0x3a, 0xc3, 0x2e, 0x9c, 0x9a, 0x0b, 0x3c, 0x8d, 0x87, 0x33, 0xcc,
        0x63, 0xf0,
    ],
    [
        0xfa, 0x58, 0x75, 0x5f, 0x65, 0x86, 0x27, 0xce, 0x54, 0x60, 0xf2, 0x9b, 0x75, 0x29, 0x67,
        0x13, 0x24, 0x8c, 0xae, 0x7a, 0xd9, 0xe2, 0x98, 0x4b, 0x90, 0x28, 0x0e, 0xfc, 0xbc, 0xb5,
        0x02, 0x48,
    ],
    [
        0x90, 0xc7, 0x1e, 0x80, 0x30, 0x4f, 0x98, 0xd6, 0x55, 0x6a, 0x40, 0x2c, 0x05, 0x93, 0xb3,
        0x3a, 0x80, 0xac, 0xbd, 0x08, 0xe4, 0xaf, 0xf9, 0xc4, 0x02, 0x9f, 0x6e, 0x17, 0xe1, 0x03,
        0x99, 0x51,
    ],
];
