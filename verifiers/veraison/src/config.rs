//! What cannot be configured.

use atls_core::MediaType;

/// A configuration that could never work, or that would trust the wrong party.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// Two formats of one media type: which one checks would be chance. Remove one.
    #[error("two formats have the media type {0}")]
    AmbiguousFormat(MediaType),
    /// The media type of a format is no media type.
    #[error("media type of a format is none")]
    MediaType,
    /// A verifier without format could never be asked. Add one.
    #[error("verifier has no format")]
    NoFormat,
    /// A result is accepted only if it judges named parts of the attester. Name at least one for this format.
    #[error("no part is expected of results about {0}")]
    NoParts(MediaType),
    /// A deadline, a maximum age or a number of polls is zero, and nothing would ever be accepted.
    #[error("{0} is zero")]
    Zero(&'static str),
    /// The URL is not an origin: scheme, host and perhaps port. Leave out path, query and user.
    #[error("service URL is not an origin")]
    NotAnOrigin,
    /// The URL is not `https`: who answers would be anybody on the network. On this very machine, see
    /// [`Service::dangerous_over_loopback_http`](crate::Service::dangerous_over_loopback_http).
    #[error("service URL is not https")]
    NotHttps,
    /// Plain HTTP is for `http://` and an address of this machine alone, 127.0.0.0/8 or `[::1]`.
    #[error("plain http is for a loopback address only")]
    NotLoopback,
}
