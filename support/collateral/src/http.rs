//! HTTP requests for collateral.

use std::net::IpAddr;

use atls_core::http::HttpClient;
use atls_core::http::HttpError;
use atls_core::http::HttpLimits;
use http::Method;
use http::Request;
use http::Response;
use http::StatusCode;
use http::Uri;

use crate::error::CollateralError;

/// GETs a whole answer with status 200, over `https`, or over `http` from this machine.
///
/// Make `url` from the configuration and from verified values, never from the URL of a peer.
///
/// # Errors
/// [`CollateralError::Address`], and nothing is sent; [`CollateralError::Status`] for every other status, a redirect included;
/// [`CollateralError::Unreachable`] where the client gives no answer or one larger than its limit.
pub async fn get(
    client: &dyn HttpClient,
    url: &str,
    limits: HttpLimits,
) -> Result<Response<Vec<u8>>, CollateralError> {
    let uri = Uri::try_from(url).map_err(|_| CollateralError::Address)?;
    if !is_acceptable(&uri) {
        return Err(CollateralError::Address);
    }
    let request = Request::builder().method(Method::GET).uri(uri);
    let request = request
        .body(Vec::new())
        .map_err(|_| CollateralError::Address)?;
    let response = client.send(request, limits).await?;
    if response.status() != StatusCode::OK {
        return Err(CollateralError::Status(response.status().as_u16()));
    }
    // A client should have enforced it; callers allocate by this length.
    if response.body().len() > limits.max_body {
        return Err(HttpError::TooLarge.into());
    }
    Ok(response)
}

fn is_acceptable(uri: &Uri) -> bool {
    let Some(authority) = uri.authority() else {
        return false;
    };
    // Text before an `@` can look like a host.
    if authority.as_str().contains('@') {
        return false;
    }
    match uri.scheme_str() {
        Some("https") => !authority.host().is_empty(),
        Some("http") => is_loopback(authority.host()),
        _ => false,
    }
}

/// By address, which asks no resolver, and by the name that RFC 6761 §6.3 reserves.
fn is_loopback(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']');
    match address.parse::<IpAddr>() {
        Ok(address) => address.is_loopback(),
        Err(_) => host.eq_ignore_ascii_case("localhost"),
    }
}
