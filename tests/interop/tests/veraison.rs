//! Whole attested connections with the real Veraison as the verifier, and what it says about bad Evidence.
//!
//! Its clock is the real one, so everybody's is.
#![allow(
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod support;

use std::sync::Arc;

use atls_core::AppraisalError;
use atls_core::Attester;
use atls_core::Binding;
use atls_core::Fault;
use atls_core::PolicyViolation;
use atls_core::Refusal;
use atls_core::RelyingParty;
use atls_core::StandardPolicy;
use atls_core::Verifier;
use atls_core::ear::Tier;
use atls_core::ear::VerificationKeys;
use atls_passport::PassportAttester;
use atls_passport::PassportVerifier;
use atls_passport::Scheme;
use atls_passport::TrustedIssuer;
use atls_remote::RemoteIssuer;
use atls_remote::RemoteVerifier;
use atls_reqwest::ResponseExt;
use atls_sim::Lifecycle;
use atls_sim::Profile;
use atls_sim::SoftwareComponent;
use atls_tower::ServerTerms;
use atls_veraison::PsaToken;
use atls_veraison::Wrapping;
use interop::Veraison;
use support::Observed;
use support::Replaying;
use support::built;
use support::device;
use support::endorsed;
use support::exchange;
use support::lenient;
use support::strict;
use support::verifier;
use support::verifier_of_the_dying;
use support::verifier_over;

/// Why a client that decides by this relying party refuses that server.
async fn refusal(device: impl Attester + 'static, relying_party: Arc<RelyingParty>) -> Refusal {
    let terms = ServerTerms::new().attester(Arc::new(device));
    let error = exchange(terms, |client| client.require_peer(relying_party))
        .await
        .unwrap_err();
    error.in_exchange().unwrap().refusal().unwrap().clone()
}

#[tokio::test]
async fn a_server_attests_and_veraison_affirms() {
    let Some(veraison) = Veraison::start() else {
        return;
    };
    let terms = ServerTerms::new().attester(Arc::new(endorsed(&veraison).await));
    let relying_party = lenient(verifier(&veraison));
    let (response, attested) = exchange(terms, |client| client.require_peer(relying_party))
        .await
        .unwrap();
    let peer = response.attestation(&attested).unwrap();
    assert_eq!(peer.status(), Tier::Affirming);
    let ear = peer.items()[0].ear();
    assert_eq!(ear.verifier().developer(), "Veraison Project");
    assert_eq!(ear.submod("PSA_IOT").unwrap().status(), Tier::Affirming);
}

#[tokio::test]
async fn a_client_attests_and_veraison_affirms() {
    let Some(veraison) = Veraison::start() else {
        return;
    };
    let device = Arc::new(endorsed(&veraison).await);
    let terms = ServerTerms::new().require_peer(lenient(verifier(&veraison)));
    let (response, _) = exchange(terms, |client| client.attester(device))
        .await
        .unwrap();
    assert_eq!(response.text().await.unwrap(), "affirming");
}

#[tokio::test]
async fn both_attest_and_veraison_affirms_both() {
    let Some(veraison) = Veraison::start() else {
        return;
    };
    let (one, other) = (endorsed(&veraison).await, endorsed(&veraison).await);
    let relying_party = lenient(verifier(&veraison));
    let terms = ServerTerms::new()
        .attester(Arc::new(one))
        .require_peer(relying_party.clone());
    let client = |client: atls_reqwest::AttestedBuilder| {
        client.require_peer(relying_party).attester(Arc::new(other))
    };
    let (response, _) = exchange(terms, client).await.unwrap();
    assert_eq!(response.text().await.unwrap(), "affirming");
}

/// The server fetches its own result for each connection, and the client asks nobody.
#[tokio::test]
async fn a_server_presents_the_result_that_veraison_issued_for_this_connection() {
    let Some(veraison) = Veraison::start() else {
        return;
    };
    let device = Arc::new(endorsed(&veraison).await);
    let issuer = RemoteIssuer::new(verifier(&veraison).build().unwrap()).unwrap();
    let terms =
        ServerTerms::new().attester(Arc::new(PassportAttester::new(device, Arc::new(issuer))));
    let keys = VerificationKeys::from_jwk(&veraison.key).unwrap();
    let trusted =
        TrustedIssuer::veraison(Arc::new(keys)).with_scheme(Scheme::psa_iot("policy:PSA_IOT"));
    let passports = PassportVerifier::builder(&demo::provider()).issuer(trusted);
    let simulated = StandardPolicy::new().dangerous_accept_simulated();
    let relying_party = RelyingParty::builder()
        .verifier(Arc::new(passports.build().unwrap()))
        .standard_policy(simulated);
    let relying_party = built(relying_party);
    let (response, attested) = exchange(terms, |client| client.require_peer(relying_party))
        .await
        .unwrap();
    let peer = response.attestation(&attested).unwrap();
    assert_eq!(peer.status(), Tier::Affirming);
    assert_eq!(peer.binding(), Binding::Connection);
}

#[tokio::test]
async fn evidence_in_a_cmw_is_affirmed_too() {
    let Some(veraison) = Veraison::start() else {
        return;
    };
    for wrapping in [Wrapping::CmwCbor, Wrapping::CmwJson] {
        let terms = ServerTerms::new().attester(Arc::new(endorsed(&veraison).await));
        let relying_party = lenient(verifier_over(
            &veraison,
            veraison.service().with_wrapping(wrapping),
        ));
        exchange(terms, |client| client.require_peer(relying_party))
            .await
            .unwrap();
    }
}

#[tokio::test]
async fn a_simulator_that_veraison_affirms_does_not_satisfy_the_standard_policy() {
    let Some(veraison) = Veraison::start() else {
        return;
    };
    let device = endorsed(&veraison).await;
    let refused = refusal(device, built(strict(verifier(&veraison)))).await;
    assert_eq!(refused, Refusal::Policy(PolicyViolation::Simulated));
}

#[tokio::test]
async fn unknown_software_is_refused() {
    let Some(veraison) = Veraison::start() else {
        return;
    };
    let device = endorsed(&veraison).await;
    let device = device.with_software(vec![SoftwareComponent::new("ARoT", [0xbd; 32])]);
    let refused = refusal(device, lenient(verifier(&veraison))).await;
    assert_eq!(refused.status(), Some(Tier::Warning));
}

#[tokio::test]
async fn an_unknown_device_is_refused() {
    let Some(veraison) = Veraison::start() else {
        return;
    };
    endorsed(&veraison).await;
    let unknown = device();
    let refused = refusal(unknown, lenient(verifier(&veraison))).await;
    assert_eq!(refused.status(), Some(Tier::Contraindicated));
}

/// The right device with the right software, some other time.
#[tokio::test]
async fn a_server_that_replays_evidence_is_refused() {
    let Some(veraison) = Veraison::start() else {
        return;
    };
    let replaying = Replaying::of(&endorsed(&veraison).await).await;
    let refused = refusal(replaying, lenient(verifier(&veraison))).await;
    assert_eq!(refused, Refusal::Appraisal(AppraisalError::NotBound));
}

#[tokio::test]
async fn a_device_that_is_open_to_debugging_is_refused_although_veraison_affirms_it() {
    let Some(veraison) = Veraison::start() else {
        return;
    };
    let device = endorsed(&veraison)
        .await
        .with_lifecycle(Lifecycle::Other(0x4000));
    let observed = Observed::new(verifier(&veraison));
    let refused = refusal(device, observed.lenient()).await;
    let ear = observed.seen().unwrap();
    assert_eq!(ear.submod("PSA_IOT").unwrap().status(), Tier::Affirming);
    assert_eq!(refused.status(), Some(Tier::Contraindicated));
}

#[tokio::test]
async fn a_result_under_another_key_is_refused() {
    let Some(veraison) = Veraison::start() else {
        return;
    };
    let Some(other) = Veraison::start() else {
        return;
    };
    let device = endorsed(&veraison).await;
    let mistaken = verifier_over(&other, veraison.service());
    let refused = refusal(device, lenient(mistaken)).await;
    assert_eq!(refused, Refusal::BadResult(Fault::Verifier));
}

#[tokio::test]
async fn the_key_that_it_tells_is_the_one_that_it_signs_with() {
    let Some(veraison) = Veraison::start() else {
        return;
    };
    let device = endorsed(&veraison).await;
    let discovery = veraison.service().discover().await.unwrap();
    assert!(discovery.is_ready());
    let wanted = verifier(&veraison).build().unwrap();
    assert!(discovery.media_types().contains(&wanted.media_types()[0]));
    let keys = discovery.keys(discovery.key_fingerprint()).unwrap();
    let discovered = RemoteVerifier::builder(veraison.service(), Arc::new(keys), &demo::provider());
    let relying_party = lenient(discovered.format(PsaToken::any_profile()));
    let terms = ServerTerms::new().attester(Arc::new(device));
    exchange(terms, |client| client.require_peer(relying_party))
        .await
        .unwrap();
}

#[tokio::test]
async fn a_veraison_that_is_down_accepts_nobody() {
    let Some(veraison) = Veraison::start() else {
        return;
    };
    let device = endorsed(&veraison).await;
    veraison.kill();
    let refused = refusal(device, lenient(verifier(&veraison))).await;
    assert_eq!(
        (refused.fault(), refused),
        (
            Fault::Verifier,
            Refusal::Appraisal(AppraisalError::Unreachable)
        )
    );
}

#[tokio::test]
async fn a_veraison_whose_trusted_part_is_down_accepts_nobody() {
    let Some(veraison) = Veraison::start() else {
        return;
    };
    let device = endorsed(&veraison).await;
    veraison.kill_trusted_services();
    let refused = refusal(device, lenient(verifier(&veraison))).await;
    assert_eq!(refused, Refusal::Appraisal(AppraisalError::Unreachable));
}

#[tokio::test]
async fn a_veraison_that_is_killed_during_an_appraisal_accepts_nobody() {
    let Some(veraison) = Veraison::start() else {
        return;
    };
    let device = endorsed(&veraison).await;
    let refused = refusal(device, lenient(verifier_of_the_dying(veraison))).await;
    assert_eq!(refused, Refusal::Appraisal(AppraisalError::Unreachable));
}

/// The standard's own profile is among the media types that the released services list.
#[tokio::test]
async fn a_token_of_the_profile_that_veraison_cannot_read_is_refused() {
    let Some(veraison) = Veraison::start() else {
        return;
    };
    let device = endorsed(&veraison).await.with_profile(Profile::Tfm);
    let keys = VerificationKeys::from_jwk(&veraison.key).unwrap();
    let verifier = RemoteVerifier::builder(veraison.service(), Arc::new(keys), &demo::provider());
    let refused = refusal(device, lenient(verifier.format(PsaToken::tfm()))).await;
    assert_eq!(refused.status(), Some(Tier::Contraindicated));
}
