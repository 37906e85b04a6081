//! Messages of this end that a peer would have to refuse.

use super::fault::Fault;
use crate::cmw::CmwError;

/// A message of this end that the peer would have to refuse. It is found before the message leaves. The fault is always this
/// endpoint's: its configuration, its device or its program.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SendError {
    /// This end's certificate chain has more than 8 certificates. Leave out the root and other certificates that the peer has.
    #[error("own certificate chain has more than 8 certificates; leave out the root")]
    Chain,
    /// The Evidence of this end's attester cannot be sent, mostly because it is too large.
    #[error("what the own attester made cannot be sent")]
    Cmw(#[from] CmwError),
    /// The caller gave an extension twice, or one that this crate adds itself.
    #[error("own extension {0:#06x} is given twice, or is one that this crate adds itself")]
    DuplicateExtension(u16),
    /// An extension that the request did not offer, or that this kind of message must not have.
    #[error(
        "own extension {0:#06x} was not offered by the request, or is not for this kind of message"
    )]
    Extension(u16),
    /// This end's attester made a format that the peer did not list. Configure an attester of a listed format.
    #[error(
        "own attester made a format that the peer did not list; configure one for each format that peers appraise"
    )]
    Format,
    /// The Evidence was made for another connection of its batch. The batcher must give each answer to the connection that asked.
    #[error("own evidence was made for another connection of its batch")]
    OtherMember,
    /// This end's key signs with no scheme of TLS 1.3. Use another key.
    #[error("own key signs with no scheme of TLS 1.3; use an ECDSA, Ed25519 or RSA key that does")]
    Key,
    /// This end's end-entity certificate does not parse, or has an unknown critical extension.
    #[error(
        "own end-entity certificate does not parse, or has a critical extension that is not known"
    )]
    Leaf,
    /// The provider verifies no signature scheme of TLS 1.3, so no answer could be valid. Use another provider.
    #[error("provider verifies no signature scheme of TLS 1.3; use another provider")]
    NoSchemes,
    /// The message, or a part of it, is larger than its field or its limit.
    #[error(
        "own message, or a part of it, is larger than its limit; send fewer or smaller certificates and Endorsements"
    )]
    TooLarge,
    /// The Evidence is that of a batch, and the peer takes none. The attester must look at
    /// [`AttestRequest::batches`](crate::AttestRequest::batches).
    #[error("own evidence is that of a batch, which the peer did not say it takes")]
    UnwantedBatch,
    /// More than 32 extensions.
    #[error("own message has more than 32 extensions")]
    TooManyExtensions,
    /// More than 64 media types that this end appraises.
    #[error("more than 64 formats of evidence are asked for; configure fewer verifiers")]
    TooManyFormats,
    /// The connection already had as many requests, of both ends together, as it takes.
    #[error(
        "own requests and those of the peer are as many as one connection takes; make another connection"
    )]
    TooManyRequests,
}

impl SendError {
    /// The party at fault: always this endpoint.
    pub fn fault(&self) -> Fault {
        Fault::Local
    }
}
