//! Hands a request on, and its answer back.

use std::error::Error;
use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;

use atls_tower::ClientAttestation;
use atls_tower::ServerAttestation;
use axum::body::Body;
use axum::body::HttpBody;
use axum::extract::ConnectInfo;
use http::HeaderMap;
use http::HeaderName;
use http::HeaderValue;
use http::Request;
use http::Response;
use http::StatusCode;
use http::Uri;
use http::Version;
use http::header;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper_util::client::legacy as client;
use serde_json::json;
use tower::Service;
use tower::ServiceExt;

use super::headers;
use super::hosts;
use super::hosts::BadHost;
use super::metrics::Metrics;
use super::tunnels::Tunnels;
use super::until::Until;

/// The next hop of a request, and the things that it needs there.
pub(super) struct Passing<'a> {
    pub(super) to: Uri,
    /// Headers that the proxy vouches for.
    pub(super) set: HeaderMap,
    pub(super) tunnels: &'a Tunnels,
    pub(super) metrics: &'a Arc<Metrics>,
}

/// Sends a request to its next hop, with these headers set. An upgrade (WebSocket) is agreed with both ends, and then bytes
/// are passed on.
///
/// # Errors
/// [`Unanswered`]
pub(super) async fn relay<C>(
    client: C,
    mut request: Request<Body>,
    passing: Passing<'_>,
) -> Result<Response<Body>, Unanswered>
where
    C: Service<Request<Body>, Response = Response<Incoming>, Error = client::Error>,
{
    let upgrade = upgrade_wanted(&request);
    let from = upgrade.is_some().then(|| hyper::upgrade::on(&mut request));
    let of_client = ClientAttestation::lifetime(request.extensions()).cloned();
    *request.uri_mut() = passing.to;
    // The client speaks its own version.
    *request.version_mut() = Version::HTTP_11;
    request.extensions_mut().clear();
    headers::remove_hop_by_hop(request.headers_mut());
    let has_body = !request.body().is_end_stream();
    headers::say_length(request.headers_mut(), has_body);
    headers::join_cookies(request.headers_mut());
    // After that: `Connection` names headers of the sender's choice, which must not be those that are set here.
    request.headers_mut().extend(passing.set);
    if let Some(protocol) = upgrade {
        ask_for(request.headers_mut(), protocol);
    }
    let broke_off = Arc::new(AtomicBool::new(false));
    let noted = broke_off.clone();
    let request = request.map(|body| {
        let body = headers::without_claims(body.map_err(move |error| {
            noted.store(true, Ordering::Relaxed);
            error
        }));
        // Who has answered may go on to take what is sent.
        Body::new(Until::new(body, Box::pin(passing.tunnels.overdue())))
    });
    let answered = client.oneshot(request).await;
    let mut response = answered.map_err(|error| match broke_off.load(Ordering::Relaxed) {
        true => Unanswered::BrokeOff(error),
        false => Unanswered::Client(error),
    })?;
    // Each hop has a version of its own (RFC 9110 §2.5).
    *response.version_mut() = Version::HTTP_11;
    if response.status() != StatusCode::SWITCHING_PROTOCOLS {
        headers::remove_hop_by_hop(response.headers_mut());
        return Ok(response.map(headers::without_claims));
    }
    let agreed = upgrade_of(response.headers());
    let (Some(from), Some(protocol)) = (from, agreed) else {
        return Err(Unanswered::Switched);
    };
    let to = hyper::upgrade::on(&mut response);
    // Of the end that is attested.
    let of_server = ServerAttestation::lifetime(response.extensions()).cloned();
    let lifetime = of_client.or(of_server);
    passing.tunnels.start((from, to), lifetime, passing.metrics);
    headers::remove_hop_by_hop(response.headers_mut());
    ask_for(response.headers_mut(), protocol);
    Ok(response.map(Body::new))
}

/// The next hop gave no answer that could be handed back.
#[derive(Debug)]
pub(super) enum Unanswered {
    /// The request did not come to its end, by fault of who sent it.
    BrokeOff(client::Error),
    /// There was none.
    Client(client::Error),
    /// It did not come before its connection had to end.
    Overdue,
    /// It went on in a protocol that was not asked for.
    Switched,
}

impl Unanswered {
    /// Whether there was no connection to ask over.
    pub(super) fn is_of_connecting(&self) -> bool {
        matches!(self, Self::Client(error) if error.is_connect())
    }
}

impl fmt::Display for Unanswered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::BrokeOff(_) => "the request broke off",
            Self::Client(_) => "no answer came",
            Self::Overdue => "no answer came before the connection had to end",
            Self::Switched => "it switched to a protocol that was not asked for",
        })
    }
}

impl Error for Unanswered {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::BrokeOff(error) | Self::Client(error) => Some(error),
            Self::Overdue | Self::Switched => None,
        }
    }
}

/// The protocol of a request that wants to go on as a WebSocket. HTTP/1.0 cannot (RFC 9110 §7.8): its client would not hear that the others did.
pub(super) fn upgrade_wanted<B>(request: &Request<B>) -> Option<HeaderValue> {
    match request.version() {
        Version::HTTP_11 => upgrade_of(request.headers()),
        _ => None,
    }
}

/// The protocol of a message that wants to go on as a WebSocket.
fn upgrade_of(headers: &HeaderMap) -> Option<HeaderValue> {
    let wants = headers
        .get_all(header::CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|word| word.trim().eq_ignore_ascii_case("upgrade"));
    let protocol = headers.get(header::UPGRADE)?;
    // Of other protocols some carry requests, such as `h2c`: nobody here would remove what those claim.
    let is_websocket = protocol.as_bytes().eq_ignore_ascii_case(b"websocket");
    (wants && is_websocket).then(|| protocol.clone())
}

/// Says who asks, for the service behind; what the client says of that is removed.
///
/// # Errors
/// [`BadHost`]
pub(super) fn forwarded(request: &mut Request<Body>, set: &mut HeaderMap) -> Result<(), BadHost> {
    let host = hosts::named(request)?;
    let client = request.extensions().get::<ConnectInfo<SocketAddr>>();
    let client = client.map(|ConnectInfo(client)| client.ip().to_string());
    headers::remove_forwarded(request.headers_mut());
    let [proto, by, of] = FORWARDED;
    set.insert(proto, HeaderValue::from_static("https"));
    if let Some(client) = client.and_then(|client| HeaderValue::from_str(&client).ok()) {
        set.insert(by, client);
    }
    if let Some(host) = host.and_then(|host| HeaderValue::from_str(host.as_str()).ok()) {
        set.insert(of, host.clone());
        set.insert(header::HOST, host);
    }
    Ok(())
}

/// The answer to a client that takes this for a proxy of its own choice: it goes to one place only.
pub(super) fn no_tunnel() -> Response<Body> {
    let detail = "this proxy goes to one place only, and makes no tunnels";
    problem(StatusCode::METHOD_NOT_ALLOWED, "no-tunnel", detail)
}

/// The answer to a request whose body is no proper one, or did not come in time. Its sender is to blame, and may send as many as it likes.
pub(super) fn broke_off(error: &Unanswered) -> Response<Body> {
    let why = atls_core::report(error).to_string();
    tracing::debug!(fault = "peer", error = %why, "no answer");
    let detail = "the body of the request broke off, or did not come in time";
    problem(StatusCode::BAD_REQUEST, "broke-off", detail)
}

/// The answer to a request that does not name one host.
pub(super) fn bad_host() -> Response<Body> {
    let detail = "the request does not name one host";
    problem(StatusCode::BAD_REQUEST, "bad-host", detail)
}

/// An answer of the proxy itself, as RFC 9457 has it.
pub(super) fn problem(status: StatusCode, code: &str, detail: &str) -> Response<Body> {
    let text = json!({
        "type": "about:blank",
        "title": status.canonical_reason(),
        "status": status.as_u16(),
        "code": code,
        "detail": detail,
    });
    let mut response = Response::new(Body::from(text.to_string()));
    *response.status_mut() = status;
    let kind = HeaderValue::from_static("application/problem+json");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response
}

/// The first error that another one came from, of some type.
pub(super) fn cause<'a, E: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a E> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref() {
            return Some(found);
        }
        next = error.source();
    }
    None
}

fn ask_for(headers: &mut HeaderMap, protocol: HeaderValue) {
    headers.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
    headers.insert(header::UPGRADE, protocol);
}

const FORWARDED: [HeaderName; 3] = [
    HeaderName::from_static("x-forwarded-proto"),
    HeaderName::from_static("x-forwarded-for"),
    HeaderName::from_static("x-forwarded-host"),
];
