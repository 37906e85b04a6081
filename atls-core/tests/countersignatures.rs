//! A token that is signed by nobody does not abort the process.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::time::Duration;

use allocation::hostile;
use allocation::on_small_stack;
use atls_core::ear::Check;
use atls_core::ear::ExpectedNonce;
use atls_core::ear::VerificationKeys;
use atls_core::ear::cwt;
use atls_core::pki_types::UnixTime;
use rustls::crypto::ring;

/// coset reads a countersignature's protected header out of a byte string, and that one's countersignature again.
#[test]
fn nested_countersignatures_do_not_overflow_the_stack() {
    let key = r#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwaaPJHURPo"}"#;
    let keys = VerificationKeys::from_jwk(key).unwrap();
    let provider = ring::default_provider();
    let check = Check {
        now: UnixTime::since_unix_epoch(Duration::from_secs(1_800_000_000)),
        max_age: Duration::from_secs(60),
        nonce: ExpectedNonce::InAnotherClaim,
        issuer: None,
        audience: None,
        submods: &[],
    };
    for length in [100, 4000, 60_000] {
        for header in hostile::countersigned(length) {
            let size = u16::try_from(header.bytes.len()).unwrap().to_be_bytes();
            let protected = [&[0xd2, 0x84, 0x59], &size[..], &header.bytes];
            let token = [&protected.concat()[..], &[0xa0, 0x41, 0xa0, 0x40]].concat();
            let supported = &provider.signature_verification_algorithms;
            let read = on_small_stack(&header.name, || {
                cwt::decode(&token, &keys, supported, &check).is_ok()
            });
            assert!(!read, "{}", header.name);
        }
    }
}
