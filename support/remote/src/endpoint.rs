//! The address of a service, which the configuration chooses, never a peer or a token.

use std::fmt;

use http::Uri;

/// The base address of a service: `https`, a host, perhaps a path; no query and no credentials.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    base: String,
}

impl Endpoint {
    /// Parses `https://host[:port][/path]`.
    ///
    /// # Errors
    /// [`EndpointError`]
    pub fn https(url: &str) -> Result<Self, EndpointError> {
        let (uri, base) = parse(url)?;
        match uri.scheme_str() {
            Some("https") => Ok(base),
            _ => Err(EndpointError::NotHttps),
        }
    }

    /// Also takes `http`, to an address of this very machine (127.0.0.0/8, `::1`, `localhost`) and no other: for tests and for
    /// a sidecar. Any process that listens there **is** the service.
    ///
    /// # Errors
    /// [`EndpointError`]
    pub fn dangerous_loopback(url: &str) -> Result<Self, EndpointError> {
        let (uri, base) = parse(url)?;
        match uri.scheme_str() {
            Some("https") => Ok(base),
            Some("http") if is_loopback(&uri) => Ok(base),
            _ => Err(EndpointError::NotHttps),
        }
    }

    /// The address of a path below the base. `path` begins with a slash, and may have a query.
    ///
    /// # Errors
    /// [`EndpointError::Malformed`]
    pub fn join(&self, path: &str) -> Result<Uri, EndpointError> {
        if !path.starts_with('/') {
            return Err(EndpointError::Malformed);
        }
        let url = format!("{}{path}", self.base);
        url.parse().map_err(|_| EndpointError::Malformed)
    }
}

/// The URL as it was given, without a slash at its end.
impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.base)
    }
}

/// The address of a service is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EndpointError {
    /// The address has a path, and this service is at the root of its host. Leave the path out.
    #[error("address of this service has a path; leave it out")]
    HasPath,
    /// The text is no URL with a host, or has credentials or a query. Write `https://HOST[:PORT][/PATH]`.
    #[error(
        "not the address of a service; write https://HOST[:PORT][/PATH], without credentials or query"
    )]
    Malformed,
    /// The URL is not `https`, nor a loopback address that was named dangerous. Use `https`.
    #[error(
        "address of a service is not https; http is only for this machine, where the configuration says so"
    )]
    NotHttps,
}

pub(crate) fn is_loopback(uri: &Uri) -> bool {
    let host = uri.host().unwrap_or_default();
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let address = bare.parse::<std::net::IpAddr>();
    host == "localhost" || address.is_ok_and(|address| address.is_loopback())
}

fn parse(url: &str) -> Result<(Uri, Endpoint), EndpointError> {
    let uri: Uri = url.parse().map_err(|_| EndpointError::Malformed)?;
    let authority = uri.authority().ok_or(EndpointError::Malformed)?;
    if authority.as_str().contains('@') || uri.query().is_some() || url.contains('#') {
        return Err(EndpointError::Malformed);
    }
    let base = url.trim_end_matches('/').to_owned();
    Ok((uri, Endpoint { base }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_https_or_named_loopback() {
        for url in ["https://a.example", "https://a.example:8443/base/"] {
            assert!(Endpoint::https(url).is_ok(), "{url}");
        }
        for url in ["http://a.example", "http://127.0.0.1:1", "ftp://a.example"] {
            assert_eq!(Endpoint::https(url), Err(EndpointError::NotHttps), "{url}");
        }
        for url in [
            "http://127.0.0.1:1",
            "http://[::1]:1",
            "http://localhost:1",
            "https://a.example",
        ] {
            assert!(Endpoint::dangerous_loopback(url).is_ok(), "{url}");
        }
        for url in [
            "http://a.example",
            "http://127.0.0.1.example",
            "http://10.0.0.1",
            "http://localhost.example",
        ] {
            assert_eq!(
                Endpoint::dangerous_loopback(url),
                Err(EndpointError::NotHttps),
                "{url}"
            );
        }
        for url in [
            "",
            "/path",
            "https://",
            "https://u:p@a.example",
            "https://a.example/?q",
            "https://a.example/#f",
        ] {
            assert_eq!(Endpoint::https(url), Err(EndpointError::Malformed), "{url}");
        }
    }

    #[test]
    fn joins_below_and_nowhere_else() {
        let endpoint = Endpoint::https("https://a.example/base/").unwrap();
        let joined = endpoint.join("/x?y=z").unwrap();
        assert_eq!(joined.to_string(), "https://a.example/base/x?y=z");
        for path in ["x", "@evil.example/", ".evil.example/", "/ x", ""] {
            assert!(endpoint.join(path).is_err(), "{path}");
        }
    }
}
