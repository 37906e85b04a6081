//! The keys that an attester makes.

use atls_formats::tpm::Attributes;
use atls_formats::tpm::Curve;
use atls_formats::tpm::HashAlgorithm;
use atls_formats::tpm::Public;
use atls_formats::tpm::PublicKey;
use atls_formats::tpm::Scheme;

/// The kind of attestation key to make. All sign SHA-256, nothing but what the TPM made itself, and never leave it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyTemplate {
    /// ECDSA with P-256: made in milliseconds, and the default.
    #[default]
    EcdsaP256,
    /// RSASSA-PSS with 2048 bits. A TPM of hardware takes seconds to make it: keep it at a persistent handle.
    RsaPss2048,
    /// RSASSA-PKCS1-v1_5 with 2048 bits. A TPM of hardware takes seconds to make it: keep it at a persistent handle.
    RsaSsa2048,
}

impl KeyTemplate {
    pub(crate) fn public(self) -> Public {
        let hash = HashAlgorithm::Sha256;
        let point = PublicKey::Ecc {
            curve: Curve::P256,
            x: Vec::new(),
            y: Vec::new(),
        };
        let modulus = PublicKey::Rsa {
            bits: 2048,
            exponent: 0,
            modulus: Vec::new(),
        };
        let (scheme, key) = match self {
            Self::EcdsaP256 => (Scheme::Ecdsa(hash), point),
            Self::RsaPss2048 => (Scheme::RsaPss(hash), modulus),
            Self::RsaSsa2048 => (Scheme::RsaSsa(hash), modulus),
        };
        Public {
            name_algorithm: hash,
            attributes: Attributes(ATTRIBUTES),
            auth_policy: Vec::new(),
            aes_bits: None,
            scheme: Some(scheme),
            key,
        }
    }
}

/// Without protection against wrong authorisations, which it has none of: an unorderly power-off would count as one and lock it.
const ATTRIBUTES: u32 = Attributes::FIXED_TPM
    | Attributes::FIXED_PARENT
    | Attributes::SENSITIVE_DATA_ORIGIN
    | Attributes::USER_WITH_AUTH
    | Attributes::NO_DA
    | Attributes::RESTRICTED
    | Attributes::SIGN;
