//! Writes Evidence into certificates.

use ciborium::Value;
use rustls::sign::SigningKey;

use super::ID_PE_CMW;
use super::OCTET_STRING;
use super::QUOTE_TAG;
use super::TAGGED_EVIDENCE;
use super::claims_buffer::cbor;
use super::claims_buffer::claims_for_key;
use super::format_error::FormatError;
use super::quote::Quote;
use crate::attest_request::AttestRequest;
use crate::attest_request::OwnedAttestRequest;
use crate::cmw::Cmw;
use crate::cmw::CmwError;
use crate::cmw::Item;
use crate::error::ProtocolError;
use crate::error::SendError;

/// The form in which a certificate carries the Evidence about its key.
///
/// Peers that use this crate read every format. The default is a published standard and fits every platform. The other is for
/// older peers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Format {
    /// `id-pe-cmw`, RFC 9999. It carries the Evidence of any platform, several devices and Endorsements included.
    #[default]
    Cmw,
    /// DICE tagged evidence as in interoperable RA-TLS: one SGX or TDX quote over a buffer of claims that names the key. It is
    /// for peers such as Gramine, Intel's SGX SDK and rats-tls.
    ///
    /// The attester must quote [`AttestRequest::report_data`]. Its Endorsements have no place and are left out, since such peers
    /// have collateral of their own. An event log is refused, since a quote without it says less.
    TaggedEvidence,
}

impl Format {
    /// The request to an attester for such a certificate.
    ///
    /// # Errors
    /// [`ProtocolError::NoIdentity`] for a key that does not give its public half.
    pub fn to_attest(self, key: &dyn SigningKey) -> Result<OwnedAttestRequest, ProtocolError> {
        let about_key = OwnedAttestRequest::for_key(key)?;
        match self {
            Self::Cmw => Ok(about_key),
            Self::TaggedEvidence => Ok(about_key.for_claims().map_err(SendError::Cmw)?),
        }
    }

    /// The object identifier of the extension, as its arcs.
    pub fn oid(self) -> &'static [u64] {
        match self {
            Self::Cmw => ID_PE_CMW,
            Self::TaggedEvidence => TAGGED_EVIDENCE,
        }
    }

    /// The value of the extension. `made` is the attester's answer to [`to_attest`](Self::to_attest).
    ///
    /// # Errors
    /// [`FormatError`] for Evidence that no peer would accept.
    pub fn extension(self, request: AttestRequest<'_>, made: &Cmw) -> Result<Vec<u8>, FormatError> {
        match self {
            Self::Cmw => Ok(cmw_extension(made)?),
            Self::TaggedEvidence => {
                let (claims, report_data) = claims_for_key(request.leaf_key())?;
                let items = made.items();
                let quote = only_quote(&items).ok_or(FormatError::NoQuote)?;
                if quote.report_data() != Some(&report_data) {
                    return Err(FormatError::ReportData);
                }
                Ok(tagged_evidence(quote.bytes(), &claims)?)
            }
        }
    }
}

/// The value of an `id-pe-cmw` extension, RFC 9999: the `cbor` choice, an OCTET STRING in DER.
///
/// The whole certificate must have at most [`MAX_CERTIFICATE`](crate::limits::MAX_CERTIFICATE) bytes, or no peer reads it.
///
/// # Errors
/// [`CmwError::TooLarge`] for a message of more than 65,529 bytes, [`CmwError::NestedProof`] for one of a batch.
pub fn cmw_extension(cmw: &Cmw) -> Result<Vec<u8>, CmwError> {
    if cmw.is_of_batch() {
        return Err(CmwError::NestedProof);
    }
    let bytes = cmw.encode()?;
    let length = u16::try_from(bytes.len()).map_err(|_| CmwError::TooLarge)?;
    let head = match length.to_be_bytes() {
        [0, low @ ..=0x7f] => vec![OCTET_STRING, low],
        [0, low] => vec![OCTET_STRING, 0x81, low],
        [high, low] => vec![OCTET_STRING, 0x82, high, low],
    };
    Ok([head, bytes].concat())
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

/// The one item beside Endorsements, if it is a quote and has the media type of one.
fn only_quote<'a>(items: &'a [Item<'_>]) -> Option<Quote<'a>> {
    let mut decisive = items.iter().filter(|item| !item.is_endorsements_only());
    let (Some(item), None) = (decisive.next(), decisive.next()) else {
        return None;
    };
    let quote = Quote::recognise(item.value())?;
    let labelled = item.is_evidence() && item.media_type() == quote.media_type();
    labelled.then_some(quote)
}
