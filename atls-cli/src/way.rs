//! The way to a server: straight, or through a CONNECT proxy.

use std::error::Error;
use std::ffi::OsString;
use std::fmt;
use std::pin::Pin;
use std::str::FromStr;
use std::sync::Arc;
use std::task::Context;
use std::task::Poll;

use atls_core::limits::DEFAULT_CONNECT;
use http::Uri;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::proxy::Tunnel;
use hyper_util::client::proxy::matcher::Matcher;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tower::Service;

use crate::failure::Failure;

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
    /// # Errors
    /// A usage failure where a proxy is named that cannot be used. The connection would go straight then, which nobody asked for.
    pub(crate) fn new(proxy: Option<&ProxyOption>) -> Result<Self, Failure> {
        let mut direct = HttpConnector::new();
        direct.enforce_http(false);
        direct.set_nodelay(true);
        direct.set_connect_timeout(Some(DEFAULT_CONNECT));
        let proxies = match proxy {
            None => None,
            Some(ProxyOption::Environment) => of_environment(|name| std::env::var_os(name))?,
            // With the name and the password that are in it.
            Some(ProxyOption::One(uri)) => Some(matcher("--connect-proxy", &uri.to_string(), "")?),
        };
        let proxies = proxies.map(Arc::new);
        Ok(Self { direct, proxies })
    }

    /// The tunnel to this address, where there is to be one.
    fn tunnel(&self, to: &Uri) -> Option<Tunnel<HttpConnector>> {
        let found = self.proxies.as_ref()?.intercept(to)?;
        let tunnel = Tunnel::new(found.uri().clone(), self.direct.clone());
        Some(match found.basic_auth() {
            Some(auth) => tunnel.with_auth(auth.clone()),
            None => tunnel,
        })
    }
}

/// The proxy that the environment names. `Matcher::from_env` takes a value that it does not understand for none.
fn of_environment(variable: impl Fn(&str) -> Option<OsString>) -> Result<Option<Matcher>, Failure> {
    let first = |names: [&'static str; 2]| -> Result<(&'static str, String), Failure> {
        let set = names.iter().find_map(|name| Some((*name, variable(name)?)));
        let Some((name, value)) = set else {
            return Ok((names[0], String::new()));
        };
        let text = value.into_string();
        let text = text.map_err(|_| Failure::usage(format!("{name} is no UTF-8")))?;
        Ok((name, text))
    };
    let https = first(["HTTPS_PROXY", "https_proxy"])?;
    let all = first(["ALL_PROXY", "all_proxy"])?;
    let (_, no) = first(["NO_PROXY", "no_proxy"])?;
    match [https, all]
        .into_iter()
        .find(|(_, proxy)| !proxy.is_empty())
    {
        Some((name, proxy)) => matcher(name, &proxy, &no).map(Some),
        None => Ok(None),
    }
}

/// This proxy, but for these addresses.
fn matcher(name: &str, proxy: &str, no: &str) -> Result<Matcher, Failure> {
    let matcher = |no: &str| Matcher::builder().all(proxy).no(no).build();
    let found = matcher("").intercept(&Uri::from_static("https://any.invalid/"));
    // Others want TLS or SOCKS to the proxy itself, and would be spoken to in the clear. A port that is no number would be 80.
    let is_usable = found.is_some_and(|found| {
        found.uri().scheme_str() == Some("http") && found.uri().port_u16().is_some()
    });
    if !is_usable {
        // The value may have a password in it.
        let wrong = format!("{name} names no proxy that can be used");
        return Err(Failure::usage(wrong)
            .with_help("write it as http://HOST:PORT; only CONNECT over http is spoken"));
    }
    Ok(matcher(no))
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
            None => {
                let connecting = self.direct.call(to);
                Box::pin(async { connecting.await.map_err(Into::into) })
            }
            Some(mut tunnel) => Box::pin(async move { tunnel.call(to).await.map_err(Into::into) }),
        }
    }
}

impl fmt::Debug for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Way").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The address of the proxy that these variables have requests to `https://a.example/` go through.
    fn through(variables: &[(&str, &str)]) -> Result<Option<String>, Failure> {
        let variable = |name: &str| {
            let mut all = variables.iter();
            all.find_map(|(known, value)| (*known == name).then(|| value.into()))
        };
        let found = of_environment(variable)?;
        let found = found.and_then(|it| it.intercept(&Uri::from_static("https://a.example/")));
        Ok(found.map(|found| found.uri().to_string()))
    }

    #[test]
    fn the_environment_names_a_proxy_or_none() {
        let proxy = "http://proxy.example:3128";
        for (variables, expected) in [
            (&[][..], None),
            (&[("HTTPS_PROXY", "")], None),
            (&[("HTTP_PROXY", proxy)], None),
            (&[("https_proxy", proxy)], Some(proxy)),
            (&[("HTTPS_PROXY", "proxy.example:3128")], Some(proxy)),
            (&[("HTTPS_PROXY", ""), ("ALL_PROXY", proxy)], Some(proxy)),
            // What a server of CGI sets makes no proxy go away.
            (
                &[("REQUEST_METHOD", "GET"), ("HTTPS_PROXY", proxy)],
                Some(proxy),
            ),
            (&[("HTTPS_PROXY", proxy), ("NO_PROXY", "example")], None),
        ] {
            let found = through(variables).unwrap();
            let expected = expected.map(|proxy| format!("{proxy}/"));
            assert_eq!(found, expected, "{variables:?}");
        }
    }

    #[test]
    fn a_proxy_that_cannot_be_used_is_never_gone_around() {
        for wrong in [
            "http://[::1",
            " http://a:1",
            "http:/a:1",
            "htp://a:1",
            "https://a:1",
            "socks5://a:1",
            "http://a:70000",
            "http://a",
            "a",
        ] {
            assert!(through(&[("HTTPS_PROXY", wrong)]).is_err(), "{wrong}");
            assert!(through(&[("ALL_PROXY", wrong)]).is_err(), "{wrong}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_proxy_that_is_no_text_is_never_gone_around() {
        use std::os::unix::ffi::OsStringExt;
        let variable = |name: &str| {
            (name == "HTTPS_PROXY").then(|| OsString::from_vec(b"http://\xff:1".to_vec()))
        };
        assert!(of_environment(variable).is_err());
    }

    /// Its backlog is full, so it answers nothing to whoever connects.
    #[cfg(target_os = "linux")]
    #[tokio::test(start_paused = true)]
    async fn a_host_that_answers_nothing_is_given_up() {
        let socket = tokio::net::TcpSocket::new_v4().unwrap();
        socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let listener = socket.listen(0).unwrap();
        let address = listener.local_addr().unwrap();
        let _first = TcpStream::connect(address).await.unwrap();
        let to = format!("https://{address}/").parse().unwrap();
        let connecting = Way::new(None).unwrap().call(to);
        let connected = tokio::time::timeout(DEFAULT_CONNECT.saturating_mul(2), connecting).await;
        assert!(connected.unwrap().is_err());
    }
}
