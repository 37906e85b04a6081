//! Quotes that a document accepts.

use std::sync::Arc;

use atls_core::Stale;
use atls_core::ear::Category;
use atls_core::ear::Tier;
use atls_reference::Live;
use atls_reference::Sourced;
use atls_tdx::QuoteError;
use atls_tdx::SgxPolicy;
use atls_tdx::SgxReport;
use atls_tdx::TcbStatus;
use atls_tdx::TdReport;
use atls_tdx::TdxPolicy;
use atls_tdx::TdxVerifier;
use atls_tdx::Tee;
use atls_tdx::testing::ForgedPlatform;
use test_support::at;
use test_support::corim::Signer;
use test_support::corim::bytes;
use test_support::corim::digest;
use test_support::corim::integer;
use test_support::corim::list;
use test_support::corim::tag;
use test_support::ready;

use crate::documents::document;
use crate::documents::enclave;
use crate::documents::expression;
use crate::documents::module;
use crate::documents::problem;
use crate::documents::td;
use crate::support::NOW;
use crate::support::appraise;
use crate::support::appraise_enclave;
use crate::support::own;
use crate::support::td_quote;
use crate::support::tier;
use crate::support::value;

#[test]
fn a_td_is_accepted_by_its_corim_alone() {
    let platform = ForgedPlatform::new(NOW).unwrap();
    let report = platform.td_report();
    let policy: TdxPolicy = document(vec![td(&report)])
        .read(NOW)
        .unwrap()
        .dangerous_table_without_end()
        .unwrap();
    assert_eq!(policy.accept_tcb, [TcbStatus::UpToDate]);
    assert_eq!(policy.images[0].name, "payments");
    assert_eq!(tier_of(&platform, &report, policy), Tier::Affirming);
}

#[test]
fn every_measurement_of_a_td_narrows() {
    let platform = ForgedPlatform::new(NOW).unwrap();
    let good = platform.td_report();
    let policy: TdxPolicy = document(vec![td(&good)])
        .read(NOW)
        .unwrap()
        .dangerous_table_without_end()
        .unwrap();
    let changes: [fn(&mut TdReport); 8] = [
        |td| td.mrtd = [1; 48].into(),
        |td| td.rtmr[0] = [1; 48].into(),
        |td| td.rtmr[1] = [1; 48].into(),
        |td| td.rtmr[2] = [1; 48].into(),
        |td| td.rtmr[3] = [1; 48].into(),
        |td| td.mrconfigid = [1; 48].into(),
        |td| td.mrowner = [1; 48].into(),
        |td| td.mrownerconfig = [1; 48].into(),
    ];
    for (index, change) in changes.into_iter().enumerate() {
        let mut report = good.clone();
        change(&mut report);
        let tier = tier_of(&platform, &report, policy.clone());
        assert_ne!(tier, Tier::Affirming, "case {index}");
    }
}

#[test]
fn a_tdx_module_of_a_corim_must_be_the_one() {
    let platform = ForgedPlatform::new(NOW).unwrap();
    let report = platform.td_report();
    for (mrseam, expected) in [
        (*report.mrseam.as_bytes(), Tier::Affirming),
        ([1; 48], Tier::Contraindicated),
    ] {
        for model in [None, Some("TDX SEAM"), Some("TDXSEAM")] {
            let both = document(vec![td(&report), module(&mrseam, model)]);
            let policy: TdxPolicy = both
                .read(NOW)
                .unwrap()
                .dangerous_table_without_end()
                .unwrap();
            assert_eq!(tier_of(&platform, &report, policy), expected);
            let alone = document(vec![module(&mrseam, model)]).read(NOW).unwrap();
            // Without an image nobody could be accepted; a policy that has one is narrowed.
            let error = alone
                .dangerous_table_without_end::<TdxPolicy>()
                .unwrap_err()
                .to_string();
            assert!(error.contains("no image"), "{error}");
            let policy = alone
                .dangerous_added_without_end(crate::support::policy(&report))
                .unwrap();
            assert_eq!(tier_of(&platform, &report, policy), expected);
        }
    }
}

#[test]
fn the_rest_of_a_policy_stays() {
    let platform = ForgedPlatform::new(NOW).unwrap();
    let report = platform.td_report();
    let mut other = report.clone();
    other.mrtd = [1; 48].into();
    let strict = TdxPolicy {
        ppid: Some(vec![[7; 16].into()]),
        ..crate::support::policy(&other)
    };
    let corim = document(vec![td(&report)]).read(NOW).unwrap();
    let policy = corim.dangerous_added_without_end(strict).unwrap();
    assert_eq!(policy.images.len(), 2);
    assert_eq!(
        tier_of(&platform, &report, policy.clone()),
        Tier::Contraindicated
    );
    let policy = TdxPolicy {
        ppid: None,
        ..policy
    };
    assert_eq!(tier_of(&platform, &report, policy.clone()), Tier::Affirming);
    assert_eq!(tier_of(&platform, &other, policy), Tier::Affirming);
}

#[test]
fn enclaves_are_accepted_by_their_corim() {
    let platform = ForgedPlatform::new(NOW).unwrap();
    let report = platform.sgx_report();
    let exactly = vec![(integer(-83), digest(1, report.mrenclave.as_bytes()))];
    let signed = |least| {
        let signer = digest(1, report.mrsigner.as_bytes());
        vec![
            (integer(-73), least),
            (integer(-84), expression(6, vec![signer])),
            (integer(-85), integer(report.isv_prod_id.into())),
        ]
    };
    let svn = i128::from(report.isv_svn);
    let at_least = |svn| tag(60010, list(vec![integer(2), integer(svn)]));
    for (values, expected) in [
        (exactly, 2),
        (vec![(integer(-83), digest(1, &[1; 32]))], 33),
        (signed(tag(553, integer(svn))), 2),
        (signed(at_least(svn)), 2),
        (signed(at_least(svn - 1)), 2),
        (signed(at_least(svn + 1)), 33),
    ] {
        let policy: SgxPolicy = document(vec![enclave(values)])
            .read(NOW)
            .unwrap()
            .dangerous_table_without_end()
            .unwrap();
        assert_eq!(executables(&platform, &report, policy), expected);
    }
    for (values, named) in [
        (signed(integer(svn)), "-73"),
        (
            signed(tag(60010, list(vec![integer(1), integer(svn)]))),
            "-73",
        ),
        (signed(at_least(65_536)), "-73"),
        (
            vec![
                (integer(-85), integer(65_536)),
                (integer(-83), digest(1, &[1; 32])),
            ],
            "-85",
        ),
        (vec![(integer(-84), digest(8, &[1; 64]))], "-84"),
        (vec![(integer(-84), digest(1, &[1; 32]))], "isv-prod-id"),
        (
            vec![
                (integer(-83), digest(1, &[1; 32])),
                (integer(-81), bytes(&[0; 4])),
            ],
            "-81",
        ),
    ] {
        let text = problem::<SgxPolicy>(&document(vec![enclave(values)]));
        assert!(text.contains(named), "{text}");
    }
}

#[test]
fn a_signed_corim_makes_the_same_policy() {
    let platform = ForgedPlatform::new(NOW).unwrap();
    let report = platform.td_report();
    let signer = Signer::new();
    let document = document(vec![td(&report)]).signed(&signer);
    let policy = signer
        .read(&document, NOW)
        .unwrap()
        .dangerous_table_without_end()
        .unwrap();
    assert_eq!(tier_of(&platform, &report, policy), Tier::Affirming);
}

fn tier_of(platform: &ForgedPlatform, report: &TdReport, policy: TdxPolicy) -> Tier {
    tier(&appraise(platform, report, policy))
}

/// The claim about executables.
fn executables(platform: &ForgedPlatform, report: &SgxReport, policy: SgxPolicy) -> i8 {
    value(
        &appraise_enclave(platform, report, policy),
        Category::Executables,
    )
}

#[test]
fn nothing_is_accepted_by_a_corim_that_has_ended() {
    let platform = ForgedPlatform::new(NOW).unwrap();
    let report = platform.td_report();
    let mut document = document(vec![td(&report)]);
    document.not_after = Some(NOW + 9);
    let policy = Sourced::of_corim("forged.corim", &document.read(NOW).unwrap());
    let policy = Arc::new(Live::<TdxPolicy>::of(policy.unwrap()));
    let collateral = own(&platform, Tee::Tdx);
    let verifier = TdxVerifier::dangerous_with_root(platform.root(), policy, collateral);
    let quote = td_quote(&platform);
    let end = |now: u64| {
        let appraised = ready(verifier.appraise_quote(&quote, &[], at(now)));
        appraised.map(|result| result.ear().expires_at())
    };
    assert_eq!(end(NOW + 9), Ok(Some(at(NOW + 10))));
    let stale = Stale::expired("CoRIM of reference values", at(NOW + 10));
    assert_eq!(end(NOW + 10), Err(QuoteError::Outdated(stale)));
}
