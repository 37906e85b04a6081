//! Documents that are refused.

use ::corim::cbor::value::Value;
use atls_tdx::SgxPolicy;
use atls_tdx::TdxPolicy;
use atls_tdx::testing::ForgedPlatform;
use test_support::corim::ForgedCorim;
use test_support::corim::bytes;
use test_support::corim::digest;
use test_support::corim::integer;
use test_support::corim::list;
use test_support::corim::map;
use test_support::corim::measurement;
use test_support::corim::tag;
use test_support::corim::text;
use test_support::corim::triple;

use crate::documents::ENCLAVE;
use crate::documents::INTEL;
use crate::documents::PROFILE;
use crate::documents::TDX_MODULE;
use crate::documents::document;
use crate::documents::expression;
use crate::documents::map_of;
use crate::documents::model;
use crate::documents::module;
use crate::documents::problem;
use crate::documents::registers;
use crate::documents::td;
use crate::documents::td_values;
use crate::documents::vendor;
use crate::support::NOW;

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
fn a_corim_without_values_is_refused() {
    assert!(document(Vec::new()).read(NOW).is_err());
}
