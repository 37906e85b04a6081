//! The signed document: COSE_Sign1 (RFC 9052 §4.2) around the content, and the order in which it earns trust.

use std::time::Duration;

use atls_core::AppraisalError;
use atls_core::BoundMatch;
use atls_core::ExpectedValue;
use atls_core::bounded;
use atls_core::pki_types::UnixTime;
use atls_reference::Digest;
use coset::CborSerializable;
use coset::CoseSign1;

use crate::chain;
use crate::claims;
use crate::document::Document;

/// A document that a root vouches for. What it says stays out of reach until its binding is checked.
#[derive(Debug)]
pub(crate) struct Authentic {
    document: Document,
    valid_until: UnixTime,
}

impl Authentic {
    /// Verifies the signature and the chain above it, at this time.
    pub(crate) fn verify(
        bytes: &[u8],
        root: &Digest<32>,
        max_age: Duration,
        now: UnixTime,
    ) -> Result<Self, AppraisalError> {
        let (sign1, document) = open(bytes)?;
        let made_at = claims::seconds(document.timestamp_ms);
        if made_at.as_secs() > now.as_secs().saturating_add(CLOCK_SKEW.as_secs())
            || now.as_secs() > made_at.as_secs().saturating_add(max_age.as_secs())
        {
            return Err(AppraisalError::Expired);
        }
        // First what costs least. It counts for nothing until the chain has told whose key that is.
        let leaf = &document.certificate;
        sign1.verify_signature(b"", |signature, message| {
            chain::verify_es384(leaf, message, signature)
        })?;
        // A certificate begins a few seconds before the first document that it signs, so that a clock which is behind
        // by less than the permitted skew would refuse every enclave at first, and every three hours again.
        let at = now.max(made_at);
        let valid_until = chain::verify(leaf, &document.cabundle, root, at)?;
        Ok(Self {
            document,
            valid_until,
        })
    }

    /// The proof that it carries this challenge, the content, and until when the chain is valid.
    pub(crate) fn bound_to(
        self,
        challenge: &ExpectedValue,
    ) -> Result<(BoundMatch, Document, UnixTime), AppraisalError> {
        let nonce = self.document.nonce.as_deref();
        let matched = challenge.compare(nonce.ok_or(AppraisalError::NotBound)?)?;
        Ok((matched, self.document, self.valid_until))
    }

    /// The content, and until when the chain is valid, of a document that is about no connection.
    pub(crate) fn recorded(self) -> (Document, UnixTime) {
        (self.document, self.valid_until)
    }
}

/// Takes the envelope apart, without any check of who made it.
///
/// ```text
/// [ protected: h'a1013822' ({1: -35}, ES384), unprotected: {}, payload: bytes, signature: bytes .size 96 ]
/// ```
///
/// Exactly that, as the security module writes it: AWS's text also knows a form with tag 18, which is never emitted.
pub(crate) fn open(bytes: &[u8]) -> Result<(CoseSign1, Document), AppraisalError> {
    if bytes.len() > MAX_DOCUMENT {
        return Err(AppraisalError::Malformed);
    }
    if !bounded::cose_sign1(MAX_VALUES, bytes) {
        return Err(AppraisalError::Malformed);
    }
    let sign1 = CoseSign1::from_slice(bytes).map_err(|_| AppraisalError::Malformed)?;
    let es384_only = sign1.protected.original_data.as_deref() == Some(&PROTECTED);
    if !es384_only || !sign1.unprotected.is_empty() {
        return Err(AppraisalError::Malformed);
    }
    // The lengths in the frame are outside of what is signed; there is one way to write them.
    if sign1.clone().to_vec().ok().as_deref() != Some(bytes) {
        return Err(AppraisalError::Malformed);
    }
    let payload = sign1.payload.as_deref().ok_or(AppraisalError::Malformed)?;
    let document = Document::decode(payload)?;
    Ok((sign1, document))
}

/// `{1: -35}`: the algorithm is ES384, and nothing else is said.
const PROTECTED: [u8; 4] = [0xa1, 0x01, 0x38, 0x22];

/// Most values in the frame, which has six.
const MAX_VALUES: usize = 16;

/// Bytes. The security module's own answers end at 12 KiB.
const MAX_DOCUMENT: usize = 16 * 1024;

/// How far the security module's clock may be ahead of ours.
const CLOCK_SKEW: Duration = Duration::from_secs(60);
