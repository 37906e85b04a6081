//! The claims that an interoperable RA-TLS certificate makes about its key.

use ciborium::Value;
use sha2::Digest;
use sha2::Sha256;

use super::PUBKEY_HASH;
use super::SHA_256;
use super::quote::padded;
use crate::cmw::CmwError;

/// The claims buffer of an interoperable RA-TLS certificate for a key, and the 64 bytes of report data that its quote must have.
///
/// ```text
/// { "pubkey-hash": << [1, SHA-256(public_key)] >> }
/// ```
///
/// # Errors
/// None in practice: the buffer always encodes.
pub fn claims_for_key(spki: &[u8]) -> Result<(Vec<u8>, [u8; 64]), CmwError> {
    let digest = Value::Bytes(Sha256::digest(spki).to_vec());
    let hash = cbor(&Value::Array(vec![SHA_256.into(), digest]))?;
    let claims = Value::Map(vec![(Value::from(PUBKEY_HASH), Value::Bytes(hash))]);
    let buffer = cbor(&claims)?;
    let report_data = padded(&buffer);
    Ok((buffer, report_data))
}

pub(super) fn cbor(value: &Value) -> Result<Vec<u8>, CmwError> {
    let mut out = Vec::new();
    ciborium::into_writer(value, &mut out).map_err(|_| CmwError::TooLarge)?;
    Ok(out)
}
