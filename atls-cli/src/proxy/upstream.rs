//! The service behind a reverse proxy.

use std::fmt;
use std::io;
use std::net::IpAddr;
use std::path::PathBuf;
use std::pin::Pin;
use std::str::FromStr;
use std::task::Context;
use std::task::Poll;
use std::time::Duration;

use axum::body::Body;
use http::HeaderMap;
use http::Uri;
use http::header;
use http::uri::Authority;
use http::uri::PathAndQuery;
use http::uri::Scheme;
use hyper::rt::ReadBufCursor;
use hyper_util::client::legacy::Builder;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::Connected;
use hyper_util::client::legacy::connect::Connection;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::net::UnixStream;
use tower::Service;

/// Its address, and the HTTP that it speaks in the clear.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Upstream {
    place: Place,
    version: Version,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Place {
    Tcp(Authority),
    Unix(PathBuf),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Version {
    One,
    Two,
}

impl FromStr for Upstream {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (scheme, rest) = text.split_once(':').ok_or(FORMS)?;
        let version = match scheme {
            "http" | "unix" => Version::One,
            "h2c" | "unix+h2c" => Version::Two,
            _ => return Err(FORMS.to_owned()),
        };
        let place = if scheme.starts_with("unix") {
            Place::Unix(rest.into())
        } else {
            let authority = rest.strip_prefix("//").ok_or(FORMS)?;
            let authority = authority.trim_end_matches('/');
            let authority: Authority = authority.parse().map_err(|_| FORMS)?;
            if authority.port().is_none() {
                return Err("it names no port".to_owned());
            }
            Place::Tcp(authority)
        };
        Ok(Self { place, version })
    }
}

impl Upstream {
    /// A client that goes there, whatever a request says.
    pub(super) fn client(&self, builder: &mut Builder) -> Client<ToUpstream, Body> {
        if self.version == Version::Two {
            builder.http2_only(true);
        }
        builder.build(ToUpstream(self.place.clone()))
    }

    /// Has a request name its host as this version of HTTP does it. In HTTP/2 the host is in the address, which is that of the service,
    /// and a header that names another is an error (RFC 9113 §8.3.1).
    pub(super) fn name(&self, headers: &mut HeaderMap, set: &mut HeaderMap) {
        if self.version == Version::Two {
            headers.remove(header::HOST);
            set.remove(header::HOST);
        }
    }

    /// Whether the way there stays in this machine, by its address.
    pub(super) fn is_of_this_machine(&self) -> bool {
        let Place::Tcp(authority) = &self.place else {
            return true;
        };
        let host = authority.host();
        let address: Option<IpAddr> = host.trim_matches(['[', ']']).parse().ok();
        match address {
            Some(address) => address.to_canonical().is_loopback(),
            None => host.eq_ignore_ascii_case("localhost"),
        }
    }

    /// The address of a request to it.
    pub(super) fn uri(&self, path: Option<&PathAndQuery>) -> Uri {
        let mut parts = http::uri::Parts::default();
        parts.scheme = Some(Scheme::HTTP);
        parts.authority = Some(match &self.place {
            Place::Tcp(authority) => authority.clone(),
            // The client wants a name; the connector knows the place.
            Place::Unix(_) => Authority::from_static("localhost"),
        });
        let path = path.cloned();
        parts.path_and_query = Some(path.unwrap_or_else(|| PathAndQuery::from_static("/")));
        Uri::from_parts(parts).unwrap_or_default()
    }
}

/// The connector.
#[derive(Clone, Debug)]
pub(super) struct ToUpstream(Place);

impl Service<Uri> for ToUpstream {
    type Response = Socket;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Socket>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Uri) -> Self::Future {
        let place = self.0.clone();
        Box::pin(async move {
            let connecting = async {
                Ok::<_, io::Error>(match place {
                    Place::Tcp(authority) => {
                        let stream = TcpStream::connect(authority.as_str()).await?;
                        stream.set_nodelay(true)?;
                        Socket::Tcp(TokioIo::new(stream))
                    }
                    Place::Unix(path) => {
                        Socket::Unix(TokioIo::new(UnixStream::connect(path).await?))
                    }
                })
            };
            match tokio::time::timeout(CONNECT_TIMEOUT, connecting).await {
                Ok(connected) => connected,
                Err(_) => Err(io::ErrorKind::TimedOut.into()),
            }
        })
    }
}

/// A connection to it.
pub(super) enum Socket {
    Tcp(TokioIo<TcpStream>),
    Unix(TokioIo<UnixStream>),
}

impl Connection for Socket {
    fn connected(&self) -> Connected {
        Connected::new()
    }
}

impl hyper::rt::Read for Socket {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tcp(io) => Pin::new(io).poll_read(cx, buffer),
            Self::Unix(io) => Pin::new(io).poll_read(cx, buffer),
        }
    }
}

impl hyper::rt::Write for Socket {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        data: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Tcp(io) => Pin::new(io).poll_write(cx, data),
            Self::Unix(io) => Pin::new(io).poll_write(cx, data),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tcp(io) => Pin::new(io).poll_flush(cx),
            Self::Unix(io) => Pin::new(io).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tcp(io) => Pin::new(io).poll_shutdown(cx),
            Self::Unix(io) => Pin::new(io).poll_shutdown(cx),
        }
    }
}

impl fmt::Debug for Socket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Socket")
    }
}

/// For a service on the same machine.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

const FORMS: &str = "write it as http://HOST:PORT, h2c://HOST:PORT, unix:PATH or unix+h2c:PATH";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_form_is_understood_and_others_are_told() {
        for text in [
            "http://127.0.0.1:80",
            "h2c://localhost:50051/",
            "unix:/run/x",
            "unix+h2c:/run/x",
        ] {
            assert!(text.parse::<Upstream>().is_ok(), "{text}");
        }
        for text in ["https://a:1", "http://a", "a:1", "http:a:1", ""] {
            assert!(text.parse::<Upstream>().is_err(), "{text}");
        }
    }

    #[test]
    fn only_loopback_and_unix_sockets_stay_in_this_machine() {
        let is = |text: &str| text.parse::<Upstream>().unwrap().is_of_this_machine();
        for text in [
            "http://127.0.0.1:80",
            "h2c://LOCALHOST:1",
            "http://[::1]:80",
            "unix:/x",
        ] {
            assert!(is(text), "{text}");
        }
        for text in [
            "http://10.0.0.1:80",
            "http://0.0.0.0:80",
            "http://localhost.example:80",
            "http://127.0.0.1.example:80",
            "h2c://[2001:db8::1]:80",
        ] {
            assert!(!is(text), "{text}");
        }
    }

    #[test]
    fn a_request_goes_to_the_upstream_whatever_it_names() {
        let upstream: Upstream = "http://127.0.0.1:8080".parse().unwrap();
        let path = PathAndQuery::from_static("/a?b");
        assert_eq!(upstream.uri(Some(&path)), "http://127.0.0.1:8080/a?b");
    }
}
