//! The sizes of ML-DSA against the limits of the protocol.

use std::sync::Arc;

use atls_core::MediaType;
use atls_core::cmw::Cmw;
use atls_core::exchange::CanAttest;
use atls_core::exchange::Challenge;
use atls_core::exchange::Parameters;
use atls_core::limits::MAX_CHAIN;
use atls_core::limits::MAX_CMW;
use atls_core::limits::MAX_FRAME;
use atls_core::session::Side;
use rustls::sign::CertifiedKey;
use test_support::ObservedSession;

use crate::certificate::SCHEMES;
use crate::certificate::certified;

/// FIPS 204, Table 2, in bytes: public key and signature.
const SIZES: [(usize, usize); 3] = [(1312, 2420), (1952, 3309), (2592, 4627)];

#[test]
fn keys_and_signatures_have_the_sizes_of_fips_204() {
    for ((scheme, algorithm), (key, signature)) in SCHEMES.into_iter().zip(SIZES) {
        let identity = certified(algorithm);
        // SubjectPublicKeyInfo adds two lengths, the algorithm and the unused bits.
        assert_eq!(identity.key.public_key().unwrap().len(), key + 22);
        let signer = identity.key.choose_scheme(&[scheme]).unwrap();
        assert_eq!(signer.sign(b"message").unwrap().len(), signature);
    }
}

/// The largest key, the longest chain of certificates of its size, and the largest Evidence at once.
#[test]
fn the_largest_of_everything_fits_a_frame() {
    let (_, algorithm) = SCHEMES[2];
    let leaf = certified(algorithm);
    let chain = vec![leaf.cert[0].clone(); MAX_CHAIN];
    let length = length_of_answer(&Arc::new(CertifiedKey::new(chain, leaf.key.clone())));
    // It is near: one more certificate would be too much.
    assert!(
        (MAX_FRAME - leaf.cert[0].len()..=MAX_FRAME).contains(&length),
        "{length}"
    );
}

/// The length of an authenticator with the largest Evidence, after the peer accepted it.
fn length_of_answer(identity: &Arc<CertifiedKey>) -> usize {
    let provider = demo::provider();
    let suite = provider.cipher_suites[0].tls13().unwrap();
    let secret = vec![7; suite.common.hash_provider.output_len()];
    let [client, server] = [Side::Client, Side::Server].map(|side| {
        let (identity, chain) = (identity.clone(), identity.cert.clone());
        ObservedSession::new(side, suite, &secret, Some(identity), chain)
    });
    let media_type: MediaType = "application/x-evidence".parse().unwrap();
    let parameters = Parameters::client(vec![media_type.clone()], true, CanAttest::No);
    let (request, pending) =
        atls_core::exchange::request(&client, &provider, Some(&parameters)).unwrap();
    let challenge = Challenge::receive(&server, &request).unwrap();
    let evidence = Cmw::evidence(media_type, vec![0; LARGEST_EVIDENCE]);
    assert_eq!(evidence.encode().unwrap().len(), MAX_CMW - SELECTION);
    let authenticator = challenge.answer(&evidence).unwrap();
    let credential = pending.finish(&authenticator).unwrap();
    assert_eq!(credential.cmw(), &evidence);
    authenticator.len()
}

/// Bytes of the selection beside the Evidence, with its header.
const SELECTION: usize = 9;
/// The record around it: an array, a media type of 22 bytes, a length of two bytes, an indicator.
const LARGEST_EVIDENCE: usize = MAX_CMW - SELECTION - 1 - 23 - 3 - 1;
