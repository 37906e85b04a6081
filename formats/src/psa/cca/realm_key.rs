//! The key of a realm, and the digest by which the platform vouches for it.

use sha2::Digest;
use sha2::Sha256;
use sha2::Sha384;
use sha2::Sha512;

use crate::psa::ec_key::EcKey;

/// The RAK: a `COSE_Key`, or before the draft a bare point. The platform vouches for the bytes as they are, whichever they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RealmKey {
    encoded: Vec<u8>,
    key: EcKey,
}

impl RealmKey {
    /// Reads either form. A point begins with 0x04 and a map of CBOR never does, so no bytes are of both.
    pub fn decode(encoded: &[u8]) -> Option<Self> {
        let key = match encoded.first()? {
            4 => EcKey::from_point(encoded)?,
            _ => EcKey::from_cose_key(encoded)?,
        };
        let encoded = encoded.to_vec();
        Some(Self { encoded, key })
    }

    /// The bytes of the claim.
    pub fn encoded(&self) -> &[u8] {
        &self.encoded
    }

    /// The key.
    pub fn key(&self) -> &EcKey {
        &self.key
    }

    pub(super) fn is_cose_key(&self) -> bool {
        self.encoded != self.key.point()
    }
}

/// The hash algorithm between the two tokens, by its name in the registry "Named Information Hash Algorithm".
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyHash {
    /// `sha-256`.
    #[default]
    Sha256,
    /// `sha-384`.
    Sha384,
    /// `sha-512`.
    Sha512,
}

impl KeyHash {
    /// The digest, 32, 48 or 64 bytes.
    pub fn digest(self, bytes: &[u8]) -> Vec<u8> {
        match self {
            Self::Sha256 => Sha256::digest(bytes).to_vec(),
            Self::Sha384 => Sha384::digest(bytes).to_vec(),
            Self::Sha512 => Sha512::digest(bytes).to_vec(),
        }
    }

    pub(super) fn named(name: &str) -> Option<Self> {
        [Self::Sha256, Self::Sha384, Self::Sha512]
            .into_iter()
            .find(|known| known.name() == name)
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Sha256 => "sha-256",
            Self::Sha384 => "sha-384",
            Self::Sha512 => "sha-512",
        }
    }
}
