//! Reads the Evidence in certificates of peers.

use ciborium::Value;
use pki_types::CertificateDer;
use pki_types::UnixTime;
use sha2::Digest;
use sha2::Sha256;
use sha2::Sha384;
use sha2::Sha512;
use x509_parser::certificate::X509Certificate;
use x509_parser::prelude::FromDer;

use super::OCTET_STRING;
use super::PUBKEY_HASH;
use super::QUOTE_TAG;
use super::SHA_256;
use super::SHA_384;
use super::SHA_512;
use super::UTF8_STRING;
use super::quote::Quote;
use super::quote::padded;
use crate::bounded;
use crate::bounded::CborLimits;
use crate::cmw::Cmw;
use crate::error::ProtocolError;
use crate::limits::MAX_CERTIFICATE_VALUES;

/// The Evidence of a certificate.
#[derive(Debug)]
pub(crate) enum Carried {
    Cmw(Cmw),
    Quote { cmw: Cmw, report_data: [u8; 64] },
}

/// The validity of a certificate, in seconds since the epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Validity {
    not_before: i64,
    not_after: i64,
}

impl Validity {
    /// The end in seconds since the epoch, if `now` is within the validity.
    pub(crate) fn end(self, now: UnixTime) -> Option<u64> {
        let now = i64::try_from(now.as_secs()).ok()?;
        if self.not_before <= now && now < self.not_after {
            u64::try_from(self.not_after).ok()
        } else {
            None
        }
    }
}

/// Reads the Evidence of a certificate about its key. Whoever read the key out of it has bounded its length.
pub(crate) fn read(
    certificate: &CertificateDer<'_>,
    spki: &[u8],
) -> Result<(Carried, Validity), ProtocolError> {
    if !bounded::der(MAX_CERTIFICATE_VALUES, certificate) {
        return Err(ProtocolError::TooLarge);
    }
    let (rest, parsed) =
        X509Certificate::from_der(certificate).map_err(|_| ProtocolError::Malformed)?;
    if !rest.is_empty() {
        return Err(ProtocolError::Malformed);
    }
    let validity = Validity {
        not_before: parsed.validity().not_before.timestamp(),
        not_after: parsed.validity().not_after.timestamp(),
    };
    let cmw = extension(&parsed, OID_ID_PE_CMW)?;
    let tagged_evidence = extension(&parsed, OID_TAGGED_EVIDENCE)?;
    let mut old = None;
    // Every old form is looked up, since none may stand there twice.
    for oid in OLD_FORMS {
        let quote = extension(&parsed, oid)?;
        old = old.or(quote);
    }
    let carried = match (cmw, tagged_evidence, old) {
        (Some(value), None, None) => Carried::Cmw(cmw_choice(value)?),
        // Every reader must decide by the same extension. Deployed peers write an old form beside the newer one.
        (Some(_), ..) => return Err(ProtocolError::Malformed),
        (None, Some(value), _) => match Cmw::decode(value) {
            Ok(cmw) => Carried::Cmw(cmw),
            Err(_) => tagged(value, spki)?,
        },
        (None, None, Some(quote)) => legacy(quote, spki)?,
        (None, None, None) => return Err(ProtocolError::NoAttestation),
    };
    Ok((carried, validity))
}

fn extension<'a>(
    certificate: &X509Certificate<'a>,
    oid: &[u8],
) -> Result<Option<&'a [u8]>, ProtocolError> {
    let mut found = None;
    for extension in certificate.extensions() {
        if extension.oid.as_bytes() == oid && found.replace(extension.value).is_some() {
            return Err(ProtocolError::Malformed);
        }
    }
    Ok(found)
}

/// `CMW ::= CHOICE { json UTF8String, cbor OCTET STRING }` in DER.
fn cmw_choice(value: &[u8]) -> Result<Cmw, ProtocolError> {
    let (tag, bytes) = der(value).ok_or(ProtocolError::Malformed)?;
    let is_json = matches!(bytes.first(), Some(b'[' | b'{'));
    match (tag, is_json) {
        (UTF8_STRING, true) | (OCTET_STRING, false) => Ok(Cmw::decode(bytes)?),
        _ => Err(ProtocolError::Malformed),
    }
}

/// `#6.60000([quote, claims-buffer])`, whose claims must name the certificate's key.
fn tagged(value: &[u8], spki: &[u8]) -> Result<Carried, ProtocolError> {
    let parts = match from_cbor(value)? {
        Value::Tag(QUOTE_TAG, parts) => parts,
        Value::Tag(..) => return Err(ProtocolError::UnknownEvidence),
        _ => return Err(ProtocolError::Malformed),
    };
    let Value::Array(parts) = *parts else {
        return Err(ProtocolError::Malformed);
    };
    let [Value::Bytes(quote), Value::Bytes(buffer)] = &parts[..] else {
        return Err(ProtocolError::Malformed);
    };
    if !names_key(buffer, spki)? {
        return Err(ProtocolError::KeyMismatch);
    }
    Ok(Carried::Quote {
        cmw: record(quote)?,
        report_data: padded(buffer),
    })
}

/// Tells whether the claims hold the `pubkey-hash` of this key. Claims without one do not.
fn names_key(buffer: &[u8], spki: &[u8]) -> Result<bool, ProtocolError> {
    let Value::Map(claims) = from_cbor(buffer)? else {
        return Err(ProtocolError::Malformed);
    };
    let mut hashes = claims
        .iter()
        .filter(|(name, _)| name.as_text() == Some(PUBKEY_HASH))
        .map(|(_, hash)| hash);
    let (Some(Value::Bytes(hash)), None) = (hashes.next(), hashes.next()) else {
        return Ok(false);
    };
    let Value::Array(hash) = from_cbor(hash)? else {
        return Err(ProtocolError::Malformed);
    };
    let [Value::Integer(algorithm), Value::Bytes(digest)] = &hash[..] else {
        return Err(ProtocolError::Malformed);
    };
    Ok(match u64::try_from(*algorithm) {
        Ok(SHA_256) => digest[..] == Sha256::digest(spki)[..],
        Ok(SHA_384) => digest[..] == Sha384::digest(spki)[..],
        Ok(SHA_512) => digest[..] == Sha512::digest(spki)[..],
        _ => false,
    })
}

fn legacy(quote: &[u8], spki: &[u8]) -> Result<Carried, ProtocolError> {
    Ok(Carried::Quote {
        cmw: record(quote)?,
        report_data: padded(spki),
    })
}

/// A quote of either kind, for its verifier.
fn record(quote: &[u8]) -> Result<Cmw, ProtocolError> {
    Quote::recognise(quote)
        .ok_or(ProtocolError::Malformed)?
        .to_record()
}

/// Tag and content of the one DER element that the bytes are. Its length is definite and of the shortest form, up to two bytes: a
/// CMW has no more.
fn der(bytes: &[u8]) -> Option<(u8, &[u8])> {
    let (tag, bytes) = bytes.split_first()?;
    let (length, value) = match bytes {
        [length @ 0..=0x7f, value @ ..] => (usize::from(*length), value),
        [0x81, length @ 0x80..=0xff, value @ ..] => (usize::from(*length), value),
        [0x82, high @ 1..=0xff, low, value @ ..] => {
            (usize::from(u16::from_be_bytes([*high, *low])), value)
        }
        _ => return None,
    };
    (value.len() == length).then_some((*tag, value))
}

fn from_cbor(bytes: &[u8]) -> Result<Value, ProtocolError> {
    CLAIMS.read(bytes).map_err(|_| ProtocolError::Malformed)
}

/// The limits of a claims-buffer. Deployed ones have a handful of items.
const CLAIMS: CborLimits = CborLimits {
    items: 256,
    nesting: 16,
};

const OID_ID_PE_CMW: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 1, 35];
const OID_TAGGED_EVIDENCE: &[u8] = &[0x67, 0x81, 0x05, 5, 4, 9];
/// The first that is present decides.
const OLD_FORMS: [&[u8]; 3] = [OID_SGX_SDK, OID_RATS_TLS, OID_GRAMINE_AS_SENT];
const OID_SGX_SDK: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf8, 0x4d, 1, 0x0d, 1];
const OID_RATS_TLS: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf8, 0x4d, 0x8a, 0x39, 6];
/// Tag and length of the OID are repeated in it.
const OID_GRAMINE_AS_SENT: &[u8] = &[6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf8, 0x4d, 0x8a, 0x39, 6];
