//! No token costs much more memory than its length, whoever signed it.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

use allocation::Bound;
use allocation::Findings;
use allocation::hostile;
use atls_cca::testing::ForgedCca;
use atls_cca::testing::ForgedPsa;
use atls_formats::psa::realm_challenge;
use test_support::Connection;
use test_support::at;

#[test]
fn allocations_are_bounded_by_the_input() {
    const LENGTH: usize = 60_000;
    let provider = rustls::crypto::ring::default_provider();
    let connection = Connection::new();
    let (realm, device) = (ForgedCca::new(), ForgedPsa::new());
    let byte_string = |bytes: &[u8]| {
        let length = u32::try_from(bytes.len()).unwrap().to_be_bytes();
        [&[0x5a][..], &length, bytes].concat()
    };
    let token = |payload: &[u8]| {
        let head = [0xd2, 0x84, 0x44, 0xa1, 0x01, 0x38, 0x22, 0xa0];
        [&head[..], &byte_string(payload), &[0x40]].concat()
    };
    let platform = realm.platform_token();
    let genuine = realm.realm_token(realm_challenge(connection.bound()).bytes());
    let collection = |platform: &[u8], realm: &[u8]| {
        let head = [0xd9, 0x01, 0x8f, 0xa2, 0x19, 0xac, 0xca];
        let (platform, realm) = (byte_string(platform), byte_string(realm));
        [&head[..], &platform, &[0x19, 0xac, 0xd1], &realm].concat()
    };
    let mut inputs = hostile::cbor(LENGTH);
    inputs.extend(hostile::within(hostile::cbor(LENGTH), |item| {
        collection(&platform, &token(item))
    }));
    inputs.extend(hostile::within(hostile::cbor(LENGTH), |item| {
        collection(&token(item), &genuine)
    }));
    let mut findings = Findings::new();
    let verifier = realm.verifier(&provider);
    findings.check("CCA token", BOUND, &inputs, |bytes| {
        let appraised = connection.appraise(&verifier, bytes, at(1_800_000_000));
        appraised.map(drop)
    });
    let mut inputs = hostile::cbor(LENGTH);
    inputs.extend(hostile::within(hostile::cbor(LENGTH), |item| token(item)));
    let verifier = device.verifier(&provider);
    findings.check("PSA token", BOUND, &inputs, |bytes| {
        let appraised = connection.appraise(&verifier, bytes, at(1_800_000_000));
        appraised.map(drop)
    });
    findings.assert_none();
}

/// A token has at most 1024 values, and each takes about 100 bytes.
const BOUND: Bound = Bound {
    per_byte: 8,
    constant: 128 * 1024,
};
