//! What an end knows of the TLS connection under an attestation.

use std::fmt;

use rustls::CipherSuite;
use rustls::NamedGroup;
use rustls::ProtocolVersion;
use rustls::SignatureScheme;

/// The parameters of the TLS connection on which a peer attested, as far as this end knows them.
///
/// A fact that is not known comes with its reason. A policy that needs it must refuse then, as
/// [`RequireHybridGroup`](crate::policy::RequireHybridGroup) does.
///
/// They say how well the *connection* is protected. Evidence has a signature of its own, which the platform makes: see
/// `docs/post-quantum.md`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct TlsFacts {
    pub(super) suite: Result<CipherSuite, NotKnown>,
    pub(super) group: Result<NamedGroup, NotKnown>,
    pub(super) leaf_scheme: Result<SignatureScheme, NotKnown>,
}

impl TlsFacts {
    /// Those of a stream that is out of reach.
    pub(crate) const NOTHING: Self = Self {
        suite: Err(NotKnown::StreamOutOfReach),
        group: Err(NotKnown::StreamOutOfReach),
        leaf_scheme: Err(NotKnown::NoAuthenticator),
    };

    /// The version of TLS, always 1.3: the protocol takes no other.
    pub fn version(&self) -> ProtocolVersion {
        ProtocolVersion::TLSv1_3
    }

    /// The cipher suite.
    ///
    /// # Errors
    /// [`NotKnown::StreamOutOfReach`] where the TLS stream is out of reach and the hash of the connection leaves a choice of suites.
    pub fn suite(&self) -> Result<CipherSuite, NotKnown> {
        self.suite
    }

    /// The group of the key exchange.
    ///
    /// # Errors
    /// [`NotKnown::StreamOutOfReach`] where the TLS stream is out of reach and the configuration leaves a choice of groups.
    pub fn group(&self) -> Result<NamedGroup, NotKnown> {
        self.group
    }

    /// The scheme by which the end-entity key of the peer signed on this connection: that of its authenticator.
    ///
    /// # Errors
    /// [`NotKnown::NoAuthenticator`] in the two weaker modes, which have none.
    pub fn leaf_scheme(&self) -> Result<SignatureScheme, NotKnown> {
        self.leaf_scheme
    }

    /// Facts of which the scheme is known now.
    pub(crate) fn signed_by(self, scheme: SignatureScheme) -> Self {
        Self {
            leaf_scheme: Ok(scheme),
            ..self
        }
    }
}

/// Prints names of TLS, and "not known" for the rest: `TLSv1_3, TLS13_AES_256_GCM_SHA384, X25519MLKEM768, ED25519`.
impl fmt::Display for TlsFacts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}, ", self.version())?;
        fact(f, "suite", self.suite)?;
        f.write_str(", ")?;
        fact(f, "group", self.group)?;
        f.write_str(", ")?;
        fact(f, "leaf scheme", self.leaf_scheme)
    }
}

fn fact<T: fmt::Debug>(
    f: &mut fmt::Formatter<'_>,
    name: &str,
    fact: Result<T, NotKnown>,
) -> fmt::Result {
    match fact {
        Ok(value) => write!(f, "{value:?}"),
        Err(reason) => write!(f, "{name} not known ({reason})"),
    }
}

impl fmt::Debug for TlsFacts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TlsFacts({self})")
    }
}

/// Why a fact of the TLS connection is not known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum NotKnown {
    /// The peer attested in its certificate, and the signature of the handshake is seen by the TLS library alone.
    #[error("the peer sent no authenticator")]
    NoAuthenticator,
    /// The HTTP library keeps the TLS stream to itself. Configure one choice, which is known then; or use a connector of `atls-tower`.
    #[error("the HTTP library keeps the TLS stream to itself")]
    StreamOutOfReach,
}
