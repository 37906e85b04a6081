//! From a device to a handler, and what is said on the way.

use std::sync::Arc;

use atls_core::AppraisalError;
use atls_core::PolicyViolation;
use atls_core::Refusal;
use atls_core::RelyingParty;
use atls_core::StandardPolicy;
use atls_core::ear::Appraisal;
use atls_core::ear::Category;
use atls_core::ear::Tier;
use atls_core::policy::Candidate;
use atls_formats::tpm::HashAlgorithm;
use atls_reference::Live;
use atls_tpm::TpmClaims;
use atls_tpm::TpmVerifier;
use atls_tpm::testing::ForgedTpm;
use proptest::prelude::*;
use test_support::ready;

use crate::setting::SUITES;
use crate::setting::Setting;
use crate::setting::provider;
use crate::support::at;

#[test]
fn a_quote_is_affirmed_from_device_to_handler() {
    for suite in SUITES {
        let mut setting = Setting::of(suite);
        let credential = setting.connection.credential(&mut setting.forged);
        let party = RelyingParty::builder()
            .verifier(Arc::new(setting.verifier()))
            .standard_policy(StandardPolicy::new().dangerous_accept_simulated());
        let peer = ready(party.build().unwrap().appraise(credential, at())).unwrap();
        assert_eq!(peer.status(), Tier::Affirming);
        let claims = peer.claims::<TpmClaims>().unwrap();
        assert_eq!(claims.key, "forged");
        assert_eq!(claims.image.as_deref(), Some("forged"));
        assert_eq!(claims.clock.reset_count, 1);
        assert!(claims.has_plain_counters && claims.shows_secure_boot);
        let register = claims.pcr(HashAlgorithm::Sha256, 4);
        assert_eq!(register, Some(ForgedTpm::log().value(4)));
        assert_eq!(claims.pcr(HashAlgorithm::Sha256, 5), None, "not quoted");
        assert_eq!(claims.pcr(HashAlgorithm::Sha384, 4), None, "not quoted");
    }
}

/// As docs/platforms/tpm.md has it: who demands encrypted memory gets no TPM, however good its boot is.
#[test]
fn a_policy_that_demands_encrypted_memory_refuses_every_tpm() {
    let mut setting = Setting::new();
    let credential = setting.connection.credential(&mut setting.forged);
    let is_encrypted = |peer: &Candidate| {
        let mut items = peer.items().iter().flat_map(|item| item.ear().submods());
        let opaque =
            |appraisal: &Appraisal| appraisal.vector().get(Category::RuntimeOpaque).value();
        match items.all(|(_, appraisal)| opaque(appraisal) == 2) {
            true => Ok(()),
            false => Err(PolicyViolation::custom("memory is not encrypted")),
        }
    };
    let policy = Live::fixed(setting.policy.clone()).unwrap();
    let verifier = TpmVerifier::new(Arc::new(policy), setting.keys(), &provider());
    let party = RelyingParty::builder()
        .verifier(Arc::new(verifier))
        .policy(is_encrypted);
    let refusal = ready(party.build().unwrap().appraise(credential, at())).unwrap_err();
    let expected = PolicyViolation::custom("memory is not encrypted");
    assert_eq!(refusal, Refusal::Policy(expected));
}

#[test]
fn a_recorded_quote_is_judged_without_its_connection() {
    let setting = Setting::new();
    let evidence = setting
        .forged
        .evidence(b"somebody's nonce")
        .encode()
        .unwrap();
    let recorded = ready(setting.verifier().appraise_recorded(&evidence, at())).unwrap();
    assert_eq!(recorded.challenge(), b"somebody's nonce");
    assert_eq!(recorded.ear().status(), Tier::Affirming);
    assert_eq!(recorded.image(), Some("forged"));
}

#[test]
fn registers_are_shown_to_who_writes_a_policy() {
    let setting = Setting::new();
    let evidence = setting.evidence().encode().unwrap();
    let shown = atls_tpm::dangerous_unverified_measurements(&evidence).unwrap();
    let names: Vec<_> = shown.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["sha256.pcr0", "sha256.pcr4", "sha256.pcr7"]);
    let value = setting.forged.log.value(4);
    let value: String = value.iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(shown[1].1, value);
    let cut = &evidence[..evidence.len() - 1];
    let refused = atls_tpm::dangerous_unverified_measurements(cut);
    assert_eq!(refused, Err(AppraisalError::Malformed));
}

#[test]
fn a_refusal_says_what_differs() {
    let mut setting = Setting::new();
    setting.forged.log = ForgedTpm::log().measured(4, 4, b"one more");
    let appraised = setting.appraise(&setting.evidence()).unwrap();
    let findings = appraised.findings();
    let image = findings
        .iter()
        .find(|it| it.check() == "tpm.image")
        .unwrap();
    let note = "most like forged, but pcr4 has another value or is not quoted";
    assert_eq!(image.note(), Some(note));
    let register = findings.iter().find(|it| it.check() == "tpm.sha256.pcr4");
    assert_eq!(register.unwrap().allowed()[0].name(), "forged");
}

proptest! {
    #[test]
    fn arbitrary_evidence_is_refused(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let setting = Setting::new();
        prop_assert!(setting.connection.appraise(&setting.verifier(), &bytes, at()).is_err());
    }
}
