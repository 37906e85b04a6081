//! Hostile Evidence: cut, altered, stuffed.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

use atls_formats::Carriage;
use atls_formats::Debugging;
use atls_formats::TsmReport;
use atls_formats::dcap::Quote;
use atls_formats::dcap::Tee;
use atls_formats::dcap::hardware_claim;
use ciborium::Value;
use proptest::prelude::*;
use stand_in::Connection;
use stand_in::td_quote;

#[test]
fn a_value_is_carried_whole() {
    for (connection, length) in [(Connection::new(), 32), (Connection::sha384(), 48)] {
        let bound = connection.bound();
        assert_eq!(
            Carriage::Verbatim.challenge(bound).bytes(),
            bound.as_bytes()
        );
        assert_eq!(bound.as_bytes().len(), length);
        let sha512 = stand_in::sha512(bound.as_bytes());
        assert_eq!(*Carriage::Sha512.challenge(bound).bytes(), sha512);
    }
}

#[test]
fn any_untrusted_bit_of_a_td_is_told() {
    let mut quote = td_quote(&[7; 64]);
    let debugging = |quote: &[u8]| {
        let quote = Quote::decode(quote, Tee::Tdx).unwrap();
        quote.report.as_td().unwrap().debugging()
    };
    assert_eq!(debugging(&quote), Debugging::Denied);
    for bit in 0..8 {
        quote[48 + 120] = 1 << bit;
        assert_eq!(debugging(&quote), Debugging::Allowed);
    }
}

#[test]
fn a_report_tells_who_may_look_into_its_guest() {
    let read = |bit: u32| {
        let mut report = vec![0; 1184];
        report[8..16].copy_from_slice(&(1_u64 << bit).to_le_bytes());
        TsmReport::read(&tsm(report, None))
            .unwrap()
            .report()
            .debugging()
    };
    for bit in 0..64 {
        let expected = match bit {
            // MIGRATE_MA and DEBUG.
            18 | 19 => Debugging::Allowed,
            _ => Debugging::Denied,
        };
        assert_eq!(read(bit), expected, "{bit}");
    }
}

#[test]
fn a_table_with_one_certificate_twice_is_refused() {
    let entry = |guid: u128| [&guid.to_be_bytes()[..], &[72, 0, 0, 0, 1, 0, 0, 0]].concat();
    let (vcek, ask) = (
        0x63da_758d_e664_4564_adc5_f4b9_3be8_accd,
        0x4ab7_b379_bbac_4fe4_a02f_05ae_f327_c782,
    );
    let table =
        |guids: [u128; 2]| [entry(guids[0]), entry(guids[1]), vec![0; 24], vec![9]].concat();
    let read = |table: Vec<u8>| {
        let report = TsmReport::read(&tsm(vec![0; 1184], Some(table))).unwrap();
        report.certificates().map(|known| known.len())
    };
    assert_eq!(read(table([vcek, ask])), Some(2));
    // What nobody knows is passed over.
    assert_eq!(read(table([vcek, 1])), Some(1));
    assert_eq!(read(table([vcek, vcek])), None);
    assert_eq!(read(Vec::new()), Some(0));
    let good = table([vcek, ask]);
    for length in 1..good.len() {
        assert_eq!(read(good[..length].to_vec()), None, "{length}");
    }
}

#[test]
fn only_statuses_that_are_known_are_good() {
    for (status, value) in [
        (Some("UpToDate"), 2),
        (Some("SWHardeningNeeded"), 32),
        (Some("ConfigurationNeeded"), 32),
        (Some("ConfigurationAndSWHardeningNeeded"), 32),
        (Some("OutOfDate"), 32),
        (Some("OutOfDateConfigurationNeeded"), 32),
        (Some("Revoked"), 96),
        (Some("uptodate"), 97),
        (Some(""), 97),
        (None, 97),
    ] {
        assert_eq!(hardware_claim(status).value(), value, "{status:?}");
    }
}

proptest! {
    #[test]
    fn arbitrary_octets_never_panic(octets in proptest::collection::vec(any::<u8>(), 0..300)) {
        drop(TsmReport::read(&octets));
        let report = TsmReport::read(&tsm(vec![7; 1184], Some(octets.clone()))).unwrap();
        drop(report.certificates());
    }
}

fn tsm(report: Vec<u8>, table: Option<Vec<u8>>) -> Vec<u8> {
    let mut entries = vec![
        ("outblob".into(), Value::Bytes(report)),
        ("provider".into(), "sev_guest\n".into()),
    ];
    entries.extend(table.map(|table| ("auxblob".into(), Value::Bytes(table))));
    let mut out = Vec::new();
    ciborium::into_writer(&Value::Map(entries), &mut out).unwrap();
    out
}
