//! A forged platform through the very same verifier: every rule, met and broken.
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

use atls_core::Origin;
use atls_core::Stale;
use atls_core::ear::Category;
use atls_core::ear::Tier;
use atls_reference::Live;
use atls_tdx::Advisories;
use atls_tdx::Pin;
use atls_tdx::QuoteError;
use atls_tdx::SgxEnclave;
use atls_tdx::SgxPolicy;
use atls_tdx::SgxReport;
use atls_tdx::SuppliedCollateral;
use atls_tdx::TcbStatus;
use atls_tdx::TdReport;
use atls_tdx::TdxPolicy;
use atls_tdx::TdxVerifier;
use atls_tdx::Tee;
use atls_tdx::attributes;
use atls_tdx::testing::ForgedCertificate;
use atls_tdx::testing::ForgedLevel;
use atls_tdx::testing::ForgedPlatform;
use support::DAY;
use support::NOW;
use support::REPORT_DATA;
use support::appraise;
use support::appraise_at;
use support::appraise_enclave;
use support::extended;
use support::own;
use support::policy;
use support::td_verifier;
use support::td15;
use support::tier;
use support::value;
use test_support::at;
use test_support::ready;

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

#[test]
fn the_platform_is_rated_by_its_tcb() {
    use TcbStatus::*;

    let good = [
        UpToDate,
        SWHardeningNeeded,
        ConfigurationNeeded,
        ConfigurationAndSWHardeningNeeded,
        OutOfDate,
        OutOfDateConfigurationNeeded,
    ];
    for status in good {
        let mut platform = ForgedPlatform::new(NOW).unwrap();
        platform.platform_levels[0].status = status;
        let report = platform.td_report();
        let accepts = |accepted: Vec<TcbStatus>| {
            let policy = TdxPolicy {
                accept_tcb: accepted,
                out_of_date_grace_days: Some(101),
                ..policy(&report)
            };
            value(&appraise(&platform, &report, policy), Category::Hardware)
        };
        assert_eq!(accepts(vec![status]), 2, "{status}");
        let others = good.into_iter().filter(|other| *other != status).collect();
        assert_eq!(accepts(others), 32, "{status}");
    }
    let mut platform = ForgedPlatform::new(NOW).unwrap();
    platform.platform_levels[0].status = Revoked;
    let report = platform.td_report();
    let hardware = |platform: &ForgedPlatform| {
        value(
            &appraise(platform, &report, policy(&report)),
            Category::Hardware,
        )
    };
    assert_eq!(hardware(&platform), 96);
    type Change = fn(&mut ForgedPlatform);
    let changes: [(Change, i8); 12] = [
        (|platform| platform.svn = 4, 97),
        (|platform| platform.platform_levels.clear(), 97),
        (|platform| platform.module_levels[0].svn = 5, 97),
        (|platform| platform.module_levels[0].status = OutOfDate, 32),
        (|platform| platform.module_levels[0].status = Revoked, 96),
        (|platform| platform.qe_svn = 3, 97),
        (|platform| platform.qe_levels.clear(), 97),
        (|platform| platform.qe_levels[0].status = OutOfDate, 32),
        (|platform| platform.qe_levels[0].status = Revoked, 96),
        (|platform| platform.qe_signer = [1; 32], 97),
        (|platform| platform.qe_attributes[0] |= 2, 97),
        (|platform| platform.qe_attributes[0] |= 0x80, 97),
    ];
    for (index, (change, expected)) in changes.into_iter().enumerate() {
        let mut platform = ForgedPlatform::new(NOW).unwrap();
        change(&mut platform);
        assert_eq!(hardware(&platform), expected, "case {index}");
    }
}

/// For Intel's own verifier each status of a Quoting Enclave but `UpToDate` and `Revoked` means out of date.
#[test]
fn every_status_of_the_quoting_enclave_counts() {
    use TcbStatus::*;

    for (status, named, expected) in [
        (OutOfDate, OutOfDate, 32),
        (ConfigurationNeeded, OutOfDateConfigurationNeeded, 32),
        (
            OutOfDateConfigurationNeeded,
            OutOfDateConfigurationNeeded,
            32,
        ),
        // Statuses that Intel never gives to a Quoting Enclave.
        (SWHardeningNeeded, Unrecognised, 97),
        (ConfigurationAndSWHardeningNeeded, Unrecognised, 97),
        (TDRelaunchAdvised, Unrecognised, 97),
        (Revoked, Revoked, 96),
    ] {
        let mut platform = ForgedPlatform::new(NOW).unwrap();
        platform.platform_levels[0].date = NOW;
        platform.module_levels[0].date = NOW;
        platform.qe_levels = vec![ForgedLevel {
            svn: 0,
            status,
            date: NOW - 90 * DAY,
            advisories: Vec::new(),
        }];
        let report = platform.td_report();
        let enclave = platform.sgx_report();
        let known = vec![SgxEnclave::exactly("forged", enclave.mrenclave)];
        let results = [
            appraise(&platform, &report, policy(&report)),
            appraise(&platform, &td15(&report), policy(&report)),
            appraise_enclave(&platform, &enclave, SgxPolicy::up_to_date(known)),
        ];
        for appraised in results {
            assert_eq!(value(&appraised, Category::Hardware), expected, "{status}");
            assert_ne!(tier(&appraised), Tier::Affirming, "{status}");
            let (_, part) = appraised.ear().submods().next().unwrap();
            let said = part.extension("atls.tcb-status").unwrap();
            assert_eq!(*said, named.to_string(), "{status}");
        }
        // A policy that accepts it names it, and the grace counts from the date of the Quoting Enclave's level.
        for (grace, affirmed) in [(90, 2), (89, 32)] {
            let policy = TdxPolicy {
                accept_tcb: vec![UpToDate, named],
                out_of_date_grace_days: Some(grace),
                ..policy(&report)
            };
            if named.to_string().starts_with("OutOfDate") {
                let appraised = appraise(&platform, &report, policy);
                assert_eq!(value(&appraised, Category::Hardware), affirmed, "{status}");
            }
        }
    }
}

#[test]
fn a_platform_that_is_out_of_date_is_good_for_as_long_as_the_policy_says() {
    type Change = fn(&mut ForgedPlatform, ForgedLevel);
    let changes: [Change; 3] = [
        |platform, level| platform.platform_levels[0] = level,
        |platform, level| platform.module_levels[0] = level,
        |platform, level| platform.qe_levels[0] = level,
    ];
    for change in changes {
        let mut platform = ForgedPlatform::new(NOW).unwrap();
        for levels in [
            &mut platform.platform_levels,
            &mut platform.module_levels,
            &mut platform.qe_levels,
        ] {
            levels[0].date = NOW;
        }
        let level = ForgedLevel {
            svn: 4,
            status: TcbStatus::OutOfDate,
            date: NOW - 90 * DAY,
            advisories: Vec::new(),
        };
        change(&mut platform, level);
        let report = platform.td_report();
        let hardware = |grace| {
            let policy = TdxPolicy {
                accept_tcb: vec![TcbStatus::UpToDate, TcbStatus::OutOfDate],
                out_of_date_grace_days: Some(grace),
                ..policy(&report)
            };
            value(&appraise(&platform, &report, policy), Category::Hardware)
        };
        assert_eq!(hardware(90), 2);
        assert_eq!(hardware(89), 32);
    }
}

#[test]
fn advisories_are_looked_at_one_by_one() {
    let mut platform = ForgedPlatform::new(NOW).unwrap();
    platform.platform_levels[0].advisories = vec!["INTEL-SA-00001".to_owned()];
    platform.module_levels[0].advisories = vec!["INTEL-SA-00002".to_owned()];
    platform.qe_levels[0].advisories = vec!["INTEL-SA-00003".to_owned()];
    let report = platform.td_report();
    let hardware = |accept_advisories| {
        let policy = TdxPolicy {
            accept_advisories,
            ..policy(&report)
        };
        value(&appraise(&platform, &report, policy), Category::Hardware)
    };
    let all = ["INTEL-SA-00001", "INTEL-SA-00002", "INTEL-SA-00003"].map(str::to_owned);
    assert_eq!(hardware(Advisories::AnyKnown), 2);
    assert_eq!(hardware(Advisories::Only(all.to_vec())), 2);
    for left_out in 0..3 {
        let mut some = all.to_vec();
        some.remove(left_out);
        assert_eq!(hardware(Advisories::Only(some)), 32);
    }
}

/// A TDX module that was updated under the TD: its advisories count as those of the module that launched it do.
#[test]
fn advisories_of_the_current_module_count() {
    let mut platform = ForgedPlatform::new(NOW).unwrap();
    let level = |svn, advisories: &[&str]| ForgedLevel {
        svn,
        status: TcbStatus::UpToDate,
        date: NOW,
        advisories: advisories.iter().map(|&id| id.to_owned()).collect(),
    };
    platform.module_levels = vec![level(6, &[]), level(4, &["INTEL-SA-00004"])];
    let mut report = td15(&platform.td_report());
    report.tee_tcb_svn[0] = 6;
    let appraised = appraise(&platform, &report, policy(&report));
    assert_eq!(value(&appraised, Category::Hardware), 32);
}

/// One switch for old firmware must not let any software in.
#[test]
fn accepting_warnings_does_not_accept_any_software() {
    let platform = ForgedPlatform::new(NOW).unwrap();
    let good = platform.td_report();
    let mut other = good.clone();
    other.mrtd = [0x99; 48].into();
    let appraised = appraise(&platform, &other, policy(&good));
    assert_eq!(value(&appraised, Category::Executables), 33);
    assert_eq!(tier(&appraised), Tier::Contraindicated);
}

#[test]
fn an_empty_list_of_known_values_is_refused() {
    let good = ForgedPlatform::new(NOW).unwrap().td_report();
    type Empty = fn(&mut TdxPolicy);
    let empty: [Empty; 2] = [
        |policy| policy.mrseam = Some(Vec::new()),
        |policy| policy.ppid = Some(Vec::new()),
    ];
    for empty in empty {
        let mut policy = policy(&good);
        empty(&mut policy);
        let refused = Live::fixed(policy).unwrap_err().to_string();
        assert!(refused.contains(": empty"), "{refused}");
    }
}

/// An update of the TDX module under a TD may bring an older one.
#[test]
fn the_status_of_the_running_module_counts() {
    let appraised = |launching, running, date| {
        let mut platform = ForgedPlatform::new(NOW).unwrap();
        let level = |svn, status, date| ForgedLevel {
            svn,
            status,
            date,
            advisories: Vec::new(),
        };
        platform.module_levels = vec![level(6, launching, NOW), level(4, running, date)];
        let mut report = td15(&platform.td_report());
        report.tee_tcb_svn[0] = 6;
        let mut policy = policy(&report);
        policy.accept_tcb = vec![TcbStatus::UpToDate];
        let strict = appraise(&platform, &report, policy.clone());
        policy.accept_tcb.push(TcbStatus::OutOfDate);
        policy.out_of_date_grace_days = Some(1000);
        let graceful = appraise(&platform, &report, policy);
        let part = strict.ear().submod("tdx").unwrap();
        let status = part.extension("atls.tcb-status").unwrap().clone();
        let values = [strict, graceful].map(|result| value(&result, Category::Hardware));
        (status, values)
    };
    let (good, old) = (TcbStatus::UpToDate, TcbStatus::OutOfDate);
    let named = |status: TcbStatus| serde_json::Value::from(status.to_string());
    assert_eq!(appraised(good, good, NOW), (named(good), [2, 2]));
    assert_eq!(appraised(good, old, NOW), (named(old), [32, 2]));
    // Its date is the one that the grace counts from.
    let years = 8 * 365 * 24 * 60 * 60;
    let long_ago = NOW - years;
    assert_eq!(appraised(good, old, long_ago), (named(old), [32, 32]));
}

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

// --- SGX ---------------------------------------------------------------------------------------------------------------

#[test]
fn every_demand_on_an_enclave_is_checked() {
    let platform = ForgedPlatform::new(NOW).unwrap();
    let good = platform.sgx_report();
    let exactly = SgxPolicy::up_to_date(vec![SgxEnclave::exactly("exact", good.mrenclave)]);
    let signed = SgxPolicy::up_to_date(vec![SgxEnclave {
        mrenclave: None,
        mrsigner: Some(good.mrsigner),
        isv_prod_id: Some(7),
        min_isv_svn: Some(3),
        ..SgxEnclave::exactly("signed", good.mrenclave)
    }]);
    let appraise = |report: &SgxReport, policy: &SgxPolicy| {
        appraise_enclave(&platform, report, policy.clone())
    };
    for policy in [&exactly, &signed] {
        let appraised = appraise(&good, policy);
        assert_eq!(tier(&appraised), Tier::Affirming);
        assert_eq!(appraised.origin(), Origin::Simulated);
        let claims = Category::ALL.map(|category| value(&appraised, category));
        assert_eq!(claims, [0, 2, 2, 0, 2, 2, 0, 0]);
    }
    type Change = fn(&mut SgxReport);
    let executables: [(Change, &SgxPolicy); 4] = [
        (|report| report.mrenclave = [1; 32].into(), &exactly),
        (|report| report.mrsigner = [1; 32].into(), &signed),
        (|report| report.isv_prod_id = 8, &signed),
        (|report| report.isv_svn = 2, &signed),
    ];
    for (change, policy) in executables {
        let mut report = good.clone();
        change(&mut report);
        assert_eq!(value(&appraise(&report, policy), Category::Executables), 33);
    }
    let configuration: [Change; 7] = [
        |report| report.config_id = [1; 64].into(),
        |report| report.flags |= attributes::SGX_DEBUG,
        |report| report.flags |= attributes::SGX_PROVISIONKEY,
        |report| report.flags |= 1 << 5,
        |report| report.flags |= 1 << 3,
        |report| report.flags |= 1 << 63,
        |report| report.flags &= !attributes::SGX_INIT,
    ];
    for (index, change) in configuration.into_iter().enumerate() {
        let mut report = good.clone();
        change(&mut report);
        let appraised = appraise(&report, &exactly);
        assert_eq!(
            value(&appraised, Category::Configuration),
            96,
            "case {index}"
        );
    }
    let mut debug = good.clone();
    debug.flags |= attributes::SGX_DEBUG;
    assert_eq!(
        value(&appraise(&debug, &exactly), Category::RuntimeOpaque),
        96
    );
    let allowed = SgxPolicy {
        allow_debug: true,
        ..exactly.clone()
    };
    assert_eq!(tier(&appraise(&debug, &allowed)), Tier::Warning);
    let mut report = good.clone();
    report.flags |= attributes::SGX_PROVISIONKEY;
    let allowed = SgxPolicy {
        allow_provision_key: true,
        ..exactly.clone()
    };
    assert_eq!(tier(&appraise(&report, &allowed)), Tier::Affirming);
    let mut newer = good.clone();
    newer.isv_svn = 9;
    assert_eq!(tier(&appraise(&newer, &signed)), Tier::Affirming);
}
