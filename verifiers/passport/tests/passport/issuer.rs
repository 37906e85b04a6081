//! Issuers and their keys, and simulated devices behind them.

use std::sync::Arc;

use atls_core::AppraisalError;
use atls_core::Bound;
use atls_core::BoxFuture;
use atls_core::Origin;
use atls_core::PolicyViolation;
use atls_core::Refusal;
use atls_core::StandardPolicy;
use atls_core::Verifier;
use atls_core::cmw::Cmw;
use atls_core::ear::EarError;
use atls_core::ear::KeySource;
use atls_core::ear::VerificationKeys;
use atls_core::pki_types::UnixTime;
use atls_passport::Scheme;
use atls_passport::TrustedIssuer;
use atls_sim::IMPLEMENTATION_ID;
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::Value;
use serde_json::json;
use stand_in::Signer;
use test_support::Connection;

use crate::office::Office;
use crate::office::POLICY;
use crate::office::accept;
use crate::office::annotated;
use crate::office::appraise;
use crate::office::builder;
use crate::office::psa_claims;
use crate::office::veraison;

#[tokio::test]
async fn a_passport_of_an_unknown_issuer_is_refused() {
    let office = Office::new();
    let connection = Connection::new();
    let claims = psa_claims(connection.bound().as_bytes(), &[1; 32]);
    let attacker = Signer::es256();
    let header = json!({ "alg": "ES256", "jwk": attacker.jwk(), "jku": "https://attacker.example", "x5c": ["AA=="] });
    let altered = {
        let token = office.signer.token(&claims);
        let (message, _) = token.rsplit_once('.').unwrap();
        format!("{message}.{}", BASE64_URL_SAFE_NO_PAD.encode([1; 64]))
    };
    for (token, expected) in [
        (
            attacker.token_with(&header, &claims),
            AppraisalError::BadSignature,
        ),
        (altered, AppraisalError::BadSignature),
        (Signer::ps384().token(&claims), AppraisalError::UnknownKey),
        (Signer::unsigned(&claims), AppraisalError::Malformed),
        (office.signer.confused(&claims), AppraisalError::Malformed),
        ("no token".to_owned(), AppraisalError::Malformed),
        (String::new(), AppraisalError::Malformed),
        ("a".repeat(70_000), AppraisalError::Malformed),
    ] {
        let refused = appraise(&office.psa(), &connection, token.as_bytes()).await;
        assert_eq!(refused.unwrap_err(), expected, "{token:.40}");
    }
    let refused = appraise(&office.psa(), &connection, &[0xff, 0xfe]).await;
    assert_eq!(refused.unwrap_err(), AppraisalError::Malformed);
}

#[tokio::test]
async fn issuers_are_told_apart_by_their_keys() {
    let (one, other) = (Office::new(), Office::new());
    let issuer = |office: &Office, policy: &str| {
        TrustedIssuer::veraison(Arc::new(office.signer.keys())).with_scheme(Scheme::psa_iot(policy))
    };
    let verifier = builder()
        .issuer(issuer(&one, "policy:one"))
        .issuer(issuer(&other, "policy:other"))
        .build()
        .unwrap();
    assert_eq!(verifier.media_types().len(), 1);
    let connection = Connection::new();
    let mut claims = psa_claims(connection.bound().as_bytes(), &[1; 32]);
    for (office, policy, accepted) in [
        (&one, "policy:one", true),
        (&other, "policy:other", true),
        // A policy counts for the issuer that it was configured with.
        (&one, "policy:other", false),
        (&other, "policy:one", false),
    ] {
        claims["submods"]["PSA_IOT"]["ear.appraisal-policy-id"] = policy.into();
        let appraised = office.appraise(&verifier, &connection, &claims).await;
        assert_eq!(appraised.is_ok(), accepted, "{policy}");
    }
}

#[tokio::test]
async fn a_passport_for_another_audience_is_refused() {
    let office = Office::new();
    let connection = Connection::new();
    let claims = psa_claims(connection.bound().as_bytes(), &[1; 32]);
    let anybody = office.psa();
    let orders = office.verifier(|issuer| {
        let issuer = issuer.with_scheme(Scheme::psa_iot(POLICY));
        issuer.with_audience("orders")
    });
    for (audience, by_anybody, by_orders) in [
        (None, true, false),
        (Some(json!("orders")), false, true),
        (Some(json!(["payments", "orders"])), false, true),
        (Some(json!("payments")), false, false),
        (Some(json!(["payments"])), false, false),
        (Some(json!([])), false, false),
        (Some(json!("")), false, false),
        (Some(Value::Null), false, false),
    ] {
        let mut claims = claims.clone();
        if let Some(audience) = &audience {
            claims["aud"] = audience.clone();
        }
        for (verifier, accepted) in [(&anybody, by_anybody), (&orders, by_orders)] {
            let appraised = office.appraise(verifier, &connection, &claims).await;
            let expected = match accepted {
                true => Ok(()),
                false => Err(AppraisalError::Malformed),
            };
            assert_eq!(appraised.map(drop), expected, "{audience:?}");
        }
    }
}

#[tokio::test]
async fn missing_keys_of_an_issuer_are_no_fault_of_the_peer() {
    let issuer = TrustedIssuer::veraison(Arc::new(NoKeys)).with_scheme(Scheme::psa_iot(POLICY));
    let verifier = builder().issuer(issuer).build().unwrap();
    let connection = Connection::new();
    let claims = psa_claims(connection.bound().as_bytes(), &[1; 32]);
    let refused = Office::new()
        .appraise(&verifier, &connection, &claims)
        .await;
    assert_eq!(refused.unwrap_err(), AppraisalError::Unreachable);
}

#[tokio::test]
async fn a_simulated_device_cannot_hide_behind_a_genuine_issuer() {
    let connection = Connection::new();
    let office = Office::new();
    let value = connection.bound().as_bytes();
    let hidden = |change: fn(&mut Value)| {
        let mut claims = psa_claims(value, &[1; 32]);
        change(&mut claims);
        claims
    };
    for claims in [
        psa_claims(value, &IMPLEMENTATION_ID),
        hidden(|claims| annotated(claims)["psa-implementation-id"] = Value::Null),
        hidden(|claims| annotated(claims)["psa-implementation-id"] = "?".into()),
    ] {
        let appraised = office
            .appraise(&office.psa(), &connection, &claims)
            .await
            .unwrap();
        assert_eq!(appraised.origin(), Origin::Simulated);
    }
    // The standard policy refuses it, though the issuer affirms.
    let passport = office.signer.token(&psa_claims(value, &IMPLEMENTATION_ID));
    let credential = connection.finish(&results(passport.as_bytes()));
    let refused = accept(&office.psa(), credential, StandardPolicy::new()).await;
    assert_eq!(
        refused.unwrap_err(),
        Refusal::Policy(PolicyViolation::Simulated)
    );
}

#[tokio::test]
async fn one_simulated_part_makes_the_whole_simulated() {
    let office = Office::new();
    let scheme = |part, origin| Scheme::checks_freshness(part, "p", Bound::verbatim, origin);
    let verifier = office.verifier(|issuer| {
        issuer
            .with_scheme(scheme("a", Origin::Device))
            .with_scheme(scheme("b", Origin::Simulated))
    });
    let connection = Connection::new();
    let part = json!({ "ear.status": "affirming", "ear.appraisal-policy-id": "p" });
    let mut claims = psa_claims(connection.bound().as_bytes(), &[1; 32]);
    for (submods, origin) in [
        (json!({ "a": part }), Origin::Device),
        (json!({ "b": part }), Origin::Simulated),
        (json!({ "a": part, "b": part }), Origin::Simulated),
    ] {
        claims["submods"] = submods;
        let appraised = office
            .appraise(&verifier, &connection, &claims)
            .await
            .unwrap();
        assert_eq!(appraised.origin(), origin);
    }
}

#[test]
fn the_generation_rises_with_the_keys_of_any_issuer() {
    let issuer = |withdrawals| {
        let keys = Withdrawn(withdrawals);
        TrustedIssuer::veraison(Arc::new(keys)).with_scheme(Scheme::psa_iot(POLICY))
    };
    let verifier = builder().issuer(issuer(2)).issuer(issuer(3)).build();
    assert_eq!(verifier.unwrap().generation(), 5);
}

struct NoKeys;

impl KeySource for NoKeys {
    fn keys(&self, _: UnixTime) -> BoxFuture<'_, Result<VerificationKeys, EarError>> {
        Box::pin(std::future::ready(Err(EarError::NoKeys)))
    }
}

/// A source that withdrew so many keys.
struct Withdrawn(u64);

impl KeySource for Withdrawn {
    fn keys(&self, now: UnixTime) -> BoxFuture<'_, Result<VerificationKeys, EarError>> {
        NoKeys.keys(now)
    }

    fn generation(&self) -> u64 {
        self.0
    }
}

fn results(passport: &[u8]) -> Cmw {
    Cmw::attestation_results(veraison(), passport.to_vec())
}
