//! Statements that are refused.

use std::sync::Arc;

use atls_axum::ForwardedAttestation;
use atls_core::Binding;
use atls_core::ear::Tier;
use atls_core::limits::MAX_KEPT_TOKEN;
use atls_tower::forward::HEADER;
use atls_tower::forward::ReceiveError;
use atls_tower::forward::ResultReceiver;
use atls_tower::forward::Shortfall;
use atls_tower::forward::StatementForm;
use atls_tower::forward::VERIFIER_HEADER;
use axum::Router;
use axum::body::Body;
use axum::extract::FromRequestParts;
use axum::middleware::FromExtractorLayer;
use axum::middleware::from_extractor_with_state;
use axum::routing::get;
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use http::HeaderMap;
use http::HeaderValue;
use http::Request;
use http::request::Parts;
use http_body_util::BodyExt;
use tower::ServiceExt;

use crate::hop::Hop;

#[tokio::test]
async fn a_peer_that_proves_little_is_not_accepted_by_default() {
    let hop = Hop::new();
    let sent = hop.headers(hop.forwarder()).await;
    let strict = ResultReceiver::new(hop.keys(), &demo::provider(), "gateway", "orders");
    let strict = strict.with_clock(hop.world.clock.clone());
    let received = strict.receive(&sent).map(|_| ());
    assert_eq!(received, insufficient(Shortfall::Simulated));
}

#[tokio::test]
async fn a_worse_status_or_binding_is_accepted_where_it_is_named_and_not_otherwise() {
    let hop = Hop::new();
    let sent = hop.headers(hop.forwarder()).await;
    let restated = |from: &str, to: &str| hop.restated(&sent[&HEADER], from, to);
    let receive = |receiver: ResultReceiver, headers: &HeaderMap| {
        receiver.receive(headers).map(|result| result.binding())
    };
    let bad = |seen, worst| insufficient(Shortfall::Status { seen, worst });
    let same = restated("affirming", "affirming");
    assert_eq!(receive(hop.receiver(), &same), Ok(Binding::Connection));

    let warning = restated("affirming", "warning");
    let of_warning = bad(Tier::Warning, Tier::Affirming);
    assert_eq!(receive(hop.receiver(), &warning), of_warning);
    assert!(receive(hop.receiver().accept_warning(), &warning).is_ok());
    let contraindicated = restated("affirming", "contraindicated");
    let refused = receive(hop.receiver().accept_warning(), &contraindicated);
    assert_eq!(refused, bad(Tier::Contraindicated, Tier::Warning));

    let weaker = restated("\"connection\"", "\"handshake\"");
    let of_weaker = Shortfall::Binding {
        seen: Binding::Handshake,
        least: Binding::Connection,
    };
    let refused = receive(hop.receiver(), &weaker);
    assert_eq!(refused, insufficient(of_weaker.clone()));
    for (weakest, received) in [
        (Binding::Handshake, Ok(Binding::Handshake)),
        (Binding::Connection, insufficient(of_weaker)),
    ] {
        let receiver = hop.receiver().dangerous_accept_binding(weakest);
        assert_eq!(receive(receiver, &weaker), received);
    }
    let weakest = restated("\"connection\"", "\"key\"");
    let receiver = hop.receiver().dangerous_accept_binding(Binding::Handshake);
    let of_weakest = Shortfall::Binding {
        seen: Binding::Key,
        least: Binding::Handshake,
    };
    assert_eq!(receive(receiver, &weakest), insufficient(of_weakest));
}

fn insufficient<T>(short: Shortfall) -> Result<T, ReceiveError> {
    Err(ReceiveError::Insufficient(short))
}

#[tokio::test]
async fn every_flipped_character_of_a_header_is_refused() {
    let hop = Hop::new();
    for form in [StatementForm::Jwt, StatementForm::Cwt] {
        let sent = hop.headers(hop.forwarder().with_form(form)).await;
        let value = sent[&HEADER].to_str().unwrap().to_owned();
        for index in 0..value.len() {
            let mut altered = value.clone().into_bytes();
            altered[index] = if altered[index] == b'A' { b'B' } else { b'A' };
            let mut headers = HeaderMap::new();
            headers.insert(HEADER, HeaderValue::from_bytes(&altered).unwrap());
            assert!(
                hop.receiver().receive(&headers).is_err(),
                "{form:?} {index}"
            );
        }
    }
}

#[tokio::test]
async fn hostile_values_are_refused() {
    let hop = Hop::new();
    let none = BASE64_URL_SAFE_NO_PAD.encode(r#"{"alg":"none"}"#);
    let huge = "a".repeat(1024 * 1024);
    for value in [
        "",
        ".",
        "..",
        "a.b.c",
        &format!("{none}.e30."),
        &huge,
        "\t",
        "0oRDoQEm",
    ] {
        let mut headers = HeaderMap::new();
        headers.insert(HEADER, HeaderValue::from_str(value).unwrap());
        assert!(hop.receiver().receive(&headers).is_err(), "{:.20}", value);
    }
    let nobody = hop.receiver().receive(&HeaderMap::new()).map(|_| ());
    assert_eq!(nobody, Err(ReceiveError::Absent));
    let mut twice = hop.headers(hop.forwarder()).await;
    let again = twice[&HEADER].clone();
    twice.append(HEADER, again);
    let received = hop.receiver().receive(&twice).map(|_| ());
    assert_eq!(received, Err(ReceiveError::Ambiguous));
}

#[tokio::test]
async fn the_result_of_a_verifier_travels_beside_and_cannot_be_exchanged() {
    for token in [
        &b"head.claims.signature"[..],
        &[0xd2, 0x84, b'.', 0xff],
        b"text without dots",
        b"head.claims.of\ntwo lines",
    ] {
        let hop = Hop::with_token(token);
        let silent = hop.headers(hop.forwarder()).await;
        assert!(
            !silent.contains_key(VERIFIER_HEADER),
            "only where that is asked for"
        );
        let mut sent = hop.headers(hop.forwarder().with_verifier_tokens()).await;
        let result = hop.receiver().receive(&sent).unwrap();
        assert_eq!(result.verifier_tokens().collect::<Vec<_>>(), [token]);
        for other in ["other.claims.signature", "b3RoZXI", ""] {
            sent.insert(VERIFIER_HEADER, HeaderValue::from_str(other).unwrap());
            let received = hop.receiver().receive(&sent).map(|_| ());
            assert_eq!(received, Err(ReceiveError::OtherToken), "{other}");
        }
    }
}

#[tokio::test]
async fn a_huge_result_of_a_verifier_is_not_kept_with_its_connection() {
    for (size, kept) in [(MAX_KEPT_TOKEN, 1), (MAX_KEPT_TOKEN + 1, 0)] {
        let token = [b"a.", "b".repeat(size - 2).as_bytes()].concat();
        let hop = Hop::with_token(&token);
        let sent = hop.headers(hop.forwarder().with_verifier_tokens()).await;
        assert_eq!(sent.get_all(VERIFIER_HEADER).iter().count(), kept, "{size}");
        assert!(hop.receiver().receive(&sent).is_ok());
    }
}

#[tokio::test]
async fn a_handler_is_called_for_accepted_statements_alone() {
    let hop = Hop::new();
    let receiver = Arc::new(hop.receiver());
    let app = Router::new()
        .route(
            "/",
            get(async |client: ForwardedAttestation| client.status().to_string()),
        )
        .route(
            "/option",
            get(async |client: Option<ForwardedAttestation>| client.is_some().to_string()),
        )
        .with_state(receiver);
    let good = hop.headers(hop.forwarder()).await[&HEADER].clone();
    let forged = HeaderValue::from_static("a.b.c");
    let worse = hop.restated(&good, "affirming", "contraindicated")[&HEADER].clone();
    for (path, value, expected) in [
        ("/", Some(&good), (200, "affirming")),
        ("/", Some(&forged), (403, "attestation-unverified")),
        ("/", Some(&worse), (403, "attestation-insufficient")),
        ("/", None, (403, "attestation-required")),
        ("/option", Some(&good), (200, "true")),
        ("/option", Some(&forged), (403, "attestation-unverified")),
        ("/option", Some(&worse), (403, "attestation-insufficient")),
        ("/option", None, (200, "false")),
    ] {
        let mut request = Request::get(path).body(Body::empty()).unwrap();
        request
            .headers_mut()
            .extend(value.map(|value| (HEADER, value.clone())));
        let response = app.clone().oneshot(request).await.unwrap();
        let status = response.status().as_u16();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        let body = String::from_utf8_lossy(&body).into_owned();
        assert_eq!(status, expected.0, "{path} {value:?}");
        assert!(body.contains(expected.1), "{path}: {body}");
    }
}

/// A layer and two extractors of a handler: none of them uses it up for the others.
#[tokio::test]
async fn a_statement_that_is_good_once_is_good_for_all_that_extract_it_from_one_request() {
    let hop = Hop::new();
    let receiver = Arc::new(hop.receiver().once(9));
    let twice = async |_: ForwardedAttestation, client: Option<ForwardedAttestation>| {
        client.is_some().to_string()
    };
    let app = Router::new()
        .route("/", get(twice))
        .route_layer(demanding(receiver.clone()))
        .with_state(receiver);
    let sent = hop.headers(hop.forwarder()).await;
    let statuses = [(); 2].map(|()| asked(&app, &sent));
    let [first, second] = statuses;
    assert_eq!(first.await, 200);
    assert_eq!(second.await, 403);
}

#[tokio::test]
async fn each_receiver_of_a_request_judges_by_its_own_rules() {
    let hop = Hop::new();
    let lenient = Arc::new(hop.receiver());
    let strict = ResultReceiver::new(hop.keys(), &demo::provider(), "gateway", "orders");
    let strict = Arc::new(strict.with_clock(hop.world.clock.clone()));
    let sent = hop.headers(hop.forwarder()).await;
    for (receiver, status) in [(lenient.clone(), 200), (strict, 403)] {
        let app = Router::new()
            .route("/", get(async |_: ForwardedAttestation| ()))
            .route_layer(demanding(lenient.clone()))
            .with_state(receiver);
        assert_eq!(asked(&app, &sent).await, status);
    }
}

/// As one that a batch has in it, with the extensions of the batch.
#[tokio::test]
async fn another_request_with_the_same_extensions_is_judged_by_its_own_headers() {
    let hop = Hop::new();
    let receiver = Arc::new(hop.receiver());
    let sent = hop.headers(hop.forwarder()).await;
    let forged = hop.restated(&sent[&HEADER], "affirming", "contraindicated");
    let mut beside = sent.clone();
    beside.insert(VERIFIER_HEADER, HeaderValue::from_static("a.b.c"));
    let extracted = async |headers: &HeaderMap, parts: &mut Parts| {
        parts.headers = headers.clone();
        let extracted = Option::<ForwardedAttestation>::from_request_parts(parts, &receiver).await;
        extracted.map(|client| client.is_some()).ok()
    };
    let (mut parts, ()) = Request::get("/").body(()).unwrap().into_parts();
    assert_eq!(extracted(&sent, &mut parts).await, Some(true));
    assert_eq!(extracted(&HeaderMap::new(), &mut parts).await, Some(false));
    assert_eq!(extracted(&sent, &mut parts).await, Some(true));
    assert_eq!(extracted(&forged, &mut parts).await, None);
    assert_eq!(extracted(&sent, &mut parts).await, Some(true));
    assert_eq!(extracted(&beside, &mut parts).await, None);
}

fn demanding(
    receiver: Arc<ResultReceiver>,
) -> FromExtractorLayer<ForwardedAttestation, Arc<ResultReceiver>> {
    from_extractor_with_state(receiver)
}

async fn asked(app: &Router, headers: &HeaderMap) -> u16 {
    let mut request = Request::get("/").body(Body::empty()).unwrap();
    *request.headers_mut() = headers.clone();
    let response = app.clone().oneshot(request).await.unwrap();
    response.status().as_u16()
}
