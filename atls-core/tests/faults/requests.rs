//! Faults in requests.

use std::sync::Arc;

use atls_core::Fault;
use atls_core::ProtocolError;
use atls_core::exchange::ATTESTATION_PARAMETERS;
use atls_core::exchange::CMW_ATTESTATION;
use atls_core::exchange::CanAttest;
use atls_core::exchange::Challenge;
use atls_core::exchange::Order;
use atls_core::exchange::Parameters;
use atls_core::exchange::SendError;
use atls_core::exchange::UnsentRequest;
use atls_core::exchange::authenticator;
use atls_core::exchange::authenticator::Extension;
use atls_core::exchange::authenticator::PreparedRequest;
use atls_core::exchange::authenticator::ReceivedRequest;
use atls_core::exchange::authenticator::RequestTemplate;
use atls_core::limits::MAX_EXTENSIONS;
use atls_core::limits::MAX_FORMATS;
use atls_core::limits::MAX_REQUESTS;
use atls_core::session::Session;
use atls_core::session::Side;
use rustls::SignatureAlgorithm;
use rustls::SignatureScheme;
use rustls::crypto::CryptoProvider;
use rustls::crypto::WebPkiSupportedAlgorithms;
use rustls::sign::CertifiedKey;
use rustls::sign::Signer;
use rustls::sign::SigningKey;

use crate::ends::P256;
use crate::ends::assert_local;
use crate::ends::challenge;
use crate::ends::evidence;
use crate::ends::pair;
use crate::support::forge;
use crate::support::identity;
use crate::support::providers;

const PKCS1: &[u8] = &[0, 2, 4, 1];

const ED25519: &[u8] = &[0, 2, 8, 7];

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
    // A peer that does not want attestation need not.
    let parameters = Parameters::client(Vec::new(), false, CanAttest::No);
    let opening = UnsentRequest::new(Side::Client, provider, Some(&parameters)).unwrap();
    let received = ReceivedRequest::receive(&pair.server, opening.as_bytes()).unwrap();
    let data = received.extension(ATTESTATION_PARAMETERS).unwrap();
    let extensions = [(13, P256), (ATTESTATION_PARAMETERS, data)];
    let request = forge::request(17, b"no contradiction", &extensions);
    assert!(Challenge::receive(&pair.server, &request).is_ok());
}

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

fn challenge_of(server: &dyn Session, schemes: &[u8]) -> Challenge {
    let extensions = [(13, schemes), (CMW_ATTESTATION, &b""[..])];
    let request = forge::request(17, schemes, &extensions);
    Challenge::receive(server, &request).unwrap()
}

fn prepared(
    side: Side,
    provider: &CryptoProvider,
    extensions: Vec<Extension>,
) -> Result<PreparedRequest, ProtocolError> {
    RequestTemplate::new(side, provider, extensions)?.prepare()
}
