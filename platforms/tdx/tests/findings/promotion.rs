//! Intel's early issue, and the end of grace.

use std::sync::Arc;

use atls_core::AppraisalError;
use atls_core::Fault;
use atls_core::RecordedAppraisal;
use atls_core::ear::Tier;
use atls_core::finding::Finding;
use atls_core::finding::Outcome;
use atls_tdx::Collateral;
use atls_tdx::CollateralFromPeer;
use atls_tdx::QuoteError;
use atls_tdx::SgxClaims;
use atls_tdx::SgxEnclave;
use atls_tdx::SgxPolicy;
use atls_tdx::SuppliedCollateral;
use atls_tdx::TcbStatus;
use atls_tdx::TdReport;
use atls_tdx::TdxClaims;
use atls_tdx::TdxPolicy;
use atls_tdx::Tee;
use atls_tdx::tcb::TcbPart;
use atls_tdx::testing::ForgedPlatform;
use test_support::at;
use test_support::ready;

use crate::lines::finding;
use crate::lines::level;
use crate::lines::lines;
use crate::support::DAY;
use crate::support::NOW;
use crate::support::REPORT_DATA;
use crate::support::enclave_verifier;
use crate::support::own;
use crate::support::policy;
use crate::support::td_verifier;
use crate::support::tier;

fn appraise_by(
    platform: &ForgedPlatform,
    report: &TdReport,
    policy: TdxPolicy,
    source: SuppliedCollateral,
) -> RecordedAppraisal {
    let verifier = td_verifier(platform, policy, Arc::new(source));
    let quote = platform.tdx_quote(report, &REPORT_DATA).unwrap();
    ready(verifier.appraise_quote(&quote, &[], at(NOW))).unwrap()
}

/// Collateral in force, and the early one under which the platform is out of date.
fn promotion(platform: &mut ForgedPlatform) -> [Collateral; 2] {
    let standard = platform.collateral(Tee::Tdx).unwrap();
    platform.tcb_evaluation_data_number += 1;
    platform.qe_evaluation_data_number += 1;
    platform.platform_levels[0].status = TcbStatus::OutOfDate;
    platform
        .platform_levels
        .insert(0, level(6, TcbStatus::UpToDate, 20_500 * DAY));
    [standard, platform.collateral(Tee::Tdx).unwrap()]
}

#[test]
fn a_promotion_that_will_refuse_a_platform_is_seen_before() {
    let mut platform = ForgedPlatform::new(NOW).unwrap();
    let report = platform.td_report();
    let [standard, early] = promotion(&mut platform);
    let source = SuppliedCollateral::new([standard]).with_early([early.clone()]);
    let appraised = appraise_by(&platform, &report, policy(&report), source);
    // The early issue decides nothing.
    assert_eq!(tier(&appraised), Tier::Affirming);
    assert!(lines(&appraised, Outcome::Failed).is_empty());
    let warnings = lines(&appraised, Outcome::Warning);
    assert_eq!(
        warnings[0],
        "tdx.tcb.early warning: seen OutOfDate, allowed are UpToDate; \
         accepted now, refused when number 21 becomes standard"
    );
    assert!(warnings.contains(
        &"tdx.tcb.early.platform.sgx-1 warning: seen 5, allowed are UpToDate since 2026-02-16 (6 or more); \
          SGX TCB component 1"
            .to_owned()
    ));
    assert_eq!(warnings.len(), 1 + 1 + 17);
    // The day it becomes the standard one.
    let source = SuppliedCollateral::new([early.clone()]).with_early([early]);
    let appraised = appraise_by(&platform, &report, policy(&report), source);
    assert_eq!(tier(&appraised), Tier::Warning);
    let mut checks = appraised.findings().iter().map(Finding::check);
    assert!(checks.all(|check| !check.starts_with("tdx.tcb.early")));
}

#[test]
fn an_early_issue_that_changes_nothing_passes() {
    let mut platform = ForgedPlatform::new(NOW).unwrap();
    let report = platform.td_report();
    let standard = platform.collateral(Tee::Tdx).unwrap();
    platform.tcb_evaluation_data_number += 1;
    let early = platform.collateral(Tee::Tdx).unwrap();
    let source = SuppliedCollateral::new([standard]).with_early([early]);
    let appraised = appraise_by(&platform, &report, policy(&report), source);
    assert_eq!(
        finding(&appraised, "tdx.tcb.early").outcome(),
        Outcome::Passed
    );
    assert!(lines(&appraised, Outcome::Warning).is_empty());
}

/// Another issue warns of nothing, and refuses nothing.
#[test]
fn only_a_newer_issue_that_the_root_signed_is_early() {
    let mut platform = ForgedPlatform::new(NOW).unwrap();
    let report = platform.td_report();
    let [standard, early] = promotion(&mut platform);
    let mut unsigned = early.parts().clone();
    unsigned.tcb_info = unsigned.tcb_info.replace("\"svn\":6", "\"svn\":9");
    let mut mixed = early.parts().clone();
    mixed.qe_identity = unsigned.qe_identity.replace("\"isvsvn\":4", "\"isvsvn\":9");
    let mut old = ForgedPlatform::new(NOW - 60 * DAY).unwrap();
    old.tcb_evaluation_data_number = 30;
    let mut other = ForgedPlatform::new(NOW).unwrap();
    other.tcb_evaluation_data_number = 30;
    for (no_early, what) in [
        (Collateral::new(unsigned).unwrap(), "unsigned TCB info"),
        (Collateral::new(mixed).unwrap(), "unsigned QE identity"),
        (old.collateral(Tee::Tdx).unwrap(), "expired"),
        (other.collateral(Tee::Tdx).unwrap(), "another root's"),
        (standard.clone(), "the one in force"),
    ] {
        let source = SuppliedCollateral::new([standard.clone()]).with_early([no_early]);
        let appraised = appraise_by(&platform, &report, policy(&report), source);
        assert_eq!(tier(&appraised), Tier::Affirming, "{what}");
        let mut checks = appraised.findings().iter().map(Finding::check);
        assert!(checks.all(|check| check != "tdx.tcb.early"), "{what}");
    }
}

/// The whole word of a policy about a quote out of a file, for a TD that it refuses and an enclave that it accepts.
#[test]
fn a_recorded_quote_is_explained_without_a_connection() {
    let mut platform = ForgedPlatform::new(NOW).unwrap();
    platform.module_levels = vec![
        level(6, TcbStatus::UpToDate, NOW),
        level(4, TcbStatus::OutOfDate, NOW - 90 * DAY),
    ];
    let report = platform.td_report();
    let quote = platform.tdx_quote(&report, &REPORT_DATA).unwrap();
    let verifier = td_verifier(&platform, policy(&report), own(&platform, Tee::Tdx));
    let recorded = ready(verifier.appraise_recorded(&quote, at(NOW))).unwrap();
    assert_eq!(recorded.challenge(), REPORT_DATA);
    assert_eq!(recorded.image(), Some("forged"));
    assert_eq!(lines(&recorded, Outcome::Failed).len(), 3);
    let claims = recorded.claims::<TdxClaims>().unwrap();
    let module = &claims.platform.parts[1];
    assert_eq!(module.part, TcbPart::TdxModule);
    let update = module.update.as_ref().unwrap();
    assert_eq!(
        (update.shortfalls[0].has, update.shortfalls[0].needs),
        (4, 6)
    );
    let enclave = platform.sgx_report();
    let quote = platform.sgx_quote(&enclave, &REPORT_DATA).unwrap();
    let known = vec![SgxEnclave::exactly("forged", enclave.mrenclave)];
    let policy = SgxPolicy::up_to_date(known);
    let verifier = enclave_verifier(&platform, policy, own(&platform, Tee::Sgx));
    let recorded = ready(verifier.appraise_recorded(&quote, at(NOW))).unwrap();
    assert_eq!(recorded.image(), Some("forged"));
    assert!(lines(&recorded, Outcome::Failed).is_empty());
    assert_eq!(
        recorded.claims::<SgxClaims>().unwrap().platform.parts.len(),
        2
    );
}

/// A quote of 2025, under the collateral of its time.
#[test]
fn a_genuine_quote_is_explained() {
    let Some(folder) = test_support::vectors() else {
        return;
    };
    let json = folder.join("tdx/v5-td15-no-tcb-level.collateral.json");
    let collateral = Collateral::from_json(&std::fs::read_to_string(json).unwrap()).unwrap();
    let quote = std::fs::read(folder.join("tdx/v5-td15-no-tcb-level.quote")).unwrap();
    let policy = policy(&ForgedPlatform::new(NOW).unwrap().td_report());
    let verifier = crate::support::intel(policy, collateral);
    let recorded = ready(verifier.appraise_recorded(&quote, at(1_771_412_331))).unwrap();
    assert_eq!(tier(&recorded), Tier::Contraindicated);
    let failed = lines(&recorded, Outcome::Failed);
    for line in &failed {
        println!("{line}");
    }
    let behind = failed.iter().filter(|line| line.contains("or more"));
    assert!(behind.count() > 0, "{failed:#?}");
    assert_eq!(finding(&recorded, "tdx.image").outcome(), Outcome::Failed);
    assert_eq!(
        finding(&recorded, "tdx.mrsignerseam").outcome(),
        Outcome::Passed
    );
}

/// Out of date by the early issue, with a grace that is over tomorrow: long before the issue becomes the standard one.
fn in_its_last_day_of_grace(platform: &mut ForgedPlatform, report: &TdReport) -> TdxPolicy {
    for level in platform
        .platform_levels
        .iter_mut()
        .chain(&mut platform.module_levels)
        .chain(&mut platform.qe_levels)
    {
        level.date = NOW - 10 * DAY;
    }
    let mut policy = policy(report);
    policy.accept_tcb.push(TcbStatus::OutOfDate);
    policy.out_of_date_grace_days = Some(11);
    policy
}

#[test]
fn a_grace_that_ends_before_the_promotion_is_warned_of() {
    let mut platform = ForgedPlatform::new(NOW).unwrap();
    let report = platform.td_report();
    let policy = in_its_last_day_of_grace(&mut platform, &report);
    let [standard, early] = promotion(&mut platform);
    let source = SuppliedCollateral::new([standard]).with_early([early]);
    let appraised = appraise_by(&platform, &report, policy, source);
    let found = finding(&appraised, "tdx.tcb.early");
    assert_eq!(found.outcome(), Outcome::Warning, "{found}");
}

#[test]
fn no_result_outlives_the_grace_that_it_was_accepted_by() {
    let mut platform = ForgedPlatform::new(NOW).unwrap();
    let report = platform.td_report();
    let policy = in_its_last_day_of_grace(&mut platform, &report);
    platform.platform_levels[0].status = TcbStatus::OutOfDate;
    let source = SuppliedCollateral::new([platform.collateral(Tee::Tdx).unwrap()]);
    let appraised = appraise_by(&platform, &report, policy, source);
    assert_eq!(tier(&appraised), Tier::Affirming);
    assert!(appraised.ear().expires_at() <= Some(at(NOW + DAY)));
}

#[test]
fn collateral_that_is_too_old_is_not_called_unreachable() {
    for error in [
        QuoteError::Superseded,
        QuoteError::NoCollateral,
        QuoteError::Collateral,
    ] {
        let found = AppraisalError::from(error);
        assert_ne!(found, AppraisalError::Unreachable);
        assert_eq!(found.fault(), Fault::Verifier, "{found}");
        assert!(found.to_string().contains("collateral"), "{found}");
    }
}

/// A peer that withholds its collateral must neither page the operator nor choose the next verifier of a `Failover`.
#[test]
fn collateral_that_was_the_peers_to_send_is_the_peers_fault() {
    let platform = ForgedPlatform::new(NOW).unwrap();
    let report = platform.td_report();
    let quote = platform.tdx_quote(&report, &REPORT_DATA).unwrap();
    let nothing = Arc::new(CollateralFromPeer::new());
    let verifier = td_verifier(&platform, policy(&report), nothing);
    let error = ready(verifier.appraise_recorded(&quote, at(NOW)))
        .map(drop)
        .unwrap_err();
    assert_eq!(error.fault(), Fault::Peer, "{error}");
}
