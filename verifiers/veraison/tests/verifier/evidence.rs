//! Evidence that is refused before it is sent.

use std::sync::Arc;
use std::time::Duration;

use atls_core::AppraisalError;
use atls_core::Evidence;
use atls_core::Origin;
use atls_core::PolicyViolation;
use atls_core::Refusal;
use atls_core::RelyingParty;
use atls_core::StandardPolicy;
use atls_core::Verifier;
use atls_core::ear::Tier;
use atls_sim::SimAttester;
use test_support::Connection;

use crate::fixtures::appraise;
use crate::fixtures::verifier;
use crate::support::Fake;
use crate::support::Step;
use crate::support::now;

#[tokio::test]
async fn good_evidence_is_affirmed_as_simulated() {
    for connection in [Connection::new(), Connection::sha384()] {
        let token = connection.token(&SimAttester::generate().unwrap()).await;
        let fake = Fake::new();
        let appraised = appraise(&verifier(&fake), &connection, &token)
            .await
            .unwrap();
        assert_eq!(appraised.ear().status(), Tier::Affirming);
        assert_eq!(appraised.origin(), Origin::Simulated);
        assert_eq!(appraised.ear().nonce(), Some(connection.bound().as_bytes()));
        assert_eq!(fake.steps(), [Step::Open, Step::Submit, Step::Delete]);
        assert_eq!(fake.open_sessions(), 0);
        assert_eq!(fake.request(Step::Submit).body(), &token);
    }
}

#[tokio::test]
async fn an_affirming_result_about_a_simulator_does_not_satisfy_the_standard_policy() {
    let fake = Fake::new();
    let attester = SimAttester::generate().unwrap();
    let strict = RelyingParty::builder().verifier(Arc::new(verifier(&fake)));
    let credential = Connection::new().attested(&attester).await;
    let refused = strict
        .build()
        .unwrap()
        .appraise(credential, now())
        .await
        .unwrap_err();
    assert_eq!(refused, Refusal::Policy(PolicyViolation::Simulated));

    let lenient = RelyingParty::builder()
        .verifier(Arc::new(verifier(&fake)))
        .standard_policy(StandardPolicy::new().dangerous_accept_simulated());
    let credential = Connection::new().attested(&attester).await;
    let peer = lenient
        .build()
        .unwrap()
        .appraise(credential, now())
        .await
        .unwrap();
    assert_eq!(peer.status(), Tier::Affirming);
    // Veraison states no end: it is the relying party's maximum age after `iat`.
    assert_eq!(peer.valid_for(now()), Duration::from_secs(3600));
}

/// The service would affirm it, and echo the nonce of this connection.
#[tokio::test]
async fn evidence_of_another_connection_is_refused_and_never_sent() {
    let fake = Fake::new();
    let (one, other) = (Connection::new(), Connection::new());
    let replayed = other.token(&SimAttester::generate().unwrap()).await;
    let refused = appraise(&verifier(&fake), &one, &replayed)
        .await
        .unwrap_err();
    assert_eq!(refused, AppraisalError::NotBound);
    assert_eq!(fake.steps(), []);
}

#[tokio::test]
async fn malformed_evidence_is_refused_and_never_sent() {
    let fake = Fake::new();
    let connection = Connection::new();
    for bytes in [&b""[..], b"\xd2\x84", b"not a token"] {
        let refused = appraise(&verifier(&fake), &connection, bytes).await;
        assert_eq!(refused.unwrap_err(), AppraisalError::Malformed);
    }
    assert_eq!(fake.steps(), []);
}

#[tokio::test]
async fn evidence_of_another_media_type_is_refused_and_never_sent() {
    let fake = Fake::new();
    let connection = Connection::new();
    let token = connection.token(&SimAttester::generate().unwrap()).await;
    let other = "application/eat+cwt".parse().unwrap();
    let evidence = Evidence::new(&other, &token, connection.bound());
    let refused = verifier(&fake).appraise(&evidence, now()).await;
    assert_eq!(refused.unwrap_err(), AppraisalError::Malformed);
    assert_eq!(fake.steps(), []);
}
