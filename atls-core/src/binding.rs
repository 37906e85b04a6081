//! What an attestation is bound to.

use std::fmt;

/// What an attestation is bound to, weakest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(clippy::exhaustive_enums, reason = "the three modes of attested TLS")]
pub enum Binding {
    /// To a key (RA-TLS): open to replay, relay with a leaked key, and diversion.
    Key,
    /// To a nonce of the handshake and a key: open to relay with a leaked key, and diversion.
    Handshake,
    /// To this connection's exporter and a key.
    Connection,
}

impl fmt::Display for Binding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Key => "key",
            Self::Handshake => "handshake",
            Self::Connection => "connection",
        })
    }
}
