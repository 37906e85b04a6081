//! The public area of a key.

use atls_core::ear::der;
use atls_core::pki_types::alg_id;

use super::algorithm::HashAlgorithm;
use super::error::TpmFormatError;
use super::key_kind::Attributes;
use super::key_kind::Curve;
use super::key_kind::Scheme;
use super::wire::Reader;
use super::wire::put_sized;
use crate::printed::printed_by_name;
use crate::public_key_info::public_key_info;

/// `TPMT_PUBLIC` (Part 2 §12.2.4) of an RSA or ECC key:
///
/// ```text
/// type(2) ‖ nameAlg(2) ‖ objectAttributes(4) ‖ TPM2B authPolicy ‖ parameters ‖ unique
///
/// parameters of RSA(1)   = symmetric ‖ scheme ‖ keyBits(2) ‖ exponent(4), unique = TPM2B modulus
/// parameters of ECC(23)  = symmetric ‖ scheme ‖ curve(2) ‖ NULL(2), unique = TPM2B x ‖ TPM2B y
/// symmetric              = NULL(2) | AES(2) keyBits(2) CFB(2)
/// scheme                 = NULL(2) | RSASSA(2) hash(2) | RSAPSS(2) hash(2) | ECDSA(2) hash(2)
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(clippy::exhaustive_structs, reason = "the fields of the format")]
pub struct Public {
    /// The hash algorithm of the name.
    pub name_algorithm: HashAlgorithm,
    /// The permissions of the key, and whether it can leave the TPM.
    pub attributes: Attributes,
    /// The digest of a policy; empty where there is none.
    pub auth_policy: Vec<u8>,
    /// Bits of the AES key, in CFB, by which a storage key protects what is below it.
    pub aes_bits: Option<u16>,
    /// The scheme by which the key always signs.
    pub scheme: Option<Scheme>,
    /// The key.
    pub key: PublicKey,
}

/// A key's own values.
#[derive(Clone, PartialEq, Eq)]
#[allow(clippy::exhaustive_enums, reason = "the kinds that are read")]
pub enum PublicKey {
    /// A point. Its coordinates are empty in a template.
    Ecc {
        /// The curve.
        curve: Curve,
        /// Big-endian, up to the curve's size.
        x: Vec<u8>,
        /// Big-endian, up to the curve's size.
        y: Vec<u8>,
    },
    /// A modulus.
    Rsa {
        /// Bits of the modulus.
        bits: u16,
        /// 0 stands for 65537.
        exponent: u32,
        /// Big-endian, and empty in a template.
        modulus: Vec<u8>,
    },
}

printed_by_name!(PublicKey, "PublicKey");

impl Public {
    /// Reads a public area, whole.
    ///
    /// # Errors
    /// [`TpmFormatError::Public`]
    pub fn decode(bytes: &[u8]) -> Result<Self, TpmFormatError> {
        Reader::whole(bytes, Self::read).ok_or(TpmFormatError::Public)
    }

    /// Writes a public area, as a TPM does.
    ///
    /// # Errors
    /// [`TpmFormatError::TooLong`] for a field of 64 KiB or more.
    pub fn encode(&self) -> Result<Vec<u8>, TpmFormatError> {
        let kind = match self.key {
            PublicKey::Ecc { .. } => ALG_ECC,
            PublicKey::Rsa { .. } => ALG_RSA,
        };
        let mut out = kind.to_be_bytes().to_vec();
        out.extend(self.name_algorithm.id().to_be_bytes());
        out.extend(self.attributes.0.to_be_bytes());
        put_sized(&mut out, &self.auth_policy)?;
        match self.aes_bits {
            Some(bits) => [ALG_AES, bits, ALG_CFB]
                .iter()
                .for_each(|part| out.extend(part.to_be_bytes())),
            None => out.extend(ALG_NULL.to_be_bytes()),
        }
        match self.scheme {
            Some(scheme) => [scheme.id(), scheme.hash().id()]
                .iter()
                .for_each(|part| out.extend(part.to_be_bytes())),
            None => out.extend(ALG_NULL.to_be_bytes()),
        }
        match &self.key {
            PublicKey::Ecc { curve, x, y } => {
                out.extend(curve.id().to_be_bytes());
                out.extend(ALG_NULL.to_be_bytes());
                put_sized(&mut out, x)?;
                put_sized(&mut out, y)?;
            }
            PublicKey::Rsa {
                bits,
                exponent,
                modulus,
            } => {
                out.extend(bits.to_be_bytes());
                out.extend(exponent.to_be_bytes());
                put_sized(&mut out, modulus)?;
            }
        }
        Ok(out)
    }

    /// The name: identifier of the hash algorithm, and the digest of the public area (Part 1 §16).
    ///
    /// # Errors
    /// As [`encode`](Self::encode).
    pub fn name(&self) -> Result<Vec<u8>, TpmFormatError> {
        let digest = self.name_algorithm.digest(&[&self.encode()?]);
        Ok([&self.name_algorithm.id().to_be_bytes()[..], &digest].concat())
    }

    /// The `subjectPublicKey` of X.509: a point as SEC 1 writes it, or an `RSAPublicKey`; `None` of a template.
    pub fn subject_public_key(&self) -> Option<Vec<u8>> {
        match &self.key {
            PublicKey::Ecc { curve, x, y } => {
                let (x, y) = (padded(x, curve.size())?, padded(y, curve.size())?);
                Some([&[4][..], &x, &y].concat())
            }
            PublicKey::Rsa {
                exponent, modulus, ..
            } => {
                let exponent = match exponent {
                    0 => DEFAULT_EXPONENT,
                    other => *other,
                };
                let is_template = modulus.is_empty();
                (!is_template).then(|| der::integers(&[modulus, &exponent.to_be_bytes()]))?
            }
        }
    }

    /// The DER SubjectPublicKeyInfo; `None` of a template.
    pub fn subject_public_key_info(&self) -> Option<Vec<u8>> {
        let algorithm = match &self.key {
            PublicKey::Ecc { curve, .. } => match curve {
                Curve::P256 => alg_id::ECDSA_P256,
                Curve::P384 => alg_id::ECDSA_P384,
            },
            PublicKey::Rsa { .. } => alg_id::RSA_ENCRYPTION,
        };
        public_key_info(&algorithm, &self.subject_public_key()?)
    }

    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let kind = reader.u16()?;
        let name_algorithm = HashAlgorithm::from_id(reader.u16()?)?;
        let attributes = Attributes(reader.u32()?);
        let auth_policy = reader.sized()?;
        if auth_policy.len() > MAX_DIGEST {
            return None;
        }
        let aes_bits = match reader.u16()? {
            ALG_NULL => None,
            ALG_AES => {
                let bits = reader.u16()?;
                (reader.u16()? == ALG_CFB).then_some(Some(bits))?
            }
            _ => return None,
        };
        let scheme = match reader.u16()? {
            ALG_NULL => None,
            id => Some(Scheme::read(id, reader)?),
        };
        let key = match kind {
            ALG_ECC => Self::read_point(reader)?,
            ALG_RSA => Self::read_modulus(reader)?,
            _ => return None,
        };
        let fits = match (scheme, &key) {
            (None, _) => true,
            (Some(Scheme::Ecdsa(_)), PublicKey::Ecc { .. }) => true,
            (Some(Scheme::RsaPss(_) | Scheme::RsaSsa(_)), PublicKey::Rsa { .. }) => true,
            (Some(_), _) => false,
        };
        fits.then(|| Self {
            name_algorithm,
            attributes,
            auth_policy: auth_policy.to_vec(),
            aes_bits,
            scheme,
            key,
        })
    }

    fn read_point(reader: &mut Reader<'_>) -> Option<PublicKey> {
        let curve = Curve::from_id(reader.u16()?)?;
        if reader.u16()? != ALG_NULL {
            return None;
        }
        let (x, y) = (reader.sized()?.to_vec(), reader.sized()?.to_vec());
        let fits = x.len() <= curve.size() && y.len() <= curve.size();
        fits.then_some(PublicKey::Ecc { curve, x, y })
    }

    fn read_modulus(reader: &mut Reader<'_>) -> Option<PublicKey> {
        let (bits, exponent) = (reader.u16()?, reader.u32()?);
        let modulus = reader.sized()?.to_vec();
        let bytes = usize::from(bits.checked_div(8)?);
        let fits = modulus.is_empty() || modulus.len() == bytes;
        (fits && bytes <= MAX_MODULUS).then_some(PublicKey::Rsa {
            bits,
            exponent,
            modulus,
        })
    }
}

/// Big-endian, with the zeros in front that a TPM may have left out. Of nothing: nothing.
pub(super) fn padded(integer: &[u8], size: usize) -> Option<Vec<u8>> {
    let missing = size.checked_sub(integer.len())?;
    let is_empty = integer.is_empty();
    (!is_empty).then(|| [&vec![0; missing][..], integer].concat())
}

const ALG_RSA: u16 = 0x0001;
const ALG_AES: u16 = 0x0006;
const ALG_NULL: u16 = 0x0010;
const ALG_ECC: u16 = 0x0023;
const ALG_CFB: u16 = 0x0043;

const DEFAULT_EXPONENT: u32 = 65_537;

/// Bytes of SHA-512.
const MAX_DIGEST: usize = 64;

/// Bytes: RSA of 4096 bits.
const MAX_MODULUS: usize = 512;

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    fn point() -> Public {
        Public {
            name_algorithm: HashAlgorithm::Sha256,
            attributes: Attributes(0x0005_0072),
            auth_policy: Vec::new(),
            aes_bits: None,
            scheme: Some(Scheme::Ecdsa(HashAlgorithm::Sha256)),
            key: PublicKey::Ecc {
                curve: Curve::P256,
                x: vec![1; 32],
                y: vec![2; 31],
            },
        }
    }

    fn modulus() -> Public {
        Public {
            auth_policy: vec![3; 32],
            aes_bits: Some(128),
            scheme: None,
            key: PublicKey::Rsa {
                bits: 2048,
                exponent: 0,
                modulus: vec![0xff; 256],
            },
            ..point()
        }
    }

    #[test]
    fn a_public_area_is_of_its_form_alone() {
        for public in [point(), modulus()] {
            let bytes = public.encode().unwrap();
            assert_eq!(Public::decode(&bytes), Ok(public));
            for length in 0..bytes.len() {
                assert!(Public::decode(&bytes[..length]).is_err(), "{length}");
            }
            assert!(Public::decode(&[&bytes[..], &[0]].concat()).is_err());
        }
        let bytes = point().encode().unwrap();
        // Type, name algorithm, symmetric, scheme, hash, curve, key derivation.
        for index in [1, 3, 11, 13, 15, 17, 19] {
            let mut other = bytes.clone();
            other[index] ^= 0x20;
            assert!(Public::decode(&other).is_err(), "{index}");
        }
    }

    #[test]
    fn a_scheme_is_of_the_kind_of_its_key() {
        let rsa = Scheme::RsaSsa(HashAlgorithm::Sha256);
        for (key, scheme) in [(point(), rsa), (modulus(), point().scheme.unwrap())] {
            let scheme = Some(scheme);
            let mixed = Public { scheme, ..key };
            assert!(Public::decode(&mixed.encode().unwrap()).is_err());
        }
    }

    #[test]
    fn a_key_is_written_as_certificates_have_it() {
        let expected = [&[4][..], &[1; 32], &[0], &[2; 31]].concat();
        assert_eq!(point().subject_public_key(), Some(expected));
        let rsa = modulus().subject_public_key().unwrap();
        assert_eq!(
            &rsa[..9],
            [0x30, 0x82, 1, 0x0a, 2, 0x82, 1, 1, 0],
            "modulus"
        );
        assert_eq!(&rsa[265..], [2, 3, 1, 0, 1], "exponent");
        let mut template = point();
        template.key = PublicKey::Ecc {
            curve: Curve::P256,
            x: Vec::new(),
            y: Vec::new(),
        };
        assert_eq!(template.subject_public_key(), None);
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(
            attributes in any::<u32>(),
            auth_policy in vec(any::<u8>(), 0..=64),
            aes_bits in proptest::option::of(any::<u16>()),
            x in vec(any::<u8>(), 0..=48),
            exponent in any::<u32>(),
        ) {
            let area = |key, scheme| Public {
                name_algorithm: HashAlgorithm::Sha384,
                attributes: Attributes(attributes),
                auth_policy: auth_policy.clone(),
                aes_bits,
                scheme,
                key,
            };
            let point = PublicKey::Ecc { curve: Curve::P384, x: x.clone(), y: x };
            let modulus = PublicKey::Rsa { bits: 3072, exponent, modulus: vec![7; 384] };
            for public in [
                area(point, Some(Scheme::Ecdsa(HashAlgorithm::Sha384))),
                area(modulus, Some(Scheme::RsaPss(HashAlgorithm::Sha512))),
            ] {
                prop_assert_eq!(Public::decode(&public.encode().unwrap()), Ok(public));
            }
        }

        #[test]
        fn arbitrary_bytes_never_panic(bytes in vec(any::<u8>(), 0..200)) {
            let _ = Public::decode(&bytes);
        }
    }
}
