//! Services that take one JSON request and answer with one token.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use atls_core::AppraisalError;
use atls_core::bounded;
use atls_core::ear::MAX_TOKEN;
use atls_core::http::HttpClient;
use atls_core::http::HttpLimits;
use http::HeaderMap;
use http::HeaderName;
use http::HeaderValue;
use http::Method;
use http::Request;
use http::Response;
use http::StatusCode;
use http::Uri;
use http::header::ACCEPT;
use http::header::CONTENT_TYPE;
use serde_json::Value;

use crate::exchange::exchange;
use crate::exchange::is_of_type;
use crate::failure::Failure;

/// An address that takes JSON by `POST`, and the credentials for it.
///
/// Each request is sent once, because services count and bill requests. Its answer may have the length of the largest token
/// with the JSON around it.
#[derive(Clone)]
pub struct JsonApi {
    client: Arc<dyn HttpClient>,
    url: Uri,
    headers: HeaderMap,
}

impl JsonApi {
    /// An address without credentials.
    pub fn new(client: Arc<dyn HttpClient>, url: Uri) -> Self {
        Self {
            client,
            url,
            headers: HeaderMap::new(),
        }
    }

    /// Adds a header to each request. Its value is a credential and is never logged.
    #[must_use]
    pub fn with_header(mut self, name: HeaderName, mut value: HeaderValue) -> Self {
        value.set_sensitive(true);
        self.headers.insert(name, value);
        self
    }

    /// Posts JSON and gives the token of the answer `{"token": JWT}`, which must be labelled `application/json`. `time` is the longest
    /// that this may take: [`CheckedEvidence::time_left`](crate::CheckedEvidence::time_left), by which the client sees a service hang.
    ///
    /// # Errors
    /// Those of the request, and `answer_malformed` for an answer of another media type or without token.
    pub async fn token(&self, body: &Value, time: Duration) -> Result<String, Failure> {
        let response = self.post(body, time).await?;
        let answer = response.body();
        if !is_of_type(&response, JSON) || !bounded::json(MAX_VALUES, answer) {
            return Err(MALFORMED);
        }
        let answer: Value = serde_json::from_slice(answer).map_err(|_| MALFORMED)?;
        let token = answer.get("token").and_then(Value::as_str);
        token.map(str::to_owned).ok_or(MALFORMED)
    }

    /// Posts JSON and gives the body of the answer, which is the token, whatever its media type says. `time` is as for
    /// [`token`](Self::token).
    ///
    /// # Errors
    /// Those of the request, and `answer_malformed` for a body that is no text.
    pub async fn bare_token(&self, body: &Value, time: Duration) -> Result<String, Failure> {
        let response = self.post(body, time).await?;
        String::from_utf8(response.into_body()).map_err(|_| MALFORMED)
    }

    /// Posts JSON and gives an answer of status 200.
    ///
    /// # Errors
    /// [`AppraisalError::Malformed`] for 400 and 422, which are about the Evidence; [`AppraisalError::NoResult`] for 500, which
    /// may be about it; [`AppraisalError::Unreachable`] for other statuses, redirects included; and those of [`exchange`].
    async fn post(&self, body: &Value, time: Duration) -> Result<Response<Vec<u8>>, Failure> {
        let mut request = Request::new(body.to_string().into_bytes());
        *request.method_mut() = Method::POST;
        *request.uri_mut() = self.url.clone();
        *request.headers_mut() = self.headers.clone();
        let headers = request.headers_mut();
        headers.insert(ACCEPT, HeaderValue::from_static(JSON));
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(JSON));
        let limits = HttpLimits::new(time, MAX_ANSWER);
        let response = exchange(&*self.client, request, limits).await?;
        let status = response.status();
        let (error, reason) = match status {
            StatusCode::OK => return Ok(response),
            StatusCode::BAD_REQUEST | StatusCode::UNPROCESSABLE_ENTITY => {
                (AppraisalError::Malformed, "evidence_refused")
            }
            StatusCode::INTERNAL_SERVER_ERROR => (AppraisalError::NoResult, "no_result"),
            _ => (AppraisalError::Unreachable, "status"),
        };
        Err(Failure::new(error, reason).with_cause(format!("status {}", status.as_u16())))
    }
}

impl fmt::Debug for JsonApi {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JsonApi")
            .field("url", &self.url)
            .finish_non_exhaustive()
    }
}

const MALFORMED: Failure = Failure::new(AppraisalError::BadResult, "answer_malformed");

const JSON: &str = "application/json";

/// Bytes: the largest token, and the JSON around it.
const MAX_ANSWER: usize = MAX_TOKEN + 2 * 1024;

/// Most values in an answer. It has a token, and a few fields beside it.
const MAX_VALUES: usize = 256;
