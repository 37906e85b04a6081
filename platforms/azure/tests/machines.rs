//! Policies about which machine answers, and with which of its items.
#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

use std::sync::Arc;

use atls_core::MediaType;
use atls_core::PolicyViolation;
use atls_core::Refusal;
use atls_core::RelyingParty;
use atls_core::RelyingPartyBuilder;
use atls_core::StandardPolicy;
use atls_core::cmw::Cmw;
use atls_core::policy::Composition;
use atls_core::policy::ExpectedItem;
use atls_formats::azure::AZURE_RUNTIME_DATA;
use atls_formats::tpm::TPM_EVIDENCE;
use atls_formats::tpm::qualifying_data;
use atls_formats::tsm::TSM_REPORT;
use atls_reference::Instances;
use atls_reference::Live;
use atls_reference::from_toml;
use atls_tpm::AttestationKey;
use atls_tpm::TpmKeys;
use atls_tpm::TpmPolicy;
use atls_tpm::TpmVerifier;
use atls_tpm::TrustedKey;
use atls_tpm::testing::ForgedTpm;
use end_to_end::azure::ForgedAzure;
use end_to_end::azure::ForgedProcessor;
use test_support::Connection;
use test_support::at;
use test_support::ready;

const NOW: u64 = 1_796_000_000;

/// All three items are of one machine, whichever of them states its identity.
#[test]
fn a_vm_is_known_by_its_processor_or_by_its_own_identifier() {
    let vm = ForgedAzure::snp();
    let ForgedProcessor::Snp(snp) = &vm.processor else {
        panic!("of SNP");
    };
    let chip = snp.report.chip_id;
    let mut other_chip = chip;
    other_chip[0] ^= 1;
    let id = vm.runtime["vm-configuration"]["vmUniqueId"].as_str();
    let unknown = || Err("policy_instance");
    let hex = |bytes: &[u8]| -> String { bytes.iter().map(|byte| format!("{byte:02x}")).collect() };
    for (kind, field, value, expected) in [
        ("snp.chip_id", "id", hex(&chip), Ok(())),
        ("snp.chip_id", "id", hex(&other_chip), unknown()),
        ("azure.vm_unique_id", "text", id.unwrap().into(), Ok(())),
        ("azure.vm_unique_id", "text", "another".into(), unknown()),
        // Every vTPM is vouched for, so that names none of them.
        (
            "tpm.ak",
            "text",
            "vouched for by the processor".into(),
            unknown(),
        ),
    ] {
        let file = format!(
            "version = 1\n[[instances.known]]\nname = \"a\"\nkind = \"{kind}\"\n{field} = \"{value}\""
        );
        let pinned: Instances = from_toml(&file).unwrap();
        let outcome = judge(of_vms(&vm).policy(pinned), |value| all(&vm, value));
        let outcome = outcome.map_err(|refusal| refusal.reason());
        assert_eq!(outcome, expected, "{kind}");
    }
}

/// A relying party that appraises TPMs of other machines too, by a file of keys with the key of this vTPM in it.
#[test]
fn a_quote_alone_is_no_vm_where_a_policy_asks_for_the_chain() {
    let vm = ForgedAzure::snp();
    let party = || of_vms(&vm).verifier(Arc::new(of_tpms(&vm)));
    let quote = |value: &[u8]| vm.evidence(value).quote;
    assert_eq!(judge(party(), quote), Ok(()));

    let cpu = ExpectedItem::new(media(TSM_REPORT)).chained_to("tpm");
    let data = ExpectedItem::new(media(AZURE_RUNTIME_DATA)).chained_to("tpm");
    let tpm = ExpectedItem::new(media(TPM_EVIDENCE)).labelled("tpm");
    let whole = Composition::of([cpu.clone(), data, tpm]);
    let party = || party().policy(whole.clone());
    // It has no label when it comes alone.
    let extra = ExpectedItem::new(media(TPM_EVIDENCE));
    let refused = wrong_item(judge(party(), quote));
    assert_eq!(refused, ("policy_extra_item", extra));
    let labelled =
        |value: &[u8]| Cmw::collection(None, vec![("tpm".into(), quote(value))]).unwrap();
    let refused = wrong_item(judge(party(), labelled));
    assert_eq!(refused, ("policy_missing_item", cpu));
    assert_eq!(judge(party(), |value| all(&vm, value)), Ok(()));
}

fn all(vm: &ForgedAzure, qualifying_data: &[u8]) -> Cmw {
    vm.evidence(qualifying_data).into_cmw().unwrap()
}

fn of_vms(vm: &ForgedAzure) -> RelyingPartyBuilder {
    RelyingParty::builder()
        .standard_policy(StandardPolicy::new().dangerous_accept_simulated())
        .verifier(Arc::new(vm.verifier()))
}

fn of_tpms(vm: &ForgedAzure) -> TpmVerifier {
    let key = AttestationKey::decode(&vm.quote(&[]).ak).unwrap();
    let keys = TpmKeys::new(vec![TrustedKey::software("a VM", key)]);
    TpmVerifier::new(
        Arc::new(Live::fixed(TpmPolicy::new(vec![ForgedTpm::image()])).unwrap()),
        Arc::new(Live::fixed(keys).unwrap()),
        &rustls::crypto::ring::default_provider(),
    )
}

fn judge(party: RelyingPartyBuilder, message: impl Fn(&[u8]) -> Cmw) -> Result<(), Refusal> {
    let connection = Connection::new();
    let message = message(qualifying_data(connection.bound()).bytes());
    let party = party.build().unwrap();
    ready(party.appraise(connection.finish(&message), at(NOW))).map(drop)
}

/// The reason of a refusal for the items of a peer, and the item.
fn wrong_item(outcome: Result<(), Refusal>) -> (&'static str, ExpectedItem) {
    let refusal = outcome.unwrap_err();
    match &refusal {
        Refusal::Policy(PolicyViolation::ExtraItem(bad) | PolicyViolation::MissingItem(bad)) => {
            (refusal.reason(), bad.item().clone())
        }
        other => panic!("{other}"),
    }
}

fn media(text: &str) -> MediaType {
    text.parse().unwrap()
}
