//! The permissions of a key, its curve, and its signature scheme.

use super::algorithm::HashAlgorithm;
use super::wire::Reader;

/// `TPMA_OBJECT` (Part 2 §8.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(clippy::exhaustive_structs, reason = "a field of the format")]
pub struct Attributes(pub u32);

impl Attributes {
    /// The key never leaves its TPM.
    pub const FIXED_TPM: u32 = 1 << 1;
    /// The key never moves below another parent.
    pub const FIXED_PARENT: u32 = 1 << 4;
    /// The TPM made the key itself.
    pub const SENSITIVE_DATA_ORIGIN: u32 = 1 << 5;
    /// An authorisation value allows its use.
    pub const USER_WITH_AUTH: u32 = 1 << 6;
    /// Its administration needs its policy.
    pub const ADMIN_WITH_POLICY: u32 = 1 << 7;
    /// Wrong authorisation values do not lead to a lockout.
    pub const NO_DA: u32 = 1 << 10;
    /// It works on nothing but the TPM's own structures.
    pub const RESTRICTED: u32 = 1 << 16;
    /// It decrypts.
    pub const DECRYPT: u32 = 1 << 17;
    /// It signs.
    pub const SIGN: u32 = 1 << 18;

    /// Whether all of these are set.
    pub fn has(self, bits: u32) -> bool {
        self.0 & bits == bits
    }
}

/// `TPM_ECC_CURVE` (Part 2 §6.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(clippy::exhaustive_enums, reason = "the curves that are read")]
pub enum Curve {
    /// NIST P-256.
    P256,
    /// NIST P-384.
    P384,
}

impl Curve {
    /// Bytes of a coordinate.
    pub fn size(self) -> usize {
        match self {
            Self::P256 => 32,
            Self::P384 => 48,
        }
    }

    pub(super) fn id(self) -> u16 {
        match self {
            Self::P256 => 0x0003,
            Self::P384 => 0x0004,
        }
    }

    pub(super) fn from_id(id: u16) -> Option<Self> {
        [Self::P256, Self::P384]
            .into_iter()
            .find(|curve| curve.id() == id)
    }
}

/// How a key signs (`TPMT_SIG_SCHEME`, Part 2 §11.2.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(clippy::exhaustive_enums, reason = "the schemes that are read")]
pub enum Scheme {
    /// ECDSA over a digest of this algorithm.
    Ecdsa(HashAlgorithm),
    /// RSASSA-PSS.
    RsaPss(HashAlgorithm),
    /// RSASSA-PKCS1-v1_5.
    RsaSsa(HashAlgorithm),
}

impl Scheme {
    /// The hash algorithm.
    pub fn hash(self) -> HashAlgorithm {
        match self {
            Self::Ecdsa(hash) | Self::RsaPss(hash) | Self::RsaSsa(hash) => hash,
        }
    }

    pub(super) fn id(self) -> u16 {
        match self {
            Self::RsaSsa(_) => 0x0014,
            Self::RsaPss(_) => 0x0016,
            Self::Ecdsa(_) => 0x0018,
        }
    }

    /// A scheme by its identifier, which is read already, and the hash algorithm that follows it.
    pub(super) fn read(id: u16, reader: &mut Reader<'_>) -> Option<Self> {
        let hash = HashAlgorithm::from_id(reader.u16()?)?;
        [Self::Ecdsa(hash), Self::RsaPss(hash), Self::RsaSsa(hash)]
            .into_iter()
            .find(|scheme| scheme.id() == id)
    }
}
