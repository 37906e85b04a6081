//! The failures to make a connection, and to find the attestation of a response.

use std::fmt;

use atls_core::Fault;

use crate::http_version::Http;
use crate::setting::Setting;

/// The reason for which a connection was refused. It stands at the end of the source chain of a [`reqwest::Error`]; find it by
/// [`Error::of`].
#[derive(Clone, Debug)]
pub struct Error {
    kind: Kind,
}

#[derive(Clone, Debug)]
enum Kind {
    ConnectTimeout,
    Contradiction(Setting),
    Exchange(atls_tower::Error),
    HttpVersion(Http),
    NotTls,
    ProxiedInTheClear,
}

impl Error {
    /// The refusal behind an error of reqwest, if it is one.
    ///
    /// ```
    /// # fn example(error: &reqwest::Error) {
    /// if let Some(refusal) = atls_reqwest::Error::of(error) {
    ///     println!("not attested, by fault of {}: {}", refusal.fault(), refusal.report());
    /// }
    /// # }
    /// ```
    pub fn of(error: &reqwest::Error) -> Option<&Self> {
        let mut source: Option<&(dyn std::error::Error + 'static)> = Some(error);
        while let Some(error) = source {
            if let Some(found) = error.downcast_ref() {
                return Some(found);
            }
            source = error.source();
        }
        None
    }

    /// The refusal with all its causes in one line, down to the check that failed: what a log should have. For an error of
    /// reqwest as a whole, with the URL, use [`atls_core::report`].
    pub fn report(&self) -> impl fmt::Debug + fmt::Display + '_ {
        atls_core::report(self)
    }

    /// The party at fault.
    pub fn fault(&self) -> Fault {
        match &self.kind {
            Kind::ConnectTimeout => Fault::Peer,
            Kind::Exchange(error) => error.fault(),
            Kind::Contradiction(_)
            | Kind::HttpVersion(_)
            | Kind::NotTls
            | Kind::ProxiedInTheClear => Fault::Local,
        }
    }

    /// The error of the exchange with the server, with its predicates.
    pub fn in_exchange(&self) -> Option<&atls_tower::Error> {
        match &self.kind {
            Kind::Exchange(error) => Some(error),
            _ => None,
        }
    }

    /// The server speaks none of the HTTP versions that this client was built for, or reqwest's builder was set to another
    /// one: say it by [`AttestedBuilder::http`](crate::AttestedBuilder::http).
    pub fn is_http_version(&self) -> bool {
        matches!(self.kind, Kind::Contradiction(_) | Kind::HttpVersion(_))
    }

    /// The request would have gone over a connection without TLS: an `http` URL, maybe by a redirect.
    pub fn is_not_tls(&self) -> bool {
        matches!(self.kind, Kind::NotTls | Kind::ProxiedInTheClear)
    }

    /// Connecting, or the exchange, took too long.
    pub fn is_timeout(&self) -> bool {
        match &self.kind {
            Kind::ConnectTimeout => true,
            Kind::Exchange(error) => error.is_timeout(),
            _ => false,
        }
    }

    pub(crate) fn connect_timeout() -> Self {
        Self {
            kind: Kind::ConnectTimeout,
        }
    }

    pub(crate) fn contradiction(setting: Setting) -> Self {
        Self {
            kind: Kind::Contradiction(setting),
        }
    }

    pub(crate) fn http_version(http: Http) -> Self {
        Self {
            kind: Kind::HttpVersion(http),
        }
    }

    pub(crate) fn exchange(error: atls_tower::Error) -> Self {
        Self {
            kind: Kind::Exchange(error),
        }
    }

    pub(crate) fn not_tls() -> Self {
        Self { kind: Kind::NotTls }
    }

    pub(crate) fn proxied_in_the_clear() -> Self {
        Self {
            kind: Kind::ProxiedInTheClear,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            Kind::ConnectTimeout => f.write_str("connecting took too long"),
            Kind::Contradiction(setting) => write!(
                f,
                "`{}` of reqwest's builder has no effect on an attested client; \
                 build `Attested` with `.http(Http::{:?})`",
                setting.name(),
                setting.says()
            ),
            Kind::Exchange(error) => error.fmt(f),
            Kind::HttpVersion(Http::One) => f.write_str(
                "server does not speak HTTP/1.1, and this client nothing else; \
                 build `Attested` with `.http(Http::Two)` or `.http(Http::Auto)`",
            ),
            Kind::HttpVersion(Http::Two) => f.write_str(
                "server does not speak HTTP/2, and this client nothing else; \
                 build `Attested` with `.http(Http::One)` or `.http(Http::Auto)`",
            ),
            Kind::HttpVersion(Http::Auto) => {
                f.write_str("server speaks neither HTTP/2 nor HTTP/1.1")
            }
            Kind::NotTls => f.write_str("connection is not attested TLS; use an https URL"),
            Kind::ProxiedInTheClear => {
                f.write_str("a proxy would read the request; use an https URL")
            }
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.kind {
            Kind::Exchange(error) => error.source(),
            _ => None,
        }
    }
}

/// A response whose peer is not, or no longer, known to be attested.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LookupError {
    /// The result has ended since the connection was made. Do not use the response as one of an attested peer.
    #[error("the server's attestation has expired; ask again on a new connection")]
    Expired,
    /// The response is not from an attested client of this configuration, came over a Unix socket, was looked up
    /// long after, or the client does not demand attestation of servers.
    #[error(
        "no attestation is known for this response; look it up on the client that made the request, \
         and require_peer in its configuration"
    )]
    Unknown,
}
