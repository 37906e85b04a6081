//! The frame of a document: COSE_Sign1 (RFC 9052 §4.2).

use atls_core::bounded;
use coset::CborSerializable;
use coset::CoseSign1;

use super::document::Document;
use super::error::DocumentError;
use crate::printed::printed_by_name;

/// A document and the signature over it, which is not verified.
///
/// ```text
/// [ protected: h'a1013822' ({1: -35}, ES384), unprotected: {}, payload: bytes, signature: bytes .size 96 ]
/// ```
///
/// AWS's text also has a form with tag 18. No security module writes it, and it is refused.
#[derive(Clone)]
#[non_exhaustive]
pub struct SignedDocument {
    /// The content.
    pub document: Document,
    /// The bytes that the signature covers: `Sig_structure` (RFC 9052 §4.4).
    pub signed: Vec<u8>,
    /// `r || s` by the key of the document's certificate, 96 bytes if it is good (RFC 9053 §2.1).
    pub signature: Vec<u8>,
}

printed_by_name!(SignedDocument, "SignedDocument");

impl SignedDocument {
    /// Reads a document of at most 16 KiB. Each frame has one accepted encoding.
    ///
    /// # Errors
    /// [`DocumentError`]
    pub fn decode(bytes: &[u8]) -> Result<Self, DocumentError> {
        if bytes.len() > MAX_DOCUMENT {
            return Err(DocumentError::TooLarge);
        }
        if !bounded::cose_sign1(MAX_VALUES, bytes) {
            return Err(DocumentError::Envelope);
        }
        let sign1 = CoseSign1::from_slice(bytes).map_err(|_| DocumentError::Envelope)?;
        let es384_only = sign1.protected.original_data.as_deref() == Some(&PROTECTED);
        if !es384_only || !sign1.unprotected.is_empty() {
            return Err(DocumentError::Envelope);
        }
        // The signature does not cover the lengths in the frame.
        if sign1.clone().to_vec().ok().as_deref() != Some(bytes) {
            return Err(DocumentError::Envelope);
        }
        let payload = sign1.payload.as_deref().ok_or(DocumentError::Envelope)?;
        Ok(Self {
            document: Document::decode(payload)?,
            signed: sign1.tbs_data(b""),
            signature: sign1.signature,
        })
    }
}

/// `{1: -35}`: the algorithm is ES384, and there is no other parameter.
const PROTECTED: [u8; 4] = [0xa1, 0x01, 0x38, 0x22];

/// Most values in the frame, which has six.
const MAX_VALUES: usize = 16;

/// Bytes. The security module's own answers end at 12 KiB.
const MAX_DOCUMENT: usize = 16 * 1024;
