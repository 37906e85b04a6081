//! Findings for operators: one for each check, with the value of the report and the parts that are behind.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod support;

use atls_core::ear::Tier;
use atls_core::finding::Finding;
use atls_core::finding::Outcome;
use atls_snp::Day;
use atls_snp::GuestRestriction;
use atls_snp::NextMinimumTcb;
use atls_snp::PlatformFeature;
use atls_snp::Product;
use atls_snp::SnpPolicy;
use atls_snp::testing::ForgedSnp;

use support::CHALLENGE;
use support::NOW;
use support::appraise_at;
use support::appraise_by;
use support::milan;

#[test]
fn an_affirmed_platform_passes_every_check() {
    for product in Product::ALL {
        let platform = ForgedSnp::new(product).unwrap();
        let appraised = appraise_by(&platform, platform.policy()).unwrap();
        assert_eq!(appraised.ear().status(), Tier::Affirming);
        assert!(appraised.image().is_some());
        let bad: Vec<_> = appraised
            .findings()
            .iter()
            .filter(|finding| finding.outcome() != Outcome::Passed)
            .collect();
        assert!(bad.is_empty(), "{bad:?}");
    }
}

#[test]
fn every_check_is_reported_and_not_only_the_first_that_failed() {
    let platform = milan();
    let mut policy = platform.policy();
    policy.images[0].measurement = [7; 48].into();
    policy.images[0].name = "payments 1.4".to_owned();
    policy.require_guest_policy = vec![GuestRestriction::NoPageSwap];
    policy.require_platform = vec![PlatformFeature::Tsme];
    let minimum = policy.minimum_tcb.get_mut(&Product::Milan).unwrap();
    minimum.reported.microcode += 1;
    let appraised = appraise_by(&platform, policy).unwrap();
    let failed: Vec<_> = appraised
        .findings()
        .iter()
        .filter(|finding| finding.outcome() != Outcome::Passed)
        .map(Finding::check)
        .collect();
    assert_eq!(
        failed,
        [
            "snp.image",
            "snp.guest-policy.no-page-swap",
            "snp.platform.tsme",
            "snp.tcb.reported",
        ]
    );
    let image = finding(appraised.findings(), "snp.image");
    let seen: String = platform
        .report
        .measurement
        .iter()
        .map(|it| format!("{it:02x}"))
        .collect();
    assert_eq!(image.seen(), Some(&*seen));
    assert_eq!(image.allowed()[0].name(), "payments 1.4");
    assert_eq!(image.allowed()[0].value(), "07".repeat(48));
}

#[test]
fn a_known_measurement_that_is_no_known_image_says_what_differs() {
    let platform = milan();
    let mut policy = platform.policy();
    policy.images[0].host_data = Some([9; 32].into());
    policy.images[0].image_id = Some([9; 16].into());
    let appraised = appraise_by(&platform, policy.clone()).unwrap();
    let note = finding(appraised.findings(), "snp.image").note().unwrap();
    let expected = format!(
        "it measures as {}, and differs in host-data, image-id",
        policy.images[0].name
    );
    assert_eq!(note, expected);
}

#[test]
fn firmware_that_is_behind_says_in_which_part_and_by_which_versions() {
    let platform = milan();
    let mut policy = platform.policy();
    let minimum = policy.minimum_tcb.get_mut(&Product::Milan).unwrap();
    let had = minimum.reported;
    minimum.reported.snp += 2;
    minimum.reported.microcode += 1;
    let appraised = appraise_by(&platform, policy).unwrap();
    assert_eq!(appraised.ear().status(), Tier::Warning);
    let found = finding(appraised.findings(), "snp.tcb.reported");
    assert_eq!(found.seen(), Some(&*had.to_string()));
    let note = format!(
        "behind in snp {} of {}, microcode {} of {}; update the host's firmware",
        had.snp,
        had.snp + 2,
        had.microcode,
        had.microcode + 1
    );
    assert_eq!(found.note(), Some(&*note));
}

/// Operators learn of an announced minimum before any platform is refused. No result outlives its day.
#[test]
fn an_announced_minimum_warns_first_and_counts_from_its_day() {
    let platform = milan();
    let day = "2025-07-01";
    let begins = 1_751_328_000;
    let policy = announcing(&platform, day);
    let at = |policy: &SnpPolicy, now| {
        let evidence = platform.evidence(&CHALLENGE);
        let collateral = platform.collateral().unwrap();
        appraise_at(&platform, &evidence, collateral, policy.clone(), now).unwrap()
    };
    assert!(NOW < begins);
    let before = at(&policy, NOW);
    assert_eq!(before.ear().status(), Tier::Affirming);
    assert_eq!(before.ear().expires_at().unwrap().as_secs(), begins);
    let found = finding(before.findings(), "snp.next-tcb.reported");
    assert_eq!(found.outcome(), Outcome::Warning);
    assert!(found.note().unwrap().contains(day), "{found}");
    let since = at(&policy, begins);
    assert_eq!(since.ear().status(), Tier::Warning);
    assert!(since.ear().expires_at().unwrap().as_secs() > begins);
    // A platform that is new enough already has no finding, and its result does not end then.
    let mut reached = announcing(&platform, day);
    let next = reached.next_minimum_tcb.get_mut(&Product::Milan).unwrap();
    next.reported = reached.minimum_tcb[&Product::Milan].reported;
    let before = at(&reached, NOW);
    assert!(before.ear().expires_at().unwrap().as_secs() > begins);
    let spoken_of = before
        .findings()
        .iter()
        .any(|it| it.check().starts_with("snp.next-tcb"));
    assert!(!spoken_of);
    // An announced minimum only adds to the minimum.
    let mut lower = announcing(&platform, "2025-01-01");
    lower
        .next_minimum_tcb
        .get_mut(&Product::Milan)
        .unwrap()
        .reported
        .snp = 0;
    lower
        .minimum_tcb
        .get_mut(&Product::Milan)
        .unwrap()
        .reported
        .snp += 1;
    assert_eq!(at(&lower, NOW).ear().status(), Tier::Warning);
}

#[test]
fn firmware_that_is_not_committed_is_a_warning_that_decides_nothing() {
    let mut platform = milan();
    platform.report.committed_tcb[7] -= 1;
    let mut policy = platform.policy();
    let minimum = policy.minimum_tcb.get_mut(&Product::Milan).unwrap();
    let mut committed = minimum.reported;
    committed.microcode -= 1;
    minimum.committed = Some(committed);
    let appraised = appraise_by(&platform, policy).unwrap();
    assert_eq!(appraised.ear().status(), Tier::Affirming);
    let found = finding(appraised.findings(), "snp.tcb.rollback");
    assert_eq!(found.outcome(), Outcome::Warning);
    assert!(found.note().unwrap().contains("microcode"), "{found}");
}

#[test]
fn no_finding_names_the_chip_or_the_guest() {
    let mut platform = milan();
    platform.report.chip_id = [0xc7; 64];
    platform.report.report_id = [0xd8; 32];
    let mut policy = platform.policy();
    policy.chip_ids = Some(vec![[1; 64].into()]);
    let mut platform = platform.clone();
    platform.vek.set(&[4], &[0xc7; 64]);
    let appraised = appraise_by(&platform, policy).unwrap();
    assert_eq!(
        finding(appraised.findings(), "snp.chip").outcome(),
        Outcome::Failed
    );
    for finding in appraised.findings() {
        let text = finding.to_string();
        assert!(
            !text.contains("c7c7c7c7") && !text.contains("d8d8d8d8"),
            "{text}"
        );
    }
}

fn announcing(platform: &ForgedSnp, day: &str) -> SnpPolicy {
    let mut policy = platform.policy();
    let mut reported = policy.minimum_tcb[&Product::Milan].reported;
    reported.snp = reported.snp.saturating_add(1);
    let next = NextMinimumTcb {
        from: Day::parse(day).unwrap(),
        reported,
        committed: None,
        launch: None,
    };
    policy.next_minimum_tcb.insert(Product::Milan, next);
    policy
}

fn finding<'a>(findings: &'a [Finding], check: &str) -> &'a Finding {
    let mut found = findings.iter().filter(|finding| finding.check() == check);
    let only = found.next().unwrap_or_else(|| panic!("no {check}"));
    assert!(found.next().is_none(), "{check} twice");
    only
}
