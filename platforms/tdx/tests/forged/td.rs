//! The demands on a TD.

use std::sync::Arc;

use atls_core::Origin;
use atls_core::ear::Category;
use atls_core::ear::Tier;
use atls_reference::Live;
use atls_tdx::QuoteError;
use atls_tdx::SuppliedCollateral;
use atls_tdx::TdReport;
use atls_tdx::TdxPolicy;
use atls_tdx::TdxVerifier;
use atls_tdx::Tee;
use atls_tdx::attributes;
use atls_tdx::testing::ForgedPlatform;
use test_support::at;
use test_support::ready;

use crate::support::DAY;
use crate::support::NOW;
use crate::support::REPORT_DATA;
use crate::support::appraise;
use crate::support::extended;
use crate::support::own;
use crate::support::policy;
use crate::support::td_verifier;
use crate::support::td15;
use crate::support::tier;
use crate::support::value;

#[test]
fn a_good_td_is_affirmed_in_every_body() {
    let platform = ForgedPlatform::new(NOW).unwrap();
    let report = platform.td_report();
    for report in [report.clone(), td15(&report), extended(&report)] {
        let appraised = appraise(&platform, &report, policy(&report));
        assert_eq!(tier(&appraised), Tier::Affirming);
        assert_eq!(appraised.origin(), Origin::Simulated);
        let claims = Category::ALL.map(|category| value(&appraised, category));
        assert_eq!(claims, [0, 2, 2, 0, 2, 2, 0, 0]);
        let expiry = appraised.ear().expires_at().unwrap();
        assert_eq!(expiry, at(NOW + 30 * DAY));
    }
}

#[test]
fn a_forged_platform_is_nothing_under_another_root() {
    let platform = ForgedPlatform::new(NOW).unwrap();
    let other = ForgedPlatform::new(NOW).unwrap();
    let report = platform.td_report();
    let quote = platform.tdx_quote(&report, &REPORT_DATA).unwrap();
    let policy = || Arc::new(Live::fixed(policy(&report)).unwrap());
    for (collateral, root) in [
        (&platform, None),
        (&platform, Some(other.root())),
        (&other, Some(other.root())),
    ] {
        let source = SuppliedCollateral::new([collateral.collateral(Tee::Tdx).unwrap()]);
        let verifier = match root {
            None => TdxVerifier::new(policy(), Arc::new(source)),
            Some(root) => TdxVerifier::dangerous_with_root(root, policy(), Arc::new(source)),
        };
        let appraised = ready(verifier.appraise_quote(&quote, &[], at(NOW)));
        assert_eq!(appraised.map(drop), Err(QuoteError::BadSignature));
    }
}

#[test]
fn the_challenge_is_compared_whole() {
    let platform = ForgedPlatform::new(NOW).unwrap();
    let report = platform.td_report();
    let verifier = td_verifier(&platform, policy(&report), own(&platform, Tee::Tdx));
    for carried in [[0; 64], REPORT_DATA] {
        let quote = platform.tdx_quote(&report, &carried).unwrap();
        let appraised = ready(verifier.appraise_quote(&quote, &[], at(NOW)));
        assert_eq!(appraised.unwrap().challenge(), carried);
    }
}

/// Each byte of a quote, signed or not, is replaced by a flip of a bit and by the bytes that end a text.
#[test]
fn no_byte_can_be_replaced() {
    let platform = ForgedPlatform::new(NOW).unwrap();
    let report = platform.td_report();
    let verifier = td_verifier(&platform, policy(&report), own(&platform, Tee::Tdx));
    let quote = platform.tdx_quote(&report, &REPORT_DATA).unwrap();
    for index in 0..quote.len() {
        for byte in [quote[index] ^ 1 << (index % 8), 0, b'\n', b' ', b'-', b'='] {
            if byte == quote[index] {
                continue;
            }
            let mut altered = quote.clone();
            altered[index] = byte;
            let appraised = ready(verifier.appraise_quote(&altered, &[], at(NOW)));
            assert!(appraised.is_err(), "byte {index} became {byte:#x}");
        }
    }
}

/// Each change of the TD, the category that shows it, and its value.
#[test]
fn every_demand_on_the_td_is_checked() {
    use Category::Configuration;
    use Category::Executables;
    use Category::Hardware;
    use Category::RuntimeOpaque;

    let platform = ForgedPlatform::new(NOW).unwrap();
    let good = platform.td_report();
    let other = [1; 48];
    type Change = fn(&mut TdReport);
    let cases: [(Category, i8, &[Change]); 4] = [
        (
            Executables,
            33,
            &[
                |td| td.mrtd = [1; 48].into(),
                |td| td.rtmr[0] = [1; 48].into(),
                |td| td.rtmr[1] = [1; 48].into(),
                |td| td.rtmr[2] = [1; 48].into(),
                |td| td.rtmr[3] = [1; 48].into(),
            ],
        ),
        (
            Configuration,
            96,
            &[
                |td| td.mrconfigid = [1; 48].into(),
                |td| td.mrowner = [1; 48].into(),
                |td| td.mrownerconfig = [1; 48].into(),
                |td| td.td_attributes |= 1,
                |td| td.td_attributes |= 1 << 4,
                |td| td.td_attributes |= attributes::TD_PERFMON,
                |td| td.td_attributes |= attributes::TD_MIGRATABLE,
                |td| td.td_attributes |= attributes::TD_SERVTD_EXT,
                |td| td.td_attributes &= !attributes::TD_SEPT_VE_DISABLE,
                // Defined bits that may do harm.
                |td| td.td_attributes |= 1 << 18,
                |td| td.td_attributes |= 1 << 62,
                // Reserved.
                |td| td.td_attributes |= 1 << 1,
                |td| td.td_attributes |= 1 << 7,
                |td| td.td_attributes |= 1 << 23,
                |td| td.td_attributes |= 1 << 32,
                |td| td.xfam |= 1 << 3,
                |td| td.xfam |= 1 << 19,
                |td| td.xfam |= 1 << 63,
                |td| td.xfam &= !1,
                |td| td.xfam &= !2,
            ],
        ),
        (
            RuntimeOpaque,
            96,
            &[
                |td| td.td_attributes |= 1,
                |td| td.td_attributes |= 1 << 5,
                |td| td.td_attributes |= 1 << 6,
            ],
        ),
        (
            Hardware,
            97,
            &[
                |td| td.mrsignerseam = [1; 48].into(),
                |td| td.seam_attributes = 1,
                // TDX module 3, which the TCB Info does not know.
                |td| td.tee_tcb_svn[1] = 3,
                |td| td.tee_tcb_svn[0] = 3,
            ],
        ),
    ];
    for (category, expected, changes) in cases {
        for (index, change) in changes.iter().enumerate() {
            let mut report = good.clone();
            change(&mut report);
            let appraised = appraise(&platform, &report, policy(&good));
            let found = value(&appraised, category);
            assert_eq!(found, expected, "{category:?}, case {index}");
            assert_ne!(
                tier(&appraised),
                Tier::Affirming,
                "{category:?}, case {index}"
            );
        }
    }
    // Service TDs.
    let service_tds: [Change; 3] = [
        |td| td.td15.as_mut().unwrap().mrservicetd = [1; 48].into(),
        |td| td.td15_extended.as_mut().unwrap().initial_service_td = [1; 48].into(),
        |td| td.td15_extended.as_mut().unwrap().current_service_td = [1; 48].into(),
    ];
    for change in service_tds {
        let mut report = extended(&good);
        change(&mut report);
        let appraised = appraise(&platform, &report, policy(&good));
        assert_eq!(value(&appraised, Configuration), 96);
        let allowed = TdxPolicy {
            service_td: vec![other.into()],
            ..policy(&good)
        };
        assert_eq!(
            tier(&appraise(&platform, &report, allowed)),
            Tier::Affirming
        );
        let another = TdxPolicy {
            service_td: vec![[2; 48].into()],
            ..policy(&good)
        };
        assert_eq!(
            tier(&appraise(&platform, &report, another)),
            Tier::Contraindicated
        );
    }
    // The module that runs the TD now.
    let mut report = td15(&good);
    report.td15.as_mut().unwrap().tee_tcb_svn_2[0] = 3;
    assert_eq!(
        value(&appraise(&platform, &report, policy(&good)), Hardware),
        97
    );
}
