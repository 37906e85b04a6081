//! Arm CCA.

use std::sync::Arc;

use atls_cca::CcaAttester;
use atls_cca::CcaClaims;
use atls_cca::CcaProfile;
use atls_cca::CcaVerifier;
use atls_cca::Lifecycle;
use atls_cca::testing::ForgedCca;
use atls_core::AppraisalError;
use atls_core::Attester;
use atls_core::Refusal;
use atls_core::ear::Tier;
use atls_tsm::Tsm;
use rustls::crypto::ring::default_provider;

use crate::support::assert_declined;
use crate::support::assert_status;
use crate::support::is_bound_to_its_connection;
use crate::support::is_shared_by_a_batch;
use crate::support::is_simulated;
use crate::support::kinds;
use crate::support::on_a_thread;
use crate::support::request;
use crate::support::request_accepting_warnings;

#[tokio::test]
async fn a_realm_attests_a_server() {
    for profile in [CcaProfile::First, CcaProfile::Tag2023] {
        let forged = ForgedCca::of(profile);
        let peer = request(device(&forged), verifier(&forged)).await.unwrap();
        assert_eq!(peer.status(), Tier::Affirming);
        let claims = peer.claims::<CcaClaims>().unwrap();
        assert_eq!(kinds(&peer), ["cca.instance_id"]);
        assert_eq!(claims.image.as_deref(), Some("forged realm"));
        assert_eq!(claims.platform.profile, profile);
    }
}

#[tokio::test]
async fn a_realm_on_another_platform_is_refused() {
    let (ours, mut theirs) = (ForgedCca::new(), ForgedCca::new());
    let outcome = request(device(&theirs), verifier(&ours)).await;
    let expected = Refusal::Appraisal(AppraisalError::BadSignature);
    assert_eq!(outcome.unwrap_err().refusal(), Some(&expected));
    theirs.platform.instance_id[1] ^= 1;
    let outcome = request(device(&theirs), verifier(&ours)).await;
    let expected = Refusal::Appraisal(AppraisalError::UnknownKey);
    assert_eq!(outcome.unwrap_err().refusal(), Some(&expected));
}

#[tokio::test]
async fn a_realm_on_a_platform_that_is_open_to_debugging_is_refused() {
    let mut forged = ForgedCca::new();
    forged.platform.lifecycle = Lifecycle::from(0x4000);
    let outcome = request_accepting_warnings(device(&forged), verifier(&forged)).await;
    assert_status(outcome, Tier::Contraindicated);
}

#[tokio::test]
async fn an_unknown_realm_and_unknown_firmware_are_refused() {
    let forged = ForgedCca::new();
    let changes: [fn(&mut ForgedCca); 2] = [
        |other| other.realm.initial_measurement[0] ^= 1,
        |other| other.platform.components[0].measurement[0] ^= 1,
    ];
    for change in changes {
        let mut other = forged.clone();
        change(&mut other);
        // Warnings are accepted, and this is none.
        let outcome = request_accepting_warnings(device(&other), verifier(&forged)).await;
        assert_status(outcome, Tier::Contraindicated);
    }
}

#[tokio::test]
async fn a_token_of_another_connection_is_refused() {
    let forged = ForgedCca::new();
    is_bound_to_its_connection(device(&forged), verifier(&forged)).await;
}

#[tokio::test]
async fn a_token_is_shared_by_a_batch() {
    let forged = ForgedCca::new();
    is_shared_by_a_batch(device(&forged), verifier(&forged)).await;
}

#[tokio::test]
async fn a_forged_realm_is_simulated() {
    let forged = ForgedCca::new();
    is_simulated(device(&forged), verifier(&forged)).await;
}

/// Somebody else in the realm has a value of his own attested, through our entry.
#[tokio::test]
async fn a_race_for_the_token_is_never_attested() {
    let forged = ForgedCca::new();
    for (races, made) in [(2, true), (3, false)] {
        let configfs = Arc::new(forged.configfs());
        let attester = CcaAttester::over(Tsm::over(configfs.clone())).unwrap();
        configfs.inject_races(races);
        let outcome = request(on_a_thread(attester.unwrap()), verifier(&forged)).await;
        if made {
            assert_eq!(outcome.unwrap().status(), Tier::Affirming);
        } else {
            assert_declined(outcome);
        }
        assert_eq!(configfs.entries(), 0);
    }
}

fn device(forged: &ForgedCca) -> Arc<dyn Attester> {
    on_a_thread(forged.attester())
}

fn verifier(forged: &ForgedCca) -> CcaVerifier {
    forged.verifier(&default_provider())
}
