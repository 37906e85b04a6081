//! One JSON request to a service, and what its failure means for an appraisal.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use atls_core::AppraisalError;
use atls_core::bounded;
use atls_core::ear::KeySource;
use atls_core::ear::MAX_TOKEN;
use atls_core::http::HttpClient;
use atls_core::http::HttpLimits;
use http::HeaderMap;
use http::HeaderValue;
use http::Method;
use http::Request;
use http::StatusCode;
use http::Uri;
use http::header::ACCEPT;
use http::header::CONTENT_TYPE;
use serde_json::Value;
use tracing::warn;

use crate::token::Token;
use crate::token::TokenCheck;

/// A service that appraises: where it is, how it is asked, and with which credentials.
#[derive(Clone)]
pub struct Service {
    name: &'static str,
    client: Arc<dyn HttpClient>,
    url: Uri,
    headers: HeaderMap,
    limits: HttpLimits,
}

impl Service {
    /// The name stands in events. A request may take 8 s, and its answer has room for the largest token.
    pub fn new(name: &'static str, client: Arc<dyn HttpClient>, url: Uri) -> Self {
        Self {
            name,
            client,
            url,
            headers: HeaderMap::new(),
            limits: HttpLimits::new(DEADLINE, MAX_ANSWER),
        }
    }

    /// Bounds each request otherwise.
    #[must_use]
    pub fn with_limits(mut self, limits: HttpLimits) -> Self {
        self.limits = limits;
        self
    }

    /// Adds a header to each request. Its value is a credential, and never logged.
    #[must_use]
    pub fn with_header(mut self, name: http::HeaderName, mut value: HeaderValue) -> Self {
        value.set_sensitive(true);
        self.headers.insert(name, value);
        self
    }

    /// Posts JSON and gives the token of the answer, `{"token": JWT}`, verified.
    ///
    /// # Errors
    /// Those of [`post`](Self::post) and [`Token::verify`], and [`AppraisalError::BadResult`] without token.
    pub async fn token(
        &self,
        body: &Value,
        keys: &dyn KeySource,
        check: &TokenCheck<'_>,
    ) -> Result<Token, AppraisalError> {
        let answer = self.post(body).await?;
        if !bounded::json(MAX_VALUES, &answer) {
            return Err(AppraisalError::BadResult);
        }
        let answer: Value =
            serde_json::from_slice(&answer).map_err(|_| AppraisalError::BadResult)?;
        let token = answer.get("token").and_then(Value::as_str);
        Token::verify(token.ok_or(AppraisalError::BadResult)?, keys, check).await
    }

    /// Posts JSON and gives the body of a 200.
    ///
    /// Sent once: services count, and bill, requests.
    ///
    /// # Errors
    /// [`AppraisalError::Malformed`] for 400 and 422, which are about the Evidence; [`AppraisalError::NoResult`] for 500,
    /// which may be; [`AppraisalError::BadResult`] for a body beyond the limit; [`AppraisalError::Unreachable`] for everything else, redirects
    /// included.
    pub async fn post(&self, body: &Value) -> Result<Vec<u8>, AppraisalError> {
        let mut request = Request::new(body.to_string().into_bytes());
        *request.method_mut() = Method::POST;
        *request.uri_mut() = self.url.clone();
        *request.headers_mut() = self.headers.clone();
        let headers = request.headers_mut();
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        let response = self.client.send(request, self.limits).await;
        let response = response.map_err(|error| {
            warn!(service = self.name, %error, "verifier was not asked, or did not answer");
            match error {
                atls_core::http::HttpError::TooLarge => AppraisalError::BadResult,
                _ => AppraisalError::Unreachable,
            }
        })?;
        if response.body().len() > self.limits.max_body {
            return Err(AppraisalError::BadResult);
        }
        let status = response.status();
        if status == StatusCode::OK {
            return Ok(response.into_body());
        }
        warn!(
            service = self.name,
            status = status.as_u16(),
            "verifier gave no result"
        );
        Err(match status {
            StatusCode::BAD_REQUEST | StatusCode::UNPROCESSABLE_ENTITY => AppraisalError::Malformed,
            StatusCode::INTERNAL_SERVER_ERROR => AppraisalError::NoResult,
            _ => AppraisalError::Unreachable,
        })
    }
}

impl fmt::Debug for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Service")
            .field("name", &self.name)
            .field("url", &self.url)
            .finish_non_exhaustive()
    }
}

/// Within the 10 s of an exchange.
const DEADLINE: Duration = Duration::from_secs(8);

/// Octets: the largest token, and the JSON around it.
const MAX_ANSWER: usize = MAX_TOKEN + 2 * 1024;

/// Most values in an answer. It has a token, and a few fields beside it.
const MAX_VALUES: usize = 256;
