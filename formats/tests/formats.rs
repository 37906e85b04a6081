//! Hostile Evidence: cut, altered, stuffed.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

use atls_formats::Debugging;
use atls_formats::dcap;
use atls_formats::dcap::Quote;
use atls_formats::dcap::Tee;
use atls_formats::snp;
use test_support::Connection;
use test_support::td_quote;

#[test]
fn report_data_is_sha_512_of_the_whole_value() {
    for (connection, length) in [(Connection::new(), 32), (Connection::sha384(), 48)] {
        let bound = connection.bound();
        assert_eq!(bound.as_bytes().len(), length);
        let sha512 = test_support::sha512(bound.as_bytes());
        assert_eq!(snp::report_data(bound).bytes()[..], sha512);
        assert_eq!(dcap::report_data(bound).bytes()[..], sha512);
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

/// Whoever binds the TD to its migration TD gets the keys to its memory, and that is its host.
#[test]
fn a_td_that_may_be_migrated_is_told() {
    let mut quote = td_quote(&[7; 64]);
    let debugging = |quote: &[u8]| {
        let quote = Quote::decode(quote, Tee::Tdx).unwrap();
        quote.report.as_td().unwrap().debugging()
    };
    // `TDATTRIBUTES`, bits 8 to 63: `MIGRATABLE` alone.
    for bit in 8..64 {
        quote[48 + 120..48 + 128].copy_from_slice(&(1_u64 << bit).to_le_bytes());
        let expected = match bit {
            29 => Debugging::Allowed,
            _ => Debugging::Denied,
        };
        assert_eq!(debugging(&quote), expected, "{bit}");
    }
}
