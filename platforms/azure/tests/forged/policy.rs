//! What policies and parts say.

use std::sync::Arc;

use atls_azure::AzurePolicy;
use atls_azure::AzureVerifier;
use atls_core::ConfigError;
use atls_core::PolicyViolation;
use atls_core::Refusal;
use atls_core::RelyingParty;
use atls_core::StandardPolicy;
use atls_core::ear::Tier;
use atls_core::policy::Composition;
use atls_core::policy::ExpectedItem;
use atls_formats::azure::AZURE_RUNTIME_DATA;
use atls_formats::tpm::TPM_EVIDENCE;
use atls_formats::tsm::TSM_REPORT;
use atls_tpm::TpmPolicy;
use atls_tpm::testing::ForgedTpm;
use end_to_end::azure::ForgedAzure;
use end_to_end::azure::ForgedProcessor;
use test_support::Connection;
use test_support::at;
use test_support::ready;

use crate::form::media;
use crate::setting::NOW;
use crate::setting::accept;
use crate::setting::evidence;

#[test]
fn a_policy_may_ask_for_the_items_and_their_chain() {
    let vm = ForgedAzure::snp();
    let cpu = || ExpectedItem::new(media(TSM_REPORT)).labelled("cpu");
    let data = || ExpectedItem::new(media(AZURE_RUNTIME_DATA));
    let tpm = || ExpectedItem::new(media(TPM_EVIDENCE));
    let judge = |policy: Composition| {
        let connection = Connection::new();
        let cmw = evidence(&vm, &connection).into_cmw().unwrap();
        let party = RelyingParty::builder()
            .verifier(Arc::new(vm.verifier()))
            .standard_policy(StandardPolicy::new().dangerous_accept_simulated())
            .policy(policy);
        let party = party.build().unwrap();
        ready(party.appraise(connection.finish(&cmw), at(NOW))).map(drop)
    };
    assert_eq!(
        judge(Composition::of([cpu().chained_to("tpm"), data(), tpm()])),
        Ok(())
    );
    let wrong = |policy| {
        let refusal = judge(policy).unwrap_err();
        match &refusal {
            Refusal::Policy(
                PolicyViolation::ExtraItem(bad) | PolicyViolation::MissingItem(bad),
            ) => (refusal.reason(), bad.item().clone()),
            other => panic!("{other}"),
        }
    };
    let extra = ("policy_extra_item", tpm().labelled("tpm"));
    assert_eq!(wrong(Composition::of([cpu(), data()])), extra);
    let gpu = ExpectedItem::new(media("application/vnd.example.gpu"));
    let missing = ("policy_missing_item", gpu.clone());
    assert_eq!(wrong(Composition::of([cpu(), data(), tpm(), gpu])), missing);
    let of_other = Composition::of([cpu().chained_to("other"), data(), tpm()]);
    let extra = ("policy_extra_item", cpu().chained_to("tpm"));
    assert_eq!(wrong(of_other), extra);
}

#[test]
fn the_parts_have_the_say_that_they_have_alone() {
    let mut vm = ForgedAzure::snp();
    let verifier = vm.verifier();
    let ForgedProcessor::Snp(snp) = &mut vm.processor else {
        panic!("of SNP");
    };
    snp.report.measurement[0] ^= 1;
    assert_eq!(status(&vm, verifier), Some(Tier::Contraindicated));

    let mut vm = ForgedAzure::snp();
    let verifier = vm.verifier();
    vm.tpm.log = vm.tpm.log.measured(4, 8, b"malware");
    assert_eq!(status(&vm, verifier), Some(Tier::Contraindicated));
}

#[test]
fn the_configuration_of_the_vm_is_asked_for() {
    let judge = |alter: fn(&mut serde_json::Value), policy: &str| {
        let mut vm = ForgedAzure::snp();
        alter(&mut vm.runtime);
        let text = format!("version = 1\n[azure]\n{policy}");
        let verifier = vm.verifier_with(atls_reference::from_toml(&text).unwrap());
        status(&vm, verifier)
    };
    let insecure: fn(&mut serde_json::Value) =
        |data| data["vm-configuration"]["secure-boot"] = false.into();
    let contraindicated = Some(Tier::Contraindicated);
    assert_eq!(judge(insecure, ""), contraindicated);
    assert_eq!(
        judge(insecure, "allow-insecure-boot = true"),
        Some(Tier::Warning)
    );
    let without_tpm = |data: &mut serde_json::Value| {
        data["vm-configuration"]["tpm-enabled"] = false.into();
    };
    assert_eq!(
        judge(without_tpm, "allow-insecure-boot = true"),
        contraindicated
    );
    let known = "vm-unique-ids = [\"26f8bc30-774e-4290-8e7a-535f3b672aee\"]";
    let other = "vm-unique-ids = [\"26F8BC30-774E-4290-8E7A-535F3B672AEF\"]";
    assert_eq!(judge(|_| {}, known), None);
    assert_eq!(judge(|_| {}, other), contraindicated);
    let user_data = |byte: &str| format!("user-data = \"{}\"", byte.repeat(64));
    assert_eq!(judge(|_| {}, &user_data("00")), None);
    assert_eq!(judge(|_| {}, &user_data("01")), contraindicated);
}

#[test]
fn two_verifiers_of_one_processor_are_no_configuration() {
    let vm = ForgedAzure::snp();
    let build = |processors| {
        let policy = atls_reference::Live::fixed(AzurePolicy::default()).unwrap();
        let tpm = atls_reference::Live::fixed(TpmPolicy::new(vec![ForgedTpm::image()])).unwrap();
        let provider = rustls::crypto::ring::default_provider();
        let tpm = atls_tpm::VouchedTpmVerifier::new(Arc::new(tpm), &provider);
        AzureVerifier::new(Arc::new(policy), processors, Arc::new(tpm)).map(drop)
    };
    let twice = vec![vm.processor_verifier(), vm.processor_verifier()];
    let ambiguous = ConfigError::AmbiguousVerifier(media(TSM_REPORT));
    assert_eq!(build(twice), Err(ambiguous));
    assert_eq!(build(Vec::new()), Err(ConfigError::NoVerifier));
}

/// The status by which the VM is refused; none where it is accepted.
pub(crate) fn status(vm: &ForgedAzure, verifier: AzureVerifier) -> Option<Tier> {
    let connection = Connection::new();
    let cmw = evidence(vm, &connection).into_cmw().unwrap();
    match accept(connection, &cmw, verifier) {
        Ok(_) => None,
        Err(refusal) => Some(refusal.status().unwrap()),
    }
}
