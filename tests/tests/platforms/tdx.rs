//! Intel TDX.

use std::sync::Arc;

use atls_core::AppraisalError;
use atls_core::Attester;
use atls_core::Refusal;
use atls_core::ear::Tier;
use atls_reference::Live;
use atls_tdx::SuppliedCollateral;
use atls_tdx::TdReport;
use atls_tdx::TdxAttester;
use atls_tdx::TdxClaims;
use atls_tdx::TdxImage;
use atls_tdx::TdxPolicy;
use atls_tdx::TdxVerifier;
use atls_tdx::Tee;
use atls_tdx::testing::ForgedPlatform;
use atls_tsm::Provider;
use atls_tsm::Tsm;
use atls_tsm::testing::FakeConfigFs;
use atls_tsm::testing::Forged;
use end_to_end::World;
use rustls::time_provider::TimeProvider;

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
async fn a_td_attests_a_server() {
    let platform = platform();
    let peer = request(
        device(&platform, |_| {}),
        verifier(&platform, policy(&platform)),
    )
    .await;
    let peer = peer.unwrap();
    assert_eq!(peer.status(), Tier::Affirming);
    assert!(peer.claims::<TdxClaims>().is_ok());
    assert_eq!(kinds(&peer), ["tdx.ppid"]);
}

#[tokio::test]
async fn one_of_another_maker_is_refused() {
    let (ours, theirs) = (platform(), platform());
    let outcome = request(device(&theirs, |_| {}), verifier(&ours, policy(&ours))).await;
    let expected = Refusal::Appraisal(AppraisalError::BadSignature);
    assert_eq!(outcome.unwrap_err().refusal(), Some(&expected));
}

#[tokio::test]
async fn one_under_debug_is_refused() {
    let platform = platform();
    let debugged = || device(&platform, |report| report.td_attributes |= 1);
    let outcome = request(debugged(), verifier(&platform, policy(&platform))).await;
    assert_status(outcome, Tier::Contraindicated);

    let mut tolerant = policy(&platform);
    tolerant.allow_debug = true;
    // Allowed, it is a warning still.
    let outcome = request(debugged(), verifier(&platform, tolerant.clone())).await;
    assert_status(outcome, Tier::Warning);
    let peer = request_accepting_warnings(debugged(), verifier(&platform, tolerant)).await;
    assert_eq!(peer.unwrap().status(), Tier::Warning);
}

#[tokio::test]
async fn one_that_runs_something_unknown_is_refused() {
    let platform = platform();
    let alterations: [fn(&mut TdReport); 3] = [
        |report| report.mrtd = [0xee; 48].into(),
        |report| report.rtmr[1] = [0xee; 48].into(),
        |report| report.rtmr[2] = [0xee; 48].into(),
    ];
    for alter in alterations {
        let other = device(&platform, alter);
        let outcome = request(other, verifier(&platform, policy(&platform))).await;
        assert_status(outcome, Tier::Contraindicated);
    }
}

#[tokio::test]
async fn one_that_was_configured_otherwise_is_refused() {
    let platform = platform();
    let other = device(&platform, |report| report.mrconfigid = [0xee; 48].into());
    let outcome = request(other, verifier(&platform, policy(&platform))).await;
    assert_status(outcome, Tier::Contraindicated);
}

#[tokio::test]
async fn a_quote_of_another_connection_is_refused() {
    let platform = platform();
    let verifier = verifier(&platform, policy(&platform));
    is_bound_to_its_connection(device(&platform, |_| {}), verifier).await;
}

#[tokio::test]
async fn a_quote_is_shared_by_a_batch() {
    let platform = platform();
    let verifier = verifier(&platform, policy(&platform));
    is_shared_by_a_batch(device(&platform, |_| {}), verifier).await;
}

#[tokio::test]
async fn a_forged_one_is_simulated() {
    let platform = platform();
    let verifier = verifier(&platform, policy(&platform));
    is_simulated(device(&platform, |_| {}), verifier).await;
}

/// Somebody else in the TD has a value of his own quoted, through our entry.
#[tokio::test]
async fn a_race_for_the_quote_is_never_attested() {
    let platform = platform();
    for (races, made) in [(2, true), (3, false)] {
        let configfs = Arc::new(configfs(&platform, platform.td_report()));
        let attester = TdxAttester::over(Tsm::over(configfs.clone())).unwrap();
        configfs.inject_races(races);
        let verifier = verifier(&platform, policy(&platform));
        let outcome = request(on_a_thread(attester.unwrap()), verifier).await;
        if made {
            assert_eq!(outcome.unwrap().status(), Tier::Affirming);
        } else {
            assert_declined(outcome);
        }
        assert_eq!(configfs.entries(), 0);
    }
}

fn platform() -> Arc<ForgedPlatform> {
    let now = World::new().clock.current_time().unwrap().as_secs();
    Arc::new(ForgedPlatform::new(now).unwrap())
}

fn policy(platform: &ForgedPlatform) -> TdxPolicy {
    let report = platform.td_report();
    let [_, rtmr1, rtmr2, _] = report.rtmr;
    let mut image = TdxImage::new("forged", report.mrtd);
    (image.rtmr1, image.rtmr2) = (Some(rtmr1), Some(rtmr2));
    TdxPolicy::up_to_date(vec![image])
}

fn verifier(platform: &ForgedPlatform, policy: TdxPolicy) -> TdxVerifier {
    let collateral = platform.collateral(Tee::Tdx).unwrap();
    TdxVerifier::dangerous_with_root(
        platform.root(),
        Arc::new(Live::fixed(policy).unwrap()),
        Arc::new(SuppliedCollateral::new([collateral])),
    )
}

/// A TD that is as `alter` makes it, behind the real attester.
fn device(platform: &Arc<ForgedPlatform>, alter: impl FnOnce(&mut TdReport)) -> Arc<dyn Attester> {
    let mut report = platform.td_report();
    alter(&mut report);
    let attester = TdxAttester::over(Tsm::over(configfs(platform, report))).unwrap();
    on_a_thread(attester.unwrap())
}

fn configfs(platform: &Arc<ForgedPlatform>, report: TdReport) -> FakeConfigFs {
    let platform = platform.clone();
    FakeConfigFs::new(Provider::TdxGuest, move |inblob| Forged {
        outblob: platform
            .tdx_quote(&report, inblob.try_into().unwrap())
            .unwrap(),
        auxblob: Vec::new(),
    })
}
