//! The cost of appraising a CCA token and a PSA token, beside the signatures that each cannot do without.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a benchmark prints, and fails by panicking"
)]

use std::hint::black_box;
use std::time::Duration;
use std::time::Instant;

use atls_cca::testing::ForgedCca;
use atls_cca::testing::ForgedPsa;
use atls_core::Verifier;
use atls_formats::psa::CcaToken;
use atls_formats::psa::SignedToken;
use atls_formats::psa::eat_nonce;
use atls_formats::psa::realm_challenge;
use ring::signature::ECDSA_P256_SHA256_FIXED;
use ring::signature::ECDSA_P384_SHA384_FIXED;
use ring::signature::UnparsedPublicKey;
use test_support::Connection;
use test_support::at;

fn main() {
    let connection = Connection::new();
    let provider = rustls::crypto::ring::default_provider();

    let realm = ForgedCca::new();
    let token = realm.token(realm_challenge(connection.bound()).bytes());
    let parts = CcaToken::decode(&token).unwrap();
    let signatures = || {
        for (token, key) in [
            (parts.platform_token(), &realm.cpak),
            (parts.realm_token(), &realm.rak),
        ] {
            let key = UnparsedPublicKey::new(&ECDSA_P384_SHA384_FIXED, key.key().point());
            let verified = key.verify(black_box(&token.signed()), token.signature());
            assert!(verified.is_ok());
        }
    };
    compare(
        "CCA, P-384 twice",
        &connection,
        &realm.verifier(&provider),
        &token,
        signatures,
    );

    let device = ForgedPsa::new();
    let token = device.token(eat_nonce(connection.bound()).bytes());
    let read = SignedToken::decode(&token).unwrap();
    let signature = || {
        let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, device.iak.key().point());
        let verified = key.verify(black_box(&read.signed()), read.signature());
        assert!(verified.is_ok());
    };
    compare(
        "PSA, P-256",
        &connection,
        &device.verifier(&provider),
        &token,
        signature,
    );
}

/// Alternating, so that what else the machine does falls on both.
fn compare(
    name: &str,
    connection: &Connection,
    verifier: &dyn Verifier,
    token: &[u8],
    signatures: impl Fn(),
) {
    let (mut whole, mut bare) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        whole.push(timed(|| {
            let appraised = connection.appraise(verifier, black_box(token), at(NOW));
            assert!(black_box(appraised).is_ok());
        }));
        bare.push(timed(&signatures));
    }
    let (whole, bare) = (median(whole), median(bare));
    println!(
        "{name}: appraisal {whole:.1} µs, its signatures alone {bare:.1} µs, ratio {:.2}",
        whole / bare
    );
}

fn timed(work: impl FnOnce()) -> Duration {
    let start = Instant::now();
    work();
    start.elapsed()
}

/// In microseconds.
fn median(mut times: Vec<Duration>) -> f64 {
    times.sort_unstable();
    times[times.len() / 2].as_nanos() as f64 / 1000.0
}

const ROUNDS: usize = 300;
const NOW: u64 = 1_800_000_000;
