//! What is put into certificates.

use ciborium::Value;
use sha2::Digest;
use sha2::Sha256;

use super::OCTET_STRING;
use super::PUBKEY_HASH;
use super::QUOTE_TAG;
use super::SHA_256;
use super::quote::padded;
use crate::cmw::Cmw;
use crate::cmw::CmwError;

/// The value of an `id-pe-cmw` extension, RFC 9999: the `cbor` choice, an OCTET STRING in DER.
///
/// # Errors
/// [`CmwError::TooLarge`]
pub fn cmw_extension(cmw: &Cmw) -> Result<Vec<u8>, CmwError> {
    let octets = cmw.encode()?;
    let length = u32::try_from(octets.len()).map_err(|_| CmwError::TooLarge)?;
    let [_, high, middle, low] = length.to_be_bytes();
    let head = match (high, middle) {
        (0, 0) if low < 0x80 => vec![OCTET_STRING, low],
        (0, 0) => vec![OCTET_STRING, 0x81, low],
        (0, _) => vec![OCTET_STRING, 0x82, middle, low],
        _ => vec![OCTET_STRING, 0x83, high, middle, low],
    };
    Ok([head, octets].concat())
}

/// The claims buffer of an interoperable RA-TLS certificate for a key, and the 64 octets of report data that the quote
/// must have.
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

/// The value of a DICE tagged evidence extension: `#6.60000([quote, claims-buffer])`.
///
/// # Errors
/// None in practice.
pub fn tagged_evidence(quote: &[u8], claims_buffer: &[u8]) -> Result<Vec<u8>, CmwError> {
    let parts = [quote, claims_buffer].map(|part| Value::Bytes(part.to_vec()));
    cbor(&Value::Tag(
        QUOTE_TAG,
        Box::new(Value::Array(parts.to_vec())),
    ))
}

fn cbor(value: &Value) -> Result<Vec<u8>, CmwError> {
    let mut out = Vec::new();
    ciborium::into_writer(value, &mut out).map_err(|_| CmwError::TooLarge)?;
    Ok(out)
}
