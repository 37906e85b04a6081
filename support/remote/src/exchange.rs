//! One request and its answer, within limits that hold for every client.

use atls_core::http::HttpClient;
use atls_core::http::HttpError;
use atls_core::http::HttpLimits;
use http::Request;
use http::Response;
use http::header::CONTENT_TYPE;

/// Sends one request. The limits hold even where the client ignores them: a late answer is not waited for, and a larger body is
/// refused.
///
/// # Errors
/// Those of the client, [`HttpError::TimedOut`] and [`HttpError::TooLarge`].
pub async fn exchange(
    client: &dyn HttpClient,
    request: Request<Vec<u8>>,
    limits: HttpLimits,
) -> Result<Response<Vec<u8>>, HttpError> {
    let sent = client.send(request, limits);
    let response = tokio::time::timeout(limits.deadline, sent).await;
    let response = response.map_err(|_| HttpError::TimedOut)??;
    if response.body().len() > limits.max_body {
        return Err(HttpError::TooLarge);
    }
    Ok(response)
}

/// Whether an answer states this media type, given as `type/subtype`; its parameters do not matter.
pub fn is_of_type(response: &Response<Vec<u8>>, essence: &str) -> bool {
    let stated = response.headers().get(CONTENT_TYPE);
    let stated = stated.and_then(|value| value.to_str().ok()).unwrap_or("");
    let stated = stated.split(';').next().unwrap_or("").trim();
    stated.eq_ignore_ascii_case(essence)
}
