//! Signature, time and request of a token, and a service that fails.

use std::sync::Arc;
use std::sync::Mutex;

use atls_core::AppraisalError;
use atls_maa::MaaClaims;
use atls_maa::instance_keys;
use axum::Router;
use axum::http::StatusCode;
use axum::http::Uri;
use axum::routing::post;
use serde_json::Value;
use serde_json::json;
use stand_in::Loopback;
use stand_in::Signer;
use test_support::Connection;

use crate::maa::Kind;
use crate::maa::Maa;
use crate::maa::NOW;
use crate::maa::appraise;

#[tokio::test]
async fn a_token_that_the_instance_did_not_sign_is_refused() {
    let cases: Vec<(&str, fn(&Signer, &Value) -> String)> = vec![
        ("none", |_, claims| Signer::unsigned(claims)),
        ("HS256", |signer, claims| signer.confused(claims)),
        ("an attacker's, with its address", |_, claims| {
            let attacker = Signer::rs256();
            let header = json!({ "alg": "RS256", "jku": "https://attacker.example/certs", "jwk": attacker.jwk() });
            attacker.token_with(&header, claims)
        }),
        ("signed for another algorithm", |signer, claims| {
            signer.token_with(&json!({ "alg": "PS256" }), claims)
        }),
    ];
    for (name, sign) in cases {
        let maa = Maa::with(|_| (), sign).await;
        let refused = maa.appraise(Kind::Tdx, &Connection::new()).await;
        assert_eq!(refused.unwrap_err(), AppraisalError::BadResult, "{name}");
    }
}

#[tokio::test]
async fn a_token_that_has_ended_is_refused() {
    for (name, value) in [("exp", NOW), ("iat", NOW - 3600)] {
        let maa = Maa::twisted(move |claims| claims[name] = value.into()).await;
        let refused = maa.appraise(Kind::Snp, &Connection::new()).await;
        assert_eq!(
            refused.unwrap_err(),
            AppraisalError::ResultExpired,
            "{name}"
        );
    }
}

#[tokio::test]
async fn a_token_of_another_request_is_refused() {
    let first = Arc::new(Mutex::new(None));
    let maa = Maa::twisted(move |claims| {
        *claims = first
            .lock()
            .unwrap()
            .get_or_insert_with(|| claims.clone())
            .clone();
    });
    let maa = maa.await;
    assert!(maa.appraise(Kind::Snp, &Connection::new()).await.is_ok());
    let refused = maa.appraise(Kind::Snp, &Connection::new()).await;
    assert_eq!(refused.unwrap_err(), AppraisalError::BadResult);
}

#[tokio::test]
async fn keys_come_from_the_instance_as_certificates() {
    let maa = Maa::faithful().await;
    let instance = maa.server.endpoint();
    let keys = instance_keys(&instance, Loopback::client()).unwrap();
    let verifier = maa.verifier_with(Arc::new(keys));
    let connection = Connection::new();
    let evidence = Kind::Tdx.evidence(&connection);
    let appraised = appraise(&verifier, Kind::Tdx, &connection, &evidence).await;
    assert!(appraised.is_ok());
}

#[tokio::test]
async fn a_service_that_is_gone_or_talks_nonsense_gives_no_result() {
    let nothing = async |_: Uri| "{}";
    for (app, expected) in [
        (Router::new(), AppraisalError::Unreachable),
        (
            Router::new().route("/attest/TdxVm", post(nothing)),
            AppraisalError::BadResult,
        ),
        (
            Router::new().route("/attest/TdxVm", post(async || vec![b' '; 70 * 1024])),
            AppraisalError::BadResult,
        ),
        (
            Router::new().route("/attest/TdxVm", post(async || StatusCode::BAD_REQUEST)),
            AppraisalError::Malformed,
        ),
    ] {
        let mut maa = Maa::faithful().await;
        maa.server = Loopback::serve(app).await;
        let refused = maa.appraise(Kind::Tdx, &Connection::new()).await;
        assert_eq!(refused.unwrap_err(), expected);
    }
}

#[test]
fn claims_are_for_handlers() {
    fn usable<T: Send + Sync + 'static>() {}
    usable::<MaaClaims>();
}
