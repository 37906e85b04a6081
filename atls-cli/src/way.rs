//! The way to a server: straight, or through a CONNECT proxy.

use std::error::Error;
use std::fmt;
use std::pin::Pin;
use std::str::FromStr;
use std::sync::Arc;
use std::task::Context;
use std::task::Poll;

use http::Uri;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::proxy::Tunnel;
use hyper_util::client::proxy::matcher::Matcher;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tower::Service;

/// `--connect-proxy`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ProxyOption {
    /// The proxy that `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY` name.
    Environment,
    /// This one, for all.
    One(Uri),
}

impl FromStr for ProxyOption {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "env" {
            return Ok(Self::Environment);
        }
        match text.parse::<Uri>() {
            Ok(uri) if uri.scheme_str() == Some("http") && uri.port().is_some() => {
                Ok(Self::One(uri))
            }
            _ => Err("write it as http://HOST:PORT, or env".to_owned()),
        }
    }
}

/// Connects sockets. What goes through them is attested TLS from end to end: a proxy sees names and lengths.
#[derive(Clone)]
pub(crate) struct Way {
    direct: HttpConnector,
    proxies: Option<Arc<Matcher>>,
}

impl Way {
    pub(crate) fn new(proxy: Option<&ProxyOption>) -> Self {
        let mut direct = HttpConnector::new();
        direct.enforce_http(false);
        direct.set_nodelay(true);
        let proxies = proxy.map(|proxy| match proxy {
            ProxyOption::Environment => Matcher::from_env(),
            // With the name and the password that are in it.
            ProxyOption::One(uri) => Matcher::builder().all(uri.to_string()).build(),
        });
        let proxies = proxies.map(Arc::new);
        Self { direct, proxies }
    }

    /// The tunnel to this address, where there is to be one.
    fn tunnel(&self, to: &Uri) -> Result<Option<Tunnel<HttpConnector>>, Unusable> {
        let intercepts = |matcher: &Arc<Matcher>| matcher.intercept(to);
        let Some(found) = self.proxies.as_ref().and_then(intercepts) else {
            return Ok(None);
        };
        let proxy = found.uri().clone();
        // Others want TLS or SOCKS to the proxy itself, and would be spoken to in the clear.
        if proxy.scheme_str() != Some("http") {
            return Err(Unusable);
        }
        let tunnel = Tunnel::new(proxy, self.direct.clone());
        Ok(Some(match found.basic_auth() {
            Some(auth) => tunnel.with_auth(auth.clone()),
            None => tunnel,
        }))
    }
}

type BoxError = Box<dyn Error + Send + Sync>;

impl Service<Uri> for Way {
    type Response = TokioIo<TcpStream>;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, BoxError>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.direct.poll_ready(cx).map_err(Into::into)
    }

    fn call(&mut self, to: Uri) -> Self::Future {
        match self.tunnel(&to) {
            Err(error) => Box::pin(async move { Err(error.into()) }),
            Ok(None) => {
                let connecting = self.direct.call(to);
                Box::pin(async { connecting.await.map_err(Into::into) })
            }
            Ok(Some(mut tunnel)) => {
                Box::pin(async move { tunnel.call(to).await.map_err(Into::into) })
            }
        }
    }
}

impl fmt::Debug for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Way").finish_non_exhaustive()
    }
}

/// A proxy of another kind.
#[derive(Clone, Copy, Debug)]
struct Unusable;

impl fmt::Display for Unusable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "the environment names a proxy that is not http; only CONNECT over http is spoken",
        )
    }
}

impl Error for Unusable {}
