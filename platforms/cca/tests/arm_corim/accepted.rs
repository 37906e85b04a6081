//! CoRIMs, and the tokens that they accept.

use std::sync::Arc;

use atls_cca::CcaKeys;
use atls_cca::CcaPolicy;
use atls_cca::CcaVerifier;
use atls_cca::PsaKeys;
use atls_cca::PsaPolicy;
use atls_cca::PsaVerifier;
use atls_cca::testing::ForgedCca;
use atls_cca::testing::ForgedPsa;
use atls_core::AppraisalError;
use atls_core::Origin;
use atls_core::Stale;
use atls_core::ear::Tier;
use atls_reference::Live;
use atls_reference::Sourced;
use atls_reference::corim::Corim;
use test_support::Connection;
use test_support::at;
use test_support::corim::ForgedCorim;
use test_support::ready;

use crate::makers::NOW;
use crate::makers::Published;
use crate::makers::device;
use crate::makers::platform;
use crate::makers::realm;

#[test]
fn a_realm_is_accepted_by_the_corims_of_its_makers_alone() {
    let forged = ForgedCca::new();
    let platform = platform(&forged).published();
    let realm = realm(&forged).published();
    let keys: CcaKeys = platform.dangerous_table_without_end().unwrap();
    let policy = CcaPolicy::dangerous_from_corims_without_end(&platform, &realm).unwrap();
    let mut known = forged.policy();
    known.platforms[0].name = "forged (tag 0, reference triple 0)".to_owned();
    known.platforms[0].configuration_mask = Some(vec![0xff; 4]);
    known.realms[0].name = "forged (tag 0, reference triple 0)".to_owned();
    assert_eq!(policy, known);
    let (keys, policy) = (Live::fixed(keys).unwrap(), Live::fixed(policy).unwrap());
    let provider = rustls::crypto::ring::default_provider();
    let verifier = CcaVerifier::new(Arc::new(policy), Arc::new(keys), &provider);
    let connection = Connection::new();
    let token = connection.evidence(&mut forged.attester());
    let appraised = connection.appraise(&verifier, &token, at(NOW)).unwrap();
    assert_eq!(appraised.ear().status(), Tier::Affirming);
    assert_eq!(appraised.origin(), Origin::Device);
}

#[test]
fn a_device_is_accepted_by_the_corim_of_its_maker_alone() {
    let forged = ForgedPsa::new();
    let corim = device(&forged).published();
    let keys: PsaKeys = corim.dangerous_table_without_end().unwrap();
    let policy: PsaPolicy = corim.dangerous_table_without_end().unwrap();
    let (keys, policy) = (Live::fixed(keys).unwrap(), Live::fixed(policy).unwrap());
    let provider = rustls::crypto::ring::default_provider();
    let verifier = PsaVerifier::new(Arc::new(policy), Arc::new(keys), &provider);
    let connection = Connection::new();
    let token = connection.evidence(&mut forged.attester());
    let appraised = connection.appraise(&verifier, &token, at(NOW)).unwrap();
    assert_eq!(appraised.ear().status(), Tier::Affirming);
}

#[test]
fn values_and_keys_are_added_to_a_table() {
    let (one, other) = (ForgedCca::new(), ForgedCca::new());
    let mut other = other;
    other.platform.instance_id[1] ^= 1;
    other.realm.initial_measurement = vec![7; 32];
    let policy = platform(&other)
        .published()
        .dangerous_added_without_end(one.policy())
        .unwrap();
    let policy = realm(&other)
        .published()
        .dangerous_added_without_end(policy)
        .unwrap();
    assert_eq!((policy.platforms.len(), policy.realms.len()), (2, 2));
    let keys = CcaKeys::new(vec![one.trusted("one")]);
    let keys = platform(&other)
        .published()
        .dangerous_added_without_end(keys)
        .unwrap();
    assert_eq!(keys.keys.len(), 2);
    // The same instance again.
    let keys = CcaKeys::new(vec![one.trusted("one")]);
    assert!(
        platform(&one)
            .published()
            .dangerous_added_without_end(keys)
            .is_err()
    );
}

/// Firmware, realm and key each may be of the document that ends first.
#[test]
fn nothing_is_accepted_by_a_corim_of_a_realm_that_has_ended() {
    let forged = ForgedCca::new();
    let evidence = forged.token(&[7; 64]);
    let provider = rustls::crypto::ring::default_provider();
    for short in 0..3 {
        let end_of = |number| if number == short { NOW + 9 } else { NOW + 100 };
        let firmware = ending(platform(&forged), end_of(0));
        let realm = ending(realm(&forged), end_of(1));
        let policy = CcaPolicy::of_corims(("a", &firmware), ("b", &realm)).unwrap();
        let keys = ending(platform(&forged), end_of(2));
        let keys = Sourced::<CcaKeys>::of_corim("c", &keys).unwrap();
        let (policy, keys) = (Arc::new(Live::of(policy)), Arc::new(Live::of(keys)));
        let verifier = CcaVerifier::new(policy, keys, &provider);
        let end = |now: u64| {
            let recorded = ready(verifier.appraise_recorded(&evidence, at(now)));
            recorded.map(|result| result.ear().expires_at())
        };
        assert_eq!(end(NOW + 9), Ok(Some(at(NOW + 10))), "{short}");
        assert_eq!(end(NOW + 10), Err(ended()), "{short}");
    }
}

#[test]
fn nothing_is_accepted_by_a_corim_of_a_device_that_has_ended() {
    let forged = ForgedPsa::new();
    let evidence = forged.token(&[7; 32]);
    let provider = rustls::crypto::ring::default_provider();
    for ends in [[NOW + 9, NOW + 100], [NOW + 100, NOW + 9]] {
        let [policy, keys] = ends.map(|end| ending(device(&forged), end));
        let policy = Sourced::<PsaPolicy>::of_corim("a", &policy).unwrap();
        let keys = Sourced::<PsaKeys>::of_corim("b", &keys).unwrap();
        let (policy, keys) = (Arc::new(Live::of(policy)), Arc::new(Live::of(keys)));
        let verifier = PsaVerifier::new(policy, keys, &provider);
        let end = |now: u64| {
            let recorded = ready(verifier.appraise_recorded(&evidence, at(now)));
            recorded.map(|result| result.ear().expires_at())
        };
        assert_eq!(end(NOW + 9), Ok(Some(at(NOW + 10))), "{ends:?}");
        assert_eq!(end(NOW + 10), Err(ended()), "{ends:?}");
    }
}

fn ending(mut document: ForgedCorim, not_after: u64) -> Corim {
    document.not_after = Some(not_after);
    document.published()
}

fn ended() -> AppraisalError {
    AppraisalError::StaleCollateral(Stale::expired("CoRIM of reference values", at(NOW + 10)))
}
