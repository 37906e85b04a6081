//! AWS Nitro Enclaves: the attestation document of the Nitro Security Module, in the COSE_Sign1 that signs it.
//!
//! Bytes go in, fields come out, and a [`DocumentError`] names the part that is wrong. **No signature or certificate is verified
//! here**, and no policy is applied: alone, these fields prove nothing.

mod document;
mod envelope;
mod error;

use atls_core::Bound;
use atls_core::expected::ExpectedValue;

pub use document::DIGEST;
pub use document::Document;
pub use document::MAX_PUBLIC_KEY;
pub use envelope::SignedDocument;
pub use error::DocumentError;

/// The media type of a [`SignedDocument`]. Private to this project, because none is registered.
pub const NITRO_DOCUMENT: &str = "application/vnd.atls.nitro-document";

/// The value that `nonce` carries for a connection: the bound value itself, 32 or 48 bytes of the 512 that the field takes.
pub fn nonce(bound: &Bound) -> ExpectedValue {
    bound.verbatim()
}
