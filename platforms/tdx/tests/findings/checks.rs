//! The checks of TDs, enclaves and platforms.

use atls_core::ear::Tier;
use atls_core::finding::Finding;
use atls_core::finding::Outcome;
use atls_tdx::SgxEnclave;
use atls_tdx::SgxPolicy;
use atls_tdx::SgxReport;
use atls_tdx::TdReport;
use atls_tdx::TdxPolicy;
use atls_tdx::attributes;
use atls_tdx::testing::ForgedPlatform;

use crate::lines::finding;
use crate::lines::lines;
use crate::support::NOW;
use crate::support::appraise;
use crate::support::appraise_enclave;
use crate::support::extended;
use crate::support::policy;
use crate::support::tier;

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

/// Each register is that of one of the images, and so passes by itself.
#[test]
fn a_td_between_two_images_is_told_with_the_one_that_it_is_most_like() {
    let platform = ForgedPlatform::new(NOW).unwrap();
    let report = extended(&platform.td_report());
    let mut policy = policy(&report);
    let mut other = policy.images[0].clone();
    other.name = "other".to_owned();
    other.rtmr1 = Some([0xbb; 48].into());
    policy.images[0].rtmr2 = Some([0xcc; 48].into());
    policy.images[0].rtmr3 = Some([0xcc; 48].into());
    policy.images.push(other);
    let appraised = appraise(&platform, &report, policy.clone());
    for register in ["tdx.rtmr1", "tdx.rtmr2", "tdx.rtmr3"] {
        let outcome = finding(&appraised, register).outcome();
        assert_eq!(outcome, Outcome::Passed, "{register}");
    }
    let image = finding(&appraised, "tdx.image");
    assert_eq!(image.outcome(), Outcome::Failed);
    let note = image.note().unwrap();
    let like = "most like other, and differs from it in rtmr1;";
    assert!(note.contains(like), "{note}");
    for image in &mut policy.images {
        image.mrtd = [0xdd; 48].into();
        image.rtmr0 = None;
        image.rtmr1 = Some([0xdd; 48].into());
        image.rtmr2 = Some([0xdd; 48].into());
        image.rtmr3 = None;
    }
    let appraised = appraise(&platform, &report, policy);
    let note = finding(&appraised, "tdx.image").note().unwrap();
    assert!(!note.contains("most like"), "{note}");
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
