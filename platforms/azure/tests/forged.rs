//! Forged VMs: accepted whole, and refused with any link of the chain broken.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

use std::sync::Arc;

use atls_azure::AzureClaims;
use atls_azure::AzureEvidence;
use atls_azure::AzurePolicy;
use atls_azure::AzureVerifier;
use atls_core::AppraisalError;
use atls_core::ConfigError;
use atls_core::MediaType;
use atls_core::PeerAttestation;
use atls_core::PolicyViolation;
use atls_core::Refusal;
use atls_core::RelyingParty;
use atls_core::StandardPolicy;
use atls_core::Verifier;
use atls_core::cmw::Cmw;
use atls_core::cmw::Indicator;
use atls_core::cmw::Label;
use atls_core::cmw::Type;
use atls_core::combine::AllAgree;
use atls_core::combine::Cached;
use atls_core::ear::Tier;
use atls_core::policy::Composition;
use atls_core::policy::ExpectedItem;
use atls_formats::azure::AZURE_COLLECTION;
use atls_formats::azure::AZURE_RUNTIME_DATA;
use atls_formats::dcap::TDX_QUOTE;
use atls_formats::tpm::Attributes;
use atls_formats::tpm::Public;
use atls_formats::tpm::TPM_EVIDENCE;
use atls_formats::tpm::qualifying_data;
use atls_formats::tsm::TSM_REPORT;
use atls_snp::SnpClaims;
use atls_tdx::TdxClaims;
use atls_tpm::TpmClaims;
use atls_tpm::TpmPolicy;
use atls_tpm::testing::ForgedTpm;
use end_to_end::azure::ForgedAzure;
use end_to_end::azure::ForgedProcessor;
use end_to_end::azure::azure_verifier;
use test_support::Connection;
use test_support::at;
use test_support::ready;

const NOW: u64 = 1_796_000_000;

#[test]
fn both_kinds_are_accepted_with_the_claims_of_each_item() {
    for vm in vms() {
        let connection = Connection::sha384();
        let cmw = evidence(&vm, &connection).into_cmw().unwrap();
        let peer = accept(connection, &cmw, vm.verifier()).unwrap();
        assert_eq!(peer.status(), Tier::Affirming);
        let tpm = peer.claims::<TpmClaims>().unwrap();
        assert_eq!(tpm.image.as_deref(), Some("forged"));
        assert!(peer.claims::<AzureClaims>().unwrap().secure_boot);
        let processor = match vm.processor {
            ForgedProcessor::Snp(_) => peer.claims::<SnpClaims>().is_ok(),
            ForgedProcessor::Tdx(_) => peer.claims::<TdxClaims>().is_ok(),
        };
        assert!(processor);
        let items: Vec<_> = peer
            .items()
            .iter()
            .map(|item| {
                (
                    item.label(),
                    item.media_type().to_string(),
                    item.chained_to(),
                )
            })
            .collect();
        let cpu = match vm.processor {
            ForgedProcessor::Snp(_) => TSM_REPORT,
            ForgedProcessor::Tdx(_) => TDX_QUOTE,
        };
        let expected = [
            ("cpu", cpu.to_owned(), Some("tpm")),
            ("runtime-data", AZURE_RUNTIME_DATA.to_owned(), Some("tpm")),
            ("tpm", TPM_EVIDENCE.to_owned(), None),
        ];
        assert_eq!(items, expected);
    }
}

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

#[test]
fn each_item_is_there_once_and_nothing_else_is() {
    let vm = ForgedAzure::snp();
    let connection = Connection::new();
    let whole = members(&evidence(&vm, &connection));
    assert_eq!(outcome(&vm, &connection, whole.clone()), Ok(()));
    let malformed = Err(AppraisalError::Malformed);
    for missing in 0..3 {
        let mut fewer = whole.clone();
        fewer.remove(missing);
        assert_eq!(outcome(&vm, &connection, fewer), malformed, "{missing}");
    }
    for twice in 0..3 {
        for label in [Label::from("again"), Label::Integer(1), "cpu/again".into()] {
            let mut more = whole.clone();
            more.push((label, whole[twice].1.clone()));
            assert_eq!(outcome(&vm, &connection, more), malformed, "{twice}");
        }
    }
    for (one, other) in [(0, 1), (1, 2), (0, 2)] {
        let mut swapped = whole.clone();
        let label = swapped[one].0.clone();
        swapped[one].0 = swapped[other].0.clone();
        swapped[other].0 = label;
        assert_eq!(outcome(&vm, &connection, swapped), malformed);
    }
    // One level deeper.
    let mut nested = whole.clone();
    let inner = Cmw::collection(None, vec![("cpu".into(), nested[0].1.clone())]).unwrap();
    nested[0].1 = inner;
    assert_eq!(outcome(&vm, &connection, nested), malformed);
    // Of another kind of message.
    for place in 0..3 {
        let mut mislabelled = whole.clone();
        let item = &mislabelled[place].1.items()[0];
        let (kind, value) = (item.kind().clone(), item.value().to_vec());
        for indicator in [Indicator::ATTESTATION_RESULTS, Indicator::ENDORSEMENTS] {
            mislabelled[place].1 = Cmw::record(kind.clone(), value.clone(), Some(indicator));
            assert_eq!(outcome(&vm, &connection, mislabelled.clone()), malformed);
        }
    }
}

#[test]
fn endorsements_may_stand_beside_the_items() {
    let vm = ForgedAzure::tdx(NOW);
    let connection = Connection::new();
    let mut evidence = evidence(&vm, &connection);
    let kind = Type::Media(media("application/pkix-crl"));
    let endorsement = Cmw::record(kind, vec![1], Some(Indicator::ENDORSEMENTS));
    evidence.endorsements = vec![endorsement.clone(), endorsement];
    let evidence = evidence.into_cmw().unwrap();
    assert_eq!(appraise(&connection, &vm.verifier(), &evidence), Ok(()));
}

#[test]
fn every_truncation_is_refused() {
    for vm in vms() {
        let connection = Connection::new();
        let verifier = vm.verifier();
        let whole = evidence(&vm, &connection).into_cmw().unwrap();
        let whole = whole.encode().unwrap();
        assert!(connection.appraise(&verifier, &whole, at(NOW)).is_ok());
        for length in 0..whole.len() {
            let cut = connection.appraise(&verifier, &whole[..length], at(NOW));
            assert_eq!(cut.map(drop), Err(AppraisalError::Malformed), "{length}");
        }
    }
}

/// The items of the chain are worth nothing outside of their collection.
#[test]
fn items_without_their_collection_are_refused() {
    let vm = ForgedAzure::snp();
    let connection = Connection::new();
    for kind in [None, Some("tag:example.com,2026:other".to_owned())] {
        let loose = Cmw::collection(kind, members(&evidence(&vm, &connection))).unwrap();
        let refused = accept(connection.again(), &loose, vm.verifier());
        assert_eq!(refused.map(drop), Err(Refusal::NoVerifier));
        // Under the same bytes, whatever their label says.
        let outcome = connection.appraise(&vm.verifier(), &loose.encode().unwrap(), at(NOW));
        assert_eq!(outcome.map(drop), Err(AppraisalError::Malformed));
    }
}

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
    let refused = |violation| Err(Refusal::Policy(violation));
    let extra = PolicyViolation::ExtraItem(media(TPM_EVIDENCE));
    assert_eq!(judge(Composition::of([cpu(), data()])), refused(extra));
    let gpu = ExpectedItem::new(media("application/vnd.example.gpu"));
    let missing = PolicyViolation::MissingItem(gpu.clone());
    assert_eq!(
        judge(Composition::of([cpu(), data(), tpm(), gpu])),
        refused(missing)
    );
    let of_other = Composition::of([cpu().chained_to("other"), data(), tpm()]);
    let extra = PolicyViolation::ExtraItem(media(TSM_REPORT));
    assert_eq!(judge(of_other), refused(extra));
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
fn results_are_kept_and_combined_with_their_items() {
    let vm = ForgedAzure::snp();
    let agreed = || {
        let parts: Vec<Arc<dyn Verifier>> = vec![Arc::new(vm.verifier()), Arc::new(vm.verifier())];
        Cached::new(AllAgree::new(parts).unwrap())
    };
    let connection = Connection::new();
    let cmw = evidence(&vm, &connection).into_cmw().unwrap();
    let peer = accept(connection, &cmw, agreed()).unwrap();
    assert_eq!(peer.items().len(), 3);
    assert!(peer.claims::<SnpClaims>().is_ok());
    assert_eq!(peer.items()[0].chained_to(), Some("tpm"));
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

#[test]
fn recorded_evidence_is_appraised_but_for_its_binding() {
    for vm in vms() {
        let evidence = vm.evidence(b"recorded").into_cmw().unwrap();
        let recorded = vm.verifier();
        let chain = ready(recorded.appraise_recorded(&evidence.encode().unwrap(), at(NOW)));
        let chain = chain.unwrap();
        assert_eq!(chain.challenge(), b"recorded");
        assert_eq!(chain.ear().unwrap().status(), Tier::Affirming);
        let submods: Vec<_> = chain.items().iter().map(|item| item.label()).collect();
        assert_eq!(submods, ["cpu", "runtime-data", "tpm"]);
    }
}

fn vms() -> [ForgedAzure; 2] {
    [ForgedAzure::snp(), ForgedAzure::tdx(NOW)]
}

fn evidence(vm: &ForgedAzure, connection: &Connection) -> AzureEvidence {
    vm.evidence(qualifying_data(connection.bound()).bytes())
}

fn members(evidence: &AzureEvidence) -> Vec<(Label, Cmw)> {
    let data = Cmw::evidence(media(AZURE_RUNTIME_DATA), evidence.runtime_data.clone());
    vec![
        ("cpu".into(), evidence.cpu.clone()),
        ("runtime-data".into(), data),
        ("tpm".into(), evidence.quote.clone()),
    ]
}

fn outcome(
    vm: &ForgedAzure,
    connection: &Connection,
    members: Vec<(Label, Cmw)>,
) -> Result<(), AppraisalError> {
    let cmw = Cmw::collection(Some(AZURE_COLLECTION.to_owned()), members).unwrap();
    appraise(connection, &vm.verifier(), &cmw)
}

fn appraise(
    connection: &Connection,
    verifier: &AzureVerifier,
    cmw: &Cmw,
) -> Result<(), AppraisalError> {
    let bytes = cmw.encode().unwrap();
    connection.appraise(verifier, &bytes, at(NOW)).map(drop)
}

fn refused(vm: &ForgedAzure, evidence: AzureEvidence) -> AppraisalError {
    refused_on(&Connection::new(), vm, evidence)
}

fn refused_on(
    connection: &Connection,
    vm: &ForgedAzure,
    evidence: AzureEvidence,
) -> AppraisalError {
    appraise(connection, &vm.verifier(), &evidence.into_cmw().unwrap()).unwrap_err()
}

fn accept(
    connection: Connection,
    cmw: &Cmw,
    verifier: impl Verifier + 'static,
) -> Result<PeerAttestation, Refusal> {
    let party = RelyingParty::builder()
        .verifier(Arc::new(verifier))
        .standard_policy(StandardPolicy::new().dangerous_accept_simulated());
    let party = party.build().unwrap();
    ready(party.appraise(connection.finish(cmw), at(NOW)))
}

/// The status by which the VM is refused; none where it is accepted.
fn status(vm: &ForgedAzure, verifier: AzureVerifier) -> Option<Tier> {
    let connection = Connection::new();
    let cmw = evidence(vm, &connection).into_cmw().unwrap();
    match accept(connection, &cmw, verifier) {
        Ok(_) => None,
        Err(refusal) => Some(refusal.status().unwrap()),
    }
}

fn jwk_of_other() -> serde_json::Value {
    end_to_end::azure::jwk(&ForgedAzure::other_key())
}

fn media(text: &str) -> MediaType {
    text.parse().unwrap()
}
