//! Evidence inside an X.509 certificate: how the two weaker modes carry it.
//!
//! | extension | contents | written | read |
//! |---|---|---|---|
//! | `id-pe-cmw` 1.3.6.1.5.5.7.1.35 (RFC 9999) | a CMW | yes | yes |
//! | DICE tagged evidence 2.23.133.5.4.9 | `#6.60000([quote, claims-buffer])` or a CMW | the former, by [`tagged_evidence`] | yes |
//! | 1.2.840.113741.1.13.1 (Intel SGX SDK) | a quote | no | yes |
//! | 0.6.9.42.840.113741.1337.6 (Gramine: its OID as it is on the wire, malformed) | a quote | no | yes |
//!
//! The first one that is there decides, in this order; a certificate with one of them twice is refused. A quote's 64
//! octets of report data are then fixed by the carriage: `SHA-256(claims-buffer)` and zeros, where the claims hold the
//! digest of the certificate's key; or `SHA-256(key)` and zeros in the old forms. What the Evidence must carry in a CMW
//! is [`Bound`](crate::Bound)'s to say.
//!
//! Nothing here says that the certificate is trusted, or that its key was proven: that is TLS.

use ciborium::Value;
use pki_types::CertificateDer;
use pki_types::UnixTime;
use sha2::Digest;
use sha2::Sha256;
use sha2::Sha384;
use sha2::Sha512;
use x509_parser::certificate::X509Certificate;
use x509_parser::prelude::FromDer;

use crate::cmw::Cmw;
use crate::cmw::CmwError;
use crate::error::ProtocolError;
use crate::media_type::MediaType;

/// `id-pe-cmw`, for whoever writes the certificate.
pub const ID_PE_CMW: &[u64] = &[1, 3, 6, 1, 5, 5, 7, 1, 35];

/// DICE tagged evidence, for whoever writes the certificate.
pub const TAGGED_EVIDENCE: &[u64] = &[2, 23, 133, 5, 4, 9];

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

/// What a certificate carries.
#[derive(Debug)]
pub(crate) enum Carried {
    Cmw(Cmw),
    Quote { cmw: Cmw, report_data: [u8; 64] },
}

/// When a certificate is valid, in seconds since the epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Validity {
    not_before: i64,
    not_after: i64,
}

impl Validity {
    /// The end, in seconds since the epoch, if this is a time within.
    pub(crate) fn end(self, now: UnixTime) -> Option<u64> {
        let now = i64::try_from(now.as_secs()).ok()?;
        if self.not_before <= now && now < self.not_after {
            u64::try_from(self.not_after).ok()
        } else {
            None
        }
    }
}

/// Evidence of a certificate, about its key.
pub(crate) fn read(
    certificate: &CertificateDer<'_>,
    spki: &[u8],
) -> Result<(Carried, Validity), ProtocolError> {
    let (rest, parsed) =
        X509Certificate::from_der(certificate).map_err(|_| ProtocolError::Malformed)?;
    if !rest.is_empty() {
        return Err(ProtocolError::Malformed);
    }
    let validity = Validity {
        not_before: parsed.validity().not_before.timestamp(),
        not_after: parsed.validity().not_after.timestamp(),
    };
    let carried = if let Some(value) = extension(&parsed, OID_ID_PE_CMW)? {
        Carried::Cmw(cmw_choice(value)?)
    } else if let Some(value) = extension(&parsed, OID_TAGGED_EVIDENCE)? {
        match Cmw::decode(value) {
            Ok(cmw) => Carried::Cmw(cmw),
            Err(_) => tagged(value, spki)?,
        }
    } else if let Some(quote) = extension(&parsed, OID_SGX_SDK)? {
        legacy(quote, spki)?
    } else if let Some(quote) = extension(&parsed, OID_GRAMINE_AS_SENT)? {
        legacy(quote, spki)?
    } else {
        return Err(ProtocolError::NoAttestation);
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
    let (tag, octets) = der(value).ok_or(ProtocolError::Malformed)?;
    match (tag, octets.first()) {
        (UTF8_STRING, Some(b'[' | b'{')) => Ok(Cmw::decode(octets)?),
        (OCTET_STRING, Some(first)) if !matches!(first, b'[' | b'{') => Ok(Cmw::decode(octets)?),
        _ => Err(ProtocolError::Malformed),
    }
}

/// `#6.60000([quote, claims-buffer])`, whose claims must name the certificate's key.
fn tagged(value: &[u8], spki: &[u8]) -> Result<Carried, ProtocolError> {
    let Value::Tag(QUOTE_TAG, parts) = from_cbor(value)? else {
        return Err(ProtocolError::NoAttestation);
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
        cmw: quote_record(quote)?,
        report_data: padded(buffer),
    })
}

/// Whether the claims hold `pubkey-hash` of this key. Absent is not.
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
        cmw: quote_record(quote)?,
        report_data: padded(spki),
    })
}

/// Intel's DCAP quote, whose header tells SGX from TDX: version, and from 4 on the TEE type at octet 4.
fn quote_record(quote: &[u8]) -> Result<Cmw, ProtocolError> {
    let text = match quote {
        [3, 0, ..] => "application/vnd.atls.sgx-quote",
        [4 | 5, 0, _, _, 0, 0, 0, 0, ..] => "application/vnd.atls.sgx-quote",
        [4 | 5, 0, _, _, 0x81, 0, 0, 0, ..] => "application/vnd.atls.tdx-quote",
        _ => return Err(ProtocolError::Malformed),
    };
    let media_type = MediaType::parse(text).map_err(|_| ProtocolError::Malformed)?;
    Ok(Cmw::evidence(media_type, quote.to_vec()))
}

/// SHA-256 in the first 32 of 64 octets, zeros in the rest.
fn padded(preimage: &[u8]) -> [u8; 64] {
    let mut report_data = [0; 64];
    for (octet, hashed) in report_data.iter_mut().zip(Sha256::digest(preimage)) {
        *octet = hashed;
    }
    report_data
}

/// One DER element that is all of the octets, with a definite, shortest length of at most three octets.
fn der(octets: &[u8]) -> Option<(u8, &[u8])> {
    let (tag, octets) = octets.split_first()?;
    let (length, value) = match octets {
        [length @ 0..=0x7f, value @ ..] => (usize::from(*length), value),
        [0x81, length, value @ ..] if *length >= 0x80 => (usize::from(*length), value),
        [0x82, high, low, value @ ..] if *high > 0 => {
            (usize::from(u16::from_be_bytes([*high, *low])), value)
        }
        [0x83, high, middle, low, value @ ..] if *high > 0 => {
            let length = u32::from_be_bytes([0, *high, *middle, *low]);
            (usize::try_from(length).ok()?, value)
        }
        _ => return None,
    };
    (value.len() == length).then_some((*tag, value))
}

fn cbor(value: &Value) -> Result<Vec<u8>, CmwError> {
    let mut out = Vec::new();
    ciborium::into_writer(value, &mut out).map_err(|_| CmwError::TooLarge)?;
    Ok(out)
}

fn from_cbor(mut octets: &[u8]) -> Result<Value, ProtocolError> {
    let value = ciborium::de::from_reader_with_recursion_limit(&mut octets, MAX_NESTING)
        .map_err(|_| ProtocolError::Malformed)?;
    if octets.is_empty() {
        Ok(value)
    } else {
        Err(ProtocolError::Malformed)
    }
}

const MAX_NESTING: usize = 16;
const PUBKEY_HASH: &str = "pubkey-hash";
/// Registered for quotes of SGX and TDX.
const QUOTE_TAG: u64 = 60000;
/// Named-information hash algorithms, RFC 6920 registry.
const SHA_256: u64 = 1;
const SHA_384: u64 = 7;
const SHA_512: u64 = 8;

const OCTET_STRING: u8 = 0x04;
const UTF8_STRING: u8 = 0x0c;

const OID_ID_PE_CMW: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 1, 35];
const OID_TAGGED_EVIDENCE: &[u8] = &[0x67, 0x81, 0x05, 5, 4, 9];
const OID_SGX_SDK: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf8, 0x4d, 1, 0x0d, 1];
/// Tag and length of the OID stand in it once more.
const OID_GRAMINE_AS_SENT: &[u8] = &[6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf8, 0x4d, 0x8a, 0x39, 6];
