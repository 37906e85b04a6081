//! Platforms that are behind.

use atls_core::ear::Tier;
use atls_core::finding::Outcome;
use atls_tdx::TcbStatus;
use atls_tdx::TdxPolicy;
use atls_tdx::testing::ForgedLevel;
use atls_tdx::testing::ForgedPlatform;

use crate::lines::finding;
use crate::lines::level;
use crate::lines::lines;
use crate::support::DAY;
use crate::support::NOW;
use crate::support::appraise;
use crate::support::policy;
use crate::support::tier;

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
