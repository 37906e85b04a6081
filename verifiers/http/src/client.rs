//! A reqwest client as the core sees it.

use atls_core::BoxFuture;
use atls_core::HttpClient;
use atls_core::HttpError;
use atls_core::HttpLimits;
use reqwest::redirect;

/// A [`reqwest::Client`], plain or attested, with the limits of [`HttpLimits`] applied to each request.
#[derive(Clone, Debug)]
pub struct ReqwestClient {
    client: reqwest::Client,
}

impl ReqwestClient {
    /// Finishes a builder, on which TLS and trust anchors are the caller's. Redirects are switched off: what a verifier
    /// is sent goes nowhere else.
    ///
    /// # Errors
    /// As [`reqwest::ClientBuilder::build`].
    pub fn build(builder: reqwest::ClientBuilder) -> Result<Self, reqwest::Error> {
        let client = builder.redirect(redirect::Policy::none()).build()?;
        Ok(Self { client })
    }

    async fn exchange(
        &self,
        request: http::Request<Vec<u8>>,
        max_body: usize,
    ) -> Result<http::Response<Vec<u8>>, HttpError> {
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

/// URLs may hold a nonce or key: they stay out of the text.
#[allow(clippy::needless_pass_by_value, reason = "for use with `map_err`")]
fn unreachable(error: reqwest::Error) -> HttpError {
    HttpError::Unreachable(error.without_url().to_string())
}
