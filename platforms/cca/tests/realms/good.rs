//! Tokens that are good, and what is told of them.

use std::sync::Arc;

use atls_cca::CcaClaims;
use atls_cca::CcaKeys;
use atls_cca::CcaProfile;
use atls_cca::CcaVerifier;
use atls_cca::testing::ForgedCca;
use atls_core::AppraisalError;
use atls_core::Origin;
use atls_core::PolicyViolation;
use atls_core::Refusal;
use atls_core::RelyingParty;
use atls_core::StandardPolicy;
use atls_core::Verifier;
use atls_core::ear::Tier;
use atls_core::finding::Finding;
use atls_core::finding::Outcome;
use atls_reference::Live;
use test_support::Connection;
use test_support::ready;

use crate::setting::Setting;
use crate::support::appraise;
use crate::support::at;
use crate::support::provider;
use crate::support::vector;

#[test]
fn a_realm_of_either_generation_is_affirmed_and_says_that_it_is_simulated() {
    for profile in [CcaProfile::First, CcaProfile::Tag2023] {
        for connection in [Connection::new(), Connection::sha384()] {
            let setting = Setting::with(connection, ForgedCca::of(profile));
            let appraised = setting.appraise(&setting.token()).unwrap();
            assert_eq!(appraised.ear().status(), Tier::Affirming);
            assert_eq!(appraised.origin(), Origin::Simulated);
            assert_eq!(appraised.image(), Some("forged realm"));
            assert_eq!(
                vector(appraised.ear(), "cca-platform"),
                [2, 2, 2, 0, 2, 2, 0, 0]
            );
            assert_eq!(
                vector(appraised.ear(), "cca-realm"),
                [2, 0, 2, 0, 0, 0, 0, 0]
            );
            let has_passed = |finding: &Finding| finding.outcome() == Outcome::Passed;
            assert!(appraised.findings().iter().all(has_passed));
        }
    }
}

/// The two generations meet in deployed tokens.
#[test]
fn tokens_of_different_generations_are_one_collection() {
    let mut forged = ForgedCca::new();
    forged.platform.profile = CcaProfile::First;
    let setting = Setting::of(forged);
    assert_eq!(setting.status(), Tier::Affirming);
}

#[test]
fn a_key_of_hardware_is_a_device_and_one_of_software_simulated() {
    let forged = ForgedCca::new();
    for (key, origin) in [
        (forged.trusted("a"), Origin::Device),
        (forged.trusted("a").in_software(), Origin::Simulated),
    ] {
        let keys = Live::fixed(CcaKeys::new(vec![key])).unwrap();
        let policy = Live::fixed(forged.policy()).unwrap();
        let verifier = CcaVerifier::new(Arc::new(policy), Arc::new(keys), &provider());
        let setting = Setting {
            verifier,
            ..Setting::of(forged.clone())
        };
        let appraised = setting.appraise(&setting.token()).unwrap();
        assert_eq!(appraised.origin(), origin);
    }
}

#[test]
fn the_claims_reach_the_handler_and_the_standard_policy_refuses_a_simulated_realm() {
    let setting = Setting::new();
    let mut attester = setting.forged.attester();
    let verifier = Arc::new(setting.verifier);
    let party = |policy| {
        let verifier = verifier.clone();
        let party = RelyingParty::builder().verifier(verifier);
        party.standard_policy(policy).build().unwrap()
    };
    let lenient = party(StandardPolicy::new().dangerous_accept_simulated());
    let credential = setting.connection.credential(&mut attester);
    let peer = ready(lenient.appraise(credential, at())).unwrap();
    let claims = peer.claims::<CcaClaims>().unwrap();
    assert_eq!(claims.key, "forged");
    assert_eq!(claims.firmware.as_deref(), Some("forged firmware"));
    assert_eq!(claims.image.as_deref(), Some("forged realm"));
    assert_eq!(claims.platform.components.len(), 2);
    assert_eq!(claims.realm.initial_measurement, [0x1a; 64]);
    let credential = setting.connection.credential(&mut attester);
    let refused = ready(party(StandardPolicy::new()).appraise(credential, at()));
    let expected = Refusal::Policy(PolicyViolation::Simulated);
    assert_eq!(refused.unwrap_err(), expected);
}

#[test]
fn debug_output_names_no_machine() {
    let setting = Setting::new();
    let token = setting.token();
    let recorded = ready(setting.verifier.appraise_recorded(&token, at())).unwrap();
    let shown = format!("{:?}", recorded.claims::<CcaClaims>().unwrap());
    assert_eq!(
        shown,
        r#"CcaClaims { firmware: Some("forged firmware"), image: Some("forged realm"), lifecycle: Secured, .. }"#
    );
}

#[test]
fn a_recorded_token_gives_its_challenge() {
    let setting = Setting::new();
    let token = setting.token();
    let recorded = ready(setting.verifier.appraise_recorded(&token, at())).unwrap();
    assert_eq!(recorded.ear().status(), Tier::Affirming);
    assert_eq!(recorded.challenge(), setting.challenge());
}

#[test]
fn a_replaced_policy_and_replaced_keys_count_at_once() {
    let forged = ForgedCca::new();
    let keys = Arc::new(Live::fixed(CcaKeys::new(vec![forged.trusted("a")])).unwrap());
    let policy = Arc::new(Live::fixed(forged.policy()).unwrap());
    let verifier =
        CcaVerifier::dangerous_with_software_keys(keys.clone(), policy.clone(), &provider());
    let connection = Connection::new();
    let token = connection.evidence(&mut forged.attester());
    let before = verifier.generation();
    let mut other = forged.policy();
    other.realms[0].personalization_value = Some([1; 64].into());
    policy.replace(other).unwrap();
    let appraised = appraise(&connection, &verifier, &token).unwrap();
    assert_eq!(appraised.ear().status(), Tier::Contraindicated);
    let between = verifier.generation();
    keys.replace(CcaKeys::new(vec![ForgedCca::new().trusted("b")]))
        .unwrap();
    let refused = appraise(&connection, &verifier, &token).map(drop);
    assert_eq!(refused, Err(AppraisalError::BadSignature));
    assert!(before < between && between < verifier.generation());
}
