//! Exchanges that are appraised, and the policies that decide.

use std::sync::Arc;

use atls_core::AppraisalError;
use atls_core::PolicyViolation;
use atls_core::Refusal;
use atls_core::RelyingParty;
use atls_core::StandardPolicy;
use atls_core::ear::Tier;
use atls_reference::Live;
use atls_snp::Product;
use atls_snp::SnpClaims;
use atls_snp::SnpEvidence;
use atls_snp::SnpVerifier;
use atls_snp::testing::ForgedSnp;
use test_support::Connection;
use test_support::at;
use test_support::ready;
use test_support::sha512;

use crate::party::attested;
use crate::party::party;
use crate::support::NOW;
use crate::support::milan;

#[test]
fn a_peer_is_attested_and_its_claims_reach_the_handler() {
    for connection in [Connection::new(), Connection::sha384()] {
        for product in Product::ALL {
            let platform = ForgedSnp::new(product).unwrap();
            let credential = connection.credential(&mut platform.attester().unwrap());
            let party = party(&platform, platform.policy());
            let peer = ready(party.appraise(credential, at(NOW))).unwrap();
            assert_eq!(peer.status(), Tier::Affirming);
            let claims = peer.claims::<SnpClaims>().unwrap();
            assert_eq!(claims.image.as_deref(), Some("forged"));
            assert_eq!(claims.product, product);
            assert_eq!(claims.measurement, platform.report.measurement.into());
        }
    }
}

#[test]
fn the_report_carries_sha_512_of_the_bound_value() {
    for (connection, length) in [(Connection::new(), 32), (Connection::sha384(), 48)] {
        let bound = connection.bound();
        let seen = connection.evidence(&mut milan().attester().unwrap());
        assert_eq!(bound.as_bytes().len(), length);
        let evidence = SnpEvidence::decode(&seen).unwrap();
        let digest = sha512(bound.as_bytes());
        assert_eq!(evidence.report()[0x50..0x90], digest);
        assert_eq!(atls_formats::snp::report_data(bound).bytes()[..], digest);
    }
}

#[test]
fn evidence_of_another_connection_is_refused() {
    let platform = milan();
    let (one, other) = (Connection::new(), Connection::new());
    let replayed = other.attest(&mut platform.attester().unwrap()).unwrap();
    let credential = one.finish(&replayed);
    let refused = ready(party(&platform, platform.policy()).appraise(credential, at(NOW)));
    assert_eq!(
        refused.unwrap_err(),
        Refusal::Appraisal(AppraisalError::NotBound)
    );
}

#[test]
fn a_second_request_on_the_same_connection_needs_fresh_evidence() {
    let platform = milan();
    let connection = Connection::new();
    let first = connection.attest(&mut platform.attester().unwrap());
    let credential = connection.again().finish(&first.unwrap());
    let refused = ready(party(&platform, platform.policy()).appraise(credential, at(NOW)));
    assert_eq!(
        refused.unwrap_err(),
        Refusal::Appraisal(AppraisalError::NotBound)
    );
}

#[test]
fn a_forged_platform_is_refused_by_default() {
    let platform = milan();
    let credential = Connection::new().credential(&mut platform.attester().unwrap());
    let verifier = platform.verifier(platform.policy()).unwrap();
    let party = RelyingParty::builder()
        .verifier(Arc::new(verifier))
        .build()
        .unwrap();
    let refused = ready(party.appraise(credential, at(NOW))).unwrap_err();
    assert_eq!(refused, Refusal::Policy(PolicyViolation::Simulated));
}

#[test]
fn bad_guests_are_results_and_refused_by_the_standard_policy() {
    let mut platform = milan();
    let policy = platform.policy();
    platform.report.policy |= 1 << 19;
    let refused = attested(&platform, policy).unwrap_err();
    assert_eq!(refused.status(), Some(Tier::Contraindicated));
}

/// A policy that accepts warnings, as for old firmware, does not accept other images.
#[test]
fn accepting_warnings_does_not_accept_any_image() {
    let mut platform = milan();
    let policy = platform.policy();
    platform.report.measurement = [0x99; 48];
    let credential = Connection::new().credential(&mut platform.attester().unwrap());
    let lenient = StandardPolicy::new()
        .dangerous_accept_simulated()
        .accept_warning();
    let party = RelyingParty::builder()
        .verifier(Arc::new(platform.verifier(policy).unwrap()))
        .standard_policy(lenient)
        .build()
        .unwrap();
    assert!(ready(party.appraise(credential, at(NOW))).is_err());
}

#[test]
fn a_policy_that_is_replaced_counts_from_the_next_appraisal_on() {
    let platform = milan();
    let live = Arc::new(Live::fixed(platform.policy()).unwrap());
    let collateral = Arc::new(platform.collateral().unwrap());
    let verifier =
        SnpVerifier::dangerous_with_root(platform.root().unwrap(), Arc::clone(&live), collateral);
    let status = || {
        let evidence = platform.evidence(&crate::support::CHALLENGE);
        let appraised = verifier.appraise_report(&evidence, &[], at(NOW));
        ready(appraised).unwrap().ear().status()
    };
    assert_eq!(status(), Tier::Affirming);
    let mut stricter = platform.policy();
    stricter.images[0].measurement = [1; 48].into();
    live.replace(stricter).unwrap();
    assert_eq!(status(), Tier::Contraindicated);
}
