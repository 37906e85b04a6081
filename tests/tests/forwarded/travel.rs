//! Statements that arrive, and the clients that would add one.

use std::sync::Arc;
use std::time::Duration;

use atls_core::Binding;
use atls_core::ear::EarError;
use atls_core::ear::Tier;
use atls_tower::AttestationLayer;
use atls_tower::forward::ForwardResultLayer;
use atls_tower::forward::HEADER;
use atls_tower::forward::ReceiveError;
use atls_tower::forward::ResultForwarder;
use atls_tower::forward::ResultReceiver;
use atls_tower::forward::StatementForm;
use axum::Router;
use axum::body::Body;
use axum::routing::get;
use http::HeaderMap;
use http::HeaderValue;
use http::Request;
use http_body_util::BodyExt;
use tower::Layer;
use tower::ServiceExt;

use crate::hop::Hop;

#[tokio::test]
async fn a_backend_learns_of_an_attested_client_and_in_both_forms() {
    for form in [StatementForm::Jwt, StatementForm::Cwt] {
        let hop = Hop::new();
        let sent = hop.headers(hop.forwarder().with_form(form)).await;
        let result = hop.receiver().receive(&sent).unwrap();
        assert_eq!(result.status(), Tier::Affirming);
        assert_eq!(result.binding(), Binding::Connection);
        assert_eq!(result.ear().verifier().developer(), "atls-tower");
        let part = result.ear().submod("sim").unwrap();
        assert_eq!(part.extension("atls_origin").unwrap(), "simulated");
        assert!(!result.is_of_devices());
    }
}

#[tokio::test]
async fn a_client_cannot_bring_a_header_of_its_own() {
    let hop = Hop::new();
    let stolen = hop.headers(hop.forwarder()).await[&HEADER].clone();
    let layer = ForwardResultLayer::new(Arc::new(hop.forwarder()));
    let echo =
        layer.layer(Router::new().route("/", get(async |headers: HeaderMap| names(&headers))));
    let unattested = AttestationLayer::unattested().layer(echo);
    let mut request = Request::get("/").body(Body::empty()).unwrap();
    for name in [
        "atls-ear",
        "atls_ear",
        "Atls.Ear",
        "atls-verifier-ear",
        "atls_verifier_ear",
    ] {
        let name: http::HeaderName = name.parse().unwrap();
        request.headers_mut().append(name, stolen.clone());
    }
    let response = unattested.oneshot(request).await.unwrap();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    assert_eq!(body, "");
}

/// Without the layer that knows the client, or around it: nothing is known of the client, whatever it says itself.
#[tokio::test]
async fn a_layer_in_the_wrong_place_hands_nothing_on() {
    let hop = Hop::new();
    let stolen = hop.headers(hop.forwarder()).await;
    let behind = Router::new().fallback(never);
    let layer = ForwardResultLayer::new(Arc::new(hop.forwarder()));
    let request = || {
        let mut request = Request::get("/").body(Body::empty()).unwrap();
        *request.headers_mut() = stolen.clone();
        request
    };
    let alone = layer.layer(behind.clone());
    let refused = alone.oneshot(request()).await.unwrap();
    assert_eq!(refused.status(), 500);
    let around = layer.layer(hop.connection().await.layer(behind));
    let refused = around.oneshot(request()).await.unwrap();
    assert_eq!(refused.status(), 500);
}

#[tokio::test]
async fn an_attested_client_cannot_add_a_second_header() {
    let hop = Hop::new();
    let mut request = Request::get("/").body(Body::empty()).unwrap();
    request
        .headers_mut()
        .insert(HEADER, HeaderValue::from_static("forged"));
    let sent = hop.through(hop.forwarder(), request).await;
    assert_eq!(sent.get_all(HEADER).iter().count(), 1);
    assert!(hop.receiver().receive(&sent).is_ok());
}

#[tokio::test]
async fn a_header_is_good_for_one_service_of_one_sender_for_a_time() {
    for form in [StatementForm::Jwt, StatementForm::Cwt] {
        is_good_for_one_service_of_one_sender_for_a_time(form).await;
    }
}

async fn is_good_for_one_service_of_one_sender_for_a_time(form: StatementForm) {
    let hop = Hop::new();
    let sent = hop.headers(hop.forwarder().with_form(form)).await;
    let receive = |receiver: ResultReceiver| receiver.receive(&sent).map(|_| ());
    assert_eq!(receive(hop.receiver()), Ok(()));
    let of = |issuer: &str, audience: &str| {
        let receiver = ResultReceiver::new(hop.keys(), &demo::provider(), issuer, audience);
        receiver
            .with_clock(hop.world.clock.clone())
            .dangerous_accept_simulated()
    };
    assert_eq!(
        receive(of("gateway", "billing")),
        Err(EarError::Audience.into())
    );
    assert_eq!(receive(of("other", "orders")), Err(EarError::Issuer.into()));
    let other = Hop::new();
    assert_eq!(
        receive(other.receiver()),
        Err(EarError::BadSignature.into())
    );
    hop.world.clock.advance(Duration::from_secs(59));
    assert_eq!(receive(hop.receiver()), Ok(()));
    hop.world.clock.advance(Duration::from_secs(1));
    assert_eq!(receive(hop.receiver()), Err(EarError::Expired.into()));
}

#[tokio::test]
async fn a_receiver_has_an_age_of_its_own_and_a_sender_cannot_exceed_the_longest_life() {
    let hop = Hop::new();
    let day = Duration::from_secs(24 * 3600);
    let sent = hop.headers(hop.forwarder().with_lifetime(day)).await;
    hop.world.clock.advance(ResultReceiver::DEFAULT_MAX_AGE);
    let receive = |receiver: ResultReceiver| receiver.receive(&sent).map(|_| ());
    assert_eq!(receive(hop.receiver()), Err(EarError::Expired.into()));
    let patient = || hop.receiver().with_max_age(day);
    assert_eq!(receive(patient()), Ok(()));
    hop.world
        .clock
        .advance(ResultForwarder::MAX_LIFETIME - ResultReceiver::DEFAULT_MAX_AGE);
    assert_eq!(receive(patient()), Err(EarError::Expired.into()));
}

#[tokio::test]
async fn a_header_does_not_outlive_the_attestation() {
    let hop = Hop::new();
    let layer = hop.connection().await;
    hop.world.clock.advance(Duration::from_secs(3600 - 10));
    let request = Request::get("/").body(Body::empty()).unwrap();
    let sent = Hop::over(layer, hop.forwarder(), request).await;
    assert!(hop.receiver().receive(&sent).is_ok());
    hop.world.clock.advance(Duration::from_secs(10));
    let late = hop.receiver().receive(&sent).map(|_| ());
    assert_eq!(late, Err(EarError::Expired.into()));
}

#[tokio::test(start_paused = true)]
async fn a_header_is_used_once_where_that_is_demanded() {
    let hop = Hop::new();
    let receiver = hop.receiver().once(2);
    let first = hop
        .headers(hop.forwarder().with_form(StatementForm::Cwt))
        .await;
    let second = hop.headers(hop.forwarder()).await;
    let third = hop.headers(hop.forwarder()).await;
    let receive = |sent: &HeaderMap| receiver.receive(sent).map(|_| ());
    assert_eq!(receive(&first), Ok(()));
    assert_eq!(receive(&first), Err(ReceiveError::Used));
    assert_eq!(receive(&second), Ok(()));
    assert_eq!(
        receive(&third),
        Err(ReceiveError::Full),
        "none is forgotten for another"
    );
    let good = Duration::from_secs(121);
    hop.world.clock.advance(good);
    tokio::time::advance(good).await;
    assert_eq!(
        receive(&hop.headers(hop.forwarder()).await),
        Ok(()),
        "room again"
    );
}

/// What was forgotten under the wrong time is known under the right one.
#[tokio::test(start_paused = true)]
async fn a_header_is_used_once_though_the_clock_goes_forward_and_back() {
    const HOUR: Duration = Duration::from_secs(60 * 60);
    let hop = Hop::new();
    let receiver = hop.receiver().once(9);
    let receive = |sent: &HeaderMap| receiver.receive(sent).map(|_| ());
    let sent = hop.headers(hop.forwarder()).await;
    assert_eq!(receive(&sent), Ok(()));
    hop.world.clock.advance(HOUR);
    let ahead = hop.headers(hop.forwarder()).await;
    assert_eq!(receive(&ahead), Ok(()));
    hop.world.clock.set_back(HOUR);
    assert_eq!(receive(&sent), Err(ReceiveError::Used));
}

/// What was forgotten in its time is not new when that time comes again.
#[tokio::test(start_paused = true)]
async fn a_header_is_used_once_though_its_time_comes_again() {
    const GOOD: Duration = Duration::from_secs(121);
    for ahead in [Duration::ZERO, Duration::from_secs(60 * 60)] {
        let hop = Hop::new();
        let receiver = hop.receiver().once(2);
        let receive = |sent: &HeaderMap| receiver.receive(sent).map(|_| ());
        let passes = async |time: Duration| {
            hop.world.clock.advance(time);
            tokio::time::advance(time).await;
        };
        hop.world.clock.advance(ahead);
        let sent = hop.headers(hop.forwarder()).await;
        assert_eq!(receive(&sent), Ok(()));
        hop.world.clock.set_back(ahead);
        passes(GOOD).await;
        assert_eq!(receive(&hop.headers(hop.forwarder()).await), Ok(()));
        hop.world.clock.advance(ahead);
        hop.world.clock.set_back(GOOD);
        assert_eq!(receive(&sent), Err(ReceiveError::Used), "{ahead:?}");
        passes(GOOD + GOOD).await;
        let later = hop.headers(hop.forwarder()).await;
        assert_eq!(receive(&later), Ok(()), "others are accepted");
    }
}

fn names(headers: &HeaderMap) -> String {
    let names: Vec<_> = headers.keys().map(|name| name.as_str()).collect();
    names.join(" ")
}

async fn never() -> String {
    panic!("the request is handed on")
}
