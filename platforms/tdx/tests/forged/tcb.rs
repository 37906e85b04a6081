//! The status of platform, quoting enclave and module.

use atls_core::ear::Category;
use atls_core::ear::Tier;
use atls_reference::Live;
use atls_tdx::Advisories;
use atls_tdx::SgxEnclave;
use atls_tdx::SgxPolicy;
use atls_tdx::TcbStatus;
use atls_tdx::TdxPolicy;
use atls_tdx::testing::ForgedLevel;
use atls_tdx::testing::ForgedPlatform;

use crate::support::DAY;
use crate::support::NOW;
use crate::support::appraise;
use crate::support::appraise_enclave;
use crate::support::policy;
use crate::support::td15;
use crate::support::tier;
use crate::support::value;

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
