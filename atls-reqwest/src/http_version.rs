//! The HTTP versions of an attested client.

/// The HTTP versions that the client speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(clippy::exhaustive_enums, reason = "what reqwest can do")]
pub enum Http {
    /// As the server prefers. A burst of first requests opens, and **attests, a connection each**, because the pool
    /// cannot know that one HTTP/2 connection would do.
    Auto,
    /// HTTP/1.1: a connection, and an attestation, for each request at a time.
    One,
    /// HTTP/2: one connection, and one attestation, for all requests to a server. The default, so that no burst of
    /// requests makes a device attest as often. A server without HTTP/2 is refused by an error that says so
    /// ([`Error::is_http_version`](crate::Error::is_http_version)).
    Two,
}

impl Http {
    /// The protocol names for ALPN, preferred first.
    pub(crate) fn alpn(self) -> Vec<Vec<u8>> {
        let names: &[&[u8]] = match self {
            Self::Auto => &[b"h2", b"http/1.1"],
            Self::One => &[b"http/1.1"],
            Self::Two => &[b"h2"],
        };
        names.iter().map(|name| name.to_vec()).collect()
    }
}
