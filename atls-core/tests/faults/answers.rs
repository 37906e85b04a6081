//! Faults in answers.

use std::sync::Arc;

use atls_core::AppraisalError;
use atls_core::AttestError;
use atls_core::ConfigError;
use atls_core::Fault;
use atls_core::PolicyViolation;
use atls_core::ProtocolError;
use atls_core::cmw::Cmw;
use atls_core::cmw::CmwError;
use atls_core::ear::KeyError;
use atls_core::exchange::CMW_ATTESTATION;
use atls_core::exchange::CanAttest;
use atls_core::exchange::Challenge;
use atls_core::exchange::Parameters;
use atls_core::exchange::SendError;
use atls_core::limits::MAX_CHAIN;
use atls_core::limits::MAX_CMW;
use atls_core::limits::MAX_FRAME;
use atls_core::pki_types::CertificateDer;
use rustls::sign::CertifiedKey;

use crate::ends::P256;
use crate::ends::assert_local;
use crate::ends::challenge;
use crate::ends::evidence;
use crate::ends::pair;
use crate::support::forge;
use crate::support::identity;
use crate::support::providers;

#[test]
fn an_answer_that_a_peer_must_refuse_is_not_made() {
    let provider = &providers()[0];
    let one = identity(provider);
    let chain_of = |length| {
        let chain = vec![one.cert[0].clone(); length];
        Some(Arc::new(CertifiedKey::new(chain, one.key.clone())))
    };
    let answer = |identity| {
        let pair = pair(provider, identity);
        challenge(&pair.client).answer(&evidence(0)).map(drop)
    };
    assert_eq!(answer(chain_of(MAX_CHAIN)), Ok(()));
    assert_local(
        &answer(chain_of(MAX_CHAIN + 1)).unwrap_err(),
        SendError::Chain,
    );
    let empty = answer(chain_of(0)).unwrap_err();
    assert_eq!(
        (empty.fault(), empty),
        (Fault::Local, ProtocolError::NoIdentity)
    );

    let pair = pair(provider, None);
    let unasked = forge::request(17, b"plain", &[(13, P256)]);
    let refused = Challenge::receive(&pair.server, &unasked)
        .unwrap()
        .answer(&evidence(0))
        .unwrap_err();
    assert_local(&refused, SendError::Extension(CMW_ATTESTATION));
}

#[test]
fn a_chain_too_large_for_a_frame_is_not_sent() {
    let provider = &providers()[0];
    let one = identity(provider);
    // The reader parses the rest of a chain.
    let padding = CertificateDer::from(vec![0; MAX_FRAME]);
    let chain = vec![one.cert[0].clone(), padding];
    let large = Arc::new(CertifiedKey::new(chain, one.key.clone()));
    let pair = pair(provider, Some(large));
    let refused = challenge(&pair.client).answer(&evidence(0)).unwrap_err();
    assert_local(&refused, SendError::TooLarge);
}

#[test]
fn our_own_leaf_that_does_not_parse_is_our_own_fault() {
    let provider = &providers()[0];
    let one = identity(provider);
    let mut bytes = one.cert[0].to_vec();
    bytes.truncate(100);
    let chain = vec![CertificateDer::from(bytes)];
    let broken = Arc::new(CertifiedKey::new(chain, one.key.clone()));
    let pair = pair(provider, Some(broken));
    let request = forge::request(13, b"context", &[(13, P256), (CMW_ATTESTATION, b"")]);
    let refused = Challenge::receive(&pair.client, &request).unwrap_err();
    assert_local(&refused, SendError::Leaf);
}

#[test]
fn the_largest_cmw_is_what_the_entry_has_room_for() {
    let provider = &providers()[0];
    let parameters = Parameters::client(vec!["a/b".parse().unwrap()], true, CanAttest::No);
    // The selection takes 9 bytes of the entry.
    for (parameters, largest) in [(None, MAX_CMW), (Some(&parameters), MAX_CMW - 9)] {
        let answer = |length| {
            let pair = pair(provider, None);
            let (request, pending) =
                atls_core::exchange::request(&pair.client, provider, parameters).unwrap();
            let challenge = Challenge::receive(&pair.server, &request).unwrap();
            let authenticator = challenge.answer(&sized(length))?;
            pending.finish(&authenticator).map(drop)
        };
        assert_eq!(answer(largest), Ok(()));
        let refused = answer(largest + 1).unwrap_err();
        assert_local(&refused, SendError::Cmw(CmwError::TooLarge));
    }
}

#[test]
fn an_attester_that_fails_is_our_own_fault_unless_its_verifier_is() {
    for (error, fault) in [
        (AttestError::Busy, Fault::Local),
        (AttestError::Device("gone".to_owned()), Fault::Local),
        (AttestError::TimedOut, Fault::Local),
        (AttestError::Cmw(CmwError::TooLarge), Fault::Local),
        (
            AttestError::NoResult(AppraisalError::Unreachable),
            Fault::Verifier,
        ),
        (
            AttestError::NoResult(AppraisalError::BadResult),
            Fault::Verifier,
        ),
        // Evidence of ours that is not accepted.
        (
            AttestError::NoResult(AppraisalError::BadSignature),
            Fault::Local,
        ),
    ] {
        assert_eq!(error.fault(), fault, "{error}");
    }
}

#[test]
fn what_is_always_the_same_ones_fault_says_so() {
    assert_eq!(SendError::TooLarge.fault(), Fault::Local);
    assert_eq!(
        ConfigError::Request(SendError::NoSchemes).fault(),
        Fault::Local
    );
    assert_eq!(KeyError::Malformed.fault(), Fault::Local);
    assert_eq!(PolicyViolation::Simulated.fault(), Fault::Peer);
}

/// A CMW of this many bytes, of more than 256.
fn sized(length: usize) -> Cmw {
    let header = evidence(1000).encode().unwrap().len() - 1000;
    let cmw = evidence(length - header);
    if let Ok(encoded) = cmw.encode() {
        assert_eq!(encoded.len(), length);
    }
    cmw
}
