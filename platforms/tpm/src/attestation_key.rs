//! The key that signs quotes: what it must be, and the verification of its signatures.

use std::fmt;

use atls_core::AppraisalError;
use atls_core::pki_types::AlgorithmIdentifier;
use atls_core::pki_types::alg_id;
use atls_formats::tpm::Attributes;
use atls_formats::tpm::Curve;
use atls_formats::tpm::HashAlgorithm;
use atls_formats::tpm::Public;
use atls_formats::tpm::PublicKey;
use atls_formats::tpm::Scheme;
use atls_formats::tpm::Signature;
use atls_formats::tpm::TpmFormatError;
use rustls::crypto::WebPkiSupportedAlgorithms;
use serde::Deserialize;
use serde::Deserializer;
use serde::Serialize;
use serde::Serializer;
use serde::de;

use crate::policy::hexadecimal;

/// The public area of an attestation key, of a form that a quote can be trusted by: it never leaves its TPM, was made there, signs
/// nothing but structures that the TPM made, and always by one scheme.
///
/// In files: the `TPMT_PUBLIC` in hexadecimal.
#[derive(Clone, PartialEq, Eq)]
pub struct AttestationKey {
    encoded: Vec<u8>,
    name: Vec<u8>,
    algorithm: Algorithm,
    public_key: Vec<u8>,
}

#[derive(Clone, PartialEq, Eq)]
struct Algorithm {
    scheme: Scheme,
    key: AlgorithmIdentifier,
    signature: AlgorithmIdentifier,
}

/// Why a key is not one to trust quotes by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AttestationKeyError {
    /// It is no public area.
    #[error("not a TPMT_PUBLIC in hexadecimal")]
    Format(#[from] TpmFormatError),
    /// It can leave its TPM, or was made elsewhere: somebody may have it outside. Make it with `fixedTPM`, `fixedParent` and
    /// `sensitiveDataOrigin`.
    #[error("key is not fixedTPM, fixedParent and sensitiveDataOrigin")]
    Movable,
    /// It decrypts, does not sign, or signs whatever it is given, forged quotes too. Make it with `restricted` and `sign`.
    #[error("key is not one that signs, restricted, without decrypting")]
    Unrestricted,
    /// It is of another scheme than ECDSA with P-256 or P-384, RSASSA or RSAPSS with 2048 bits or more.
    #[error(
        "key does not always sign by ECDSA (P-256, P-384), RSASSA or RSAPSS (2048 bits or more)"
    )]
    Scheme,
}

impl AttestationKey {
    /// The key of a `TPMT_PUBLIC`.
    ///
    /// # Errors
    /// [`AttestationKeyError`]
    pub fn decode(encoded: &[u8]) -> Result<Self, AttestationKeyError> {
        let public = Public::decode(encoded)?;
        if !public.attributes.has(FIXED) {
            return Err(AttestationKeyError::Movable);
        }
        let decrypts = public.attributes.has(Attributes::DECRYPT);
        if decrypts || !public.attributes.has(SIGNS_RESTRICTED) {
            return Err(AttestationKeyError::Unrestricted);
        }
        let algorithm = Algorithm::of(&public).ok_or(AttestationKeyError::Scheme)?;
        let public_key = public.subject_public_key();
        Ok(Self {
            encoded: encoded.to_vec(),
            name: public.name()?,
            algorithm,
            public_key: public_key.ok_or(AttestationKeyError::Scheme)?,
        })
    }

    /// The `TPMT_PUBLIC`.
    pub fn as_bytes(&self) -> &[u8] {
        &self.encoded
    }

    /// The name of the key: identifier of a hash algorithm, and the digest of its public area.
    pub fn name(&self) -> &[u8] {
        &self.name
    }

    /// The `subjectPublicKey` of X.509.
    pub(crate) fn public_key(&self) -> &[u8] {
        &self.public_key
    }

    /// The hash algorithm by which the key signs, and digests the registers that it quotes.
    pub(crate) fn scheme_hash(&self) -> HashAlgorithm {
        self.algorithm.scheme.hash()
    }

    /// Verifies the signature of a quote, and gives the hash algorithm by which it was made.
    pub(crate) fn verify(
        &self,
        supported: &WebPkiSupportedAlgorithms,
        message: &[u8],
        signature: &[u8],
    ) -> Result<HashAlgorithm, AppraisalError> {
        let signature = Signature::decode(signature)?;
        if signature.scheme != self.algorithm.scheme {
            return Err(AppraisalError::BadSignature);
        }
        let mut known = supported.all.iter().filter(|known| {
            known.public_key_alg_id() == self.algorithm.key
                && known.signature_alg_id() == self.algorithm.signature
        });
        let known = known.next().ok_or(AppraisalError::Local(UNSUPPORTED))?;
        known
            .verify_signature(&self.public_key, message, &signature.to_x509()?)
            .map_err(|_| AppraisalError::BadSignature)?;
        Ok(signature.scheme.hash())
    }

    /// Whether this qualified name is that of a primary key of the endorsement hierarchy: the parent of such a key is the hierarchy
    /// itself, whose name is its handle (Part 1 §16 and §26.5). The counters that such a key signs are not obfuscated.
    pub fn is_endorsement_primary(&self, qualified_name: &[u8]) -> bool {
        let Some((algorithm, _)) = self.name.split_first_chunk() else {
            return false;
        };
        let Some(hash) = HashAlgorithm::from_id(u16::from_be_bytes(*algorithm)) else {
            return false;
        };
        let digest = hash.digest(&[&ENDORSEMENT_HIERARCHY, &self.name]);
        qualified_name.split_first_chunk() == Some((algorithm, &digest))
    }
}

impl Algorithm {
    fn of(public: &Public) -> Option<Self> {
        let scheme = public.scheme?;
        let key = match &public.key {
            PublicKey::Ecc { curve, .. } => match curve {
                Curve::P256 => alg_id::ECDSA_P256,
                Curve::P384 => alg_id::ECDSA_P384,
            },
            PublicKey::Rsa { bits, .. } if *bits >= MIN_RSA_BITS => alg_id::RSA_ENCRYPTION,
            PublicKey::Rsa { .. } => return None,
        };
        let signature = match scheme {
            Scheme::Ecdsa(HashAlgorithm::Sha256) => alg_id::ECDSA_SHA256,
            Scheme::Ecdsa(HashAlgorithm::Sha384) => alg_id::ECDSA_SHA384,
            Scheme::RsaPss(HashAlgorithm::Sha256) => alg_id::RSA_PSS_SHA256,
            Scheme::RsaPss(HashAlgorithm::Sha384) => alg_id::RSA_PSS_SHA384,
            Scheme::RsaPss(HashAlgorithm::Sha512) => alg_id::RSA_PSS_SHA512,
            Scheme::RsaSsa(HashAlgorithm::Sha256) => alg_id::RSA_PKCS1_SHA256,
            Scheme::RsaSsa(HashAlgorithm::Sha384) => alg_id::RSA_PKCS1_SHA384,
            Scheme::RsaSsa(HashAlgorithm::Sha512) => alg_id::RSA_PKCS1_SHA512,
            _ => return None,
        };
        Some(Self {
            scheme,
            key,
            signature,
        })
    }
}

/// The name alone: it identifies a device, in short.
impl fmt::Debug for AttestationKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AttestationKey")
            .field("scheme", &self.algorithm.scheme)
            .finish_non_exhaustive()
    }
}

impl Serialize for AttestationKey {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&hexadecimal::of(&self.encoded))
    }
}

impl<'de> Deserialize<'de> for AttestationKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let bytes = hexadecimal::read(deserializer, "a TPMT_PUBLIC in hexadecimal")?;
        Self::decode(&bytes).map_err(de::Error::custom)
    }
}

const FIXED: u32 =
    Attributes::FIXED_TPM | Attributes::FIXED_PARENT | Attributes::SENSITIVE_DATA_ORIGIN;

const SIGNS_RESTRICTED: u32 = Attributes::RESTRICTED | Attributes::SIGN;

/// `TPM_RH_ENDORSEMENT`
const ENDORSEMENT_HIERARCHY: [u8; 4] = [0x40, 0, 0, 0x0b];

const MIN_RSA_BITS: u16 = 2048;

const UNSUPPORTED: &str =
    "the CryptoProvider does not verify signatures of this attestation key's scheme";
