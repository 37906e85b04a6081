//! Errors of the configuration of a verifier that asks a service.

use atls_core::MediaType;
use atls_core::MediaTypeError;

use crate::endpoint::EndpointError;

/// A verifier that asks a service cannot be made of this configuration.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SetupError {
    /// The credential is no header value. Use visible ASCII without a line break.
    #[error(
        "credential cannot be sent in a header: it must be visible ASCII, without a line break at its end"
    )]
    Credential,
    /// The address of the service is refused. Correct it.
    #[error("address of the service is not usable")]
    Endpoint(#[from] EndpointError),
    /// A format has a malformed media type. Correct it.
    #[error("media type of evidence is none")]
    MediaType(#[from] MediaTypeError),
    /// The verifier has no format of Evidence, so nobody could ask it. Add one.
    #[error("verifier has no format of evidence; add one to its builder")]
    NoFormat,
    /// Two formats have one media type, and chance would choose. Remove one.
    #[error("two formats for {0}; remove one")]
    RepeatedFormat(MediaType),
    /// A deadline, a maximum age or a number of polls is zero. Raise it.
    #[error("{0} is zero, and nothing would ever be accepted; raise it")]
    Zero(&'static str),
}
