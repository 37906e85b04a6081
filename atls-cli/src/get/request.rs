//! The request, and the way it is sent.

use std::path::Path;

use bytes::Bytes;
use http::HeaderName;
use http::HeaderValue;
use http::Method;
use http::Response;
use http::Uri;
use http::header::HOST;
use http::header::USER_AGENT;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper::client::conn::http2;
use hyper_util::rt::TokioExecutor;

use super::connect::Connection;
use super::options::GetOptions;
use super::target::Target;
use crate::failure::Failure;
use crate::narrate::Narration;
use crate::source;

pub(super) type Request = http::Request<Full<Bytes>>;

/// The request that the arguments ask for.
///
/// # Errors
/// A usage failure.
pub(super) fn of(options: &GetOptions, target: &Target) -> Result<Request, Failure> {
    let data = options.data.as_deref().map(data).transpose()?;
    let method = match (&options.method, &data) {
        (Some(method), _) => method.clone(),
        (None, Some(_)) => Method::POST,
        (None, None) => Method::GET,
    };
    let mut request = Request::new(Full::new(data.unwrap_or_default()));
    *request.method_mut() = method;
    *request.uri_mut() = target.uri().clone();
    let agent = HeaderValue::from_static(concat!("atls/", env!("CARGO_PKG_VERSION")));
    request.headers_mut().insert(USER_AGENT, agent);
    for text in &options.headers {
        let (name, value) = header(text)?;
        request.headers_mut().append(name, value);
    }
    Ok(request)
}

fn data(text: &str) -> Result<Bytes, Failure> {
    match text.strip_prefix('@') {
        Some(file) => Ok(source::read(Path::new(file), MAX_DATA)?.into()),
        None => Ok(text.to_owned().into()),
    }
}

fn header(text: &str) -> Result<(HeaderName, HeaderValue), Failure> {
    let wrong =
        || Failure::usage(format!("{text:?} is no header")).with_help("write it as 'Name: value'");
    let (name, value) = text.split_once(':').ok_or_else(wrong)?;
    let name: HeaderName = name.trim().parse().map_err(|_| wrong())?;
    let value: HeaderValue = value.trim().parse().map_err(|_| wrong())?;
    Ok((name, value))
}

/// Sends it in the version of HTTP that was agreed, and gives the head of the answer.
///
/// # Errors
/// A failure of the kind *not reached*: the attested server gave no answer.
pub(super) async fn send(
    connection: Connection,
    request: Request,
    narration: Narration,
) -> Result<Response<Incoming>, Failure> {
    narrate(&request, narration);
    let answered = match connection.is_http2() {
        true => over_http2(connection, request).await,
        false => over_http1(connection, request).await,
    };
    let response = answered.map_err(|error| {
        Failure::not_reached("the attested server gave no answer").because(&error)
    })?;
    let status = format!("answers {:?} {}", response.version(), response.status());
    narration.say("server", &status);
    for (name, value) in response.headers() {
        let value = String::from_utf8_lossy(value.as_bytes());
        narration.say("server", &format!("  {name}: {value}"));
    }
    Ok(response)
}

async fn over_http1(
    connection: Connection,
    mut request: Request,
) -> Result<Response<Incoming>, hyper::Error> {
    let uri = request.uri();
    if let Some(authority) = uri.authority()
        && let Ok(host) = HeaderValue::from_str(authority.as_str())
    {
        request.headers_mut().entry(HOST).or_insert(host);
    }
    // The origin form, RFC 9112 §3.2.1.
    let path = request.uri().path_and_query().cloned();
    *request.uri_mut() = path.map_or_else(|| Uri::from_static("/"), Uri::from);
    let (mut sender, driver) = http1::handshake(connection.into_io()).await?;
    tokio::spawn(driver);
    sender.send_request(request).await
}

async fn over_http2(
    connection: Connection,
    request: Request,
) -> Result<Response<Incoming>, hyper::Error> {
    let io = connection.into_io();
    let (mut sender, driver) = http2::handshake(TokioExecutor::new(), io).await?;
    tokio::spawn(driver);
    sender.send_request(request).await
}

fn narrate(request: &Request, narration: Narration) {
    let path = request.uri().path_and_query();
    let path = path.map_or("/", |path| path.as_str());
    narration.say("client", &format!("asks {} {path}", request.method()));
    for (name, value) in request.headers() {
        // The value of a user's header may be secret; its presence is not.
        let size = value.len();
        narration.say("client", &format!("  {name}: {size} bytes"));
    }
}

/// Most bytes that are sent. The whole of it is kept in memory.
const MAX_DATA: usize = 256 * 1024 * 1024;
