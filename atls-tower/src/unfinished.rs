//! Connections that ended without an outcome.

/// The end of a connection without an outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unfinished {
    /// Whoever made it has stopped to wait: a request that was cancelled, a listener that was dropped.
    Abandoned,
    /// In a callback of TLS, such as a resolver of certificates.
    Panicked,
}

impl Unfinished {
    pub(crate) fn reason(&self) -> &'static str {
        match self {
            Self::Abandoned => "abandoned",
            Self::Panicked => "panicked",
        }
    }
}
