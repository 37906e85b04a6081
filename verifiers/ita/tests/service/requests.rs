//! The requests of the verifier.

use atls_core::AppraisalError;
use atls_core::Origin;
use atls_core::ear::Tier;
use atls_ita::RuntimeData;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::json;
use test_support::Connection;
use test_support::at;

use crate::ita::Ita;
use crate::ita::NOW;
use crate::ita::POLICY;
use crate::ita::appraise;
use crate::ita::quote;

#[tokio::test]
async fn a_token_about_this_connection_is_accepted() {
    for connection in [Connection::new(), Connection::sha384()] {
        let ita = Ita::faithful().await;
        let appraised = ita.appraise(&connection).await.unwrap();
        assert_eq!(appraised.ear().status(), Tier::Affirming);
        assert_eq!(appraised.origin(), Origin::Device);
        assert_eq!(appraised.ear().expires_at(), Some(at(NOW + 300)));
        let request = ita.last_request();
        assert_eq!(request["policy_ids"], json!([POLICY]));
        assert_eq!(request["policy_must_match"], true);
        let runtime_data = request["tdx"]["runtime_data"].as_str().unwrap();
        assert_eq!(
            BASE64_STANDARD.decode(runtime_data).unwrap(),
            connection.bound().as_bytes()
        );
        assert!(request["tdx"].get("verifier_nonce").is_none());
    }
}

#[tokio::test]
async fn the_value_may_be_kept_from_the_service() {
    let ita = Ita::faithful().await;
    let connection = Connection::new();
    let service = ita.service().with_runtime_data(RuntimeData::Omitted);
    let verifier = ita.verifier_of(service.with_policy(POLICY));
    let appraised = appraise(&verifier, &connection, &quote(&connection)).await;
    assert!(appraised.is_ok());
    assert!(ita.last_request()["tdx"].get("runtime_data").is_none());
}

#[tokio::test]
async fn claims_of_version_1_stand_at_the_top() {
    let ita = Ita::twisted(|mut claims| {
        let nested = claims["tdx"].take();
        claims.as_object_mut().unwrap().remove("tdx");
        let nested = nested.as_object().unwrap().clone();
        claims.as_object_mut().unwrap().extend(nested);
        claims
    });
    let appraised = ita.await.appraise(&Connection::new()).await.unwrap();
    assert_eq!(appraised.ear().status(), Tier::Affirming);
}

#[tokio::test]
async fn evidence_of_another_connection_is_not_even_sent() {
    let ita = Ita::faithful().await;
    let verifier = ita.verifier();
    let (one, other) = (Connection::new(), Connection::new());
    let refused = appraise(&verifier, &one, &quote(&other)).await;
    assert_eq!(refused.unwrap_err(), AppraisalError::NotBound);
    let refused = appraise(&verifier, &one, b"no quote").await;
    assert_eq!(refused.unwrap_err(), AppraisalError::Malformed);
    assert!(ita.requests.lock().unwrap().is_empty());
}
