//! The endorsement keys of a TPM: templates, and where makers put their certificates ("TCG EK Credential Profile" §2.2.1.4 and §B.3).

use atls_formats::tpm::Attributes;
use atls_formats::tpm::Curve;
use atls_formats::tpm::HashAlgorithm;
use atls_formats::tpm::Public;
use atls_formats::tpm::PublicKey;

/// A default template of the low range, by which makers made what they certify.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum EndorsementTemplate {
    /// L-2.
    EccP256,
    /// L-1.
    Rsa2048,
}

impl EndorsementTemplate {
    /// The order in which certificates are looked for.
    pub(crate) const ALL: [Self; 2] = [Self::Rsa2048, Self::EccP256];

    /// The index of the certificate.
    pub(crate) fn certificate(self) -> u32 {
        match self {
            Self::EccP256 => 0x01c0_000a,
            Self::Rsa2048 => 0x01c0_0002,
        }
    }

    pub(crate) fn public(self) -> Public {
        let key = match self {
            Self::EccP256 => PublicKey::Ecc {
                curve: Curve::P256,
                x: vec![0; 32],
                y: vec![0; 32],
            },
            Self::Rsa2048 => PublicKey::Rsa {
                bits: 2048,
                exponent: 0,
                modulus: vec![0; 256],
            },
        };
        Public {
            name_algorithm: HashAlgorithm::Sha256,
            attributes: Attributes(ATTRIBUTES),
            auth_policy: POLICY_A.to_vec(),
            aes_bits: Some(128),
            scheme: None,
            key,
        }
    }
}

const ATTRIBUTES: u32 = Attributes::FIXED_TPM
    | Attributes::FIXED_PARENT
    | Attributes::SENSITIVE_DATA_ORIGIN
    | Attributes::ADMIN_WITH_POLICY
    | Attributes::RESTRICTED
    | Attributes::DECRYPT;

/// `TPM2_PolicySecret(TPM_RH_ENDORSEMENT)`
const POLICY_A: [u8; 32] = [
    0x83, 0x71, 0x97, 0x67, 0x44, 0x84, 0xb3, 0xf8, 0x1a, 0x90, 0xcc, 0x8d, 0x46, 0xa5, 0xd7, 0x24,
    0xfd, 0x52, 0xd7, 0x6e, 0x06, 0x52, 0x0b, 0x64, 0xf2, 0xa1, 0xda, 0x1b, 0x33, 0x14, 0x69, 0xaa,
];
