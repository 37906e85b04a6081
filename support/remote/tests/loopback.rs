//! The client on real sockets: where it goes, and where it does not.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;
use std::time::Duration;

use atls_core::AppraisalError;
use atls_core::http::HttpClient;
use atls_core::http::HttpError;
use atls_core::http::HttpLimits;
use atls_remote::Failure;
use atls_remote::JsonApi;
use atls_remote::ReqwestClient;
use atls_remote::exchange;
use axum::Router;
use axum::body::Bytes;
use axum::http::HeaderMap;
use axum::http::StatusCode;
use axum::http::Uri;
use axum::http::header::CONTENT_TYPE;
use axum::http::header::COOKIE;
use axum::http::header::LOCATION;
use axum::http::header::SET_COOKIE;
use axum::routing::get;
use axum::routing::post;
use http::HeaderValue;
use http::Request;
use http::Response;
use http::header::AUTHORIZATION;
use serde_json::json;
use stand_in::Loopback;
use test_support::Script;

#[tokio::test]
async fn a_redirect_is_an_answer_and_is_not_followed() {
    let hits = Arc::new(AtomicUsize::new(0));
    let counted = hits.clone();
    let app = Router::new()
        .route(
            "/",
            get(async || (StatusCode::FOUND, [(LOCATION, "/there")])),
        )
        .route(
            "/there",
            get(async move || {
                counted.fetch_add(1, Ordering::SeqCst);
            }),
        );
    let server = Loopback::serve(app).await;
    let response = send(&*Loopback::client(), &server.url("/")).await.unwrap();
    assert_eq!(response.status(), StatusCode::FOUND);
    assert_eq!(hits.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_cookie_is_not_kept() {
    let app = Router::new().route(
        "/",
        get(async |headers: HeaderMap| {
            let had = headers.contains_key(COOKIE).to_string();
            ([(SET_COOKIE, "a=b")], had)
        }),
    );
    let server = Loopback::serve(app).await;
    let client = Loopback::client();
    for _ in 0..2 {
        let response = send(&*client, &server.url("/")).await.unwrap();
        assert_eq!(response.body(), b"false");
    }
}

#[tokio::test]
async fn a_body_is_not_collected_beyond_its_limit() {
    let app = Router::new().route("/", get(async || vec![0_u8; 1001]));
    let server = Loopback::serve(app).await;
    let refused = send(&*Loopback::client(), &server.url("/")).await;
    assert_eq!(refused.unwrap_err(), HttpError::TooLarge);
}

#[tokio::test]
async fn http_goes_to_this_machine_only_and_only_where_that_is_named() {
    let server = Loopback::serve(Router::new().route("/", get(async || ()))).await;
    let strict = ReqwestClient::build(builder()).unwrap();
    assert!(send(&strict, &server.url("/")).await.is_err());
    let loose = ReqwestClient::dangerous_loopback(builder()).unwrap();
    assert!(send(&loose, &server.url("/")).await.is_ok());
    for url in [
        "http://192.0.2.1/",
        "http://service.example/",
        "ftp://127.0.0.1/",
    ] {
        let refused = send(&loose, url).await.unwrap_err();
        let reason = HttpError::Unreachable("address is not https".to_owned());
        assert_eq!(refused, reason, "{url}");
    }
}

#[tokio::test]
async fn an_error_does_not_tell_the_address() {
    let client = ReqwestClient::dangerous_loopback(builder()).unwrap();
    let HttpError::Unreachable(text) = send(&client, "http://127.0.0.1:1/secret-nonce")
        .await
        .unwrap_err()
    else {
        unreachable!("nobody listens there")
    };
    assert!(!text.contains("secret-nonce"), "{text}");
}

#[tokio::test]
async fn an_error_tells_its_last_cause() {
    let client = ReqwestClient::dangerous_loopback(builder()).unwrap();
    let HttpError::Unreachable(text) = send(&client, "http://127.0.0.1:1/").await.unwrap_err()
    else {
        unreachable!("nobody listens there")
    };
    let refused = TcpStream::connect("127.0.0.1:1").unwrap_err().to_string();
    assert!(text.contains(&refused), "{text}");
}

#[tokio::test]
async fn a_service_gets_json_and_credentials_and_its_refusals_are_told_apart() {
    let app = Router::new().route(
        "/{status}",
        post(async |uri: Uri, headers: HeaderMap, body: Bytes| {
            assert_eq!(headers[AUTHORIZATION], "key");
            assert_eq!(headers["content-type"], "application/json");
            assert_eq!(&body[..], br#"{"a":1}"#);
            let code = uri.path().trim_start_matches('/').parse().unwrap();
            (StatusCode::from_u16(code).unwrap(), "body")
        }),
    );
    let server = Loopback::serve(app).await;
    for (code, result) in [
        (200, Ok("body".to_owned())),
        (201, Err(AppraisalError::Unreachable)),
        (302, Err(AppraisalError::Unreachable)),
        (400, Err(AppraisalError::Malformed)),
        (401, Err(AppraisalError::Unreachable)),
        (422, Err(AppraisalError::Malformed)),
        (429, Err(AppraisalError::Unreachable)),
        (500, Err(AppraisalError::NoResult)),
        (503, Err(AppraisalError::Unreachable)),
    ] {
        let url = server.url(&format!("/{code}")).parse().unwrap();
        let api = JsonApi::new(Loopback::client(), url)
            .with_header(AUTHORIZATION, HeaderValue::from_static("key"));
        let answer = api.bare_token(&json!({ "a": 1 }), TIME).await;
        assert_eq!(answer.map_err(AppraisalError::from), result, "{code}");
        assert!(!format!("{api:?}").contains("key\""));
    }
}

#[tokio::test]
async fn a_closed_port_is_unreachable() {
    let url = "http://127.0.0.1:1/".parse().unwrap();
    let api = JsonApi::new(Loopback::client(), url);
    let refused = api.bare_token(&json!({}), TIME).await.unwrap_err();
    assert_eq!(refused.reason(), "unreachable");
    assert_eq!(*refused.error(), AppraisalError::Unreachable);
}

#[tokio::test]
async fn a_token_comes_in_json_that_says_so() {
    let json = r#"{"token":"a.b.c"}"#;
    for (content_type, body, expected) in [
        ("application/json", json, Ok("a.b.c")),
        ("Application/JSON; charset=utf-8", json, Ok("a.b.c")),
        ("text/html", json, Err("answer_malformed")),
        ("application/jsonp", json, Err("answer_malformed")),
        ("application/json", "a.b.c", Err("answer_malformed")),
        (
            "application/json",
            r#"{"token":null}"#,
            Err("answer_malformed"),
        ),
    ] {
        let answer = async move || ([(CONTENT_TYPE, content_type)], body);
        let server = Loopback::serve(Router::new().route("/", post(answer))).await;
        let api = JsonApi::new(Loopback::client(), server.url("/").parse().unwrap());
        let token = api.token(&json!({}), TIME).await;
        let token = token.as_deref().map_err(Failure::reason);
        assert_eq!(token, expected, "{content_type} {body}");
    }
}

/// The requests that the client lets through.
#[tokio::test(start_paused = true)]
async fn limits_hold_for_every_client() {
    let large = Script::immediate(|_, _| Ok(Response::new(vec![b'a'; 1001])));
    let refused = exchange(&large, Request::new(Vec::new()), limits(1000)).await;
    assert_eq!(refused.unwrap_err(), HttpError::TooLarge);
    let silent = Script::new(|_, _| Box::pin(std::future::pending()));
    let refused = exchange(&silent, Request::new(Vec::new()), limits(1000)).await;
    assert_eq!(refused.unwrap_err(), HttpError::TimedOut);
}

async fn send(client: &dyn HttpClient, url: &str) -> Result<Response<Vec<u8>>, HttpError> {
    let mut request = Request::new(Vec::new());
    *request.uri_mut() = url.parse().unwrap();
    client.send(request, limits(1000)).await
}

fn limits(max_body: usize) -> HttpLimits {
    HttpLimits::new(Duration::from_secs(10), max_body)
}

fn builder() -> reqwest::ClientBuilder {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let tls = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(rustls::RootCertStore::empty())
        .with_no_client_auth();
    reqwest::Client::builder().tls_backend_preconfigured(tls)
}

/// For one request to this machine.
const TIME: Duration = Duration::from_secs(10);
