//! A TLS handshake that failed, in the words of its likely cause.

use std::fmt;
use std::io;

use atls_core::Fault;
use atls_core::session::Side;
use rustls::AlertDescription;
use rustls::InvalidMessage;
use rustls::PeerIncompatible;

/// The error of rustls, and which end the peer is.
#[derive(Debug)]
pub(crate) struct TlsFailure {
    peer: Side,
    error: io::Error,
}

/// The likely cause of the failure.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Cause {
    /// A callback of this end: a certificate verifier, a resolver.
    Callback,
    /// The peer's bytes are no TLS.
    NoTls,
    /// The peer has no TLS 1.3.
    OldTls,
    Other,
}

impl TlsFailure {
    pub(crate) fn new(peer: Side, error: io::Error) -> Self {
        Self { peer, error }
    }

    pub(crate) fn error(&self) -> &io::Error {
        &self.error
    }

    pub(crate) fn is_no_tls(&self) -> bool {
        self.cause() == Cause::NoTls
    }

    pub(crate) fn is_old_tls(&self) -> bool {
        self.cause() == Cause::OldTls
    }

    /// rustls has typed errors for the acts of the peer; a callback of this end returns a general one.
    pub(crate) fn fault(&self) -> Fault {
        match self.cause() {
            Cause::Callback => Fault::Local,
            Cause::NoTls | Cause::OldTls | Cause::Other => Fault::Peer,
        }
    }

    fn cause(&self) -> Cause {
        let held = self.error.get_ref();
        match held.and_then(|held| held.downcast_ref::<rustls::Error>()) {
            Some(rustls::Error::General(_)) => Cause::Callback,
            Some(
                rustls::Error::AlertReceived(AlertDescription::ProtocolVersion)
                | rustls::Error::PeerIncompatible(
                    PeerIncompatible::ServerDoesNotSupportTls12Or13
                    | PeerIncompatible::ServerTlsVersionIsDisabledByOurConfig
                    | PeerIncompatible::SupportedVersionsExtensionRequired
                    | PeerIncompatible::Tls12NotOffered
                    | PeerIncompatible::Tls12NotOfferedOrEnabled,
                ),
            ) => Cause::OldTls,
            Some(rustls::Error::InvalidMessage(
                InvalidMessage::InvalidContentType | InvalidMessage::UnknownProtocolVersion,
            )) => Cause::NoTls,
            // Records as of TLS, and no ClientHello in them.
            Some(
                rustls::Error::InappropriateMessage { .. }
                | rustls::Error::InappropriateHandshakeMessage { .. },
            ) if self.peer == Side::Client => Cause::NoTls,
            _ => Cause::Other,
        }
    }
}

impl fmt::Display for TlsFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match (self.cause(), self.peer) {
            (Cause::NoTls, Side::Client) => {
                "client sent no TLS ClientHello; it is a port scanner, or speaks plain HTTP to the TLS port"
            }
            (Cause::NoTls, Side::Server) => {
                "server does not speak TLS; give the port of its HTTPS service"
            }
            (Cause::OldTls, Side::Client) => {
                "the client speaks TLS 1.2 at most; attested TLS needs 1.3, so update or configure the client"
            }
            (Cause::OldTls, Side::Server) => {
                "the server speaks TLS 1.2 at most; attested TLS needs 1.3, so enable that on the server"
            }
            (Cause::Callback, _) => {
                "TLS handshake failed in a certificate verifier or resolver of this end"
            }
            (Cause::Other, _) => "TLS handshake failed",
        })
    }
}
