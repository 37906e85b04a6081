//! Clients that attest to a server, which asks the real Veraison: those that it must not let in.
#![allow(
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod support;

use std::sync::Arc;

use atls_core::AppraisalError;
use atls_core::Attester;
use atls_core::RelyingParty;
use atls_core::ear::Tier;
use atls_core::exchange::RefusalCode;
use atls_sim::SoftwareComponent;
use atls_tower::ServerTerms;
use interop::Veraison;
use support::Observed;
use support::Replaying;
use support::device;
use support::endorsed;
use support::exchange;
use support::verifier;
use support::verifier_of_the_dying;

/// The answer of a server that decides by this relying party to that client.
async fn refusal(device: impl Attester + 'static, relying_party: Arc<RelyingParty>) -> RefusalCode {
    let terms = ServerTerms::new().require_peer(relying_party);
    let error = exchange(terms, |client| client.attester(Arc::new(device)))
        .await
        .unwrap_err();
    error.in_exchange().unwrap().refused_by_peer().unwrap()
}

#[tokio::test]
async fn an_unknown_device_is_refused() {
    let Some(veraison) = Veraison::start() else {
        return;
    };
    endorsed(&veraison).await;
    let observed = Observed::new(verifier(&veraison));
    let refused = refusal(device(), observed.lenient()).await;
    assert_eq!(refused, RefusalCode::NotAccepted);
    let status = observed.seen().map(|ear| ear.status());
    assert_eq!(status, Ok(Tier::Contraindicated));
}

#[tokio::test]
async fn unknown_software_is_refused() {
    let Some(veraison) = Veraison::start() else {
        return;
    };
    let device = endorsed(&veraison).await;
    let device = device.with_software(vec![SoftwareComponent::new("ARoT", [0xbd; 32])]);
    let observed = Observed::new(verifier(&veraison));
    let refused = refusal(device, observed.lenient()).await;
    assert_eq!(refused, RefusalCode::NotAccepted);
    let status = observed.seen().map(|ear| ear.status());
    assert_eq!(status, Ok(Tier::Warning));
}

/// The right device with the right software, some other time.
#[tokio::test]
async fn replayed_evidence_is_refused() {
    let Some(veraison) = Veraison::start() else {
        return;
    };
    let replaying = Replaying::of(&endorsed(&veraison).await).await;
    let observed = Observed::new(verifier(&veraison));
    let refused = refusal(replaying, observed.lenient()).await;
    assert_eq!(refused, RefusalCode::NotAccepted);
    assert_eq!(observed.seen(), Err(AppraisalError::NotBound));
}

#[tokio::test]
async fn a_veraison_that_is_down_lets_nobody_in() {
    let Some(veraison) = Veraison::start() else {
        return;
    };
    let device = endorsed(&veraison).await;
    veraison.kill();
    let observed = Observed::new(verifier(&veraison));
    let refused = refusal(device, observed.lenient()).await;
    assert_eq!(refused, RefusalCode::Unavailable);
    assert_eq!(observed.seen(), Err(AppraisalError::Unreachable));
}

#[tokio::test]
async fn a_veraison_that_is_killed_during_an_appraisal_lets_nobody_in() {
    let Some(veraison) = Veraison::start() else {
        return;
    };
    let device = endorsed(&veraison).await;
    let observed = Observed::new(verifier_of_the_dying(veraison));
    let refused = refusal(device, observed.lenient()).await;
    assert_eq!(refused, RefusalCode::Unavailable);
    assert_eq!(observed.seen(), Err(AppraisalError::Unreachable));
}
