//! The key of a certificate in a JWK set. The certificate is only an envelope and proves nothing.

use pki_types::CertificateDer;
use webpki::EndEntityCert;

/// `AlgorithmIdentifier` (without its tag and length) and `subjectPublicKey` of RFC 5280 §4.1.
pub(super) struct PublicKey {
    pub(super) algorithm: Vec<u8>,
    pub(super) key: Vec<u8>,
}

impl PublicKey {
    pub(super) fn of(certificate: &[u8]) -> Option<Self> {
        let certificate = CertificateDer::from(certificate);
        let certificate = EndEntityCert::try_from(&certificate).ok()?;
        let info = certificate.subject_public_key_info();
        let (info, []) = element(SEQUENCE, info.as_ref())? else {
            return None;
        };
        let (algorithm, rest) = element(SEQUENCE, info)?;
        let (bits, []) = element(BIT_STRING, rest)? else {
            return None;
        };
        let (0, key) = bits.split_first()? else {
            return None;
        };
        Some(Self {
            algorithm: algorithm.to_vec(),
            key: key.to_vec(),
        })
    }

    /// The length in bytes of the modulus of an `RSAPublicKey` (RFC 8017 §A.1.1).
    pub(super) fn rsa_bytes(&self) -> Option<usize> {
        let (numbers, []) = element(SEQUENCE, &self.key)? else {
            return None;
        };
        let (modulus, _) = element(INTEGER, numbers)?;
        Some(modulus.iter().skip_while(|byte| **byte == 0).count())
    }
}

/// The content of the first element, which must have this tag, and the bytes after it.
fn element(tag: u8, input: &[u8]) -> Option<(&[u8], &[u8])> {
    let (found, rest) = input.split_first()?;
    let (length, rest) = rest.split_first()?;
    let (length, rest) = match length {
        0..=0x7f => (usize::from(*length), rest),
        0x81 => {
            let (length, rest) = rest.split_first()?;
            (usize::from(*length), rest)
        }
        0x82 => {
            let (length, rest) = rest.split_first_chunk()?;
            (usize::from(u16::from_be_bytes(*length)), rest)
        }
        _ => return None,
    };
    (*found == tag)
        .then(|| rest.split_at_checked(length))
        .flatten()
}

const BIT_STRING: u8 = 0x03;
const INTEGER: u8 = 0x02;
const SEQUENCE: u8 = 0x30;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zeros_before_a_modulus_make_no_key_longer() {
        for length in [127, 128, 255, 256] {
            let modulus = [&[0, 0][..], &vec![0xff; length]].concat();
            let numbers = [der(INTEGER, &modulus), der(INTEGER, &[1, 0, 1])].concat();
            let key = PublicKey {
                algorithm: Vec::new(),
                key: der(SEQUENCE, &numbers),
            };
            assert_eq!(key.rsa_bytes(), Some(length));
        }
    }

    fn der(tag: u8, content: &[u8]) -> Vec<u8> {
        let [high, low] = u16::try_from(content.len()).unwrap().to_be_bytes();
        let head = match (high, low) {
            (0, 0..=0x7f) => vec![tag, low],
            (0, _) => vec![tag, 0x81, low],
            _ => vec![tag, 0x82, high, low],
        };
        [head, content.to_vec()].concat()
    }
}
