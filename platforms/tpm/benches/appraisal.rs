//! The cost of appraising a quote, beside the one signature that it cannot do without, and with the replay of a log of 200 events.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a benchmark prints, and fails by panicking"
)]

use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;
use std::time::Instant;

use atls_formats::tpm::Public;
use atls_formats::tpm::Signature;
use atls_formats::tpm::TpmEvidence;
use atls_formats::tpm::qualifying_data;
use atls_reference::Live;
use atls_tpm::TpmImage;
use atls_tpm::TpmKeys;
use atls_tpm::TpmPolicy;
use atls_tpm::TpmVerifier;
use atls_tpm::testing::ForgedTpm;
use ring::signature::ECDSA_P256_SHA256_ASN1;
use ring::signature::UnparsedPublicKey;
use test_support::Connection;
use test_support::at;

fn main() {
    let connection = Connection::new();
    let expected = qualifying_data(connection.bound());
    let mut forged = ForgedTpm::new();
    let long = (0..200_u8).fold(ForgedTpm::log(), |log, event| log.measured(5, 13, &[event]));
    forged.log = long;
    let evidence = forged.evidence(expected.bytes());
    let bare = TpmEvidence {
        tcg_log: None,
        ..evidence.clone()
    };
    let keys = TpmKeys::new(vec![forged.trusted("forged")]);
    let image: TpmImage = ForgedTpm::image();
    let verifier = TpmVerifier::dangerous_with_software_keys(
        Arc::new(Live::fixed(keys).unwrap()),
        Arc::new(Live::fixed(TpmPolicy::new(vec![image])).unwrap()),
        &rustls::crypto::ring::default_provider(),
    );
    let key = Public::decode(&evidence.ak).unwrap();
    let key = key.subject_public_key().unwrap();
    let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, key);
    let signature = Signature::decode(&evidence.signature).unwrap();
    let signature = signature.to_x509().unwrap();
    let (whole, without) = (evidence.clone().encode().unwrap(), bare.encode().unwrap());

    let now = at(1_800_000_000);
    // Alternating, so that what else the machine does falls on all.
    let (mut with_log, mut alone, mut signatures) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        for (evidence, times) in [(&whole, &mut with_log), (&without, &mut alone)] {
            times.push(timed(|| {
                let appraised = connection.appraise(&verifier, black_box(evidence), now);
                assert!(black_box(appraised).is_ok());
            }));
        }
        signatures.push(timed(|| {
            assert!(key.verify(black_box(&evidence.attest), &signature).is_ok());
        }));
    }
    println!("median of {ROUNDS}");
    println!("appraisal             {:>8.1} µs", median(alone));
    println!("with a log            {:>8.1} µs", median(with_log));
    println!("its signature alone   {:>8.1} µs", median(signatures));
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
