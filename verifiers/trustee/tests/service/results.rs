//! Results that are taken, and services that fail.

use std::sync::Arc;

use atls_core::AppraisalError;
use atls_core::Attester;
use atls_core::Evidence;
use atls_core::MediaType;
use atls_core::Origin;
use atls_core::PolicyViolation;
use atls_core::Refusal;
use atls_core::RelyingParty;
use atls_core::StandardPolicy;
use atls_core::Verifier;
use atls_core::ear::Algorithm;
use atls_core::ear::Category;
use atls_core::ear::Issuer;
use atls_core::ear::Tier;
use atls_remote::Jwks;
use atls_remote::RemoteIssuer;
use atls_remote::SetupError;
use atls_trustee::SampleAttester;
use atls_trustee::SampleEvidence;
use atls_trustee::TdxQuote;
use axum::Router;
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::Value;
use serde_json::json;
use stand_in::Loopback;
use stand_in::Signer;
use test_support::Connection;
use test_support::at;

use crate::trustee::NOW;
use crate::trustee::Trustee;
use crate::trustee::appraised_with;
use crate::trustee::quote;
use crate::trustee::sign;

#[tokio::test]
async fn a_result_about_this_connection_is_accepted() {
    for connection in [Connection::new(), Connection::sha384()] {
        let trustee = Trustee::faithful().await;
        let quote = quote(&connection);
        let appraised = trustee.appraise(&connection, &quote).await.unwrap();
        assert_eq!(appraised.ear().status(), Tier::Affirming);
        assert_eq!(appraised.origin(), Origin::Device);
        assert_eq!(appraised.ear().expires_at(), Some(at(NOW + 300)));
        assert_eq!(trustee.requests(), 1);
    }
}

#[tokio::test]
async fn evidence_of_another_connection_is_not_even_sent() {
    let trustee = Trustee::faithful().await;
    let replayed = quote(&Connection::new());
    let refused = trustee.appraise(&Connection::new(), &replayed).await;
    assert_eq!(refused.unwrap_err(), AppraisalError::NotBound);
    let refused = trustee.appraise(&Connection::new(), b"no quote").await;
    assert_eq!(refused.unwrap_err(), AppraisalError::Malformed);
    assert_eq!(trustee.requests(), 0);
}

#[tokio::test]
async fn a_td_that_may_be_debugged_is_contraindicated_whatever_the_service_says() {
    let trustee = Trustee::faithful().await;
    let connection = Connection::new();
    for bit in 0..8 {
        let mut quote = quote(&connection);
        quote[48 + 120] = 1 << bit;
        let appraised = trustee.appraise(&connection, &quote).await.unwrap();
        assert_eq!(appraised.ear().status(), Tier::Contraindicated);
    }
}

#[tokio::test]
async fn trustees_simulator_is_simulated_and_refused_unless_it_is_named() {
    let trustee = Trustee::faithful().await;
    let attester = SampleAttester::new("1").unwrap();
    let verifier = trustee.builder().format(SampleEvidence::new());
    let verifier = Arc::new(verifier.build().unwrap());
    for (policy, accepted) in [
        (StandardPolicy::new(), false),
        (StandardPolicy::new().dangerous_accept_simulated(), true),
    ] {
        let relying_party = RelyingParty::builder()
            .verifier(verifier.clone())
            .standard_policy(policy)
            .build()
            .unwrap();
        let credential = Connection::new().attested(&attester).await;
        let appraised = relying_party.appraise(credential, at(NOW)).await;
        match accepted {
            true => assert_eq!(appraised.unwrap().status(), Tier::Affirming),
            false => assert_eq!(
                appraised.unwrap_err(),
                Refusal::Policy(PolicyViolation::Simulated)
            ),
        }
    }
}

#[tokio::test]
async fn evidence_that_the_service_refuses_gives_no_result() {
    let trustee = Trustee::with(|_| None, sign).await;
    let connection = Connection::new();
    let refused = trustee.appraise(&connection, &quote(&connection)).await;
    assert_eq!(refused.unwrap_err(), AppraisalError::NoResult);
}

#[tokio::test]
async fn a_result_that_has_ended_is_refused() {
    let changes: [fn(&mut Value); 2] = [
        |claims| claims["exp"] = NOW.into(),
        |claims| claims["iat"] = (NOW - 3600).into(),
    ];
    for change in changes {
        let refused = appraised_with(change).await.map(drop);
        assert_eq!(refused, Err(AppraisalError::ResultExpired));
    }
}

#[tokio::test]
async fn a_result_that_its_service_did_not_sign_is_refused() {
    let cases: Vec<(&str, fn(&Signer, &Value) -> String)> = vec![
        ("none", |_, claims| Signer::unsigned(claims)),
        ("HS256 with the public key", |signer, claims| {
            signer.confused(claims)
        }),
        ("another key, in the header", |_, claims| {
            let attacker = Signer::es256();
            let header = json!({ "alg": "ES256", "jwk": attacker.jwk(), "jku": "https://attacker.example", "x5u": "https://attacker.example" });
            attacker.token_with(&header, claims)
        }),
        ("altered", |signer, claims| {
            let token = signer.token(claims);
            let (message, signature) = token.rsplit_once('.').unwrap();
            let claims = BASE64_URL_SAFE_NO_PAD.encode(claims.to_string() + " ");
            let header = message.split('.').next().unwrap();
            format!("{header}.{claims}.{signature}")
        }),
        ("not a token", |_, _| "a token".to_owned()),
        ("empty", |_, _| String::new()),
        ("too large", |signer, claims| {
            let mut claims = claims.clone();
            claims["padding"] = "a".repeat(65 * 1024).into();
            signer.token(&claims)
        }),
    ];
    for (name, sign) in cases {
        let trustee = Trustee::with(Some, sign).await;
        let connection = Connection::new();
        let refused = trustee.appraise(&connection, &quote(&connection)).await;
        assert_eq!(refused.unwrap_err(), AppraisalError::BadResult, "{name}");
    }
}

#[tokio::test]
async fn keys_may_come_from_the_configured_services_own_set() {
    let trustee = Trustee::faithful().await;
    let url = trustee.server.endpoint().join("/.well-known/jwks.json");
    let keys = Jwks::new(Loopback::client(), url.unwrap(), &[Algorithm::Es256]);
    let verifier = trustee
        .builder_with(Arc::new(keys))
        .format(TdxQuote::new())
        .build()
        .unwrap();
    let connection = Connection::new();
    let quote = quote(&connection);
    let evidence = Evidence::new(&verifier.media_types()[0], &quote, connection.bound());
    assert!(verifier.appraise(&evidence, at(NOW)).await.is_ok());
}

#[tokio::test]
async fn a_service_that_is_gone_gives_no_result() {
    let mut trustee = Trustee::faithful().await;
    trustee.server = Loopback::serve(Router::new()).await;
    let connection = Connection::new();
    let refused = trustee.appraise(&connection, &quote(&connection)).await;
    assert_eq!(refused.unwrap_err(), AppraisalError::Unreachable);
}

#[tokio::test]
async fn a_passport_is_what_the_service_signed() {
    let trustee = Trustee::faithful().await;
    let verifier = trustee.verifier();
    let media_type = verifier.media_types()[0].clone();
    let issuer = RemoteIssuer::new(verifier).unwrap();
    let connection = Connection::new();
    let quote = quote(&connection);
    let evidence = Evidence::new(&media_type, &quote, connection.bound());
    let passport = issuer.issue(&evidence).await.unwrap();
    assert_eq!(passport.iter().filter(|byte| **byte == b'.').count(), 2);
    let profile = issuer.media_type().parameter("eat_profile");
    assert_eq!(profile, Some(atls_trustee::PROFILE));
    // There is none for Evidence of another connection.
    let other = Connection::new();
    let evidence = Evidence::new(&media_type, &quote, other.bound());
    let refused = issuer.issue(&evidence).await;
    assert_eq!(refused.unwrap_err(), AppraisalError::NotBound);
}

#[tokio::test]
async fn a_configuration_that_could_not_work_is_refused() {
    let trustee = Trustee::faithful().await;
    assert_eq!(trustee.builder().build().unwrap_err(), SetupError::NoFormat);
    let twice = trustee
        .builder()
        .format(TdxQuote::new())
        .format(TdxQuote::new());
    let media_type = MediaType::parse("application/vnd.atls.tdx-quote").unwrap();
    assert_eq!(
        twice.build().unwrap_err(),
        SetupError::RepeatedFormat(media_type)
    );
}

#[tokio::test]
async fn a_local_appraisal_stands_beside_that_of_the_service() {
    let trustee = Trustee::faithful().await;
    let connection = Connection::new();
    let appraised = trustee
        .appraise(&connection, &quote(&connection))
        .await
        .unwrap();
    let local = appraised.ear().submod("local").unwrap();
    assert_eq!(local.vector().get(Category::Configuration).value(), 2);
    assert!(appraised.ear().submod("cpu0").is_some());
}

#[tokio::test]
async fn the_simulators_attester_names_its_format() {
    let attester = SampleAttester::new("1").unwrap();
    let connection = Connection::new();
    let cmw = attester.attest(connection.to_attest()).await.unwrap();
    let media_type = cmw.items()[0].media_type().unwrap();
    assert_eq!(attester.media_types(), [media_type]);
}
