//! Why a connection could not be attested.

mod kind;

use std::fmt;
use std::io;
use std::sync::Arc;

use atls_core::AttestError;
use atls_core::ConfigError;
use atls_core::Fault;
use atls_core::ProtocolError;
use atls_core::Refusal;
use atls_core::exchange::RefusalCode;
use atls_core::session::Side;

use crate::stage::Stage;
use crate::tls::TlsFailure;
use kind::Kind;

/// Why a connection could not be attested. The connection is closed; others are not touched.
///
/// [`fault`](Self::fault) says which end to page, the predicates give the kind of failure, the accessors the typed cause.
#[derive(Clone, Debug)]
pub struct Error {
    kind: Arc<Kind>,
}

impl Error {
    /// The end at fault.
    pub fn fault(&self) -> Fault {
        self.kind.fault()
    }

    /// One stable word for metrics and dashboards. Those of refusals are at [`Refusal::reason`], those of deadlines that passed are
    /// `timeout_` and the [stage](Stage::name); the others are `acme_challenge`, `attester`, `closed`, `configuration`, `io`, `ordinary_tls`, `protocol`,
    /// `refused_by_peer`, `tls`, `unattested`, `unknown_name`, `uri`.
    pub fn reason(&self) -> &'static str {
        self.kind.reason()
    }

    /// The peer is at fault, or an attacker on the path.
    pub fn is_peer(&self) -> bool {
        self.fault() == Fault::Peer
    }

    /// This end is at fault: its configuration, device or limits.
    pub fn is_local(&self) -> bool {
        self.fault() == Fault::Local
    }

    /// The verifier is at fault.
    pub fn is_verifier(&self) -> bool {
        self.fault() == Fault::Verifier
    }

    /// No failure: the client was an ACME server that validates a name of this one. Its challenge was
    /// [answered](crate::ServerTerms::tls_alpn_01) and the connection closed. Its [fault](Self::fault) is the peer's, who wanted no more.
    pub fn is_acme_challenge(&self) -> bool {
        matches!(*self.kind, Kind::AcmeChallenge)
    }

    /// A deadline passed.
    pub fn is_timeout(&self) -> bool {
        self.stage().is_some()
    }

    /// The peer completed TLS but does not speak this protocol: an ordinary HTTPS server.
    pub fn is_not_attested_tls(&self) -> bool {
        matches!(*self.kind, Kind::NotAttestedTls)
    }

    /// The peer did not attest although it must: an ordinary HTTPS client, or one that cannot attest.
    pub fn is_peer_unattested(&self) -> bool {
        self.kind.is_peer_unattested()
    }

    /// The peer closed the connection during handshake or exchange.
    pub fn is_closed(&self) -> bool {
        matches!(*self.kind, Kind::Closed(_))
    }

    /// TLS itself failed: certificate, name, version, or a callback of the application.
    pub fn is_tls(&self) -> bool {
        matches!(*self.kind, Kind::Tls(_))
    }

    /// The peer speaks TLS 1.2 at most, and attested TLS needs 1.3.
    pub fn is_old_tls(&self) -> bool {
        matches!(&*self.kind, Kind::Tls(failure) if failure.is_old_tls())
    }

    /// The peer sent no TLS at all: a port scanner, or plain HTTP on the TLS port.
    pub fn is_no_tls(&self) -> bool {
        matches!(&*self.kind, Kind::Tls(failure) if failure.is_no_tls())
    }

    /// The client asked for a name, or for none, that the certificate resolver of this server has no key for, as scanners do. A server that has
    /// no key for anybody is at fault [itself](Self::is_local).
    pub fn is_unknown_name(&self) -> bool {
        matches!(*self.kind, Kind::UnknownName(_))
    }

    /// The work that was under way when the deadline passed.
    pub fn stage(&self) -> Option<Stage> {
        match *self.kind {
            Kind::Deadline(stage) => Some(stage),
            _ => None,
        }
    }

    /// The error with all its causes in one line, down to the check that failed, for logs.
    ///
    /// ```
    /// # fn example(error: &atls_tower::Error) {
    /// eprintln!("not attested, by fault of {}: {}", error.fault(), error.report());
    /// # }
    /// ```
    pub fn report(&self) -> impl fmt::Debug + fmt::Display + '_ {
        atls_core::report(self)
    }

    /// One word for the failures that the log takes for one thing.
    pub(crate) fn topic(&self) -> &'static str {
        self.kind.topic()
    }

    /// The peer closed the connection before it said anything of this protocol.
    pub(crate) fn is_closed_before_exchange(&self) -> bool {
        matches!(
            *self.kind,
            Kind::Closed(Stage::Handshake | Stage::FirstByte)
        )
    }

    /// The exchange of authenticators failed.
    pub fn protocol(&self) -> Option<&ProtocolError> {
        match &*self.kind {
            Kind::Protocol(error) => Some(error),
            _ => None,
        }
    }

    /// The refusal of the peer's attestation by this end.
    pub fn refusal(&self) -> Option<&Refusal> {
        match &*self.kind {
            Kind::Refused(refusal) => Some(refusal),
            _ => None,
        }
    }

    /// The peer's refusal of this end's attestation, or of its lack.
    pub fn refused_by_peer(&self) -> Option<RefusalCode> {
        match *self.kind {
            Kind::RefusedByPeer(code) => Some(code),
            _ => None,
        }
    }

    pub(crate) fn acme_challenge() -> Self {
        Kind::AcmeChallenge.into()
    }

    pub(crate) fn closed() -> Self {
        Kind::Closed(Stage::Exchange).into()
    }

    pub(crate) fn deadline(stage: Stage) -> Self {
        Kind::Deadline(stage).into()
    }

    /// For the first byte of a frame that is none.
    pub(crate) fn not_a_frame(sender: Side, first: u8) -> Self {
        match (sender, first) {
            // "HTTP/1.1 400", or the length of an HTTP/2 SETTINGS frame.
            (Side::Server, b'H' | 0) => Kind::NotAttestedTls.into(),
            _ => ProtocolError::Malformed.into(),
        }
    }

    pub(crate) fn peer_unattested() -> Self {
        Kind::PeerUnattested.into()
    }

    pub(crate) fn reading(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::UnexpectedEof
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionAborted => Self::closed(),
            _ => Kind::Io(error).into(),
        }
    }

    /// As [`reading`](Self::reading), for the first byte: a client that closes there may be a health check of TLS alone.
    pub(crate) fn reading_first(error: io::Error) -> Self {
        let error = Self::reading(error);
        if error.is_closed() {
            return Kind::Closed(Stage::FirstByte).into();
        }
        error
    }

    pub(crate) fn refused_by(code: RefusalCode) -> Self {
        Kind::RefusedByPeer(code).into()
    }

    pub(crate) fn tls(peer: Side, error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::UnexpectedEof => Kind::Closed(Stage::Handshake).into(),
            _ => Kind::Tls(TlsFailure::new(peer, error)).into(),
        }
    }

    pub(crate) fn unknown_name(name: Option<Box<str>>) -> Self {
        Kind::UnknownName(name).into()
    }

    pub(crate) fn uri(what: &'static str) -> Self {
        Kind::Uri(what).into()
    }

    pub(crate) fn writing(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset => Self::closed(),
            _ => Kind::Io(error).into(),
        }
    }

    pub(crate) fn wrong_order() -> Self {
        Kind::WrongOrder.into()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&*self.kind, f)
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.kind.source()
    }
}

impl From<Kind> for Error {
    fn from(kind: Kind) -> Self {
        Self {
            kind: Arc::new(kind),
        }
    }
}

impl From<AttestError> for Error {
    fn from(error: AttestError) -> Self {
        Kind::Attest(error).into()
    }
}

impl From<ConfigError> for Error {
    fn from(error: ConfigError) -> Self {
        Kind::Config(error).into()
    }
}

impl From<ProtocolError> for Error {
    fn from(error: ProtocolError) -> Self {
        Kind::Protocol(error).into()
    }
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        Kind::Refused(refusal).into()
    }
}

#[cfg(test)]
mod tests {
    use atls_core::AppraisalError;

    use super::*;

    #[test]
    fn a_service_that_gives_our_attester_no_result_is_to_blame_for_it() {
        let unreachable = AttestError::NoResult(AppraisalError::Unreachable);
        assert!(Error::from(unreachable).is_verifier());
        assert!(Error::from(AttestError::Busy).is_local());
    }

    #[test]
    fn each_predicate_is_of_its_kind_alone() {
        let broken = || io::Error::from(io::ErrorKind::BrokenPipe);
        let other = || io::Error::other("other");
        let told = |error: Error| {
            let predicates = [
                ("timeout", error.is_timeout()),
                ("closed", error.is_closed()),
                ("tls", error.is_tls()),
                ("old tls", error.is_old_tls()),
                ("no tls", error.is_no_tls()),
                ("unattested", error.is_peer_unattested()),
                ("ordinary", error.is_not_attested_tls()),
                ("challenge", error.is_acme_challenge()),
                ("peer", error.is_peer()),
                ("local", error.is_local()),
                ("verifier", error.is_verifier()),
            ];
            let so = predicates.into_iter().filter(|(_, is_so)| *is_so);
            so.map(|(name, _)| name).collect::<Vec<_>>()
        };
        for (error, expected) in [
            (Error::deadline(Stage::Exchange), vec!["timeout", "peer"]),
            (Error::deadline(Stage::Queue), vec!["timeout", "local"]),
            (Error::closed(), vec!["closed", "peer"]),
            (Error::tls(Side::Client, broken()), vec!["closed", "peer"]),
            (Error::writing(broken()), vec!["closed", "peer"]),
            (Error::writing(other()), vec!["peer"]),
            (Error::reading(other()), vec!["peer"]),
            (Error::peer_unattested(), vec!["unattested", "peer"]),
            (
                Error::not_a_frame(Side::Server, b'H'),
                vec!["ordinary", "peer"],
            ),
            (Error::not_a_frame(Side::Client, b'H'), vec!["peer"]),
            (Error::acme_challenge(), vec!["challenge", "peer"]),
            (Error::wrong_order(), vec!["peer"]),
            (Error::uri("none"), vec!["local"]),
        ] {
            let what = format!("{error:?}");
            assert_eq!(told(error), expected, "{what}");
        }
    }
}
