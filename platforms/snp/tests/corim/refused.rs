//! Documents that are refused.

use std::collections::BTreeMap;
use std::fs;

use ::corim::cbor;
use ::corim::cbor::value::Value;
use atls_core::ear::Tier;
use atls_reference::Table;
use atls_reference::corim;
use atls_snp::MinimumTcb;
use atls_snp::Product;
use atls_snp::SnpPolicy;
use atls_snp::Tcb;
use atls_snp::testing::ForgedSnp;
use test_support::at;
use test_support::corim::ForgedCorim;
use test_support::corim::Signer;
use test_support::corim::bytes;
use test_support::corim::digest;
use test_support::corim::integer;
use test_support::corim::list;
use test_support::corim::map;
use test_support::corim::tag;
use test_support::corim::text;
use test_support::corim::triple;
use test_support::vectors;

use crate::documents::BY_CHIP;
use crate::documents::PROFILE;
use crate::documents::corim;
use crate::documents::corim_of;
use crate::documents::document;
use crate::documents::element;
use crate::documents::elements_of;
use crate::documents::measurements;
use crate::documents::of_class;
use crate::documents::raw;
use crate::documents::read;
use crate::documents::status;
use crate::documents::with_firmware;
use crate::support::NOW;
use crate::support::milan;

#[test]
fn another_profile_or_class_is_refused() {
    let platform = milan();
    let good = corim_of(&platform);
    for profile in [
        None,
        Some(tag(32, text("tag:amd.com,2025:snp-corim-profile"))),
        Some(tag(32, text("tag:arm.com,2025:psa#1.0.0"))),
        Some(tag(111, bytes(&BY_CHIP))),
    ] {
        let other = ForgedCorim {
            profile,
            ..good.clone()
        };
        let text = problem(&other);
        assert!(text.contains("profile") && text.contains(PROFILE), "{text}");
    }
    let mut third = BY_CHIP;
    third[8] = 3;
    for oid in [&third[..], &BY_CHIP[..8], &[0x60, 0x86, 0x48]] {
        let text = problem(&of_class(oid, elements_of(&platform)));
        assert!(text.contains("class-id"), "{text}");
    }
    let oid = || (integer(0), tag(111, bytes(&BY_CHIP)));
    let measurements = || measurements(elements_of(&platform));
    let class = |extra| map([(integer(0), map([oid(), extra]))]);
    let one_chip = map([
        (integer(0), map([oid()])),
        (integer(1), tag(560, bytes(&[0xc1; 64]))),
    ]);
    for (environment, named) in [
        (class((integer(2), text("Milan"))), "environment"),
        (one_chip, "chip"),
    ] {
        let triple = list(vec![environment, measurements()]);
        let text = problem(&document(vec![triple]));
        assert!(
            text.contains("reference triple 0") && text.contains(named),
            "{text}"
        );
    }
}

/// The error has the words by which the maker finds the element.
#[test]
fn elements_that_a_table_cannot_hold_are_refused_with_their_place() {
    let platform = milan();
    let svn = |number: i128| map([(integer(1), integer(number))]);
    for (element, values) in [
        (0, raw(&[2, 0, 0, 0])),
        (1, svn(1 << 32)),
        (2, raw(&[0xff; 8])),
        (2, raw(&[0, 0, 3])),
        (3, raw(&[0; 15])),
        (5, raw(&[1, 0, 0, 0])),
        (6, svn(1)),
        (7, raw(&[1, 0, 0, 0, 0, 0, 0, 1])),
        (641, raw(&[7; 32])),
        (641, map([(integer(2), list(vec![digest(1, &[7; 32])]))])),
        (
            641,
            map([(
                integer(2),
                list(vec![digest(7, &[7; 48]), digest(8, &[7; 64])]),
            )]),
        ),
        (
            643,
            map([
                (integer(2), list(vec![digest(7, &[7; 48])])),
                (integer(11), text("name")),
            ]),
        ),
        (640, raw(&[0; 64])),
        (645, raw(&[0; 32])),
        (646, raw(&[0; 32])),
        (647, raw(&[0; 8])),
        (3328, raw(&[0; 64])),
        (
            3330,
            map([(integer(0), map([(integer(0), text("1.55.8"))]))]),
        ),
        (3329, svn(0x0100_0000)),
        (4711, raw(&[0])),
    ] {
        let mut elements = elements_of(&platform);
        elements.insert(element, values);
        let text = problem(&corim(elements));
        // The minimum, which is made later, finds a TCB of another product's form. It names the triple.
        let named = text.contains(&format!("element {element}: ")) || element == 3329;
        assert!(named && text.contains("reference triple 0"), "{text}");
    }
    let mut twice = elements_of(&platform).into_iter().collect::<Vec<_>>();
    twice.push((641, raw(&[7; 48])));
    let all = twice
        .into_iter()
        .map(|(number, values)| element(number, values));
    let oid = (integer(0), tag(111, bytes(&BY_CHIP)));
    let text = problem(&document(vec![triple([oid], all.collect())]));
    assert!(text.contains("641 occurs twice"), "{text}");
}

#[test]
fn without_a_launch_measurement_or_firmware_there_is_no_policy() {
    let platform = milan();
    for (element, named) in [(641, "641"), (647, "647"), (648, "648"), (649, "648, 649")] {
        let mut elements = elements_of(&platform);
        elements.remove(&element);
        let document = corim(elements);
        let text = problem(&document);
        assert!(text.contains(named), "{text}");
        // A policy that has a minimum needs no product of it.
        let added = read(&document)
            .unwrap()
            .dangerous_added_without_end(platform.policy());
        assert_eq!(added.is_ok(), element != 641, "{element}");
    }
    let mut elements = elements_of(&platform);
    elements.insert(648, raw(&[0x17]));
    assert!(problem(&corim(elements)).contains("known product"));
    // Two triples about one product with different firmware.
    let other = with_firmware(&platform, |tcb| tcb[7] += 1);
    let mut both = corim_of(&platform);
    both.triples.extend(corim_of(&other).triples);
    assert!(problem(&both).contains("differs"));
    assert!(
        read(&both)
            .unwrap()
            .dangerous_added_without_end(platform.policy())
            .is_ok()
    );
}

#[test]
fn a_signed_corim_makes_the_same_policy() {
    let platform = milan();
    let signer = Signer::new();
    let document = corim_of(&platform).signed(&signer);
    let policy = signer
        .read(&document, NOW)
        .unwrap()
        .dangerous_table_without_end()
        .unwrap();
    assert_eq!(status(&platform, policy), Tier::Affirming);
}

#[test]
fn a_corim_without_values_is_refused() {
    assert!(document(Vec::new()).read(NOW).is_err());
}

/// Veraison's own CoRIM, made of one report. It is refused for the elements that belong to one report alone, with their place.
/// Without them it accepts a forged machine with the same values.
#[test]
fn the_genuine_corim_is_read_as_far_as_a_policy_can_hold_it() {
    let Some(folder) = vectors() else { return };
    let genuine = fs::read(folder.join("corim/corim-sevsnp-valid.cbor")).unwrap();
    let whole = corim::unsigned(&genuine, at(NOW)).unwrap();
    let minimum = MinimumTcb::of(Tcb {
        fmc: None,
        bootloader: 10,
        tee: 0,
        snp: 23,
        microcode: 84,
    });
    let policy = || {
        SnpPolicy::new(
            Vec::new(),
            BTreeMap::from([(Product::Genoa, minimum.clone())]),
        )
    };
    let refused = whole
        .dangerous_added_without_end(policy())
        .unwrap_err()
        .to_string();
    assert_eq!(
        refused,
        "table [snp]: tag 0, reference triple 0, measurement 0: element 0: no policy has versions of report, current firmware \
         or its builds; take it out"
    );
    let kept = without(&genuine, &[0, 6, 640, 645, 646, 3328, 3330, 3936]);
    let policy = corim::unsigned(&kept, at(NOW))
        .unwrap()
        .dangerous_added_without_end(policy());
    let policy = policy.unwrap();
    let measurement: [u8; 48] = *policy.images[0].measurement.as_bytes();
    let tcb = 6_059_311_823_650_291_722_u64.to_le_bytes();
    let mut platform = with_firmware(&ForgedSnp::new(Product::Genoa).unwrap(), |own| *own = tcb);
    platform.report.measurement = measurement;
    platform.report.family_id = [0; 16];
    platform.report.image_id = [0; 16];
    platform.report.platform_info = 1;
    assert_eq!(status(&platform, policy.clone()), Tier::Affirming);
    platform.report.measurement[0] ^= 1;
    assert_eq!(status(&platform, policy), Tier::Contraindicated);
}

/// The error of a CoRIM that gives no policy.
fn problem(document: &ForgedCorim) -> String {
    let corim = read(document).unwrap();
    assert!(SnpPolicy::from_corim(&corim).is_err());
    corim
        .dangerous_table_without_end::<SnpPolicy>()
        .unwrap_err()
        .to_string()
}

/// The same document, without some elements of its first triple.
fn without(document: &[u8], elements: &[i128]) -> Vec<u8> {
    let mut document: Value = cbor::decode(document).unwrap();
    let tags = inner(&mut document, 1);
    let Value::Array(tags) = tags else { panic!() };
    let Value::Tag(_, comid) = &mut tags[0] else {
        panic!()
    };
    let Value::Bytes(bytes) = &mut **comid else {
        panic!()
    };
    let mut value: Value = cbor::decode(bytes).unwrap();
    let Value::Array(triples) = inner(inner(&mut value, 4), 0) else {
        panic!()
    };
    let Value::Array(triple) = &mut triples[0] else {
        panic!()
    };
    let Value::Array(measurements) = &mut triple[1] else {
        panic!()
    };
    measurements.retain(|measurement| {
        let Value::Map(entries) = measurement else {
            panic!()
        };
        !elements
            .iter()
            .any(|element| entries[0].1 == integer(*element))
    });
    *bytes = cbor::encode(&value).unwrap();
    cbor::encode(&document).unwrap()
}

fn inner(value: &mut Value, key: i128) -> &mut Value {
    match value {
        Value::Tag(_, value) => inner(value, key),
        Value::Map(entries) => {
            let mut entries = entries.iter_mut();
            &mut entries.find(|(known, _)| *known == integer(key)).unwrap().1
        }
        _ => panic!(),
    }
}
