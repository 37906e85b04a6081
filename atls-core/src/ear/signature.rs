//! JOSE and COSE signatures, verified by the algorithms of the application's rustls provider.

use pki_types::AlgorithmIdentifier;
use pki_types::alg_id;
use rustls::crypto::WebPkiSupportedAlgorithms;

use super::der;

/// One algorithm under its names in JOSE (RFC 7518) and COSE (RFC 9053).
#[derive(Debug, PartialEq)]
pub(super) struct SignatureAlgorithm {
    pub(super) jose: &'static str,
    pub(super) cose: i64,
    pub(super) key: AlgorithmIdentifier,
    signature: AlgorithmIdentifier,
    /// The length in bytes of each half of `r || s`, for ECDSA.
    half: Option<usize>,
}

impl SignatureAlgorithm {
    /// The algorithm of this name in JOSE. Symmetric algorithms and `none` are not in the list, so a public key is never taken for
    /// a shared secret.
    pub(super) fn by_jose(name: &str) -> Option<&'static Self> {
        ALGORITHMS.iter().find(|known| known.jose == name)
    }

    pub(super) fn by_cose(number: i64) -> Option<&'static Self> {
        ALGORITHMS.iter().find(|known| known.cose == number)
    }

    /// Tells whether the signature verifies. `public_key` is the `subjectPublicKey` of X.509.
    pub(super) fn verifies(
        &self,
        supported: &WebPkiSupportedAlgorithms,
        public_key: &[u8],
        message: &[u8],
        signature: &[u8],
    ) -> bool {
        let Some(signature) = self.as_x509(signature) else {
            return false;
        };
        supported
            .all
            .iter()
            .filter(|known| {
                known.public_key_alg_id() == self.key && known.signature_alg_id() == self.signature
            })
            .any(|known| {
                known
                    .verify_signature(public_key, message, &signature)
                    .is_ok()
            })
    }

    /// The signature of X.509 in the form of JOSE and COSE: the opposite of [`as_x509`](Self::as_x509).
    pub(super) fn of_x509(&self, signature: &[u8]) -> Option<Vec<u8>> {
        let Some(half) = self.half else {
            return Some(signature.to_vec());
        };
        let (content, []) = element(0x30, signature)? else {
            return None;
        };
        let (r, content) = element(0x02, content)?;
        let (s, []) = element(0x02, content)? else {
            return None;
        };
        Some([padded(r, half)?, padded(s, half)?].concat())
    }

    /// The signature in the form of X.509. `r || s` becomes `Ecdsa-Sig-Value`; other signatures stay as they are.
    fn as_x509(&self, signature: &[u8]) -> Option<Vec<u8>> {
        let Some(half) = self.half else {
            return Some(signature.to_vec());
        };
        let (r, s) = signature.split_at_checked(half)?;
        if s.len() != half {
            return None;
        }
        der::integers(&[r, s])
    }
}

/// The content of a DER element of this tag, of at most 127 bytes as `Ecdsa-Sig-Value` is, and what follows.
fn element(tag: u8, der: &[u8]) -> Option<(&[u8], &[u8])> {
    let (&[found, length @ 0..=0x7f], rest) = der.split_first_chunk()? else {
        return None;
    };
    (found == tag).then_some(rest.split_at_checked(length.into())?)
}

/// An unsigned integer in this many bytes.
fn padded(integer: &[u8], length: usize) -> Option<Vec<u8>> {
    let leading = integer.iter().take_while(|byte| **byte == 0).count();
    let digits = integer.get(leading..)?;
    let mut padded = vec![0; length.checked_sub(digits.len())?];
    padded.extend_from_slice(digits);
    Some(padded)
}

const ALGORITHMS: [SignatureAlgorithm; 7] = [
    SignatureAlgorithm {
        jose: "ES256",
        cose: -7,
        key: alg_id::ECDSA_P256,
        signature: alg_id::ECDSA_SHA256,
        half: Some(32),
    },
    SignatureAlgorithm {
        jose: "ES384",
        cose: -35,
        key: alg_id::ECDSA_P384,
        signature: alg_id::ECDSA_SHA384,
        half: Some(48),
    },
    SignatureAlgorithm {
        jose: "EdDSA",
        cose: -8,
        key: alg_id::ED25519,
        signature: alg_id::ED25519,
        half: None,
    },
    SignatureAlgorithm {
        jose: "PS256",
        cose: -37,
        key: alg_id::RSA_ENCRYPTION,
        signature: alg_id::RSA_PSS_SHA256,
        half: None,
    },
    SignatureAlgorithm {
        jose: "PS384",
        cose: -38,
        key: alg_id::RSA_ENCRYPTION,
        signature: alg_id::RSA_PSS_SHA384,
        half: None,
    },
    SignatureAlgorithm {
        jose: "PS512",
        cose: -39,
        key: alg_id::RSA_ENCRYPTION,
        signature: alg_id::RSA_PSS_SHA512,
        half: None,
    },
    SignatureAlgorithm {
        jose: "RS256",
        cose: -257,
        key: alg_id::RSA_ENCRYPTION,
        signature: alg_id::RSA_PKCS1_SHA256,
        half: None,
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_raw_signature_has_two_whole_halves() {
        let es256 = SignatureAlgorithm::by_jose("ES256").unwrap();
        assert!(es256.as_x509(&[1; 64]).is_some());
        for length in [0, 31, 32, 63, 65, 128] {
            assert_eq!(es256.as_x509(&vec![1; length]), None, "{length}");
        }
    }

    #[test]
    fn a_signature_of_tls_becomes_its_halves_and_back() {
        let es256 = SignatureAlgorithm::by_jose("ES256").unwrap();
        let mut raw = [0; 64];
        raw[5..].fill(0x81);
        let x509 = es256.as_x509(&raw).unwrap();
        assert_eq!(es256.of_x509(&x509).unwrap(), raw);
        for length in 0..x509.len() {
            assert_eq!(es256.of_x509(&x509[..length]), None, "{length}");
        }
        assert_eq!(es256.of_x509(&[&x509[..], &[0]].concat()), None);
        let too_long = der::integers(&[&[1; 33], &[1; 32]]).unwrap();
        assert_eq!(es256.of_x509(&too_long), None);
    }

    /// RFC 9053 §2, RFC 8230 §2, RFC 8812 §2.
    #[test]
    fn an_algorithm_has_one_name_in_jose_and_one_number_in_cose() {
        for (name, number) in [
            ("ES256", -7),
            ("ES384", -35),
            ("EdDSA", -8),
            ("PS256", -37),
            ("PS384", -38),
            ("PS512", -39),
            ("RS256", -257),
        ] {
            let algorithm = SignatureAlgorithm::by_jose(name);
            assert!(algorithm.is_some(), "{name}");
            assert_eq!(algorithm, SignatureAlgorithm::by_cose(number), "{name}");
        }
    }

    #[test]
    fn none_and_symmetric_algorithms_do_not_exist() {
        for name in ["none", "None", "HS256", "HS384", "HS512", "es256", ""] {
            assert!(SignatureAlgorithm::by_jose(name).is_none(), "{name}");
        }
        assert!(SignatureAlgorithm::by_cose(5).is_none());
    }
}
