//! Signature, time and request of a token, and a service that fails.

use std::sync::Arc;
use std::sync::Mutex;
use std::time::Duration;

use atls_core::AppraisalError;
use atls_core::Appraised;
use atls_ita::ItaService;
use atls_ita::TdxQuote;
use atls_ita::portal_keys;
use atls_remote::RemoteVerifier;
use atls_remote::Resilient;
use atls_remote::SetupError;
use serde_json::Value;
use serde_json::json;
use stand_in::Loopback;
use stand_in::Signer;
use test_support::Connection;
use test_support::Script;

use crate::ita::Ita;
use crate::ita::NOW;
use crate::ita::POLICY;
use crate::ita::appraise;
use crate::ita::quote;
use crate::ita::verifier;

#[tokio::test]
async fn a_token_that_the_portal_did_not_sign_is_refused() {
    let cases: Vec<(&str, fn(&Signer, &Value) -> String)> = vec![
        ("none", |_, claims| Signer::unsigned(claims)),
        ("HS256", |signer, claims| signer.confused(claims)),
        ("an attacker's, with its address", |_, claims| {
            let header =
                json!({ "alg": "PS384", "jku": "https://attacker.example/certs", "kid": "k" });
            Signer::ps384().token_with(&header, claims)
        }),
        ("signed for another algorithm", |signer, claims| {
            signer.token_with(&json!({ "alg": "RS256" }), claims)
        }),
    ];
    for (name, sign) in cases {
        let ita = Ita::with(|claims| claims, sign).await;
        let refused = ita.appraise(&Connection::new()).await;
        assert_eq!(refused.unwrap_err(), AppraisalError::BadResult, "{name}");
    }
}

#[tokio::test]
async fn a_token_that_has_ended_is_refused() {
    let ita = Ita::twisted(|mut claims| {
        claims["exp"] = NOW.into();
        claims
    });
    let refused = ita.await.appraise(&Connection::new()).await;
    assert_eq!(refused.unwrap_err(), AppraisalError::ResultExpired);
}

#[tokio::test]
async fn a_token_of_another_request_is_refused() {
    let first = Ita::faithful().await;
    let recorded = Arc::new(Mutex::new(None));
    let replayed = recorded.clone();
    // A service in between answers each request with the first token.
    let ita = Ita::with_memory(first.signer.clone(), replayed).await;
    assert!(ita.appraise(&Connection::new()).await.is_ok());
    let refused = ita.appraise(&Connection::new()).await;
    assert_eq!(refused.unwrap_err(), AppraisalError::BadResult);
    assert!(recorded.lock().unwrap().is_some());
}

#[tokio::test]
async fn answers_without_token_give_no_result() {
    for (status, body, expected) in [
        (200, "", AppraisalError::BadResult),
        (200, "{}", AppraisalError::BadResult),
        (200, r#"{"token":1}"#, AppraisalError::BadResult),
        (400, r#"{"error":"quote"}"#, AppraisalError::Malformed),
        (401, "", AppraisalError::Unreachable),
        (503, "", AppraisalError::Unreachable),
    ] {
        let script = Script::immediate(move |_, _| {
            let response = http::Response::builder().status(status);
            Ok(response.body(body.as_bytes().to_vec()).unwrap())
        });
        let refused = over(script).await;
        assert_eq!(refused.unwrap_err(), expected, "{status} {body}");
    }
    let huge = Script::immediate(|_, _| Ok(http::Response::new(vec![b' '; 70 * 1024])));
    assert_eq!(over(huge).await.unwrap_err(), AppraisalError::BadResult);
}

#[tokio::test(start_paused = true)]
async fn a_silent_service_is_given_up_within_the_exchange() {
    let silent = Script::new(|_, _| Box::pin(std::future::pending()));
    let start = tokio::time::Instant::now();
    assert_eq!(over(silent).await.unwrap_err(), AppraisalError::Unreachable);
    assert_eq!(start.elapsed(), Duration::from_secs(8));
}

/// The client must see the service hang, and not only a caller that gave up.
#[tokio::test(start_paused = true)]
async fn a_silent_service_is_left_alone_however_short_the_deadline() {
    let silent = Script::new(|_, _| Box::pin(std::future::pending()));
    let endpoint = atls_remote::Endpoint::https("https://api.example").unwrap();
    let client = Resilient::builder("ita", Arc::new(silent)).circuit(2, Duration::from_secs(50));
    let client = Arc::new(client.build());
    let service = ItaService::new(&endpoint, "key", client.clone()).unwrap();
    let provider = rustls::crypto::ring::default_provider();
    let keys = Arc::new(Signer::es256().keys());
    let builder = RemoteVerifier::builder(service, keys, &provider).format(TdxQuote::new());
    let verifier = builder.deadline(Duration::from_secs(2)).build().unwrap();
    let connection = Connection::new();
    for _ in 0..3 {
        let refused = appraise(&verifier, &connection, &quote(&connection)).await;
        assert_eq!(refused.unwrap_err(), AppraisalError::Unreachable);
    }
    let stats = client.stats();
    let counts = (stats.failures, stats.abandoned, stats.not_sent);
    assert_eq!(counts, (2, 0, 1));
}

#[tokio::test]
async fn keys_come_from_the_portal() {
    let ita = Ita::faithful().await;
    let keys = portal_keys(&ita.server.endpoint(), Loopback::client()).unwrap();
    let verifier = verifier(ita.service().with_policy(POLICY), Arc::new(keys));
    let connection = Connection::new();
    let appraised = appraise(&verifier, &connection, &quote(&connection)).await;
    assert!(appraised.is_ok());
}

#[tokio::test]
async fn a_configuration_without_usable_key_is_refused() {
    let ita = Ita::faithful().await;
    let service = |key| ItaService::new(&ita.server.endpoint(), key, Loopback::client());
    assert_eq!(service("a\nb").unwrap_err(), SetupError::Credential);
    let debugged = format!("{:?}", ita.verifier_of(service("secret").unwrap()));
    assert!(debugged.contains("ItaService"));
    assert!(!debugged.contains("secret"));
}

async fn over(script: Script) -> Result<Appraised, AppraisalError> {
    let endpoint = atls_remote::Endpoint::https("https://api.example").unwrap();
    let client = Arc::new(Resilient::new("ita", Arc::new(script)));
    let service = ItaService::new(&endpoint, "key", client).unwrap();
    let verifier = verifier(service, Arc::new(Signer::es256().keys()));
    let connection = Connection::new();
    appraise(&verifier, &connection, &quote(&connection)).await
}
