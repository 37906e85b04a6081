//! Failures of reading a result.

use crate::error::AppraisalError;

/// A token that is no acceptable result.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EarError {
    /// An algorithm that is not allowed (`none`, symmetric), or a header that demands an unknown feature.
    #[error("result is signed by an algorithm that is not allowed, or demands an unknown feature")]
    Algorithm,
    /// `aud` is not the expected one.
    #[error("result is stated to another audience")]
    Audience,
    /// The signature does not verify under the pinned key.
    #[error("signature of the result does not verify under the pinned key")]
    BadSignature,
    /// Older than the maximum age, or after its `exp`.
    #[error("result has expired, or is older than the maximum age; compare the clocks")]
    Expired,
    /// `iat` or `nbf` lies more than 60 seconds in the future.
    #[error("result is from more than 60 seconds in the future; compare the clocks")]
    Future,
    /// `iss` is not the expected one.
    #[error("result is from another issuer than the configured one")]
    Issuer,
    /// Not a token, or a claim is missing or of the wrong kind.
    #[error("result is malformed")]
    Malformed,
    /// A submodule that was expected is missing: a part of the attester was not appraised.
    #[error("result lacks a submodule that the configuration expects")]
    MissingSubmod,
    /// The keys of the issuer cannot be had at the moment.
    #[error("keys of the issuer cannot be had at the moment")]
    NoKeys,
    /// `eat_nonce` is absent where it is due, or another one, or not of 8 to 64 bytes.
    #[error("result has another nonce than the request, or none")]
    Nonce,
    /// An `eat_profile` that is not in the module's table.
    #[error("profile of the result is not supported")]
    Profile,
    /// More than 64 KiB, more than 64 values in its header, or more than 4,096 in its claims.
    #[error("result is larger than 64 KiB or has too many values")]
    TooLarge,
    /// No pinned key fits the token's algorithm and key identifier.
    #[error("result is signed by a key that is not pinned")]
    UnknownKey,
}

impl From<EarError> for AppraisalError {
    fn from(error: EarError) -> Self {
        match error {
            EarError::Expired | EarError::Future => Self::ResultExpired,
            EarError::NoKeys => Self::Unreachable,
            _ => Self::BadResult,
        }
    }
}
