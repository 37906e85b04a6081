//! Reference values out of a CoRIM, and the quotes that they accept.
#![allow(
    clippy::as_conversions,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod support;

use ::corim::cbor::value::Value;
use atls_core::ear::Category;
use atls_core::ear::Tier;
use atls_reference::Table;
use atls_tdx::SgxPolicy;
use atls_tdx::SgxReport;
use atls_tdx::TcbStatus;
use atls_tdx::TdReport;
use atls_tdx::TdxPolicy;
use atls_tdx::testing::ForgedPlatform;
use support::NOW;
use support::appraise;
use support::appraise_enclave;
use support::tier;
use support::value;
use test_support::corim::ForgedCorim;
use test_support::corim::Signer;
use test_support::corim::bytes;
use test_support::corim::digest;
use test_support::corim::integer;
use test_support::corim::list;
use test_support::corim::map;
use test_support::corim::measurement;
use test_support::corim::tag;
use test_support::corim::text;
use test_support::corim::triple;

/// Content bytes of 2.16.840.1.113741, Intel's arc.
const INTEL: [u8; 7] = [0x60, 0x86, 0x48, 0x01, 0x86, 0xf8, 0x4d];
const PROFILE: [u8; 3] = [0x01, 0x10, 0x01];
const TDX_MODULE: [u8; 5] = [0x01, 0x02, 0x03, 0x04, 0x03];
const ENCLAVE: [u8; 5] = [0x01, 0x02, 0x03, 0x05, 0x01];

#[test]
fn a_td_is_accepted_by_its_corim_alone() {
    let platform = ForgedPlatform::new(NOW).unwrap();
    let report = platform.td_report();
    let policy: TdxPolicy = document(vec![td(&report)])
        .read(NOW)
        .unwrap()
        .table()
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
        .table()
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
            let policy: TdxPolicy = both.read(NOW).unwrap().table().unwrap();
            assert_eq!(tier_of(&platform, &report, policy), expected);
            let alone = document(vec![module(&mrseam, model)]).read(NOW).unwrap();
            // Without an image nobody could be accepted; a policy that has one is narrowed.
            let error = alone.table::<TdxPolicy>().unwrap_err().to_string();
            assert!(error.contains("no image"), "{error}");
            let policy = alone.added_to(support::policy(&report)).unwrap();
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
        ..support::policy(&other)
    };
    let corim = document(vec![td(&report)]).read(NOW).unwrap();
    let policy = corim.added_to(strict).unwrap();
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
fn another_profile_or_class_is_refused() {
    let report = ForgedPlatform::new(NOW).unwrap().td_report();
    for profile in [
        None,
        Some(tag(32, text("tag:amd.com,2024:snp-corim-profile"))),
        Some(tag(111, bytes(&INTEL))),
    ] {
        let other = ForgedCorim::new(profile, vec![td(&report)]);
        let text = problem::<TdxPolicy>(&other);
        assert!(text.contains("profile"), "{text}");
        assert!(problem::<SgxPolicy>(&other).contains("profile"));
    }
    let values = || td_values(&report);
    let vendor = || (integer(1), text("Intel Corporation"));
    let model = |name| (integer(2), text(name));
    let oid = |part: &[u8]| (integer(0), tag(111, bytes(&[&INTEL, part].concat())));
    for other in [
        triple([model("TDX TD")], values()),
        triple([(integer(1), text("ACME")), model("TDX TD")], values()),
        triple([vendor()], values()),
        triple([vendor(), model("TDX")], values()),
        triple(
            [vendor(), model("TDX TD"), (integer(3), integer(0))],
            values(),
        ),
        triple([oid(&PROFILE)], values()),
        triple([oid(&TDX_MODULE), (integer(1), text("ACME"))], values()),
        triple([oid(&ENCLAVE), vendor(), model("TDX TD")], values()),
        list(vec![
            map([
                (integer(0), map([vendor(), model("TDX TD")])),
                (integer(1), tag(560, bytes(b"this TD"))),
            ]),
            list(values()),
        ]),
    ] {
        let text = problem::<TdxPolicy>(&document(vec![td(&report), other]));
        assert!(text.contains("reference triple 1: its "), "{text}");
    }
    // The one's are not the other's.
    let enclave = triple([oid(&ENCLAVE)], values());
    let text = problem::<TdxPolicy>(&document(vec![td(&report), enclave]));
    assert!(text.contains("about an SGX enclave"), "{text}");
    for other in [td(&report), module(&[1; 48], None)] {
        let text = problem::<SgxPolicy>(&document(vec![other]));
        assert!(text.contains("about TDX"), "{text}");
    }
}

#[test]
fn what_a_table_of_tds_cannot_hold_is_refused_with_its_place() {
    let report = ForgedPlatform::new(NOW).unwrap().td_report();
    let mrtd = || (integer(-83), digest(7, report.mrtd.as_bytes()));
    let register = |id, digests| map([(id, list(digests))]);
    let good = || vec![digest(7, &[1; 48])];
    for (values, named) in [
        (vec![(integer(14), registers(&report))], "-83"),
        (vec![(integer(-83), digest(1, &[1; 32]))], "-83"),
        (vec![(integer(-83), digest(8, &[1; 48]))], "-83"),
        (
            vec![(
                integer(-83),
                list(vec![digest(7, &[1; 48]), digest(1, &[1; 32])]),
            )],
            "-83",
        ),
        (vec![(integer(-83), expression(7, good()))], "-83"),
        (
            vec![(
                integer(-83),
                expression(6, vec![digest(7, &[1; 48]), digest(7, &[2; 48])]),
            )],
            "-83",
        ),
        (
            vec![(
                integer(-83),
                tag(60021, list(vec![integer(6), list(good())])),
            )],
            "-83",
        ),
        (
            vec![mrtd(), (integer(14), register(integer(4), good()))],
            "Number(4)",
        ),
        (
            vec![mrtd(), (integer(14), register(text("rtmr0"), good()))],
            "rtmr0",
        ),
        (
            vec![
                mrtd(),
                (integer(14), register(integer(1), vec![digest(1, &[1; 32])])),
            ],
            "Number(1)",
        ),
        (
            vec![
                mrtd(),
                (integer(14), register(integer(1), [good(), good()].concat())),
            ],
            "Number(1)",
        ),
        (
            vec![mrtd(), (integer(-82), bytes(&[0; 8]))],
            "extension -82",
        ),
        (
            vec![mrtd(), (integer(-88), list(vec![text("UpToDate")]))],
            "extension -88",
        ),
        (vec![mrtd(), (integer(2), list(good()))], "digests"),
    ] {
        let mut values = values;
        values.sort_by_key(|(key, _)| matches!(key, Value::Integer(number) if *number < 0));
        let values = map_of(values);
        let measurements = vec![map([(integer(1), values)])];
        let broken = triple([vendor(), model()], measurements);
        let text = problem::<TdxPolicy>(&document(vec![td(&report), broken]));
        assert!(text.contains("reference triple 1"), "{text}");
        assert!(text.contains(named), "{named}: {text}");
    }
    let keyed = measurement(Some(integer(83)), [mrtd()]);
    let two = vec![measurement(None, [mrtd()]), measurement(None, [mrtd()])];
    for (measurements, named) in [(vec![keyed], "key"), (two, "several")] {
        let broken = triple([vendor(), model()], measurements);
        let text = problem::<TdxPolicy>(&document(vec![broken]));
        assert!(
            text.contains("reference triple 0") && text.contains(named),
            "{text}"
        );
    }
    // The firmware alone says not what runs.
    let firmware = triple([vendor(), model()], vec![measurement(None, [mrtd()])]);
    let text = problem::<TdxPolicy>(&document(vec![firmware]));
    assert!(text.contains("rtmr1"), "{text}");
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
            .table()
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
    let policy = signer.read(&document, NOW).unwrap().table().unwrap();
    assert_eq!(tier_of(&platform, &report, policy), Tier::Affirming);
}

#[test]
fn a_corim_without_values_is_refused() {
    assert!(document(Vec::new()).read(NOW).is_err());
}

// --- Helpers -----------------------------------------------------------------------------------------------------------

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

/// The reason for which no table is made of it.
fn problem<T: Table + std::fmt::Debug>(document: &ForgedCorim) -> String {
    document
        .read(NOW)
        .unwrap()
        .table::<T>()
        .unwrap_err()
        .to_string()
}

fn document(triples: Vec<Value>) -> ForgedCorim {
    let profile = tag(111, bytes(&[&INTEL[..], &PROFILE].concat()));
    ForgedCorim::new(Some(profile), triples)
}

fn td(report: &TdReport) -> Value {
    triple([vendor(), model()], td_values(report))
}

fn td_values(report: &TdReport) -> Vec<Value> {
    let mrtd = digest(7, report.mrtd.as_bytes());
    vec![measurement(
        None,
        [
            (integer(11), text("payments")),
            (integer(14), registers(report)),
            (integer(-83), mrtd),
        ],
    )]
}

fn registers(report: &TdReport) -> Value {
    let register = |number: usize| {
        let value = digest(7, report.rtmr[number].as_bytes());
        (integer(number as i128), list(vec![value]))
    };
    map([register(0), register(1), register(2), register(3)])
}

fn module(mrseam: &[u8], named: Option<&str>) -> Value {
    let mut class = vec![(
        integer(0),
        tag(111, bytes(&[&INTEL[..], &TDX_MODULE].concat())),
    )];
    if let Some(named) = named {
        class.extend([vendor(), (integer(2), text(named))]);
    }
    let values = [(integer(-83), list(vec![digest(7, mrseam)]))];
    let environment = map([(integer(0), map_of(class))]);
    list(vec![environment, list(vec![measurement(None, values)])])
}

fn enclave(values: Vec<(Value, Value)>) -> Value {
    let class = (
        integer(0),
        tag(111, bytes(&[&INTEL[..], &ENCLAVE].concat())),
    );
    triple([class], vec![map([(integer(1), map_of(values))])])
}

fn expression(operator: i128, digests: Vec<Value>) -> Value {
    tag(60020, list(vec![integer(operator), list(digests)]))
}

fn vendor() -> (Value, Value) {
    (integer(1), text("Intel Corporation"))
}

fn model() -> (Value, Value) {
    (integer(2), text("TDX TD"))
}

fn map_of(entries: Vec<(Value, Value)>) -> Value {
    Value::Map(entries)
}
