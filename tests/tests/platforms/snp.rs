//! AMD SEV-SNP.

use std::sync::Arc;

use atls_core::AppraisalError;
use atls_core::Attester;
use atls_core::Refusal;
use atls_core::ear::Tier;
use atls_snp::Product;
use atls_snp::SnpAttester;
use atls_snp::SnpClaims;
use atls_snp::testing::ForgedSnp;
use atls_tsm::Tsm;

use crate::support::assert_declined;
use crate::support::assert_status;
use crate::support::is_bound_to_its_connection;
use crate::support::is_shared_by_a_batch;
use crate::support::is_simulated;
use crate::support::kinds;
use crate::support::on_a_thread;
use crate::support::request;
use crate::support::request_accepting_warnings;

#[tokio::test]
async fn a_guest_attests_a_server() {
    for product in [Product::Milan, Product::Genoa, Product::Turin] {
        let forged = ForgedSnp::new(product).unwrap();
        let verifier = forged.verifier(forged.policy()).unwrap();
        let peer = request(device(&forged), verifier).await.unwrap();
        assert_eq!(peer.status(), Tier::Affirming);
        assert_eq!(peer.claims::<SnpClaims>().unwrap().product, product);
        assert_eq!(kinds(&peer), ["snp.chip_id", "snp.report_id"]);
    }
}

#[tokio::test]
async fn one_of_another_maker_is_refused() {
    let ours = ForgedSnp::new(Product::Milan).unwrap();
    let theirs = ForgedSnp::new(Product::Genoa).unwrap();
    let verifier = ours.verifier(ours.policy()).unwrap();
    let error = request(device(&theirs), verifier).await.unwrap_err();
    assert!(
        matches!(
            error.refusal(),
            Some(Refusal::Appraisal(
                AppraisalError::UnknownKey | AppraisalError::BadSignature
            ))
        ),
        "{error:?}"
    );
}

#[tokio::test]
async fn one_that_its_host_may_debug_is_refused() {
    let forged = ForgedSnp::new(Product::Milan).unwrap();
    let mut debugged = forged.clone();
    debugged.report.policy |= 1 << 19;
    let strict = forged.verifier(forged.policy()).unwrap();
    let outcome = request(device(&debugged), strict).await;
    assert_status(outcome, Tier::Contraindicated);

    let mut policy = forged.policy();
    policy.allow_debug = true;
    let tolerant = || forged.verifier(policy.clone()).unwrap();
    // Allowed, it is a warning still.
    let outcome = request(device(&debugged), tolerant()).await;
    assert_status(outcome, Tier::Warning);
    let peer = request_accepting_warnings(device(&debugged), tolerant()).await;
    assert_eq!(peer.unwrap().status(), Tier::Warning);
}

#[tokio::test]
async fn one_that_runs_something_unknown_is_refused() {
    let forged = ForgedSnp::new(Product::Milan).unwrap();
    let mut other = forged.clone();
    other.report.measurement[47] ^= 1;
    let verifier = || forged.verifier(forged.policy()).unwrap();
    let outcome = request(device(&other), verifier()).await;
    assert_status(outcome, Tier::Contraindicated);
    // Warnings are for old firmware, never for this.
    let outcome = request_accepting_warnings(device(&other), verifier()).await;
    assert_status(outcome, Tier::Contraindicated);
}

#[tokio::test]
async fn a_report_of_another_connection_is_refused() {
    let forged = ForgedSnp::new(Product::Milan).unwrap();
    let verifier = forged.verifier(forged.policy()).unwrap();
    is_bound_to_its_connection(device(&forged), verifier).await;
}

#[tokio::test]
async fn a_report_is_shared_by_a_batch() {
    let forged = ForgedSnp::new(Product::Milan).unwrap();
    let verifier = forged.verifier(forged.policy()).unwrap();
    is_shared_by_a_batch(device(&forged), verifier).await;
}

#[tokio::test]
async fn a_forged_one_is_simulated() {
    let forged = ForgedSnp::new(Product::Milan).unwrap();
    let verifier = forged.verifier(forged.policy()).unwrap();
    is_simulated(device(&forged), verifier).await;
}

/// Somebody else in the guest has a value of his own reported, through our entry.
#[tokio::test]
async fn a_race_for_the_report_is_never_attested() {
    let forged = ForgedSnp::new(Product::Milan).unwrap();
    for (races, made) in [(2, true), (3, false)] {
        let configfs = Arc::new(forged.configfs());
        let attester = SnpAttester::over(Tsm::over(configfs.clone())).unwrap();
        configfs.inject_races(races);
        let verifier = forged.verifier(forged.policy()).unwrap();
        let outcome = request(on_a_thread(attester.unwrap()), verifier).await;
        if made {
            assert_eq!(outcome.unwrap().status(), Tier::Affirming);
        } else {
            assert_declined(outcome);
        }
        assert_eq!(configfs.entries(), 0);
    }
}

fn device(forged: &ForgedSnp) -> Arc<dyn Attester> {
    on_a_thread(forged.attester().unwrap())
}
