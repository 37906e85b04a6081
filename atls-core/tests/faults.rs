//! Whose fault a failure is: what a peer sends is the peer's, what this end would send is found out here first.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod support;

use std::sync::Arc;

use atls_core::AppraisalError;
use atls_core::AttestError;
use atls_core::ConfigError;
use atls_core::Fault;
use atls_core::PolicyViolation;
use atls_core::ProtocolError;
use atls_core::authenticator;
use atls_core::authenticator::Extension;
use atls_core::authenticator::PreparedRequest;
use atls_core::authenticator::ReceivedRequest;
use atls_core::authenticator::RequestTemplate;
use atls_core::cmw::Cmw;
use atls_core::cmw::CmwError;
use atls_core::ear::KeyError;
use atls_core::exchange::ATTESTATION_PARAMETERS;
use atls_core::exchange::CMW_ATTESTATION;
use atls_core::exchange::CanAttest;
use atls_core::exchange::Challenge;
use atls_core::exchange::Order;
use atls_core::exchange::Parameters;
use atls_core::exchange::SendError;
use atls_core::exchange::UnsentRequest;
use atls_core::limits::MAX_CHAIN;
use atls_core::limits::MAX_CMW;
use atls_core::limits::MAX_EXTENSIONS;
use atls_core::limits::MAX_FORMATS;
use atls_core::limits::MAX_FRAME;
use atls_core::limits::MAX_REQUESTS;
use atls_core::pki_types::CertificateDer;
use atls_core::session::Session;
use atls_core::session::Side;
use rustls::SignatureAlgorithm;
use rustls::SignatureScheme;
use rustls::crypto::CryptoProvider;
use rustls::crypto::WebPkiSupportedAlgorithms;
use rustls::sign::CertifiedKey;
use rustls::sign::Signer;
use rustls::sign::SigningKey;
use support::Pair;
use support::forge;
use support::identity;
use support::identity_of;
use support::providers;

const PKCS1: &[u8] = &[0, 2, 4, 1];
const ED25519: &[u8] = &[0, 2, 8, 7];
const P256: &[u8] = &[0, 2, 4, 3];

// --- What the peer asks for ------------------------------------------------------------------------------------------

#[test]
fn a_peer_that_offers_no_usable_scheme_is_to_blame_for_it() {
    let provider = &providers()[0];
    let pair = pair(provider, None);
    for schemes in [PKCS1, ED25519, &[0, 2, 0xff, 0xff]] {
        let challenge = challenge_of(&pair.server, schemes);
        let refused = challenge.answer(&evidence(0)).unwrap_err();
        assert_eq!(refused, ProtocolError::NoCommonScheme);
        assert_eq!(refused.fault(), Fault::Peer);
    }
}

#[test]
fn a_key_that_can_never_sign_is_our_own_fault() {
    #[derive(Debug)]
    struct Mute;
    impl SigningKey for Mute {
        fn choose_scheme(&self, _: &[SignatureScheme]) -> Option<Box<dyn Signer>> {
            None
        }
        fn algorithm(&self) -> SignatureAlgorithm {
            SignatureAlgorithm::ECDSA
        }
    }
    let provider = &providers()[0];
    let chain = identity(provider).cert.clone();
    let mute = Arc::new(CertifiedKey::new(chain, Arc::new(Mute)));
    let pair = pair(provider, Some(mute));
    let refused = challenge(&pair.client).answer(&evidence(0)).unwrap_err();
    assert_local(&refused, SendError::Key);
}

#[test]
fn a_peer_that_wants_attestation_must_understand_it() {
    let provider = &providers()[0];
    let pair = pair(provider, None);
    let parameters = |side| {
        let parameters = match side {
            Side::Client => Parameters::client(Vec::new(), true, CanAttest::No),
            Side::Server => Parameters::server(Vec::new(), Order::ClientLast),
        };
        // Taken out of a request that has both.
        let opening = UnsentRequest::new(side, provider, Some(&parameters)).unwrap();
        let receiver: &dyn Session = match side {
            Side::Client => &pair.server,
            Side::Server => &pair.client,
        };
        let received = ReceivedRequest::receive(receiver, opening.as_bytes()).unwrap();
        received.extension(ATTESTATION_PARAMETERS).unwrap().to_vec()
    };
    for (side, kind) in [(Side::Client, 17), (Side::Server, 13)] {
        let data = parameters(side);
        let extensions = [(13, P256), (ATTESTATION_PARAMETERS, &data[..])];
        let request = forge::request(kind, b"contradiction", &extensions);
        let refused = match side {
            Side::Client => Challenge::receive(&pair.server, &request),
            Side::Server => Challenge::receive(&pair.client, &request),
        };
        assert_eq!(refused.unwrap_err(), ProtocolError::Malformed);
    }
    // Who does not want it need not.
    let parameters = Parameters::client(Vec::new(), false, CanAttest::No);
    let opening = UnsentRequest::new(Side::Client, provider, Some(&parameters)).unwrap();
    let received = ReceivedRequest::receive(&pair.server, opening.as_bytes()).unwrap();
    let data = received.extension(ATTESTATION_PARAMETERS).unwrap();
    let extensions = [(13, P256), (ATTESTATION_PARAMETERS, data)];
    let request = forge::request(17, b"no contradiction", &extensions);
    assert!(Challenge::receive(&pair.server, &request).is_ok());
}

// --- What this end would send ----------------------------------------------------------------------------------------

#[test]
fn a_request_that_a_peer_must_refuse_is_not_made() {
    let provider = &providers()[0];
    let extension = |code| Extension {
        code,
        data: Vec::new(),
    };
    let refused =
        |side, extensions: Vec<Extension>| prepared(side, provider, extensions).unwrap_err();
    assert_local(
        &refused(Side::Server, vec![extension(0)]),
        SendError::Extension(0),
    );
    assert!(prepared(Side::Client, provider, vec![extension(0)]).is_ok());
    assert_local(
        &refused(Side::Client, vec![extension(13)]),
        SendError::DuplicateExtension(13),
    );
    assert_local(
        &refused(Side::Client, vec![extension(7), extension(7)]),
        SendError::DuplicateExtension(7),
    );
    // One is signature_algorithms.
    let many = |count: usize| {
        let codes = (100..).take(count);
        codes.map(extension).collect::<Vec<_>>()
    };
    assert!(prepared(Side::Client, provider, many(MAX_EXTENSIONS - 1)).is_ok());
    assert_local(
        &refused(Side::Client, many(MAX_EXTENSIONS)),
        SendError::TooManyExtensions,
    );
    let large = |code| Extension {
        code,
        data: vec![0; 40_000],
    };
    assert_local(
        &refused(Side::Client, vec![large(7), large(8)]),
        SendError::TooLarge,
    );
}

#[test]
fn a_provider_that_verifies_nothing_of_tls_1_3_makes_no_request() {
    let provider = providers()[0].clone();
    let all = provider.signature_verification_algorithms;
    // rsa_pkcs1_sha256 is for certificates only.
    let old: Vec<_> = all
        .mapping
        .iter()
        .filter(|(scheme, _)| *scheme == SignatureScheme::RSA_PKCS1_SHA256)
        .copied()
        .collect();
    assert_eq!(old.len(), 1);
    for mapping in [&[][..], old.leak()] {
        let empty = CryptoProvider {
            signature_verification_algorithms: WebPkiSupportedAlgorithms { mapping, ..all },
            ..provider.clone()
        };
        for side in [Side::Client, Side::Server] {
            let refused = prepared(side, &empty, Vec::new()).unwrap_err();
            assert_local(&refused, SendError::NoSchemes);
        }
    }
}

#[test]
fn more_formats_than_a_peer_takes_are_not_asked_for() {
    let provider = &providers()[0];
    let ask = |count| {
        let formats = vec!["a/b".parse().unwrap(); count];
        let parameters = Parameters::client(formats, true, CanAttest::No);
        UnsentRequest::new(Side::Client, provider, Some(&parameters)).map(drop)
    };
    assert_eq!(ask(MAX_FORMATS), Ok(()));
    assert_local(
        &ask(MAX_FORMATS + 1).unwrap_err(),
        SendError::TooManyFormats,
    );
}

#[test]
fn requests_beyond_the_limit_are_the_fault_of_who_makes_them() {
    let provider = &providers()[0];
    let pair = pair(provider, None);
    for _ in 0..MAX_REQUESTS {
        assert!(authenticator::request(&pair.client, provider, Vec::new()).is_ok());
    }
    let ours = authenticator::request(&pair.client, provider, Vec::new()).unwrap_err();
    assert_local(&ours, SendError::TooManyRequests);
    let request = forge::request(13, b"one more", &[(13, P256)]);
    let theirs = ReceivedRequest::receive(&pair.client, &request).unwrap_err();
    assert_eq!(theirs, ProtocolError::TooManyRequests);
    assert_eq!(theirs.fault(), Fault::Peer);
}

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
    // What a chain holds beyond its leaf is for the reader to parse.
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

// --- Errors beside the exchange --------------------------------------------------------------------------------------

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

// --- Helpers -----------------------------------------------------------------------------------------------------------

fn assert_local(error: &ProtocolError, expected: SendError) {
    assert_eq!(*error, ProtocolError::Sending(expected));
    assert_eq!(error.fault(), Fault::Local);
}

/// A connection whose client answers with `client`, or with a key of its own.
fn pair(provider: &CryptoProvider, client: Option<Arc<CertifiedKey>>) -> Pair {
    let server = identity_of(provider, &rcgen::PKCS_ECDSA_P256_SHA256);
    let client = client.unwrap_or_else(|| identity(provider));
    Pair::new(provider.clone(), &server, Some(client))
}

fn challenge(client: &dyn Session) -> Challenge {
    let extensions = [(13, P256), (CMW_ATTESTATION, &b""[..])];
    let request = forge::request(13, b"context", &extensions);
    Challenge::receive(client, &request).unwrap()
}

fn challenge_of(server: &dyn Session, schemes: &[u8]) -> Challenge {
    let extensions = [(13, schemes), (CMW_ATTESTATION, &b""[..])];
    let request = forge::request(17, schemes, &extensions);
    Challenge::receive(server, &request).unwrap()
}

fn evidence(length: usize) -> Cmw {
    Cmw::evidence("a/b".parse().unwrap(), vec![0; length])
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

fn prepared(
    side: Side,
    provider: &CryptoProvider,
    extensions: Vec<Extension>,
) -> Result<PreparedRequest, ProtocolError> {
    RequestTemplate::new(side, provider, extensions)?.prepare()
}
