//! A reqwest client behind the `HttpClient` of the core.

use std::time::Duration;

use atls_core::BoxFuture;
use atls_core::http::HttpClient;
use atls_core::http::HttpError;
use atls_core::http::HttpLimits;
use http::Uri;
use reqwest::Proxy;
use reqwest::redirect;

use crate::endpoint::is_loopback;

/// A [`reqwest::Client`], plain or attested, that applies [`HttpLimits`] to each request.
///
/// It goes to the address of the request and nowhere else: no redirects, no proxy of the environment, no `Referer`, no retries
/// of its own, `https` only. It keeps cookies only in a store that the builder was given: give it none.
#[derive(Clone, Debug)]
pub struct ReqwestClient {
    client: reqwest::Client,
    plain: Plain,
}

impl ReqwestClient {
    /// Finishes a builder, on which the caller sets TLS and trust anchors. It switches off redirects, proxies, `Referer`,
    /// retries and plain `http`, and keeps the other settings: headers of each request, a store of cookies.
    ///
    /// # Errors
    /// As [`reqwest::ClientBuilder::build`].
    pub fn build(builder: reqwest::ClientBuilder) -> Result<Self, reqwest::Error> {
        let client = harden(builder).https_only(true).build()?;
        Ok(Self {
            client,
            plain: Plain::Never,
        })
    }

    /// The same, through one proxy. The proxy sees which service is asked; `https` hides the contents.
    ///
    /// # Errors
    /// As [`reqwest::ClientBuilder::build`].
    pub fn build_through(
        builder: reqwest::ClientBuilder,
        proxy: Proxy,
    ) -> Result<Self, reqwest::Error> {
        let client = harden(builder).proxy(proxy).https_only(true).build()?;
        Ok(Self {
            client,
            plain: Plain::Never,
        })
    }

    /// The same, with `http` to addresses of this machine, and to no others: for tests and a sidecar.
    ///
    /// # Errors
    /// As [`reqwest::ClientBuilder::build`].
    pub fn dangerous_loopback(builder: reqwest::ClientBuilder) -> Result<Self, reqwest::Error> {
        let client = harden(builder).build()?;
        Ok(Self {
            client,
            plain: Plain::Loopback,
        })
    }

    /// The same, with `http` to `169.254.169.254` and to no other address: the metadata service of a cloud, which the host of this machine
    /// answers. Nothing that it answers is authentic.
    ///
    /// # Errors
    /// As [`reqwest::ClientBuilder::build`].
    pub fn metadata_service(builder: reqwest::ClientBuilder) -> Result<Self, reqwest::Error> {
        let client = harden(builder).build()?;
        Ok(Self {
            client,
            plain: Plain::MetadataService,
        })
    }

    fn permits(&self, uri: &Uri) -> bool {
        match (uri.scheme_str(), self.plain) {
            (Some("https"), _) => true,
            (Some("http"), Plain::Loopback) => is_loopback(uri),
            (Some("http"), Plain::MetadataService) => uri.host() == Some(METADATA_SERVICE),
            _ => false,
        }
    }

    async fn exchange(
        &self,
        request: http::Request<Vec<u8>>,
        max_body: usize,
    ) -> Result<http::Response<Vec<u8>>, HttpError> {
        if !self.permits(request.uri()) {
            return Err(HttpError::Unreachable("address is not https".to_owned()));
        }
        let request = reqwest::Request::try_from(request).map_err(unreachable)?;
        let mut response = self.client.execute(request).await.map_err(unreachable)?;
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(unreachable)? {
            if body.len().saturating_add(chunk.len()) > max_body {
                return Err(HttpError::TooLarge);
            }
            body.extend_from_slice(&chunk);
        }
        let (mut parts, ()) = http::Response::new(()).into_parts();
        parts.status = response.status();
        parts.headers = std::mem::take(response.headers_mut());
        Ok(http::Response::from_parts(parts, body))
    }
}

impl HttpClient for ReqwestClient {
    fn send(
        &self,
        request: http::Request<Vec<u8>>,
        limits: HttpLimits,
    ) -> BoxFuture<'_, Result<http::Response<Vec<u8>>, HttpError>> {
        Box::pin(async move {
            let exchange = self.exchange(request, limits.max_body);
            match tokio::time::timeout(limits.deadline, exchange).await {
                Ok(done) => done,
                Err(_) => Err(HttpError::TimedOut),
            }
        })
    }
}

/// The addresses to which `http` may go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Plain {
    Loopback,
    MetadataService,
    Never,
}

fn harden(builder: reqwest::ClientBuilder) -> reqwest::ClientBuilder {
    builder
        .connect_timeout(CONNECT_TIMEOUT)
        .http2_keep_alive_interval(PING)
        .http2_keep_alive_timeout(PING)
        .no_proxy()
        .redirect(redirect::Policy::none())
        .referer(false)
        .retry(reqwest::retry::never())
}

/// With every cause: a name that does not resolve, a port that is closed and a certificate of another authority want different cures. A URL
/// may hold a nonce or key, so it stays out of the text.
#[allow(clippy::needless_pass_by_value, reason = "for use with `map_err`")]
fn unreachable(error: reqwest::Error) -> HttpError {
    let text = atls_core::report(&error.without_url()).to_string();
    HttpError::Unreachable(printable(&text))
}

/// Names in a certificate are the words of whoever answered.
fn printable(text: &str) -> String {
    let mut shown = String::new();
    for c in text.chars().take(MAX_CAUSE) {
        match c.is_control() {
            true => shown.extend(c.escape_default()),
            false => shown.push(c),
        }
    }
    shown
}

/// The time for DNS, TCP, TLS and, with an attested client, attestation together. It is shorter than the deadline of a request,
/// so that a host that is gone does not use that up.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// An HTTP/2 connection on which a request waits is asked whether it lives, and closed when it does not answer. All requests share
/// one, so one that went dead without a word would fail them for as long as TCP believes in it.
const PING: Duration = Duration::from_secs(3);

/// Most characters of an error's text.
const MAX_CAUSE: usize = 500;

/// Link-local, the same at all clouds.
const METADATA_SERVICE: &str = "169.254.169.254";

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[test]
    fn a_client_of_the_metadata_service_takes_plain_http_to_it_alone() {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let tls = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(rustls::RootCertStore::empty())
            .with_no_client_auth();
        let builder = || reqwest::Client::builder().tls_backend_preconfigured(tls.clone());
        let metadata = ReqwestClient::metadata_service(builder()).unwrap();
        let strict = ReqwestClient::build(builder()).unwrap();
        for (uri, permitted) in [
            ("http://169.254.169.254/metadata", true),
            ("http://169.254.169.253/", false),
            ("http://169.254.169.254.example/", false),
            ("http://169.254.169.254@a.example/", false),
            ("http://127.0.0.1/", false),
            ("http://a.example/", false),
        ] {
            let uri: Uri = uri.parse().unwrap();
            assert_eq!(metadata.permits(&uri), permitted, "{uri}");
            assert!(!strict.permits(&uri), "{uri}");
        }
    }
}
