//! Links of the chain, each of them broken.

use atls_azure::AzurePolicy;
use atls_core::AppraisalError;
use atls_core::cmw::Cmw;
use atls_formats::tpm::Attributes;
use atls_formats::tpm::Public;
use atls_formats::tpm::TPM_EVIDENCE;
use atls_formats::tpm::qualifying_data;
use atls_tpm::TpmPolicy;
use atls_tpm::testing::ForgedTpm;
use end_to_end::azure::ForgedAzure;
use end_to_end::azure::ForgedProcessor;
use end_to_end::azure::azure_verifier;
use test_support::Connection;

use crate::form::media;
use crate::setting::appraise;
use crate::setting::evidence;
use crate::setting::refused;
use crate::setting::refused_on;
use crate::setting::vms;

#[test]
fn a_quote_over_another_connection_is_refused() {
    for vm in vms() {
        let made = evidence(&vm, &Connection::new());
        assert_eq!(refused(&vm, made), AppraisalError::NotBound);
        // Every connection's value in another form, or a part of it.
        let connection = Connection::new();
        let bound = connection.bound().clone();
        for carried in [
            bound.sha256().bytes().to_vec(),
            bound.as_bytes()[..31].to_vec(),
            [bound.as_bytes(), &[0]].concat(),
            Vec::new(),
        ] {
            let evidence = vm.evidence(&carried).into_cmw().unwrap();
            let outcome = appraise(&connection, &vm.verifier(), &evidence);
            assert_eq!(outcome, Err(AppraisalError::NotBound));
        }
    }
}

#[test]
fn runtime_data_of_another_vm_is_refused() {
    for vm in vms() {
        let alterations: [fn(&mut serde_json::Value); 3] = [
            |data| {
                data["vm-configuration"]["vmUniqueId"] =
                    "26F8BC30-774E-4290-8E7A-535F3B672AEF".into()
            },
            |data| data["vm-configuration"]["secure-boot"] = false.into(),
            |data| data["user-data"] = "01".repeat(64).into(),
        ];
        for alter in alterations {
            let connection = Connection::new();
            let mut evidence = evidence(&vm, &connection);
            let mut data = vm.runtime.clone();
            alter(&mut data);
            evidence.runtime_data = serde_json::to_vec(&data).unwrap();
            let refused = refused_on(&connection, &vm, evidence);
            assert_eq!(refused, AppraisalError::NotChained);
        }
    }
}

#[test]
fn every_flipped_bit_of_the_runtime_data_is_refused() {
    let vm = ForgedAzure::snp();
    let connection = Connection::new();
    let evidence = evidence(&vm, &connection);
    let verifier = vm.verifier();
    for index in (0..evidence.runtime_data.len()).step_by(3) {
        let mut altered = evidence.clone();
        altered.runtime_data[index] ^= 1 << (index % 7);
        let outcome = appraise(&connection, &verifier, &altered.into_cmw().unwrap());
        assert!(
            matches!(
                outcome,
                Err(AppraisalError::Malformed | AppraisalError::NotChained)
            ),
            "{index} {outcome:?}"
        );
    }
}

/// The quote is of another virtual TPM, whose key no processor vouches for: the cuckoo attack from outside of the VM.
#[test]
fn a_quote_by_another_key_is_refused() {
    for mut vm in vms() {
        let connection = Connection::new();
        let honest = evidence(&vm, &connection);
        vm.key = ForgedAzure::other_key();
        let mut mixed = honest;
        mixed.quote = evidence(&vm, &connection).quote;
        assert_eq!(
            refused_on(&connection, &vm, mixed),
            AppraisalError::NotChained
        );
    }
}

#[test]
fn the_public_part_of_the_right_key_makes_no_quote_of_another_one_good() {
    let mut vm = ForgedAzure::snp();
    let connection = Connection::new();
    let ak = vm.quote(&[]).ak;
    vm.key = ForgedAzure::other_key();
    let mut quote = vm.quote(qualifying_data(connection.bound()).bytes());
    quote.ak = ak;
    let mut mixed = evidence(&vm, &connection);
    mixed.quote = Cmw::evidence(media(TPM_EVIDENCE), quote.encode().unwrap());
    assert_eq!(
        refused_on(&connection, &vm, mixed),
        AppraisalError::BadSignature
    );
}

/// An attacker's own key and runtime data with it, beside the report of a genuine machine.
#[test]
fn a_report_of_another_machine_vouches_for_no_key() {
    for (vm, mut other) in vms().into_iter().zip(vms()) {
        let connection = Connection::new();
        other.key = ForgedAzure::other_key();
        other.runtime = end_to_end::azure::runtime_data(&jwk_of_other());
        let mut mixed = evidence(&other, &connection);
        mixed.cpu = vm.cpu(&vm.report_data());
        assert_eq!(
            refused_on(&connection, &vm, mixed),
            AppraisalError::NotChained
        );
    }
}

#[test]
fn a_report_of_the_other_technology_vouches_for_no_key() {
    let [snp, tdx] = vms();
    let verifier = || {
        let processors = vec![snp.processor_verifier(), tdx.processor_verifier()];
        azure_verifier(
            AzurePolicy::default(),
            processors,
            TpmPolicy::new(vec![ForgedTpm::image()]),
        )
    };
    for (one, other) in [(&snp, &tdx), (&tdx, &snp)] {
        let connection = Connection::new();
        let whole = evidence(one, &connection);
        let good = whole.clone().into_cmw().unwrap();
        assert_eq!(appraise(&connection, &verifier(), &good), Ok(()));
        // The TD is about runtime data of its own, and so is the guest.
        let mut data = other.runtime.clone();
        data["user-data"] = "07".repeat(64).into();
        let mut mixed = whole.clone();
        mixed.runtime_data = serde_json::to_vec(&data).unwrap();
        mixed.cpu = other.cpu(&other.report_data());
        let outcome = appraise(&connection, &verifier(), &mixed.into_cmw().unwrap());
        assert_eq!(outcome, Err(AppraisalError::NotChained));
        // Under the other's label of type, no parser takes it.
        let mut mixed = whole;
        let bytes = mixed.cpu.items()[0].value().to_vec();
        let wrong = other.cpu(&[0; 64]).items()[0].media_type().unwrap();
        mixed.cpu = Cmw::evidence(wrong, bytes);
        let outcome = appraise(&connection, &verifier(), &mixed.into_cmw().unwrap());
        assert_eq!(outcome, Err(AppraisalError::Malformed));
    }
}

#[test]
fn report_data_is_compared_whole() {
    for vm in vms() {
        for index in [0, 31, 32, 63] {
            let connection = Connection::new();
            let mut evidence = evidence(&vm, &connection);
            let mut report_data = vm.report_data();
            report_data[index] ^= 1;
            evidence.cpu = vm.cpu(&report_data);
            assert_eq!(
                refused_on(&connection, &vm, evidence),
                AppraisalError::NotChained
            );
        }
    }
}

/// Software of the guest may request reports at its own level, over a key of its own.
#[test]
fn a_report_that_the_guest_requested_vouches_for_nothing() {
    let mut vm = ForgedAzure::snp();
    for vmpl in [1, 2, 3, u32::MAX] {
        let ForgedProcessor::Snp(snp) = &mut vm.processor else {
            panic!("of SNP");
        };
        snp.report.vmpl = vmpl;
        let made = evidence(&vm, &Connection::new());
        let refused = {
            let connection = Connection::new();
            let quote = evidence(&vm, &connection).quote;
            let mut made = made;
            made.quote = quote;
            refused_on(&connection, &vm, made)
        };
        assert_eq!(refused, AppraisalError::NotChained, "{vmpl}");
    }
}

#[test]
fn a_key_that_may_leave_its_tpm_is_refused_though_vouched_for() {
    let vm = ForgedAzure::snp();
    let connection = Connection::new();
    for missing in [
        Attributes::FIXED_TPM,
        Attributes::SENSITIVE_DATA_ORIGIN,
        Attributes::RESTRICTED,
    ] {
        let mut quote = vm.quote(qualifying_data(connection.bound()).bytes());
        let mut public = Public::decode(&quote.ak).unwrap();
        public.attributes = Attributes(public.attributes.0 & !missing);
        quote.ak = public.encode().unwrap();
        let mut evidence = evidence(&vm, &connection);
        evidence.quote = Cmw::evidence(media(TPM_EVIDENCE), quote.encode().unwrap());
        assert_eq!(
            refused_on(&connection, &vm, evidence),
            AppraisalError::UnknownKey
        );
    }
}

fn jwk_of_other() -> serde_json::Value {
    end_to_end::azure::jwk(&ForgedAzure::other_key())
}
