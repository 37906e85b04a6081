//! The findings that an operator reads: every check with the value that was seen and those that are allowed, how far behind a platform
//! is, and the refusals to come when Intel's early issue becomes the standard one.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod support;

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
use atls_tdx::SgxReport;
use atls_tdx::SuppliedCollateral;
use atls_tdx::TcbStatus;
use atls_tdx::TdReport;
use atls_tdx::TdxClaims;
use atls_tdx::TdxPolicy;
use atls_tdx::Tee;
use atls_tdx::attributes;
use atls_tdx::tcb::TcbPart;
use atls_tdx::testing::ForgedLevel;
use atls_tdx::testing::ForgedPlatform;
use support::DAY;
use support::NOW;
use support::REPORT_DATA;
use support::appraise;
use support::appraise_enclave;
use support::enclave_verifier;
use support::extended;
use support::own;
use support::policy;
use support::td_verifier;
use support::tier;
use test_support::at;
use test_support::ready;

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

fn finding<'a>(appraised: &'a RecordedAppraisal, check: &str) -> &'a Finding {
    let mut findings = appraised.findings().iter();
    let found = findings.find(|finding| finding.check() == check);
    found.unwrap_or_else(|| panic!("no {check} in {:#?}", appraised.findings()))
}

fn lines(appraised: &RecordedAppraisal, outcome: Outcome) -> Vec<String> {
    let findings = appraised.findings().iter();
    findings
        .filter(|finding| finding.outcome() == outcome)
        .map(ToString::to_string)
        .collect()
}

fn level(svn: u8, status: TcbStatus, date: u64) -> ForgedLevel {
    ForgedLevel {
        svn,
        status,
        date,
        advisories: Vec::new(),
    }
}

// --- Every check -------------------------------------------------------------------------------------------------------

#[test]
fn a_good_td_passes_every_check_and_is_named() {
    let platform = ForgedPlatform::new(NOW).unwrap();
    let report = extended(&platform.td_report());
    let appraised = appraise(&platform, &report, policy(&report));
    assert_eq!(appraised.image(), Some("forged"));
    let outcomes = appraised.findings().iter().map(Finding::outcome);
    assert!(outcomes.clone().count() > 25);
    assert!(
        outcomes
            .into_iter()
            .all(|outcome| outcome == Outcome::Passed)
    );
    let register = finding(&appraised, "tdx.rtmr1");
    let value = "a1".repeat(48);
    assert_eq!(register.seen(), Some(&*value));
    assert_eq!(register.allowed()[0].name(), "forged");
    assert_eq!(register.allowed()[0].value(), value);
}

/// Each change of the TD, and the check that shows it. None hides another.
#[test]
fn each_fault_is_found_and_none_hides_another() {
    type Change = fn(&mut TdReport);
    let cases: [(Change, &str); 15] = [
        (|td| td.mrtd = [1; 48].into(), "tdx.mrtd"),
        (|td| td.rtmr[0] = [1; 48].into(), "tdx.rtmr0"),
        (|td| td.rtmr[1] = [1; 48].into(), "tdx.rtmr1"),
        (|td| td.rtmr[2] = [1; 48].into(), "tdx.rtmr2"),
        (|td| td.rtmr[3] = [1; 48].into(), "tdx.rtmr3"),
        (|td| td.td_attributes |= 1, "tdx.debug"),
        (
            |td| td.td_attributes |= attributes::TD_PERFMON,
            "tdx.td-attributes",
        ),
        (|td| td.xfam |= 1 << 19, "tdx.xfam"),
        (|td| td.xfam &= !1, "tdx.xfam"),
        (
            |td| td.td15.as_mut().unwrap().mrservicetd = [1; 48].into(),
            "tdx.service-td",
        ),
        (|td| td.mrsignerseam = [1; 48].into(), "tdx.mrsignerseam"),
        (|td| td.seam_attributes = 1, "tdx.seam-attributes"),
        (|td| td.tee_tcb_svn[0] = 3, "tdx.tcb.tdx-module"),
        // The library goes on at this one.
        (|td| td.td_attributes |= 1 << 18, "tdx.td-attributes"),
        // The library stops at this one before it looks at anything.
        (
            |td| td.td_attributes |= attributes::TD_MIGRATABLE,
            "tdx.tcb.status",
        ),
    ];
    let platform = ForgedPlatform::new(NOW).unwrap();
    let good = extended(&platform.td_report());
    let mut all = good.clone();
    for (change, check) in cases {
        let mut report = good.clone();
        change(&mut report);
        change(&mut all);
        let appraised = appraise(&platform, &report, policy(&good));
        let found = finding(&appraised, check);
        assert_eq!(found.outcome(), Outcome::Failed, "{found}");
    }
    let appraised = appraise(&platform, &all, policy(&good));
    for (_, check) in cases {
        let found = finding(&appraised, check);
        assert_eq!(found.outcome(), Outcome::Failed, "{found}");
    }
    let pins: [(Change, &str); 3] = [
        (|td| td.mrconfigid = [1; 48].into(), "tdx.mrconfigid"),
        (|td| td.mrowner = [1; 48].into(), "tdx.mrowner"),
        (|td| td.mrownerconfig = [1; 48].into(), "tdx.mrownerconfig"),
    ];
    for (change, check) in pins {
        let mut report = good.clone();
        change(&mut report);
        let appraised = appraise(&platform, &report, policy(&good));
        assert_eq!(lines(&appraised, Outcome::Failed).len(), 1);
        assert_eq!(finding(&appraised, check).outcome(), Outcome::Failed);
    }
}

#[test]
fn an_unknown_image_says_which_register_and_which_images_are_known() {
    let platform = ForgedPlatform::new(NOW).unwrap();
    let good = platform.td_report();
    let mut policy = policy(&good);
    let mut other = policy.images[0].clone();
    other.name = "payments 2".to_owned();
    other.rtmr2 = Some([0x22; 48].into());
    policy.images.push(other);
    let mut report = good.clone();
    report.rtmr[2] = [0x99; 48].into();
    let appraised = appraise(&platform, &report, policy);
    assert_eq!(tier(&appraised), Tier::Contraindicated);
    let found = finding(&appraised, "tdx.rtmr2").to_string();
    let (seen, first, second) = ("99".repeat(48), "a2".repeat(48), "22".repeat(48));
    let expected = format!(
        "tdx.rtmr2 failed: seen {seen}, allowed are forged ({first}), payments 2 ({second})"
    );
    assert_eq!(found, expected);
    assert_eq!(finding(&appraised, "tdx.mrtd").outcome(), Outcome::Passed);
    assert_eq!(finding(&appraised, "tdx.image").seen(), Some("unknown"));
    assert_eq!(appraised.image(), None);
}

#[test]
fn an_enclave_has_findings_like_a_td() {
    let platform = ForgedPlatform::new(NOW).unwrap();
    let good = platform.sgx_report();
    let signed = SgxEnclave {
        mrenclave: None,
        mrsigner: Some(good.mrsigner),
        isv_prod_id: Some(7),
        min_isv_svn: Some(3),
        ..SgxEnclave::exactly("signed", good.mrenclave)
    };
    let policy = || SgxPolicy::up_to_date(vec![signed.clone()]);
    let appraised = appraise_enclave(&platform, &good, policy());
    assert_eq!(appraised.image(), Some("signed"));
    let outcomes = appraised.findings().iter().map(Finding::outcome);
    assert!(
        outcomes
            .into_iter()
            .all(|outcome| outcome == Outcome::Passed)
    );
    type Change = fn(&mut SgxReport);
    let cases: [(Change, &str); 6] = [
        (|report| report.mrsigner = [1; 32].into(), "sgx.mrsigner"),
        (|report| report.isv_prod_id = 8, "sgx.isv-prod-id"),
        (|report| report.isv_svn = 2, "sgx.isv-svn"),
        (|report| report.config_id = [1; 64].into(), "sgx.config-id"),
        (|report| report.flags |= attributes::SGX_DEBUG, "sgx.debug"),
        (
            |report| report.flags |= attributes::SGX_PROVISIONKEY,
            "sgx.attributes",
        ),
    ];
    for (change, check) in cases {
        let mut report = good.clone();
        change(&mut report);
        let appraised = appraise_enclave(&platform, &report, policy());
        let found = finding(&appraised, check);
        assert_eq!(found.outcome(), Outcome::Failed, "{found}");
    }
    let mut report = good.clone();
    report.isv_svn = 2;
    let appraised = appraise_enclave(&platform, &report, policy());
    let found = finding(&appraised, "sgx.isv-svn").to_string();
    assert_eq!(
        found,
        "sgx.isv-svn failed: seen 2, allowed are signed (3 or more)"
    );
}

#[test]
fn flags_of_the_platform_are_shown_and_its_identifier_is_not() {
    let platform = ForgedPlatform::new(NOW).unwrap();
    let report = platform.td_report();
    let strict = TdxPolicy {
        allow_dynamic_platform: false,
        allow_cached_keys: false,
        allow_smt: false,
        ppid: Some(vec![[1; 16].into()]),
        ..policy(&report)
    };
    let appraised = appraise(&platform, &report, strict);
    for check in [
        "tdx.platform.dynamic",
        "tdx.platform.cached-keys",
        "tdx.platform.smt",
        "tdx.platform.ppid",
    ] {
        assert_eq!(finding(&appraised, check).outcome(), Outcome::Failed);
    }
    let ppid: String = platform
        .ppid
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let found = appraised.findings().iter().map(ToString::to_string);
    assert!(found.into_iter().all(|line| !line.contains(&ppid)));
}

// --- How far behind ----------------------------------------------------------------------------------------------------

#[test]
fn a_platform_that_is_behind_says_which_component_by_how_much_and_since_when() {
    let mut platform = ForgedPlatform::new(NOW).unwrap();
    platform.platform_levels = vec![
        level(7, TcbStatus::UpToDate, 20_000 * DAY),
        ForgedLevel {
            advisories: vec!["INTEL-SA-00001".to_owned(), "INTEL-SA-00002".to_owned()],
            ..level(5, TcbStatus::OutOfDate, 19_000 * DAY)
        },
    ];
    platform
        .module_levels
        .insert(0, level(6, TcbStatus::UpToDate, 20_100 * DAY));
    platform.module_levels[1].status = TcbStatus::OutOfDate;
    platform
        .qe_levels
        .insert(0, level(9, TcbStatus::UpToDate, 20_200 * DAY));
    platform.qe_levels[1].status = TcbStatus::OutOfDate;
    let report = platform.td_report();
    let appraised = appraise(&platform, &report, policy(&report));
    assert_eq!(tier(&appraised), Tier::Warning);
    let failed = lines(&appraised, Outcome::Failed);
    for line in [
        "tdx.tcb.status failed: seen OutOfDate, allowed are UpToDate; \
         bring the platform up to date, or decide about accept-tcb",
        "tdx.tcb.advisories failed: seen INTEL-SA-00001, INTEL-SA-00002",
        "tdx.tcb.platform failed: seen OutOfDate of 2022-01-08; INTEL-SA-00001, INTEL-SA-00002",
        "tdx.tcb.platform.sgx-3 failed: seen 5, allowed are UpToDate since 2024-10-04 (7 or more); \
         SGX TCB component 3",
        "tdx.tcb.platform.pce-svn failed: seen 5, allowed are UpToDate since 2024-10-04 (7 or more); \
         PCE SVN",
        "tdx.tcb.tdx-module.isv-svn failed: seen 4, allowed are UpToDate since 2025-01-12 (6 or more); \
         TDX module minor version",
        "tdx.tcb.quoting-enclave.isv-svn failed: seen 4, allowed are UpToDate since 2025-04-22 \
         (9 or more); QE ISVSVN",
    ] {
        assert!(
            failed.iter().any(|found| found == line),
            "{line}\n{failed:#?}"
        );
    }
    // All of it, and the rest of the checks.
    assert_eq!(failed.len(), 2 + 1 + 17 + 2 + 2);
    assert_eq!(finding(&appraised, "tdx.mrtd").outcome(), Outcome::Passed);
}

#[test]
fn a_status_that_is_accepted_for_a_while_has_its_end() {
    let mut platform = ForgedPlatform::new(NOW).unwrap();
    platform.platform_levels = vec![
        level(7, TcbStatus::UpToDate, NOW),
        level(5, TcbStatus::OutOfDate, NOW - 30 * DAY),
    ];
    platform.module_levels[0].date = NOW;
    platform.qe_levels[0].date = NOW;
    let report = platform.td_report();
    let appraised = |days| {
        let policy = TdxPolicy {
            accept_tcb: vec![TcbStatus::UpToDate, TcbStatus::OutOfDate],
            out_of_date_grace_days: Some(days),
            ..policy(&report)
        };
        appraise(&platform, &report, policy)
    };
    let accepted = appraised(40);
    assert_eq!(tier(&accepted), Tier::Affirming);
    let found = finding(&accepted, "tdx.tcb.status");
    assert_eq!(found.outcome(), Outcome::Warning);
    // NOW is 2027-01-15.
    let note = "out of date; refused after 2027-01-25 by out-of-date-grace-days";
    assert_eq!(found.note(), Some(note));
    let component = finding(&accepted, "tdx.tcb.platform.sgx-1");
    assert_eq!(component.outcome(), Outcome::Warning);
    let refused = appraised(10);
    let found = finding(&refused, "tdx.tcb.status");
    let note = "out of date; out-of-date-grace-days ended 2026-12-26";
    assert_eq!(
        (found.outcome(), found.note()),
        (Outcome::Failed, Some(note))
    );
}

#[test]
fn a_platform_without_a_level_says_what_it_lacks() {
    let mut platform = ForgedPlatform::new(NOW).unwrap();
    platform.platform_levels[0].svn = 6;
    let report = platform.td_report();
    let appraised = appraise(&platform, &report, policy(&report));
    assert_eq!(tier(&appraised), Tier::Contraindicated);
    assert_eq!(
        finding(&appraised, "tdx.tcb.status").seen(),
        Some("Unrecognised")
    );
    let found = finding(&appraised, "tdx.tcb.platform.pce-svn");
    assert_eq!(
        (found.seen(), found.allowed()[0].value()),
        (Some("5"), "6 or more")
    );
}

// --- Intel's early issue -----------------------------------------------------------------------------------------------

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

// --- Recorded Evidence -------------------------------------------------------------------------------------------------

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
    let verifier = support::intel(policy, collateral);
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
