//! No element of a certificate goes uncounted.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use allocation::allocated_by;
use allocation::hostile;
use atls_core::bounded;
use atls_core::exchange::Credential;
use atls_core::limits::MAX_CERTIFICATE_VALUES;
use atls_core::session::Handshake;
use atls_core::session::Side;
use rustls::crypto::ring;

/// The counter must not take the second byte of a tag in the high form (X.690 §8.1.2.4) for a length.
#[test]
fn elements_behind_a_high_tag_are_counted() {
    // [CONTEXT 513] of no bytes; to a careless reader a primitive of 16 MB, cut at the end.
    let before_them = [&[0x9f, 0x84, 0x01, 0x00][..], &[0x82, 0x00].repeat(29_000)].concat();
    let names = hostile::element(0x30, &before_them);
    // SEQUENCE, in two bytes.
    let around_them = [
        &[0x3f, 0x10],
        &hostile::element(0x30, &before_them[4..])[1..],
    ]
    .concat();
    for value in [names, around_them] {
        let certificate = hostile::certificate(1, &[(ISSUER_ALT_NAME, &value)]);
        assert!(!bounded::der(MAX_CERTIFICATE_VALUES, &certificate));
        let suite = ring::cipher_suite::TLS13_AES_128_GCM_SHA256;
        let suite = suite.tls13().unwrap();
        let allocated = allocated_by(|| {
            let leaf = certificate.clone().into();
            let handshake = Handshake::observed(Side::Client, suite, None, vec![leaf]).unwrap();
            Credential::in_certificate(&handshake).map(drop)
        });
        assert!(allocated < 8 * certificate.len(), "{allocated}");
    }
}

const ISSUER_ALT_NAME: &[u8] = &[0x55, 0x1d, 0x12];
