//! Flags, revocation and expiry.

use atls_core::Stale;
use atls_core::ear::Category;
use atls_core::ear::Tier;
use atls_core::finding::Outcome;
use atls_tdx::QuoteError;
use atls_tdx::TdxPolicy;
use atls_tdx::testing::ForgedCertificate;
use atls_tdx::testing::ForgedPlatform;
use test_support::at;

use crate::support::DAY;
use crate::support::NOW;
use crate::support::appraise;
use crate::support::appraise_at;
use crate::support::policy;
use crate::support::tier;
use crate::support::value;

#[test]
fn flags_of_the_platform_are_looked_at() {
    let report = ForgedPlatform::new(NOW).unwrap().td_report();
    type Set = fn(&mut ForgedPlatform, bool);
    type Refuse = fn(&mut TdxPolicy);
    let cases: [(Set, Refuse); 3] = [
        (
            |platform, is| platform.dynamic_platform = is,
            |policy| policy.allow_dynamic_platform = false,
        ),
        (
            |platform, is| platform.cached_keys = is,
            |policy| policy.allow_cached_keys = false,
        ),
        (
            |platform, is| platform.smt = is,
            |policy| policy.allow_smt = false,
        ),
    ];
    for (set, refuse) in cases {
        for (is, expected) in [(true, 96), (false, 2)] {
            let mut platform = ForgedPlatform::new(NOW).unwrap();
            set(&mut platform, is);
            let mut policy = policy(&report);
            refuse(&mut policy);
            let appraised = appraise(&platform, &report, policy);
            assert_eq!(value(&appraised, Category::Hardware), expected);
        }
    }
    let platform = ForgedPlatform::new(NOW).unwrap();
    let unknown = TdxPolicy {
        mrseam: Some(vec![[1; 48].into()]),
        ..policy(&report)
    };
    assert_eq!(
        value(&appraise(&platform, &report, unknown), Category::Hardware),
        97
    );
    let elsewhere = TdxPolicy {
        ppid: Some(vec![[1; 16].into()]),
        ..policy(&report)
    };
    let appraised = appraise(&platform, &report, elsewhere);
    assert_eq!(value(&appraised, Category::InstanceIdentity), 97);
    assert_eq!(tier(&appraised), Tier::Contraindicated);
}

/// A single package has no others to add and no keys to keep for them, and may well have hyper-threading.
#[test]
fn hyper_threading_that_is_not_stated_is_not_off() {
    let report = ForgedPlatform::new(NOW).unwrap().td_report();
    let hardware = |smt: bool| {
        let mut platform = ForgedPlatform::new(NOW).unwrap();
        platform.states_flags = false;
        let policy = TdxPolicy {
            allow_dynamic_platform: false,
            allow_cached_keys: false,
            allow_smt: smt,
            ..policy(&report)
        };
        let appraised = appraise(&platform, &report, policy);
        let mut findings = appraised.findings().iter();
        let found = findings.find(|finding| finding.check() == "tdx.platform.smt");
        let has_passed = found.unwrap().outcome() == Outcome::Passed;
        (value(&appraised, Category::Hardware), has_passed)
    };
    assert_eq!(hardware(true), (2, true));
    assert_eq!(hardware(false), (96, false));
}

#[test]
fn every_certificate_can_be_revoked() {
    for certificate in [
        ForgedCertificate::Pck,
        ForgedCertificate::PckIssuer,
        ForgedCertificate::TcbSigner,
    ] {
        let mut platform = ForgedPlatform::new(NOW).unwrap();
        platform.revoked = vec![certificate];
        let report = platform.td_report();
        let appraised = appraise_at(&platform, &report, policy(&report), NOW);
        assert_eq!(
            appraised.map(drop),
            Err(QuoteError::Revoked),
            "{certificate:?}"
        );
    }
}

#[test]
fn everything_expires() {
    let mut platform = ForgedPlatform::new(NOW).unwrap();
    let report = platform.td_report();
    let appraise = |platform: &ForgedPlatform, grace, now| {
        let policy = TdxPolicy {
            collateral_grace_days: grace,
            ..policy(&report)
        };
        appraise_at(platform, &report, policy, now)
    };
    let end = NOW + 30 * DAY;
    assert!(appraise(&platform, 0, end - 1).is_ok());
    let expired = Err(QuoteError::Expired);
    let outdated = Err(QuoteError::Outdated(Stale::expired("TCB info", at(end))));
    assert_eq!(appraise(&platform, 0, end).map(drop), outdated);
    let early = Err(QuoteError::Outdated(Stale::early("TCB info", at(NOW))));
    assert_eq!(appraise(&platform, 0, NOW - DAY).map(drop), early);
    // Within the grace period, and the result ends with it.
    let appraised = appraise(&platform, 3, end + 3 * DAY - 1).unwrap();
    assert_eq!(tier(&appraised), Tier::Affirming);
    assert_eq!(appraised.ear().expires_at(), Some(at(end + 3 * DAY)));
    assert_eq!(appraise(&platform, 3, end + 3 * DAY).map(drop), outdated);
    // Certificates have none.
    platform.pck_days = 31;
    let appraised = appraise(&platform, 3, end + DAY - 1).unwrap();
    assert_eq!(appraised.ear().expires_at(), Some(at(end + DAY)));
    assert_eq!(appraise(&platform, 3, end + DAY + 1).map(drop), expired);
    platform.pck_days = 10;
    assert!(appraise(&platform, 0, NOW + 10 * DAY - 1).is_ok());
    assert_eq!(
        appraise(&platform, 0, NOW + 10 * DAY + 1).map(drop),
        expired
    );
    let appraised = appraise(&platform, 0, NOW).unwrap();
    assert_eq!(appraised.ear().expires_at(), Some(at(NOW + 10 * DAY)));
}
