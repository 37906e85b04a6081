//! The three modes.

use atls_core::Binding;

/// How the peer attests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(clippy::exhaustive_enums, reason = "the three modes of attested TLS")]
pub enum Mode {
    /// After the handshake, in an exported authenticator: the default.
    AfterHandshake,
    /// In its certificate, made before this connection.
    InCertificate,
    /// In its certificate, made during this handshake.
    InHandshake,
}

impl Mode {
    /// The binding of such an attestation.
    pub fn binding(self) -> Binding {
        match self {
            Self::AfterHandshake => Binding::Connection,
            Self::InCertificate => Binding::Key,
            Self::InHandshake => Binding::Handshake,
        }
    }
}
