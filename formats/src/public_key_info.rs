//! `SubjectPublicKeyInfo` (RFC 5280 §4.1) of keys that formats of devices have otherwise.

use atls_core::ear::der;
use atls_core::pki_types::alg_id;

/// That of an RSA key, of modulus and exponent.
pub(crate) fn rsa_public_key_info(modulus: &[u8], exponent: &[u8]) -> Option<Vec<u8>> {
    public_key_info(
        &alg_id::RSA_ENCRYPTION,
        &der::integers(&[modulus, exponent])?,
    )
}

/// That of any key: the content of an `AlgorithmIdentifier`, and the key.
pub(crate) fn public_key_info(algorithm: &[u8], subject_public_key: &[u8]) -> Option<Vec<u8>> {
    let algorithm = der::element(0x30, algorithm)?;
    let key = der::element(0x03, &[&[0], subject_public_key].concat())?;
    der::element(0x30, &[algorithm, key].concat())
}
