//! Versions of the draft: a profile decides label and code point, and nothing of another one stands on its wire.
#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

use std::sync::Mutex;

use atls_core::AppraisalError;
use atls_core::MediaType;
use atls_core::ProtocolError;
use atls_core::WireProfile;
use atls_core::cmw::Cmw;
use atls_core::exchange::CMW_ATTESTATION;
use atls_core::exchange::CanAttest;
use atls_core::exchange::Challenge;
use atls_core::exchange::Credential;
use atls_core::exchange::Order;
use atls_core::exchange::Parameters;
use atls_core::exchange::Pending;
use atls_core::exchange::Requester;
use atls_core::exchange::SendError;
use atls_core::exchange::authenticator::ReceivedRequest;
use atls_core::session::Handshake;
use atls_core::session::Session;
use atls_core::session::Side;
use rustls::CipherSuite;
use rustls::Tls13CipherSuite;
use rustls::crypto::CryptoProvider;
use test_support::ObservedSession;

#[test]
fn both_ends_of_a_profile_agree_in_both_roles() {
    for profile in [WireProfile::EXPAT_03, made_up()] {
        for asker in [Side::Client, Side::Server] {
            let ends = Ends::new(asker);
            let (request, pending) = ends.ask(profile, Parts::Parameters);
            let challenge = Challenge::in_profile(profile, &ends.answers, &request).unwrap();
            let bound = challenge.to_attest().unwrap().bound().clone();
            let answer = challenge.answer(&evidence(bound.as_bytes())).unwrap();
            let credential = pending.finish(&answer).unwrap();
            assert_eq!(credential.bound(), &bound);
            assert_eq!(is_bound(&credential), Ok(()));
        }
    }
}

#[test]
fn label_and_code_point_are_those_of_the_profile_and_no_other_is_used() {
    for parts in [Parts::Minimal, Parts::Parameters] {
        let ends = Ends::new(Side::Client);
        let (request, pending) = ends.ask(made_up(), parts);
        let received = ReceivedRequest::receive(&Ends::new(Side::Client).answers, &request);
        let received = received.unwrap();
        assert_eq!(received.extension(CODE), Some(&[][..]));
        assert_eq!(received.extension(CMW_ATTESTATION), None);

        let challenge = Challenge::in_profile(made_up(), &ends.answers, &request).unwrap();
        let bound = challenge.to_attest().unwrap().bound().clone();
        let answer = challenge.answer(&evidence(bound.as_bytes())).unwrap();
        assert!(contains(&answer, &CODE.to_be_bytes()));
        assert!(!contains(&answer, &CMW_ATTESTATION.to_be_bytes()));
        pending.finish(&answer).unwrap();

        for end in [&ends.asks, &ends.answers] {
            let labels = end.labels.lock().unwrap().clone();
            let own: Vec<_> = labels
                .iter()
                .filter(|label| !label.contains(" authenticator "))
                .collect();
            assert_eq!(own, [LABEL], "of {labels:?}");
        }
    }
}

/// The binder by the protocol page, from the exporter alone.
#[test]
fn the_binder_is_that_of_the_label() {
    let ends = Ends::new(Side::Client);
    let (request, _) = ends.ask(made_up(), Parts::Minimal);
    let challenge = Challenge::in_profile(made_up(), &ends.answers, &request).unwrap();
    let to_attest = challenge.to_attest().unwrap();
    let mut exported = [0; 32];
    let context = &request[5..37];
    let exporter = &ends.asks.inner.exporter;
    exporter
        .export(LABEL.as_bytes(), context, &mut exported)
        .unwrap();
    let preimage = [to_attest.leaf_key(), &exported].concat();
    let hash = suite().common.hash_provider.hash(&preimage);
    assert_eq!(to_attest.bound().as_bytes(), hash.as_ref());
}

#[test]
fn a_request_of_another_profile_is_refused_by_name_whoever_asks() {
    for asker in [Side::Client, Side::Server] {
        for (own, peer) in [
            (WireProfile::EXPAT_03, made_up()),
            (made_up(), WireProfile::EXPAT_03),
        ] {
            let ends = Ends::new(asker);
            let (request, _) = ends.ask(peer, Parts::Parameters);
            let refused = Challenge::in_profile(own, &ends.answers, &request).unwrap_err();
            let expected = ProtocolError::OtherProfile {
                own,
                peer: peer.name().into(),
            };
            assert_eq!(refused, expected);
            let text = refused.to_string();
            assert!(
                text.contains(own.name()) && text.contains(peer.name()),
                "{text}"
            );
        }
    }
}

/// The minimal exchange names no profile. Then nothing is understood, or nothing is bound.
#[test]
fn a_minimal_exchange_between_two_profiles_never_attests() {
    let ends = Ends::new(Side::Client);
    let (request, pending) = ends.ask(made_up(), Parts::Minimal);
    let challenge = Challenge::receive(&ends.answers, &request).unwrap();
    assert!(challenge.to_attest().is_none());
    let plain = challenge.answer_without_attestation().unwrap();
    assert_eq!(
        pending.finish(&plain).unwrap_err(),
        ProtocolError::NoAttestation
    );

    let same_code = profile("same-code", LABEL, CMW_ATTESTATION);
    let ends = Ends::new(Side::Client);
    let (request, pending) = ends.ask(same_code, Parts::Minimal);
    let challenge = Challenge::receive(&ends.answers, &request).unwrap();
    let bound = challenge.to_attest().unwrap().bound().clone();
    let answer = challenge.answer(&evidence(bound.as_bytes())).unwrap();
    let credential = pending.finish(&answer).unwrap();
    assert_eq!(is_bound(&credential), Err(AppraisalError::NotBound));
}

/// A peer that names our profile and computes by another one.
#[test]
fn a_peer_that_lies_about_its_profile_gains_nothing() {
    let liar = profile("made-up", "Attestation", CODE);
    for (own, other) in [(made_up(), liar), (liar, made_up())] {
        let ends = Ends::new(Side::Client);
        let (request, pending) = ends.ask(own, Parts::Parameters);
        let challenge = Challenge::in_profile(other, &ends.answers, &request).unwrap();
        let bound = challenge.to_attest().unwrap().bound().clone();
        let answer = challenge.answer(&evidence(bound.as_bytes())).unwrap();
        let credential = pending.finish(&answer).unwrap();
        assert_eq!(is_bound(&credential), Err(AppraisalError::NotBound));
    }
}

/// An end that is asked in one code point does not answer in another, not even where it is configured to.
#[test]
fn nothing_is_sent_in_the_code_point_of_another_profile() {
    let other = profile("made-up", LABEL, CMW_ATTESTATION);
    let ends = Ends::new(Side::Client);
    let (request, _) = ends.ask(made_up(), Parts::Minimal);
    let challenge = Challenge::in_profile(other, &ends.answers, &request).unwrap();
    assert_eq!(
        challenge.answer(&evidence(b"")).unwrap_err(),
        SendError::Extension(CMW_ATTESTATION).into()
    );
}

enum Parts {
    Minimal,
    Parameters,
}

/// Two ends of one connection.
struct Ends {
    asks: Listening,
    answers: Listening,
}

impl Ends {
    fn new(asks: Side) -> Self {
        let identity = test_support::identity();
        let end = |side: Side| {
            let chain = identity.cert.clone();
            let secret = [7; 32];
            Listening {
                inner: ObservedSession::new(side, suite(), &secret, Some(identity.clone()), chain),
                labels: Mutex::default(),
            }
        };
        Self {
            asks: end(asks),
            answers: end(asks.peer()),
        }
    }

    fn ask(&self, profile: WireProfile, parts: Parts) -> (Vec<u8>, Pending) {
        let side = self.asks.handshake().side();
        let formats = vec![media_type()];
        let parameters = match (parts, side) {
            (Parts::Minimal, _) => None,
            (Parts::Parameters, Side::Client) => {
                Some(Parameters::client(formats, true, CanAttest::No))
            }
            (Parts::Parameters, Side::Server) => {
                Some(Parameters::server(formats, Order::ClientLast))
            }
        };
        let requester = Requester::in_profile(profile, side, &provider(), parameters.as_ref());
        let request = requester.unwrap().prepare().unwrap();
        let bytes = request.as_bytes().to_vec();
        (bytes, request.on(&self.asks).unwrap())
    }
}

/// A session that remembers what was exported.
struct Listening {
    inner: ObservedSession,
    labels: Mutex<Vec<String>>,
}

impl Session for Listening {
    fn handshake(&self) -> &Handshake {
        self.inner.handshake()
    }

    fn export(&self, label: &[u8], context: &[u8], output: &mut [u8]) -> Result<(), ProtocolError> {
        let heard = String::from_utf8(label.to_vec()).unwrap();
        self.labels.lock().unwrap().push(heard);
        self.inner.export(label, context, output)
    }
}

/// What a verifier would say of Evidence that is the value itself.
fn is_bound(credential: &Credential) -> Result<(), AppraisalError> {
    let carried = credential.cmw().items()[0].value().to_vec();
    credential.bound().verbatim().compare(&carried).map(drop)
}

fn evidence(value: &[u8]) -> Cmw {
    Cmw::evidence(media_type(), value.to_vec())
}

fn media_type() -> MediaType {
    "application/x-evidence".parse().unwrap()
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

fn provider() -> CryptoProvider {
    rustls::crypto::ring::default_provider()
}

fn suite() -> &'static Tls13CipherSuite {
    let provider = provider();
    let mut suites = provider.cipher_suites.iter();
    let suite = suites.find(|suite| suite.suite() == CipherSuite::TLS13_AES_128_GCM_SHA256);
    suite.unwrap().tls13().unwrap()
}

/// Of no draft, and unlike every other.
fn made_up() -> WireProfile {
    profile("made-up", LABEL, CODE)
}

fn profile(name: &'static str, label: &'static str, code: u16) -> WireProfile {
    WireProfile::dangerous_unpublished(name, label, code).unwrap()
}

const LABEL: &str = "EXPORTER-made-up";
const CODE: u16 = 0xff77;
