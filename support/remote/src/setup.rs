//! Configurations of a verifier that could never work.

use atls_core::MediaType;
use atls_core::MediaTypeError;

use crate::endpoint::EndpointError;

/// A verifier that asks a service cannot be made of this configuration.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SetupError {
    /// A credential that is no header value: visible ASCII is wanted.
    #[error(
        "credential cannot be sent in a header: it must be visible ASCII, without a line break at its end"
    )]
    Credential,
    /// The address of the service.
    #[error("address of the service is not usable")]
    Endpoint(#[from] EndpointError),
    /// A media type of Evidence that is none.
    #[error("media type of evidence is none")]
    MediaType(#[from] MediaTypeError),
    /// No format of Evidence: the verifier could never be asked. Add one.
    #[error("verifier has no format of evidence; add one to its builder")]
    NoFormat,
    /// Two formats for one media type, and which one decides would be chance. Remove one.
    #[error("two formats for {0}; remove one")]
    RepeatedFormat(MediaType),
    /// A deadline, a maximum age or a number of polls is zero. Raise it.
    #[error("{0} is zero, and nothing would ever be accepted; raise it")]
    Zero(&'static str),
}
