//! No token costs much more memory than its length.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

use std::future::Future;
use std::pin::pin;
use std::task::Context;
use std::task::Poll;
use std::task::Waker;
use std::time::Duration;

use allocation::Bound;
use allocation::Findings;
use allocation::Hostile;
use allocation::hostile;
use atls_core::Evidence;
use atls_core::Verifier;
use atls_core::pki_types::UnixTime;
use atls_sim::SimAttester;
use atls_sim::SimVerifier;
use stand_in::Connection;

#[test]
fn allocations_are_bounded_by_the_input() {
    const LENGTH: usize = 60_000;
    let verifier = SimVerifier::trusting(SimAttester::generate().unwrap().trust_anchor());
    let connection = Connection::new();
    let byte_string = |bytes: &[u8]| {
        let length = u16::try_from(bytes.len()).unwrap().to_be_bytes();
        [&[0x59][..], &length, bytes].concat()
    };
    let framed = |protected: &[u8], unprotected: &[u8]| {
        [
            &[0xd2, 0x84][..],
            &byte_string(protected),
            unprotected,
            &[0x41, 0xa0, 0x40],
        ]
        .concat()
    };
    let mut inputs = hostile::cbor(LENGTH);
    inputs.extend(hostile::within(hostile::cbor(LENGTH), |item| {
        framed(item, &[0xa0])
    }));
    inputs.extend(hostile::within(hostile::cbor(LENGTH), |item| {
        framed(&[0xa1, 0x01, 0x26], &[&[0xa1, 0x18, 0x21], item].concat())
    }));
    for Hostile { name, bytes, .. } in hostile::countersigned(LENGTH) {
        let inside = framed(&bytes, &[0xa0]);
        let outside = framed(&[0xa1, 0x01, 0x26], &bytes);
        inputs.extend([inside, outside].map(|token| Hostile::new(&name, token)));
    }
    let mut findings = Findings::new();
    let bound = Bound {
        per_byte: 2,
        constant: 8 * 1024,
    };
    findings.check("token", bound, &inputs, |token| {
        let evidence = Evidence::new(&verifier.media_types()[0], token, connection.bound());
        let now = UnixTime::since_unix_epoch(Duration::from_secs(1_800_000_000));
        ready(verifier.appraise(&evidence, now)).map(drop)
    });
    findings.assert_none();
}

fn ready<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("nothing here waits"),
    }
}
