//! Why there is no new certificate.

/// An order that gave no certificate. The one before it stays in service.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OrderError {
    /// The ACME server refused, was away, or answered in a way that cannot be understood. The text is its own, escaped and cut.
    #[error("ACME server: {0}")]
    Acme(String),
    /// The chain that came is not for the key that was made for it, for all of the names, and for now.
    #[error("certificate of the ACME server cannot be used: {0}")]
    Certificate(&'static str),
    /// A key, a request or the certificate of a challenge could not be made.
    #[error("this end could not make its part: {0}")]
    Local(String),
    /// The ACME server offers no tls-alpn-01 for a name: a wildcard, for one.
    #[error("ACME server offers no tls-alpn-01 for a name")]
    NoChallenge,
    /// The ACME server could not validate a name, for the reason that it gives: it comes to another machine, or to none.
    #[error("ACME server could not validate a name: {0}")]
    NotValidated(String),
    /// The order took too long.
    #[error("no certificate within the deadline")]
    TimedOut,
}

impl From<instant_acme::Error> for OrderError {
    fn from(error: instant_acme::Error) -> Self {
        Self::Acme(escaped(&error.to_string()))
    }
}

impl From<rcgen::Error> for OrderError {
    fn from(error: rcgen::Error) -> Self {
        Self::Local(error.to_string())
    }
}

impl From<rustls::Error> for OrderError {
    fn from(error: rustls::Error) -> Self {
        Self::Local(error.to_string())
    }
}

/// A text of the ACME server, for one line of a log.
pub(crate) fn escaped(text: &str) -> String {
    text.escape_debug().take(MAX_TEXT).collect()
}

/// Characters: problem documents are sentences.
const MAX_TEXT: usize = 400;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_of_the_server_stays_in_its_line() {
        assert_eq!(escaped("a\nb\u{1b}[31m"), r"a\nb\u{1b}[31m");
        assert_eq!(escaped(&"a".repeat(1000)).len(), MAX_TEXT);
    }
}
