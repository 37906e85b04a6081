//! Intel SGX. There is a verifier only: enclaves quote by a library of their own, for which a forged one stands in.

use std::sync::Arc;

use atls_core::AppraisalError;
use atls_core::Refusal;
use atls_core::ear::Tier;
use atls_tdx::SgxClaims;
use atls_tdx::SgxReport;
use atls_tdx::attributes;
use end_to_end::DcapDevice;
use end_to_end::Tee;
use end_to_end::World;

use crate::support::assert_status;
use crate::support::is_bound_to_its_connection;
use crate::support::is_shared_by_a_batch;
use crate::support::is_simulated;
use crate::support::kinds;
use crate::support::request;
use crate::support::request_accepting_warnings;

#[tokio::test]
async fn an_enclave_attests_a_server() {
    let enclave = device(|_| {});
    let verifier = enclave.verifier();
    let peer = request(enclave, verifier).await.unwrap();
    assert_eq!(peer.status(), Tier::Affirming);
    let claims = peer.claims::<SgxClaims>().unwrap();
    assert_eq!(kinds(&peer), ["sgx.ppid"]);
    assert_eq!(claims.enclave.as_deref(), Some("forged"));
}

#[tokio::test]
async fn a_quote_is_shared_by_a_batch() {
    let enclave = device(|_| {});
    let verifier = enclave.verifier();
    is_shared_by_a_batch(enclave, verifier).await;
}

#[tokio::test]
async fn one_of_another_maker_is_refused() {
    let (ours, theirs) = (device(|_| {}), device(|_| {}));
    let error = request(theirs, ours.verifier()).await.unwrap_err();
    let expected = Refusal::Appraisal(AppraisalError::BadSignature);
    assert_eq!(error.refusal(), Some(&expected));
}

#[tokio::test]
async fn one_that_can_be_debugged_is_refused() {
    let debugged = device(|enclave| enclave.flags |= attributes::SGX_DEBUG);
    let outcome = request(debugged.clone(), debugged.verifier()).await;
    assert_status(outcome, Tier::Contraindicated);

    let mut policy = debugged.sgx_policy();
    policy.allow_debug = true;
    let tolerant = || debugged.sgx_verifier(policy.clone());
    // Allowed, it is a warning still.
    let outcome = request(debugged.clone(), tolerant()).await;
    assert_status(outcome, Tier::Warning);
    let peer = request_accepting_warnings(debugged.clone(), tolerant()).await;
    assert_eq!(peer.unwrap().status(), Tier::Warning);
}

#[tokio::test]
async fn an_unknown_one_is_refused() {
    let other = device(|enclave| enclave.mrenclave = [0xee; 32].into());
    let outcome = request(other.clone(), other.verifier()).await;
    assert_status(outcome, Tier::Contraindicated);
}

#[tokio::test]
async fn a_quote_of_another_connection_is_refused() {
    let enclave = device(|_| {});
    is_bound_to_its_connection(enclave.clone(), enclave.verifier()).await;
}

#[tokio::test]
async fn a_forged_one_is_simulated() {
    let enclave = device(|_| {});
    is_simulated(enclave.clone(), enclave.verifier()).await;
}

/// An enclave that is as `alter` makes it; its verifier knows the one that it was.
fn device(alter: impl FnOnce(&mut SgxReport)) -> Arc<DcapDevice> {
    let mut device = DcapDevice::new(&World::new(), Tee::Sgx);
    alter(&mut device.enclave);
    Arc::new(device)
}
