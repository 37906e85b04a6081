//! Reasons why bytes are no attestation document.

use atls_core::AppraisalError;
use thiserror::Error;

/// Why bytes are no attestation document of an enclave. The peer must send the document as its security module made it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum DocumentError {
    /// The signed content is no CBOR map, has too many values, or nests too deep.
    #[error("content is no CBOR map within the limits")]
    Content,
    /// The frame is not the COSE_Sign1 that a security module writes.
    #[error("envelope is not the COSE_Sign1 of a security module")]
    Envelope,
    /// A field of this name is absent, or has another type or size than its own.
    #[error("field {0} is absent or malformed")]
    Field(&'static str),
    /// The document has more than 16 KiB.
    #[error("document is larger than 16 KiB")]
    TooLarge,
    /// A field is repeated, or is none of an enclave's document. NitroTPM documents have such a field.
    #[error("document has a field that is repeated or unknown")]
    UnknownField,
}

impl From<DocumentError> for AppraisalError {
    fn from(_: DocumentError) -> Self {
        Self::Malformed
    }
}
