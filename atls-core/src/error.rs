//! What can go wrong, and whose fault it was.

use crate::certificate::FormatError;
use crate::cmw::CmwError;
use crate::combine::IncompleteResults;
use crate::sending::SendError;
use crate::stale::Stale;

/// Whose fault a failure is. Operators page on the last two only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(
    clippy::exhaustive_enums,
    reason = "a fourth party would change the protocol"
)]
pub enum Fault {
    /// The peer, or somebody on the path, sent something that must be refused.
    Peer,
    /// This endpoint: its configuration, its device, its limits.
    Local,
    /// The verifier could not be asked or did not answer properly.
    Verifier,
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Peer => "peer",
            Self::Local => "local",
            Self::Verifier => "verifier",
        })
    }
}

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
    /// The peer sent a valid empty authenticator: it was asked and refuses, authentically.
    #[error("peer declined to attest; it has no attester, or none of a format that was asked for")]
    Declined,
    /// An extension type stands twice in one list of the peer.
    #[error("extension {0:#06x} is repeated")]
    DuplicateExtension(u16),
    /// The exporter of the connection refused. The handshake is not complete.
    #[error("TLS exporter is not available")]
    Export,
    /// The Conceptual Message Wrapper does not parse.
    #[error("cmw_attestation holds no valid CMW")]
    Cmw(#[from] CmwError),
    /// The end-entity key of the authenticator is not the key of the TLS handshake. DESIGN: names come only
    /// from the certificate that PKIX checked.
    #[error(
        "authenticator key is not the key of the TLS handshake; \
         the peer must attest under the certificate that it presents"
    )]
    KeyMismatch,
    /// Bytes that are no message of this protocol: truncated, trailing, wrong order, wrong type.
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
    /// The provider's random number generator failed.
    #[error("random number generator failed")]
    Random,
    /// The peer signed with a scheme that was not offered, or that TLS 1.3 does not allow, or its
    /// certificate has a key of another kind.
    #[error("signature scheme {0:#06x} was not offered or does not fit the key")]
    SchemeNotOffered(u16),
    /// What this end would send is not what a peer may accept.
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
    /// The peer's certificate carries Evidence under a tag that is not of SGX or TDX quotes.
    #[error("certificate carries evidence of an unknown kind")]
    UnknownEvidence,
    /// The peer sent an extension that was not offered, or where it must not be: `unsupported_extension`.
    #[error("extension {0:#06x} was not offered here")]
    UnsolicitedExtension(u16),
    /// The peer speaks another version of this protocol, or asks for an order that was not offered.
    #[error("peer's attestation parameters cannot be met")]
    UnsupportedParameters,
    /// A request that was prepared for the other side of a connection.
    #[error("request was prepared for the other side of a connection")]
    WrongSide,
}

impl ProtocolError {
    /// Whose fault it was.
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

/// An Attester made no Evidence.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AttestError {
    /// The device answered wrongly or not at all; the text is the driver's.
    #[error("attestation device failed: {0}")]
    Device(String),
    /// What the device made does not fit in a CMW.
    #[error("evidence does not fit in a CMW")]
    Cmw(#[from] CmwError),
    /// What the attester makes does not fit into the chosen format of certificates.
    #[error("evidence does not fit into the certificate")]
    Format(#[from] FormatError),
    /// The device is busy and its queue is full. Try later, on a new connection.
    #[error(
        "attestation device is busy; raise the queue of its Blocking, or attest fewer connections at once"
    )]
    Busy,
    /// The device gave nothing by its deadline.
    #[error("attestation device did not answer in time; look into the log of its driver")]
    TimedOut,
    /// A service that was to give a result could not be asked, or refused.
    #[error("verifier gave no attestation result")]
    NoResult(#[from] AppraisalError),
}

impl AttestError {
    /// Whose fault it was; never the peer's. Evidence of our own that a verifier does not accept is ours.
    pub fn fault(&self) -> Fault {
        match self {
            Self::NoResult(error) if error.fault() == Fault::Verifier => Fault::Verifier,
            _ => Fault::Local,
        }
    }
}

/// A Verifier reached no result. There is no partial result: all of these are refusals.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AppraisalError {
    /// The Evidence does not parse, or lacks what its format demands.
    #[error(
        "evidence is malformed; the peer's attester and this verifier may be of different versions of the format"
    )]
    Malformed,
    /// The Evidence's signature or chain does not verify.
    #[error(
        "evidence signature does not verify; the evidence was altered, or is of no genuine device"
    )]
    BadSignature,
    /// The Evidence is signed by a key that this verifier does not trust.
    #[error(
        "evidence is signed by an unknown key; if the device is one of yours, \
         give the verifier its trust anchor or endorsements"
    )]
    UnknownKey,
    /// The Evidence carries another challenge than this connection's, or none: replay or relay.
    #[error(
        "evidence is not bound to this connection; it is replayed or relayed, or something terminates TLS in between"
    )]
    NotBound,
    /// The Evidence, or a certificate that the peer sent with it, is outside its validity at the given time.
    #[error("evidence has expired; if the peer made it just now, compare the clocks of both ends")]
    Expired,
    /// Collateral of the verifier's own (endorsements, revocation lists, trust anchors) is outside its validity at the
    /// given time, and no other was to be had. Refresh the piece that it names.
    #[error("collateral of the verifier is outside its validity: {0}")]
    StaleCollateral(Stale),
    /// The verifier, or a service it needs, could not be asked. Nothing is known about the peer.
    #[error("verifier could not be reached; see its own log event, the network and its address")]
    Unreachable,
    /// Of several verifiers that must agree some could not be asked; with what the others found. Nothing is decided about the
    /// peer. Make the others reachable.
    #[error("a verifier that must agree could not be reached; the others say {}", .0.status())]
    Incomplete(IncompleteResults),
    /// A result could not be used: signature, shape or nonce are wrong. Who gave it is to blame: the service that was
    /// asked or, with a passport, the peer; [`RelyingParty`](crate::RelyingParty) tells them apart.
    #[error("attestation result cannot be used")]
    BadResult,
    /// A result is outside its validity at the given time. Who gave it is to blame, as with
    /// [`BadResult`](Self::BadResult).
    #[error("attestation result has expired")]
    ResultExpired,
    /// The Evidence cannot be verified without an Endorsement that nobody gave, such as the certificate of the key that
    /// signed it. Whoever was to give it is to blame: let the peer send it along, or give it to the verifier's own source.
    #[error("no {what}: neither the evidence nor the collateral source has one")]
    NoEndorsement {
        /// What is missing, such as `VCEK`.
        what: &'static str,
        /// The verifier's, where its source was to supply it; the peer's, where the Evidence was.
        due_from: Fault,
    },
    /// The service that was asked answered that it gives no result, and not for which reason. Some answer so to Evidence
    /// that they do not accept, so it counts as the peer's fault: a peer must neither choose the next verifier by it nor
    /// wake the operator. A service that is broken and says so in the same way shows in its own logs.
    #[error("verifier gave no result and no reason; its own log may have one")]
    NoResult,
    /// This end cannot appraise: it does not know the time, its provider lacks an algorithm, and the like; the text
    /// says what.
    #[error("this end cannot appraise: {0}")]
    Local(&'static str),
}

impl AppraisalError {
    /// Whose fault it was, where the verifier was given Evidence. For a passport ask the [`Refusal`](crate::Refusal).
    pub fn fault(&self) -> Fault {
        match self {
            Self::BadResult
            | Self::Incomplete(_)
            | Self::ResultExpired
            | Self::StaleCollateral(_)
            | Self::Unreachable => Fault::Verifier,
            Self::Local(_) => Fault::Local,
            Self::NoEndorsement { due_from, .. } => *due_from,
            Self::BadSignature
            | Self::Expired
            | Self::Malformed
            | Self::NoResult
            | Self::NotBound
            | Self::UnknownKey => Fault::Peer,
        }
    }
}

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
    /// Two verifiers accept one media type, and which one decides would be chance. Remove one.
    #[error("two verifiers accept {0}; remove one, or combine them by AllAgree or Failover")]
    AmbiguousVerifier(crate::MediaType),
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
    /// The TLS configuration cannot be used for attested connections; the text says which part.
    #[error("TLS configuration is unsuitable: {0}")]
    Tls(&'static str),
    /// Verifiers that are to appraise the same differ in what they accept. Give each the same media types, or add them
    /// to the relying party one by one.
    #[error("verifiers to be combined accept different formats; give each the same media types")]
    UnlikeVerifiers,
    /// The key, certificate or provider was refused by rustls or rcgen.
    #[error("identity could not be made")]
    Identity,
    /// The request that follows from this configuration could not be sent.
    #[error("request cannot be sent")]
    Request(#[from] SendError),
}

impl ConfigError {
    /// Always this endpoint's.
    pub fn fault(&self) -> Fault {
        Fault::Local
    }
}
