//! Keys: whose they are, and what is said of them.

use std::sync::Arc;

use atls_core::AppraisalError;
use atls_core::Origin;
use atls_core::PolicyViolation;
use atls_core::Refusal;
use atls_core::RelyingParty;
use atls_core::Verifier;
use atls_core::ear::Category;
use atls_formats::tpm::Attributes;
use atls_formats::tpm::HashAlgorithm;
use atls_formats::tpm::Scheme;
use atls_reference::Live;
use atls_tpm::AttestationKey;
use atls_tpm::AttestationKeyError;
use atls_tpm::TpmKeys;
use atls_tpm::TpmPolicy;
use atls_tpm::TpmVerifier;
use atls_tpm::TrustedKey;
use atls_tpm::testing::ForgedTpm;
use test_support::ready;

use crate::setting::Setting;
use crate::setting::provider;
use crate::support::at;

#[test]
fn keys_of_software_are_simulated_and_refused_by_default() {
    let mut setting = Setting::new();
    let appraised = setting.appraise(&setting.evidence()).unwrap();
    assert_eq!(appraised.origin(), Origin::Simulated);
    let credential = setting.connection.credential(&mut setting.forged);
    let party = RelyingParty::builder().verifier(Arc::new(setting.verifier()));
    let refusal = ready(party.build().unwrap().appraise(credential, at())).unwrap_err();
    assert_eq!(refusal, Refusal::Policy(PolicyViolation::Simulated));
}

#[test]
fn keys_of_devices_are_of_devices() {
    let setting = Setting::new();
    let (keys, policy) = (
        setting.keys(),
        Arc::new(Live::fixed(setting.policy.clone()).unwrap()),
    );
    let verifier = TpmVerifier::new(policy, keys, &provider());
    let evidence = setting.evidence().encode().unwrap();
    let appraised = setting
        .connection
        .appraise(&verifier, &evidence, at())
        .unwrap();
    assert_eq!(appraised.origin(), Origin::Device);
}

#[test]
fn keys_that_the_file_calls_software_are_simulated_whoever_verifies() {
    let mut setting = Setting::new();
    setting.trusted = setting.trusted.enrolled_by([1; 32].into());
    setting.trusted.software = true;
    let policy = Arc::new(Live::fixed(setting.policy.clone()).unwrap());
    let verifier = TpmVerifier::new(policy, setting.keys(), &provider());
    let evidence = setting.evidence().encode().unwrap();
    let appraised = setting
        .connection
        .appraise(&verifier, &evidence, at())
        .unwrap();
    assert_eq!(appraised.origin(), Origin::Simulated);
    let recorded = ready(verifier.appraise_recorded(&evidence, at())).unwrap();
    assert_eq!(recorded.origin(), Origin::Simulated);
    assert_eq!(setting.claim(Category::Hardware), 0);
}

#[test]
fn a_key_that_nobody_says_is_of_a_tpm_is_refused() {
    let mut key = ForgedTpm::new().trusted("a");
    assert!(key.vouched_for);
    key.vouched_for = false;
    assert!(Live::fixed(TpmKeys::new(vec![key.clone()])).is_err());
    let software = TrustedKey::software("a", key.public.clone());
    for said in [
        software,
        key.clone().enrolled_by([1; 32].into()),
        key.certified_by([1; 32].into()),
    ] {
        assert!(Live::fixed(TpmKeys::new(vec![said])).is_ok());
    }
}

#[test]
fn a_key_or_a_name_is_in_the_file_once() {
    let (one, other) = (ForgedTpm::new(), ForgedTpm::new());
    let refused = |keys| Live::fixed(TpmKeys::new(keys)).is_err();
    assert!(!refused(vec![one.trusted("a"), other.trusted("b")]));
    assert!(refused(vec![one.trusted("a"), other.trusted("a")]));
    // The same point under other attributes.
    let mut again = one.trusted("b");
    let mut public = one.public.clone();
    public.attributes.0 &= !Attributes::NO_DA;
    again.public = AttestationKey::decode(&public.encode().unwrap()).unwrap();
    assert!(refused(vec![one.trusted("a"), again]));
}

#[test]
fn a_key_that_was_enrolled_stands_for_genuine_hardware() {
    let mut setting = Setting::new();
    assert_eq!(setting.claim(Category::Hardware), 0, "provided");
    setting.trusted = setting.trusted.enrolled_by([1; 32].into());
    assert_eq!(setting.claim(Category::Hardware), 2);
    assert_eq!(setting.claim(Category::InstanceIdentity), 2);
    for unclaimed in [
        Category::RuntimeOpaque,
        Category::StorageOpaque,
        Category::SourcedData,
    ] {
        assert_eq!(setting.claim(unclaimed), 0);
    }
}

#[test]
fn a_result_is_of_another_generation_once_keys_or_policy_are_replaced() {
    let setting = Setting::new();
    let policy = Arc::new(Live::fixed(setting.policy.clone()).unwrap());
    let keys = setting.keys();
    let verifier = TpmVerifier::new(policy.clone(), keys.clone(), &provider());
    let before = verifier.generation();
    keys.replace(TpmKeys::new(vec![ForgedTpm::new().trusted("another")]))
        .unwrap();
    let between = verifier.generation();
    policy
        .replace(TpmPolicy::new(vec![ForgedTpm::image()]))
        .unwrap();
    assert!(before < between && between < verifier.generation());
    let evidence = setting.evidence().encode().unwrap();
    let refused = setting
        .connection
        .appraise(&verifier, &evidence, at())
        .map(drop);
    assert_eq!(refused, Err(AppraisalError::UnknownKey));
}

#[test]
fn a_key_that_leaves_its_tpm_or_signs_anything_is_never_trusted() {
    let forged = ForgedTpm::new();
    let with = |change: &dyn Fn(&mut atls_formats::tpm::Public)| {
        let mut public = forged.public.clone();
        change(&mut public);
        AttestationKey::decode(&public.encode().unwrap()).map(drop)
    };
    assert_eq!(with(&|_| {}), Ok(()));
    for bit in [
        Attributes::FIXED_TPM,
        Attributes::FIXED_PARENT,
        Attributes::SENSITIVE_DATA_ORIGIN,
    ] {
        let movable = with(&|public| public.attributes.0 &= !bit);
        assert_eq!(movable, Err(AttestationKeyError::Movable));
    }
    for bit in [Attributes::RESTRICTED, Attributes::SIGN] {
        let unrestricted = with(&|public| public.attributes.0 &= !bit);
        assert_eq!(unrestricted, Err(AttestationKeyError::Unrestricted));
    }
    let decrypts = with(&|public| public.attributes.0 |= Attributes::DECRYPT);
    assert_eq!(decrypts, Err(AttestationKeyError::Unrestricted));
    let open = with(&|public| public.scheme = None);
    assert_eq!(open, Err(AttestationKeyError::Scheme));
    let unsupported = with(&|public| public.scheme = Some(Scheme::Ecdsa(HashAlgorithm::Sha512)));
    assert_eq!(unsupported, Err(AttestationKeyError::Scheme));
}
