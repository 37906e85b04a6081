//! The connection that a passport is about, and its age.

use std::sync::Arc;

use atls_core::AppraisalError;
use atls_core::AttestError;
use atls_core::Attester;
use atls_core::Binding;
use atls_core::Fault;
use atls_core::Origin;
use atls_core::Refusal;
use atls_core::StandardPolicy;
use atls_core::ear::Tier;
use atls_passport::PassportAttester;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use base64::prelude::BASE64_URL_SAFE;
use serde_json::Value;
use serde_json::json;
use test_support::Connection;
use test_support::identity;

use crate::office::NOW;
use crate::office::Office;
use crate::office::Replay;
use crate::office::accept;
use crate::office::annotated;
use crate::office::psa_claims;
use crate::office::remove;

#[tokio::test]
async fn a_passport_for_this_connection_is_accepted() {
    for connection in [Connection::new(), Connection::sha384()] {
        let office = Office::new();
        let credential = connection.attested(&office.attester()).await;
        let verifier = office.psa();
        let peer = accept(&verifier, credential, StandardPolicy::new());
        let peer = peer.await.unwrap();
        assert_eq!(peer.status(), Tier::Affirming);
        assert_eq!(peer.binding(), Binding::Connection);
        assert_eq!(peer.items()[0].origin(), Origin::Device);
    }
}

#[tokio::test]
async fn a_passport_of_another_connection_is_refused() {
    let office = Office::new();
    let identity = identity();
    // The same two, the same key, and another connection.
    let (one, other) = (Connection::of(&identity), Connection::of(&identity));
    let passport = office.attester().attest(one.to_attest()).await.unwrap();
    let relayed = accept(
        &office.psa(),
        other.finish(&passport),
        StandardPolicy::new(),
    )
    .await;
    let refusal = relayed.unwrap_err();
    assert_eq!(refusal, Refusal::Appraisal(AppraisalError::NotBound));
    assert_eq!(refusal.fault(), Fault::Peer);
}

#[tokio::test]
async fn an_attester_gets_no_passport_for_evidence_of_another_connection() {
    let office = Office::new();
    let connection = Connection::new();
    let replaying = PassportAttester::new(
        Arc::new(Replay(
            office
                .device
                .attest(Connection::new().to_attest())
                .await
                .unwrap(),
        )),
        Arc::new(office),
    );
    let refused = replaying.attest(connection.to_attest()).await;
    assert_eq!(
        refused.unwrap_err(),
        AttestError::NoResult(AppraisalError::NotBound)
    );
}

#[tokio::test]
async fn a_nonce_that_is_only_echoed_is_not_enough() {
    let office = Office::new();
    let connection = Connection::new();
    let nonce = connection.bound().as_bytes();
    let good = psa_claims(nonce, b"a device, has 32 bytes, as it is");
    let appraised = async |change: fn(&mut Value)| {
        let mut claims = good.clone();
        change(&mut claims);
        office.appraise(&office.psa(), &connection, &claims).await
    };
    assert!(appraised(|_| ()).await.is_ok());
    for change in [
        // The Evidence carried another value, or the result does not report it.
        (|claims| annotated(claims)["psa-nonce"] = BASE64_STANDARD.encode([7; 32]).into())
            as fn(&mut Value),
        |claims| annotated(claims)["psa-nonce"] = Value::Null,
        |claims| claims["submods"]["PSA_IOT"]["ear.veraison.annotated-evidence"] = Value::Null,
        // The result answers another request.
        |claims| claims["eat_nonce"] = BASE64_URL_SAFE.encode([7; 32]).into(),
        |claims| claims["eat_nonce"] = BASE64_URL_SAFE.encode([7; 31]).into(),
        |claims| remove(claims, "eat_nonce"),
        |claims| claims["submods"]["PSA_IOT"]["eat_nonce"] = BASE64_URL_SAFE.encode([7; 32]).into(),
        // Nobody declared that the issuer compares this.
        |claims| claims["submods"]["PSA_IOT"]["ear.appraisal-policy-id"] = "policy:lenient".into(),
        |claims| remove(&mut claims["submods"]["PSA_IOT"], "ear.appraisal-policy-id"),
        |claims| claims["submods"] = json!({ "TPM_ENACTTRUST": claims["submods"]["PSA_IOT"] }),
        |claims| claims["submods"]["TPM_ENACTTRUST"] = claims["submods"]["PSA_IOT"].clone(),
    ] {
        assert_eq!(
            appraised(change).await.unwrap_err(),
            AppraisalError::NotBound
        );
    }
}

#[tokio::test]
async fn a_shorter_or_longer_value_is_another_one() {
    let office = Office::new();
    let connection = Connection::new();
    let value = connection.bound().as_bytes();
    let zeros = [value, &[0; 16]].concat();
    for nonce in [&value[..16], &zeros[..], &[]] {
        let claims = psa_claims(nonce, b"a device, has 32 bytes, as it is");
        let refused = office.appraise(&office.psa(), &connection, &claims).await;
        assert_eq!(refused.unwrap_err(), AppraisalError::NotBound);
    }
}

#[tokio::test]
async fn a_result_is_as_good_as_it_says() {
    let office = Office::new();
    let connection = Connection::new();
    for (status, executables, tier) in [
        ("affirming", 2, Tier::Affirming),
        ("warning", 2, Tier::Warning),
        ("none", 2, Tier::None),
        ("contraindicated", 2, Tier::Contraindicated),
        ("affirming", 33, Tier::Warning),
    ] {
        let mut claims = psa_claims(connection.bound().as_bytes(), &[1; 32]);
        claims["submods"]["PSA_IOT"]["ear.status"] = status.into();
        claims["submods"]["PSA_IOT"]["ear.trustworthiness-vector"]["executables"] =
            executables.into();
        let appraised = office
            .appraise(&office.psa(), &connection, &claims)
            .await
            .unwrap();
        assert_eq!(appraised.ear().status(), tier);
    }
    let mut claims = psa_claims(connection.bound().as_bytes(), &[1; 32]);
    remove(&mut claims["submods"]["PSA_IOT"], "ear.status");
    let refused = office.appraise(&office.psa(), &connection, &claims).await;
    assert_eq!(refused.unwrap_err(), AppraisalError::Malformed);
}

#[tokio::test]
async fn an_old_passport_is_refused() {
    let office = Office::new();
    let connection = Connection::new();
    let claims = psa_claims(connection.bound().as_bytes(), &[1; 32]);
    let appraised = |name: &'static str, value: Value| {
        let mut claims = claims.clone();
        claims[name] = value;
        let (office, connection) = (&office, &connection);
        async move {
            office
                .appraise(&office.psa(), connection, &claims)
                .await
                .map(drop)
        }
    };
    assert_eq!(appraised("iat", (NOW - 599).into()).await, Ok(()));
    assert_eq!(
        appraised("iat", (NOW - 600).into()).await,
        Err(AppraisalError::Expired)
    );
    assert_eq!(appraised("iat", (NOW + 60).into()).await, Ok(()));
    assert_eq!(
        appraised("iat", (NOW + 61).into()).await,
        Err(AppraisalError::Expired)
    );
    assert_eq!(
        appraised("iat", Value::Null).await,
        Err(AppraisalError::Malformed)
    );
    assert_eq!(appraised("exp", (NOW + 1).into()).await, Ok(()));
    assert_eq!(
        appraised("exp", NOW.into()).await,
        Err(AppraisalError::Expired)
    );
}
