//! A signature of a TPM.

use atls_core::ear::der;

use super::error::TpmFormatError;
use super::key_kind::Scheme;
use super::wire::Reader;
use super::wire::put_sized;

/// `TPMT_SIGNATURE` (Part 2 §11.3.4):
///
/// ```text
/// ECDSA(2)           ‖ hash(2) ‖ TPM2B r ‖ TPM2B s
/// RSASSA | RSAPSS(2) ‖ hash(2) ‖ TPM2B signature
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Signature {
    /// How it was made.
    pub scheme: Scheme,
    value: Value,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Value {
    /// Two integers, big-endian.
    Pair(Vec<u8>, Vec<u8>),
    Single(Vec<u8>),
}

impl Signature {
    /// An ECDSA signature of two big-endian integers.
    pub fn ecdsa(hash: super::HashAlgorithm, r: &[u8], s: &[u8]) -> Self {
        Self {
            scheme: Scheme::Ecdsa(hash),
            value: Value::Pair(r.to_vec(), s.to_vec()),
        }
    }

    /// Reads a signature, whole.
    ///
    /// # Errors
    /// [`TpmFormatError::Signature`]
    pub fn decode(bytes: &[u8]) -> Result<Self, TpmFormatError> {
        Reader::whole(bytes, Self::read).ok_or(TpmFormatError::Signature)
    }

    /// Writes a signature, as a TPM does.
    ///
    /// # Errors
    /// [`TpmFormatError::TooLong`] for a field of 64 KiB or more.
    pub fn encode(&self) -> Result<Vec<u8>, TpmFormatError> {
        let mut out = self.scheme.id().to_be_bytes().to_vec();
        out.extend(self.scheme.hash().id().to_be_bytes());
        match &self.value {
            Value::Pair(r, s) => {
                put_sized(&mut out, r)?;
                put_sized(&mut out, s)?;
            }
            Value::Single(signature) => put_sized(&mut out, signature)?,
        }
        Ok(out)
    }

    /// The signature in the form of X.509: `Ecdsa-Sig-Value`, or an RSA signature as it is.
    ///
    /// # Errors
    /// [`TpmFormatError::Signature`]: never, for what was decoded.
    pub fn to_x509(&self) -> Result<Vec<u8>, TpmFormatError> {
        match &self.value {
            Value::Pair(r, s) => der::integers(&[r, s]).ok_or(TpmFormatError::Signature),
            Value::Single(signature) => Ok(signature.clone()),
        }
    }

    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let id = reader.u16()?;
        let scheme = Scheme::read(id, reader)?;
        let mut integer = |most| {
            let bytes = reader.sized()?;
            (1..=most).contains(&bytes.len()).then(|| bytes.to_vec())
        };
        let value = match scheme {
            Scheme::Ecdsa(_) => Value::Pair(integer(MAX_SCALAR)?, integer(MAX_SCALAR)?),
            Scheme::RsaPss(_) | Scheme::RsaSsa(_) => Value::Single(integer(MAX_RSA)?),
        };
        Some(Self { scheme, value })
    }
}

/// Bytes: P-384.
const MAX_SCALAR: usize = 48;

/// Bytes: RSA of 4096 bits.
const MAX_RSA: usize = 512;

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;
    use crate::tpm::HashAlgorithm;

    #[test]
    fn a_signature_is_of_its_form_alone() {
        let pair = Signature::ecdsa(HashAlgorithm::Sha256, &[0x80; 32], &[2; 32]);
        let single = Signature {
            scheme: Scheme::RsaPss(HashAlgorithm::Sha256),
            value: Value::Single(vec![1; 256]),
        };
        for signature in [pair, single] {
            let bytes = signature.encode().unwrap();
            assert_eq!(Signature::decode(&bytes), Ok(signature));
            for length in 0..bytes.len() {
                assert!(Signature::decode(&bytes[..length]).is_err(), "{length}");
            }
            assert!(Signature::decode(&[&bytes[..], &[0]].concat()).is_err());
            for index in [0, 1, 2, 3] {
                let mut other = bytes.clone();
                other[index] ^= 0x20;
                assert!(Signature::decode(&other).is_err(), "{index}");
            }
        }
    }

    #[test]
    fn two_integers_become_der() {
        let signature = Signature::ecdsa(HashAlgorithm::Sha256, &[0x80], &[0, 2]);
        assert_eq!(
            signature.to_x509().unwrap(),
            [0x30, 7, 2, 2, 0, 0x80, 2, 1, 2]
        );
    }

    #[test]
    fn integers_are_bounded_and_there() {
        let hash = HashAlgorithm::Sha256;
        for (r, s) in [(vec![], vec![1]), (vec![1], vec![]), (vec![1; 49], vec![1])] {
            let bytes = Signature::ecdsa(hash, &r, &s).encode().unwrap();
            assert!(Signature::decode(&bytes).is_err());
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(r in vec(any::<u8>(), 1..=48), s in vec(any::<u8>(), 1..=48)) {
            let signature = Signature::ecdsa(HashAlgorithm::Sha384, &r, &s);
            prop_assert_eq!(Signature::decode(&signature.encode().unwrap()), Ok(signature));
        }

        #[test]
        fn arbitrary_bytes_never_panic(bytes in vec(any::<u8>(), 0..100)) {
            let _ = Signature::decode(&bytes);
        }
    }
}
