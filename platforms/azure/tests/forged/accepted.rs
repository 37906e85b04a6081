//! Accepted whole.

use std::sync::Arc;

use atls_azure::AzureClaims;
use atls_core::Verifier;
use atls_core::combine::AllAgree;
use atls_core::combine::Cached;
use atls_core::ear::Tier;
use atls_formats::azure::AZURE_RUNTIME_DATA;
use atls_formats::dcap::TDX_QUOTE;
use atls_formats::tpm::TPM_EVIDENCE;
use atls_formats::tsm::TSM_REPORT;
use atls_snp::SnpClaims;
use atls_tdx::TdxClaims;
use atls_tpm::TpmClaims;
use end_to_end::azure::ForgedAzure;
use end_to_end::azure::ForgedProcessor;
use test_support::Connection;
use test_support::at;
use test_support::ready;

use crate::setting::NOW;
use crate::setting::accept;
use crate::setting::evidence;
use crate::setting::vms;

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
