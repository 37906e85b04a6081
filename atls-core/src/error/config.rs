//! Configurations that could never work.

use super::fault::Fault;
use super::send::SendError;
use crate::media_type::MediaType;

/// A configuration that could never work, or that would accept anything.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// A relying party without a verifier would refuse everybody. Add one.
    #[error(
        "relying party has no verifier, so it would refuse everybody; add one by RelyingPartyBuilder::verifier"
    )]
    NoVerifier,
    /// Nobody is to attest. Give an attester, call `require_peer` or `ask_peer`, or name the choice as the terms of the
    /// server do; a client without attestation needs none of this.
    #[error("nobody is to attest: give an attester or call `require_peer`")]
    NothingToAttest,
    /// Servers are not required to attest, so the client would talk to any that has a certificate. Call `require_peer`,
    /// or name the choice by `dangerous_accept_unattested_servers`.
    #[error(
        "servers are not required to attest: call `require_peer`, \
         or name that choice by `dangerous_accept_unattested_servers`"
    )]
    PeerNotRequired,
    /// Two verifiers accept one media type, so chance would choose between them. Remove one.
    #[error("two verifiers accept {0}; remove one, or combine them by AllAgree or Failover")]
    AmbiguousVerifier(MediaType),
    /// A limit of a server is out of its range, or leaves room for no connection. The text names it, and its range.
    #[error("limit is unsuitable: {0}")]
    Limit(&'static str),
    /// A verifier accepts no media type at all and could never be asked.
    #[error(
        "a verifier accepts no media type and would never be asked; give it one, or leave it out"
    )]
    IdleVerifier,
    /// A maximum age of zero would refuse every result. Give a positive one.
    #[error(
        "maximum age of a result is zero, which refuses every result; give at least one second"
    )]
    NoMaxAge,
    /// A wire profile cannot be used. The text names the unsuitable part.
    #[error("wire profile is unsuitable: {0}")]
    Profile(&'static str),
    /// Settings of a server's or client's terms exclude each other, or one of them has no effect without another. The text names them, and
    /// says what to do.
    #[error("terms contradict each other: {0}")]
    Terms(&'static str),
    /// The TLS configuration cannot be used for attested connections. The text names the unsuitable part.
    #[error("TLS configuration is unsuitable: {0}")]
    Tls(&'static str),
    /// Combined verifiers accept different media types. Give each the same, or add them to the relying party one by one.
    #[error("verifiers to be combined accept different formats; give each the same media types")]
    UnlikeVerifiers,
    /// A key or certificate of this end cannot be made: the provider has no randomness or no Ed25519, the key is of a kind that it
    /// does not take, or a name or lifetime cannot stand in a certificate. Use a key of Ed25519 or ECDSA P-256 and a provider with
    /// both, such as those of rustls; correct the names and the clock.
    #[error(
        "key or certificate of this end cannot be made; use a provider with Ed25519, a key of Ed25519 or P-256, and valid names"
    )]
    Identity,
    /// The request that follows from this configuration could not be sent.
    #[error("request cannot be sent")]
    Request(#[from] SendError),
}

impl ConfigError {
    /// The party at fault: always this endpoint.
    pub fn fault(&self) -> Fault {
        Fault::Local
    }
}
