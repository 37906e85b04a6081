//! Passports about a key, and configurations that are refused.

use std::sync::Arc;

use atls_core::AppraisalError;
use atls_core::AttestError;
use atls_core::Attester;
use atls_core::Binding;
use atls_core::Origin;
use atls_core::PolicyViolation;
use atls_core::Refusal;
use atls_core::StandardPolicy;
use atls_core::cmw::Cmw;
use atls_passport::PassportAttester;
use atls_passport::PassportSetupError;
use atls_passport::Scheme;
use atls_passport::TrustedIssuer;
use serde_json::Value;
use serde_json::json;
use stand_in::Signer;
use test_support::Connection;
use test_support::identity;

use crate::office::Office;
use crate::office::POLICY;
use crate::office::Replay;
use crate::office::accept;
use crate::office::builder;
use crate::office::psa_claims;

#[tokio::test]
async fn a_reusable_passport_is_bound_to_its_key_and_refused_by_default() {
    let office = Office::new();
    let verifier = office.verifier(|issuer| {
        issuer.with_scheme(Scheme::dangerous_key_only(
            "PSA_IOT",
            POLICY,
            Origin::Device,
        ))
    });
    let identity = identity();
    let passport = office.reusable(&Connection::of(&identity).leaf_key());
    let loose = || StandardPolicy::new().dangerous_accept_binding(Binding::Key);
    for _ in 0..2 {
        let credential = Connection::of(&identity).attested(&passport).await;
        let refused = accept(&verifier, credential, StandardPolicy::new()).await;
        assert_eq!(
            refused.unwrap_err(),
            Refusal::Policy(PolicyViolation::Binding(Binding::Key))
        );
        let credential = Connection::of(&identity).attested(&passport).await;
        let peer = accept(&verifier, credential, loose()).await.unwrap();
        assert_eq!(peer.binding(), Binding::Key);
    }
    // Stolen, under another key.
    let credential = Connection::new().attested(&passport).await;
    let refused = accept(&verifier, credential, loose()).await;
    assert_eq!(refused.unwrap_err(), Refusal::KeyMismatch);
}

#[tokio::test]
async fn a_passport_about_a_key_is_nothing_where_only_fresh_ones_are_expected() {
    let office = Office::new();
    let identity = identity();
    let connection = Connection::of(&identity);
    let passport = office.reusable(&connection.leaf_key());
    let credential = connection.attested(&passport).await;
    let loose = StandardPolicy::new().dangerous_accept_binding(Binding::Key);
    let refused = accept(&office.psa(), credential, loose).await;
    assert_eq!(
        refused.unwrap_err(),
        Refusal::Appraisal(AppraisalError::NotBound)
    );
}

#[tokio::test]
async fn a_passport_without_key_or_with_two_is_about_none() {
    let office = Office::new();
    let scheme = |part| Scheme::dangerous_key_only(part, "p", Origin::Device);
    let verifier =
        office.verifier(|issuer| issuer.with_scheme(scheme("a")).with_scheme(scheme("b")));
    let part = |key: Value| {
        json!({
            "ear.status": "affirming", "ear.appraisal-policy-id": "p",
            "ear.veraison.key-attestation": { "akpub": key },
        })
    };
    let mut claims = psa_claims(&[7; 32], &[1; 32]);
    let connection = Connection::new();
    for (submods, accepted) in [
        (json!({ "a": part("AQI".into()) }), true),
        (
            json!({ "a": part("AQI".into()), "b": part("AQI=".into()) }),
            true,
        ),
        (
            json!({ "a": part("AQI".into()), "b": part("AQM".into()) }),
            false,
        ),
        (json!({ "a": part("".into()) }), false),
        (json!({ "a": part("?".into()) }), false),
        (json!({ "a": part(Value::Null) }), false),
        (json!({ "c": part("AQI".into()) }), false),
    ] {
        claims["submods"] = submods;
        let appraised = office.appraise(&verifier, &connection, &claims).await;
        assert_eq!(
            appraised.map(|appraised| appraised.binding()).ok(),
            accepted.then_some(Binding::Key)
        );
    }
}

#[tokio::test]
async fn a_configuration_that_accepts_nobody_is_refused() {
    let empty = builder().build();
    assert_eq!(empty.unwrap_err(), PassportSetupError::NoIssuer);
    let issuer = TrustedIssuer::veraison(Arc::new(Signer::es256().keys()));
    let idle = builder().issuer(issuer).build();
    assert_eq!(idle.unwrap_err(), PassportSetupError::NoScheme);
}

#[tokio::test]
async fn an_attester_with_several_devices_gets_no_passport() {
    let connection = Connection::new();
    let office = Office::new();
    let one = office.device.attest(connection.to_attest()).await.unwrap();
    let two = Cmw::collection(None, vec![("a".into(), one.clone()), ("b".into(), one)]).unwrap();
    let attester = PassportAttester::new(Arc::new(Replay(two)), Arc::new(office));
    let refused = attester.attest(connection.to_attest()).await;
    assert_eq!(
        refused.unwrap_err(),
        AttestError::NoResult(AppraisalError::Malformed)
    );
}
