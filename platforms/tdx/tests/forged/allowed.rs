//! The permissions of a policy.

use atls_core::ear::Category;
use atls_core::ear::Tier;
use atls_tdx::Pin;
use atls_tdx::TdReport;
use atls_tdx::TdxPolicy;
use atls_tdx::attributes;
use atls_tdx::testing::ForgedPlatform;

use crate::support::NOW;
use crate::support::appraise;
use crate::support::policy;
use crate::support::tier;
use crate::support::value;

#[test]
fn a_policy_can_allow_what_it_names() {
    let platform = ForgedPlatform::new(NOW).unwrap();
    let good = platform.td_report();
    type Change = fn(&mut TdReport);
    type Allow = fn(&mut TdxPolicy);
    let cases: &[(Change, Allow)] = &[
        (
            |td| td.td_attributes |= attributes::TD_PERFMON,
            |policy| policy.allow_perfmon = true,
        ),
        (
            |td| td.xfam |= 1 << 19,
            |policy| policy.allow_xfam = 1 << 19,
        ),
        (
            |td| td.mrconfigid = [1; 48].into(),
            |policy| policy.images[0].mrconfigid = Pin::Value([1; 48].into()),
        ),
        (
            |td| td.mrowner = [1; 48].into(),
            |policy| policy.images[0].mrowner = Pin::Any,
        ),
        (
            |td| td.mrownerconfig = [1; 48].into(),
            |policy| policy.images[0].mrownerconfig = Pin::Value([1; 48].into()),
        ),
        (
            |td| td.rtmr[0] = [1; 48].into(),
            |policy| policy.images[0].rtmr0 = None,
        ),
        (
            |_| {},
            |policy| policy.mrseam = Some(vec![[0x5e; 48].into()]),
        ),
        (
            |_| {},
            |policy| policy.ppid = Some(vec![(*b"forged processor").into()]),
        ),
    ];
    for (index, (change, allow)) in cases.iter().enumerate() {
        let mut report = good.clone();
        change(&mut report);
        let mut policy = policy(&good);
        allow(&mut policy);
        let appraised = appraise(&platform, &report, policy);
        assert_eq!(tier(&appraised), Tier::Affirming, "case {index}");
    }
    // A debug TD is never affirmed.
    let mut debug = good.clone();
    debug.td_attributes |= 1;
    let appraised = appraise(
        &platform,
        &debug,
        TdxPolicy {
            allow_debug: true,
            ..policy(&good)
        },
    );
    assert_eq!(tier(&appraised), Tier::Warning);
    assert_eq!(value(&appraised, Category::RuntimeOpaque), 32);
}

/// The library stops at such TDs, and so finds no revocation: no permission may make up for that.
#[test]
fn a_td_without_a_rating_is_contraindicated_whatever_is_allowed() {
    let platform = ForgedPlatform::new(NOW).unwrap();
    let good = platform.td_report();
    let allowing = TdxPolicy {
        allow_debug: true,
        allow_perfmon: true,
        service_td: vec![[1; 48].into()],
        ..policy(&good)
    };
    for bits in [1 << 1, 1 << 3, 1 << 7, attributes::TD_SERVTD_EXT] {
        let mut report = good.clone();
        report.td_attributes |= bits;
        let appraised = appraise(&platform, &report, allowing.clone());
        assert_eq!(value(&appraised, Category::Hardware), 97, "{bits:#x}");
        assert_eq!(tier(&appraised), Tier::Contraindicated);
    }
}

#[test]
fn executables_tell_how_much_the_image_pins() {
    let platform = ForgedPlatform::new(NOW).unwrap();
    let report = platform.td_report();
    let executables = |change: fn(&mut TdxPolicy)| {
        let mut policy = policy(&report);
        change(&mut policy);
        value(&appraise(&platform, &report, policy), Category::Executables)
    };
    assert_eq!(executables(|_| {}), 2);
    assert_eq!(executables(|policy| policy.images[0].rtmr3 = None), 3);
    assert_eq!(executables(|policy| policy.images[0].rtmr0 = None), 3);
    assert_eq!(
        executables(|policy| {
            policy.images[0].mrtd_covers_all = true;
            policy.images[0].rtmr1 = None;
        }),
        2
    );
    // The second image counts as the first does.
    assert_eq!(
        executables(|policy| {
            let mut other = policy.images[0].clone();
            other.mrtd = [1; 48].into();
            policy.images.insert(0, other);
        }),
        2
    );
}
