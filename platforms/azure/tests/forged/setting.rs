//! VMs, their Evidence and its appraisal.

use std::sync::Arc;

use atls_azure::AzureEvidence;
use atls_azure::AzureVerifier;
use atls_core::AppraisalError;
use atls_core::PeerAttestation;
use atls_core::Refusal;
use atls_core::RelyingParty;
use atls_core::StandardPolicy;
use atls_core::Verifier;
use atls_core::cmw::Cmw;
use atls_core::cmw::Label;
use atls_formats::azure::AZURE_COLLECTION;
use atls_formats::tpm::qualifying_data;
use end_to_end::azure::ForgedAzure;
use test_support::Connection;
use test_support::at;
use test_support::ready;

pub(crate) const NOW: u64 = 1_796_000_000;

pub(crate) fn vms() -> [ForgedAzure; 2] {
    [ForgedAzure::snp(), ForgedAzure::tdx(NOW)]
}

pub(crate) fn evidence(vm: &ForgedAzure, connection: &Connection) -> AzureEvidence {
    vm.evidence(qualifying_data(connection.bound()).bytes())
}

pub(crate) fn outcome(
    vm: &ForgedAzure,
    connection: &Connection,
    members: Vec<(Label, Cmw)>,
) -> Result<(), AppraisalError> {
    let cmw = Cmw::collection(Some(AZURE_COLLECTION.to_owned()), members).unwrap();
    appraise(connection, &vm.verifier(), &cmw)
}

pub(crate) fn appraise(
    connection: &Connection,
    verifier: &AzureVerifier,
    cmw: &Cmw,
) -> Result<(), AppraisalError> {
    let bytes = cmw.encode().unwrap();
    connection.appraise(verifier, &bytes, at(NOW)).map(drop)
}

pub(crate) fn refused(vm: &ForgedAzure, evidence: AzureEvidence) -> AppraisalError {
    refused_on(&Connection::new(), vm, evidence)
}

pub(crate) fn refused_on(
    connection: &Connection,
    vm: &ForgedAzure,
    evidence: AzureEvidence,
) -> AppraisalError {
    appraise(connection, &vm.verifier(), &evidence.into_cmw().unwrap()).unwrap_err()
}

pub(crate) fn accept(
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
