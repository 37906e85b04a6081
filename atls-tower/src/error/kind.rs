//! The kinds of failures, and what is said of each.

use std::fmt;
use std::io;

use atls_core::AttestError;
use atls_core::ConfigError;
use atls_core::Fault;
use atls_core::ProtocolError;
use atls_core::Refusal;
use atls_core::exchange::RefusalCode;

use crate::stage::Stage;
use crate::tls::TlsFailure;

#[derive(Debug)]
pub(super) enum Kind {
    AcmeChallenge,
    Attest(AttestError),
    Closed(Stage),
    Config(ConfigError),
    Deadline(Stage),
    Io(io::Error),
    NotAttestedTls,
    PeerUnattested,
    Protocol(ProtocolError),
    Refused(Refusal),
    RefusedByPeer(RefusalCode),
    Tls(TlsFailure),
    /// The name that a client asked for; `None` for one that names none.
    UnknownName(Option<Box<str>>),
    Uri(&'static str),
    WrongOrder,
}

impl Kind {
    pub(super) fn fault(&self) -> Fault {
        match self {
            Self::Attest(error) => error.fault(),
            Self::Config(_) | Self::Uri(_) => Fault::Local,
            Self::Deadline(stage) => stage.fault(),
            Self::Protocol(error) => error.fault(),
            Self::Refused(refusal) => refusal.fault(),
            Self::Tls(failure) => failure.fault(),
            Self::AcmeChallenge
            | Self::Closed(_)
            | Self::Io(_)
            | Self::NotAttestedTls
            | Self::PeerUnattested
            | Self::RefusedByPeer(_)
            | Self::UnknownName(_)
            | Self::WrongOrder => Fault::Peer,
        }
    }

    pub(super) fn reason(&self) -> &'static str {
        match self {
            _ if self.is_peer_unattested() => "unattested",
            Self::AcmeChallenge => "acme_challenge",
            Self::Attest(_) => "attester",
            Self::Closed(_) => "closed",
            Self::Config(_) => "configuration",
            Self::Deadline(stage) => match stage {
                Stage::Appraisal => "timeout_appraisal",
                Stage::Attestation => "timeout_attestation",
                Stage::Connect => "timeout_connect",
                Stage::Exchange => "timeout_exchange",
                Stage::FirstByte => "timeout_first_byte",
                Stage::Handshake => "timeout_handshake",
                Stage::Queue => "timeout_queue",
            },
            Self::Io(_) => "io",
            Self::NotAttestedTls => "ordinary_tls",
            Self::PeerUnattested | Self::Protocol(_) | Self::WrongOrder => "protocol",
            Self::Refused(refusal) => refusal.reason(),
            Self::RefusedByPeer(_) => "refused_by_peer",
            Self::Tls(_) => "tls",
            Self::UnknownName(_) => "unknown_name",
            Self::Uri(_) => "uri",
        }
    }

    /// One word for the failures that the log takes for one thing.
    pub(super) fn topic(&self) -> &'static str {
        match self {
            Self::Attest(AttestError::Busy) => "busy",
            Self::Protocol(ProtocolError::NoIdentity) => "no_identity",
            _ => self.reason(),
        }
    }

    pub(super) fn is_peer_unattested(&self) -> bool {
        matches!(
            self,
            Self::PeerUnattested
                | Self::Protocol(ProtocolError::Declined | ProtocolError::NoAttestation)
        )
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AcmeChallenge => f.write_str(
                "an ACME server's challenge was answered; nothing else comes over its connection",
            ),
            Self::Attest(_) => f.write_str("this end could not attest"),
            Self::Closed(Stage::Handshake) => {
                f.write_str("peer closed the connection during the TLS handshake")
            }
            Self::Closed(Stage::FirstByte) => {
                f.write_str("client closed the connection right after the TLS handshake")
            }
            Self::Closed(_) => {
                f.write_str("peer closed the connection during attestation; its log may say why")
            }
            Self::Config(_) => f.write_str("configuration cannot work"),
            Self::Deadline(Stage::Handshake) => f.write_str("TLS handshake took too long"),
            Self::Deadline(Stage::FirstByte) => {
                f.write_str("client was silent after the TLS handshake")
            }
            Self::Deadline(Stage::Appraisal) => {
                f.write_str("verifier gave no result within the deadline")
            }
            Self::Deadline(Stage::Attestation) => {
                f.write_str("this end made no evidence within the deadline")
            }
            Self::Deadline(Stage::Connect) => {
                f.write_str("no connection to the server within the deadline")
            }
            Self::Deadline(Stage::Exchange) => {
                f.write_str("peer did not complete attestation within the deadline")
            }
            Self::Deadline(Stage::Queue) => f.write_str(
                "this end had no free place for an exchange or appraisal within the deadline; \
                     raise the limits of the terms, or add servers",
            ),
            Self::Io(_) => f.write_str("connection failed during attestation"),
            Self::NotAttestedTls => f.write_str(
                "peer is an ordinary HTTPS server and does not speak attested TLS; \
                 use a plain client for it, or put an attesting acceptor in front of it",
            ),
            Self::PeerUnattested
            | Self::Protocol(ProtocolError::Declined | ProtocolError::NoAttestation) => f
                .write_str(
                    "peer did not attest and attestation is required; \
                     give it an attester, or let it use attested TLS at all",
                ),
            Self::Protocol(_) => f.write_str("exchange of authenticators failed"),
            Self::Refused(_) => f.write_str("peer's attestation was refused"),
            Self::RefusedByPeer(code) => write!(f, "peer refused this end: {code}"),
            Self::Tls(failure) => failure.fmt(f),
            Self::UnknownName(Some(name)) => write!(
                f,
                "client asked for {}, and the certificate resolver has no key for that name",
                name.escape_debug()
            ),
            Self::UnknownName(None) => f.write_str(
                "client asked for no name, and the certificate resolver has no key for such clients",
            ),
            Self::Uri(what) => write!(f, "URI cannot be connected to: {what}"),
            Self::WrongOrder => f.write_str("peer sent a message out of order"),
        }
    }
}

impl std::error::Error for Kind {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Attest(error) => Some(error),
            Self::Config(error) => Some(error),
            Self::Io(error) => Some(error),
            Self::Tls(failure) => Some(failure.error()),
            Self::Protocol(error) => Some(error),
            Self::Refused(refusal) => Some(refusal),
            Self::AcmeChallenge
            | Self::Closed(_)
            | Self::Deadline(_)
            | Self::NotAttestedTls
            | Self::PeerUnattested
            | Self::RefusedByPeer(_)
            | Self::UnknownName(_)
            | Self::Uri(_)
            | Self::WrongOrder => None,
        }
    }
}
