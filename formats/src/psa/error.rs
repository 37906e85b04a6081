//! Reasons why bytes are no token.

use atls_core::AppraisalError;
use thiserror::Error;

/// Why bytes are no token. The peer must send the token as its device made it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum TokenError {
    /// The claim of this number is absent, repeated, or of another type or size than its own.
    #[error("claim {0} is absent, repeated or malformed")]
    Claim(u16),
    /// The signed content is no CBOR map, has too many values, or nests too deep.
    #[error("claims are no CBOR map within the limits")]
    Claims,
    /// The bytes are not the tagged map of a platform token and a realm token.
    #[error("not a collection of a platform token and a realm token")]
    Collection,
    /// The frame is no COSE_Sign1 with tag 18 and its content.
    #[error("envelope is no tagged COSE_Sign1 with content")]
    Envelope,
}

impl From<TokenError> for AppraisalError {
    fn from(_: TokenError) -> Self {
        Self::Malformed
    }
}
