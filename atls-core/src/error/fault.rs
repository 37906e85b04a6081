//! The party at fault.

use std::fmt;

/// The party at fault. Operators page on the last two only.
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
    /// The verifier could not be reached, or did not answer properly.
    Verifier,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Peer => "peer",
            Self::Local => "local",
            Self::Verifier => "verifier",
        })
    }
}
