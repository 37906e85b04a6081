//! Reference values out of a CoRIM, and the reports that they accept.
#![allow(
    clippy::as_conversions,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::type_complexity,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod support;

use std::collections::BTreeMap;
use std::fs;
use std::sync::Arc;

use ::corim::cbor;
use ::corim::cbor::value::Value;
use atls_core::Verifier;
use atls_core::ear::Tier;
use atls_reference::Live;
use atls_reference::Table;
use atls_reference::corim;
use atls_reference::corim::Corim;
use atls_reference::corim::CorimError;
use atls_snp::MinimumTcb;
use atls_snp::Product;
use atls_snp::SnpPolicy;
use atls_snp::SnpVerifier;
use atls_snp::Tcb;
use atls_snp::testing::ForgedSnp;
use atls_snp::testing::ForgedVek;
use support::CHALLENGE;
use support::NOW;
use support::milan;
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
use test_support::ready;
use test_support::vectors;

const PROFILE: &str = "tag:amd.com,2024:snp-corim-profile";

/// Content bytes of 1.3.6.1.4.1.3704.3.1: reports signed by a VCEK.
const BY_CHIP: [u8; 9] = [0x2b, 0x06, 0x01, 0x04, 0x01, 0x9c, 0x78, 0x03, 0x01];

#[test]
fn a_report_is_accepted_by_its_corim_alone() {
    for product in Product::ALL {
        let platform = ForgedSnp::new(product).unwrap();
        let policy = read(&corim_of(&platform)).unwrap().table().unwrap();
        assert_eq!(status(&platform, policy), Tier::Affirming, "{product}");
    }
}

/// Each element, and the change of the report that it must refuse.
#[test]
fn every_element_narrows() {
    let platform = milan();
    let policy: SnpPolicy = read(&corim_of(&platform)).unwrap().table().unwrap();
    let changes: [(u64, fn(&mut ForgedSnp)); 14] = [
        (1, |other| other.report.guest_svn = 6),
        (2, |other| other.report.policy = 0x2_0000),
        (3, |other| other.report.family_id[15] ^= 1),
        (4, |other| other.report.image_id[0] ^= 1),
        (5, |other| other.report.vmpl = 1),
        (7, |other| other.report.platform_info ^= 1),
        (641, |other| other.report.measurement[47] ^= 1),
        (642, |other| other.report.host_data[0] ^= 1),
        (643, |other| other.report.id_key_digest[0] ^= 1),
        (644, |other| other.report.author_key_digest[0] ^= 1),
        (649, |other| other.report.cpuid[1] ^= 2),
        (650, |other| other.report.cpuid[2] ^= 1),
        (3329, |other| other.report.committed_tcb[7] += 1),
        (3968, |other| other.report.launch_tcb[6] -= 1),
    ];
    for (element, change) in changes {
        let mut other = platform.clone();
        change(&mut other);
        assert_ne!(status(&other, policy.clone()), Tier::Affirming, "{element}");
    }
    // The same bits as AMD's draft has them, and as Veraison's tool has them.
    for reversed in [0x3_0000_u64.to_le_bytes(), 0x3_0000_u64.to_be_bytes()] {
        let mut elements = elements_of(&platform);
        elements.insert(2, raw(&reversed));
        let policy = read(&corim(elements)).unwrap().table().unwrap();
        assert_eq!(status(&platform, policy), Tier::Affirming);
    }
}

#[test]
fn a_mask_leaves_the_other_bits_open() {
    let mut platform = milan();
    let no_debug = (0_u64.to_le_bytes(), (1_u64 << 19).to_le_bytes());
    let pair = list(vec![bytes(&no_debug.0), bytes(&no_debug.1)]);
    let mut elements = elements_of(&platform);
    elements.insert(2, map([(integer(4), tag(563, pair))]));
    let mut policy: SnpPolicy = read(&corim(elements)).unwrap().table().unwrap();
    policy.allow_debug = true;
    platform.report.policy = 0x12_0000;
    assert_eq!(status(&platform, policy.clone()), Tier::Affirming);
    platform.report.policy |= 1 << 19;
    assert_eq!(status(&platform, policy), Tier::Contraindicated);
}

#[test]
fn firmware_is_at_least_or_exactly_as_it_says() {
    let platform = ForgedSnp::new(Product::Genoa).unwrap();
    let with = |kind| {
        let mut elements = elements_of(&platform);
        elements.retain(|element, _| ![3329, 3968].contains(element));
        let number = u64::from_le_bytes(platform.report.reported_tcb);
        elements.insert(647, map([(integer(1), tag(kind, integer(number.into())))]));
        let minimum = MinimumTcb::of(Tcb {
            fmc: None,
            bootloader: 0,
            tee: 0,
            snp: 0,
            microcode: 0,
        });
        let loose = SnpPolicy::new(Vec::new(), BTreeMap::from([(Product::Genoa, minimum)]));
        read(&corim(elements)).unwrap().added_to(loose).unwrap()
    };
    let (exactly, at_least): (SnpPolicy, SnpPolicy) = (with(552), with(553));
    assert_eq!(status(&platform, exactly.clone()), Tier::Affirming);
    assert_eq!(status(&platform, at_least.clone()), Tier::Affirming);
    let renewed = with_firmware(&platform, |tcb| tcb[7] += 1);
    assert_ne!(status(&renewed, exactly), Tier::Affirming);
    assert_eq!(status(&renewed, at_least.clone()), Tier::Affirming);
    // Newer microcode makes up for no older firmware, though the number is larger.
    let mixed = with_firmware(&platform, |tcb| (tcb[7], tcb[6]) = (tcb[7] + 1, tcb[6] - 1));
    assert_ne!(status(&mixed, at_least), Tier::Affirming);
}

#[test]
fn a_corim_of_chips_keys_accepts_no_providers_key() {
    let chip = milan();
    let provider = ForgedSnp::with_vlek(Product::Milan).unwrap();
    for (last, chips, providers) in [
        (1, Tier::Affirming, Tier::Contraindicated),
        (2, Tier::Contraindicated, Tier::Affirming),
    ] {
        let mut oid = BY_CHIP;
        oid[8] = last;
        let document = of_class(&oid, elements_of(&chip));
        let mut policy: SnpPolicy = read(&document).unwrap().table().unwrap();
        policy.allow_vlek = true;
        assert_eq!(status(&chip, policy.clone()), chips);
        assert_eq!(status(&provider, policy), providers);
    }
}

#[test]
fn a_corim_is_put_in_force_while_running() {
    let platform = milan();
    let live = Arc::new(
        Live::<SnpPolicy>::fixed(read(&corim_of(&platform)).unwrap().table().unwrap()).unwrap(),
    );
    let verifier = SnpVerifier::dangerous_with_root(
        platform.root().unwrap(),
        live.clone(),
        Arc::new(platform.collateral().unwrap()),
    );
    let tier = || {
        let evidence = platform.evidence(&CHALLENGE);
        let appraised = ready(verifier.appraise_report(&evidence, &[], at(NOW)));
        appraised.unwrap().ear().status()
    };
    assert_eq!((tier(), verifier.generation()), (Tier::Affirming, 0));
    let mut newer = platform.clone();
    newer.report.measurement = [0x34; 48];
    let newer = read(&corim_of(&newer)).unwrap();
    live.replace(newer.table().unwrap()).unwrap();
    assert_eq!((tier(), verifier.generation()), (Tier::Contraindicated, 1));
}

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
        let added = read(&document).unwrap().added_to(platform.policy());
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
    assert!(read(&both).unwrap().added_to(platform.policy()).is_ok());
}

#[test]
fn a_signed_corim_makes_the_same_policy() {
    let platform = milan();
    let signer = Signer::new();
    let document = corim_of(&platform).signed(&signer);
    let policy = signer.read(&document, NOW).unwrap().table().unwrap();
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
    let refused = whole.added_to(policy()).unwrap_err().to_string();
    assert_eq!(
        refused,
        "table [snp]: tag 0, reference triple 0, measurement 0: element 0: no policy has versions of report, current firmware \
         or its builds; take it out"
    );
    let kept = without(&genuine, &[0, 6, 640, 645, 646, 3328, 3330, 3936]);
    let policy = corim::unsigned(&kept, at(NOW)).unwrap().added_to(policy());
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

// --- Helpers -----------------------------------------------------------------------------------------------------------

fn read(document: &ForgedCorim) -> Result<Corim, CorimError> {
    document.read(NOW)
}

/// The error of a CoRIM that gives no policy.
fn problem(document: &ForgedCorim) -> String {
    let corim = read(document).unwrap();
    assert!(SnpPolicy::from_corim(&corim).is_err());
    corim.table::<SnpPolicy>().unwrap_err().to_string()
}

fn status(platform: &ForgedSnp, policy: SnpPolicy) -> Tier {
    let appraised = support::appraise_by(platform, policy).unwrap();
    appraised.ear().status()
}

/// The same machine on other firmware, and so with another key.
fn with_firmware(platform: &ForgedSnp, change: impl Fn(&mut [u8; 8])) -> ForgedSnp {
    let mut other = platform.clone();
    let report = &mut other.report;
    change(&mut report.reported_tcb);
    change(&mut report.committed_tcb);
    change(&mut report.launch_tcb);
    other.vek = ForgedVek::vcek(other.product, report);
    other
}

/// A CoRIM with every value of this machine, as a maker would write it.
fn corim_of(platform: &ForgedSnp) -> ForgedCorim {
    corim(elements_of(platform))
}

fn corim(elements: BTreeMap<u64, Value>) -> ForgedCorim {
    of_class(&BY_CHIP, elements)
}

fn of_class(oid: &[u8], elements: BTreeMap<u64, Value>) -> ForgedCorim {
    let class = (integer(0), tag(111, bytes(oid)));
    let environment = map([(integer(0), map([class]))]);
    document(vec![list(vec![environment, measurements(elements)])])
}

fn document(triples: Vec<Value>) -> ForgedCorim {
    ForgedCorim::new(Some(tag(32, text(PROFILE))), triples)
}

fn measurements(elements: BTreeMap<u64, Value>) -> Value {
    let elements = elements.into_iter();
    list(
        elements
            .map(|(number, values)| element(number, values))
            .collect(),
    )
}

fn element(number: u64, values: Value) -> Value {
    map([(integer(0), integer(number.into())), (integer(1), values)])
}

fn elements_of(platform: &ForgedSnp) -> BTreeMap<u64, Value> {
    let report = &platform.report;
    let svn = |kind, number: u64| map([(integer(1), tag(kind, integer(number.into())))]);
    let tcb = |bytes| svn(552, u64::from_le_bytes(bytes));
    let sha384 = |value: &[u8]| map([(integer(2), list(vec![digest(7, value)]))]);
    let [family, model, stepping] = report.cpuid;
    BTreeMap::from([
        (1, svn(553, report.guest_svn.into())),
        (2, raw(&report.policy.to_le_bytes())),
        (3, raw(&report.family_id)),
        (4, raw(&report.image_id)),
        (5, raw(&[0; 4])),
        (7, raw(&report.platform_info.to_le_bytes())),
        (641, sha384(&report.measurement)),
        (642, raw(&report.host_data)),
        (643, sha384(&report.id_key_digest)),
        (644, sha384(&report.author_key_digest)),
        (647, tcb(report.reported_tcb)),
        (648, raw(&[family])),
        (649, raw(&[model])),
        (650, raw(&[stepping])),
        (3329, tcb(report.committed_tcb)),
        (3968, tcb(report.launch_tcb)),
    ])
}

fn raw(value: &[u8]) -> Value {
    map([(integer(4), tag(560, bytes(value)))])
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
