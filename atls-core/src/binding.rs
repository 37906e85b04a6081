//! The thing that an attestation is bound to.

use std::fmt;

/// The thing that an attestation is bound to, ordered from the weakest to the strongest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(clippy::exhaustive_enums, reason = "the three modes of attested TLS")]
pub enum Binding {
    /// A key (RA-TLS). Open to replay, to relay with a leaked key, and to diversion.
    Key,
    /// A nonce of the handshake, and a key. Open to relay with a leaked key, and to diversion.
    Handshake,
    /// This connection's exporter, and a key.
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Statements about a peer that a service forwards name it by these words.
    #[test]
    fn each_binding_has_its_word() {
        let all = [Binding::Key, Binding::Handshake, Binding::Connection];
        let words = all.map(|binding| binding.to_string());
        assert_eq!(words, ["key", "handshake", "connection"]);
    }
}
