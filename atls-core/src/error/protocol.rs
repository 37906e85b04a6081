//! Failures of the exchange of authenticators.

use super::fault::Fault;
use super::send::SendError;
use crate::cmw::CmwError;
use crate::merkle::ProofError;
use crate::wire_profile::WireProfile;

/// The exchange of authenticators failed. Every one of these is **fatal** to the connection: close it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProtocolError {
    /// The `CertificateVerify` does not verify under the end-entity key. Another connection, an altered
    /// request, a TLS-terminating middlebox or a wrong key all look like this. RFC 9261 §5.2.4.
    #[error(
        "authenticator signature does not verify on this connection; \
         a proxy that terminates TLS in between looks like this"
    )]
    BadSignature,
    /// The Finished MAC differs, or has another length. RFC 9261 §5.2.3.
    #[error("authenticator MAC does not verify on this connection")]
    BadFinished,
    /// The authenticator repeats a context, or answers with another one than was asked.
    #[error("authenticator answers another request")]
    ContextMismatch,
    /// A `certificate_request_context` was already used on this connection, in either direction.
    #[error("certificate_request_context was already used on this connection")]
    ContextSpent,
    /// The peer sent a valid empty authenticator. It refuses to attest, and the refusal is authentic.
    #[error("peer declined to attest; it has no attester, or none of a format that was asked for")]
    Declined,
    /// An extension type stands twice in one list of the peer.
    #[error("extension {0:#06x} is repeated")]
    DuplicateExtension(u16),
    /// The connection's exporter refused, since the handshake is not complete.
    #[error("TLS exporter is not available")]
    Export,
    /// The Conceptual Message Wrapper does not parse.
    #[error("cmw_attestation holds no valid CMW")]
    Cmw(#[from] CmwError),
    /// The end-entity key of the authenticator is not the key of the TLS handshake. The peer's name is in the certificate that
    /// PKIX checked, so another key would be nameless.
    #[error(
        "authenticator key is not the key of the TLS handshake; \
         the peer must attest under the certificate that it presents"
    )]
    KeyMismatch,
    /// The bytes are no message of this protocol: truncated, too long, in the wrong order or of the wrong type.
    #[error("message is malformed")]
    Malformed,
    /// The authenticator is valid but carries no CMW although one was asked for.
    #[error("authenticator carries no attestation")]
    NoAttestation,
    /// The peer wants attestation and appraises none of the formats that our attester makes.
    #[error("peer appraises no format of our attester; it needs a verifier of this platform")]
    NoCommonFormat,
    /// The peer offered no scheme that our key can sign with, although it signs with others of TLS 1.3.
    #[error("peer offers no signature scheme of our key")]
    NoCommonScheme,
    /// No certified key to authenticate with. Servers always have one; give the client an identity.
    #[error(
        "no certified key to authenticate with; the certificate resolver gave none for this peer"
    )]
    NoIdentity,
    /// The connection is not TLS 1.3, or was resumed. Attestation covers full TLS 1.3 handshakes only.
    #[error("connection is not a full TLS 1.3 handshake; switch resumption and TLS 1.2 off")]
    NotFullTls13,
    /// The request of the peer names another wire profile than that of this end. Configure both ends for the same one. The name of
    /// the peer's has letters, digits, `-`, `.` and `_` alone.
    #[error(
        "peer is configured for wire profile {peer} and this end for {own}; configure both for the same one"
    )]
    OtherProfile {
        /// The profile of this end.
        own: WireProfile,
        /// The name of the peer's profile.
        peer: Box<str>,
    },
    /// The answer's inclusion proof is malformed, or stands where none is due.
    #[error("inclusion proof of a batch is refused")]
    Proof(#[from] ProofError),
    /// The provider's random number generator failed.
    #[error("random number generator failed")]
    Random,
    /// The peer signed with a scheme that was not offered or that TLS 1.3 does not allow, or its certificate has a key of
    /// another kind.
    #[error("signature scheme {0:#06x} was not offered or does not fit the key")]
    SchemeNotOffered(u16),
    /// A message of this end could not be accepted by any peer.
    #[error(transparent)]
    Sending(#[from] SendError),
    /// Signing failed in the key's own provider.
    #[error("signing failed")]
    Sign,
    /// A message or list of the peer is larger than its limit.
    #[error("message is larger than its limit")]
    TooLarge,
    /// The peer makes more requests on one connection than the limit.
    #[error("too many requests on one connection")]
    TooManyRequests,
    /// The peer's certificate carries Evidence under a tag other than that of SGX and TDX quotes.
    #[error("certificate carries evidence of an unknown kind")]
    UnknownEvidence,
    /// The peer sent an extension that was not offered, or in a place where it must not be. TLS calls it
    /// `unsupported_extension`.
    #[error("extension {0:#06x} was not offered here")]
    UnsolicitedExtension(u16),
    /// The peer speaks another version of this protocol, or asks for an order that was not offered.
    #[error("peer's attestation parameters cannot be met")]
    UnsupportedParameters,
    /// The request was prepared for the other side of a connection.
    #[error("request was prepared for the other side of a connection")]
    WrongSide,
}

impl ProtocolError {
    /// The party at fault.
    pub fn fault(&self) -> Fault {
        match self {
            Self::Export
            | Self::NoIdentity
            | Self::Random
            | Self::Sending(_)
            | Self::Sign
            | Self::WrongSide => Fault::Local,
            _ => Fault::Peer,
        }
    }
}
