//! RFC 9261 messages and the binder against answers of an independent implementation.
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

use atls_core::ProtocolError;
use atls_core::cmw::Cmw;
use atls_core::exchange::CMW_ATTESTATION;
use atls_core::exchange::Challenge;
use atls_core::exchange::authenticator;
use atls_core::exchange::authenticator::Extension;
use atls_core::exchange::authenticator::ReceivedRequest;
use atls_core::pki_types::CertificateDer;
use atls_core::pki_types::PrivateKeyDer;
use atls_core::session::Side;
use rustls::SignatureScheme;
use rustls::Tls13CipherSuite;
use rustls::crypto::CryptoProvider;
use rustls::crypto::GetRandomFailed;
use rustls::crypto::SecureRandom;
use rustls::crypto::WebPkiSupportedAlgorithms;
use rustls::sign::CertifiedKey;
use serde_json::Value;
use test_support::ObservedSession;
use test_support::hex;

/// The context of the vectors: 00 01 … 1f.
#[derive(Debug)]
struct Counting;

impl SecureRandom for Counting {
    fn fill(&self, buffer: &mut [u8]) -> Result<(), GetRandomFailed> {
        (0..).zip(buffer).for_each(|(n, byte)| *byte = n);
        Ok(())
    }
}

/// A provider that offers ed25519 and ecdsa_secp256r1_sha256, as the vectors do, and counts for randomness.
fn provider(base: CryptoProvider) -> CryptoProvider {
    let wanted = [
        SignatureScheme::ED25519,
        SignatureScheme::ECDSA_NISTP256_SHA256,
    ];
    let all = base.signature_verification_algorithms;
    let find = |scheme| {
        *all.mapping
            .iter()
            .find(|(known, _)| *known == scheme)
            .unwrap()
    };
    let mapping: Vec<_> = wanted.into_iter().map(find).collect();
    CryptoProvider {
        signature_verification_algorithms: WebPkiSupportedAlgorithms {
            all: all.all,
            mapping: Box::leak(mapping.into_boxed_slice()),
        },
        secure_random: &Counting,
        ..base
    }
}

struct Vectors {
    json: Value,
    certificate: CertificateDer<'static>,
}

impl Vectors {
    fn load() -> Option<Self> {
        let path = test_support::vectors()?.join("ea/selfgen-rfc8448.json");
        let json: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
        let certificate = CertificateDer::from(bytes(&json, "cert_der"));
        Some(Self { json, certificate })
    }

    fn identity(&self, provider: &CryptoProvider) -> Arc<CertifiedKey> {
        let seed = bytes(&self.json, "ed25519_seed");
        let pkcs8 = [hex("302e020100300506032b657004220420"), seed].concat();
        let key = PrivateKeyDer::Pkcs8(pkcs8.into());
        let key = provider.key_provider.load_private_key(key).unwrap();
        Arc::new(CertifiedKey::new(vec![self.certificate.clone()], key))
    }

    fn suites(&self) -> impl Iterator<Item = &Value> {
        self.json["suites"].as_array().unwrap().iter()
    }

    /// Both ends of the connection that one suite of the vectors describes.
    fn ends(&self, provider: &CryptoProvider, suite: &Value) -> (ObservedSession, ObservedSession) {
        let identity = self.identity(provider);
        let tls13 = find_suite(provider, suite["suite"].as_str().unwrap());
        let secret = bytes(suite, "exporter_secret");
        let chain = vec![self.certificate.clone()];
        let client =
            ObservedSession::new(Side::Client, tls13, &secret, Some(identity.clone()), chain);
        let server = ObservedSession::new(Side::Server, tls13, &secret, Some(identity), Vec::new());
        (client, server)
    }
}

fn find_suite(provider: &CryptoProvider, name: &str) -> &'static Tls13CipherSuite {
    let mut suites = provider
        .cipher_suites
        .iter()
        .filter_map(|suite| suite.tls13());
    let named = |suite: &&Tls13CipherSuite| {
        format!("{:?}", suite.common.suite).replace("TLS13_", "TLS_") == name
    };
    suites.find(named).unwrap()
}

fn bytes(json: &Value, key: &str) -> Vec<u8> {
    hex(json[key].as_str().unwrap_or_else(|| panic!("{key}")))
}

/// Runs the asker–answerer pair of one role over every suite and both providers.
fn each(
    role: Side,
    check: impl Fn(&Value, &Vectors, &CryptoProvider, &ObservedSession, &ObservedSession),
) {
    let Some(vectors) = Vectors::load() else {
        return;
    };
    for base in support::providers() {
        let provider = provider(base);
        for suite in vectors.suites() {
            let (client, server) = vectors.ends(&provider, suite);
            let (asker, answerer) = match role {
                Side::Server => (client, server),
                Side::Client => (server, client),
            };
            check(suite, &vectors, &provider, &asker, &answerer);
        }
    }
}

fn key_of(role: Side) -> &'static str {
    match role {
        Side::Server => "server_authenticator_for_ClientCertificateRequest_17",
        Side::Client => "client_authenticator_for_CertificateRequest_13",
    }
}

#[test]
fn attesting_authenticators_equal_the_vectors_in_both_roles_and_hashes() {
    for role in [Side::Server, Side::Client] {
        each(role, |suite, vectors, provider, asker, answerer| {
            let expected = &suite[key_of(role)];
            let (request, pending) = atls_core::exchange::request(asker, provider, None).unwrap();
            assert_eq!(request, bytes(expected, "authenticator_request"));

            let challenge = Challenge::receive(answerer, &request).unwrap();
            let binder = bytes(
                &suite["binders"]["Attestation"],
                "binder_public_key_is_spki_der",
            );
            assert_eq!(challenge.to_attest().unwrap().bound().as_bytes(), binder);
            assert_eq!(
                challenge.to_attest().unwrap().leaf_key(),
                bytes(&vectors.json, "spki_der")
            );

            let cmw = Cmw::decode(&bytes(&vectors.json, "cmw")).unwrap();
            let authenticator = challenge.answer(&cmw).unwrap();
            assert_eq!(authenticator, bytes(expected, "authenticator"));

            let credential = pending.finish(&authenticator).unwrap();
            assert_eq!(credential.bound().as_bytes(), binder);
            assert_eq!(credential.cmw(), &cmw);
            assert_eq!(credential.leaf_key(), bytes(&vectors.json, "spki_der"));
        });
    }
}

#[test]
fn empty_authenticators_equal_the_vectors_and_never_verify() {
    for role in [Side::Server, Side::Client] {
        each(role, |suite, _, provider, asker, answerer| {
            let (request, pending) = atls_core::exchange::request(asker, provider, None).unwrap();
            let empty = Challenge::receive(answerer, &request)
                .unwrap()
                .decline()
                .unwrap();
            assert_eq!(empty, bytes(&suite[key_of(role)], "empty_authenticator"));
            assert_eq!(pending.finish(&empty).unwrap_err(), ProtocolError::Declined);
        });
    }
}

#[test]
fn plain_authenticators_equal_the_vectors() {
    each(Side::Server, |suite, _, provider, asker, answerer| {
        let expected = &suite["server_authenticator_no_cmw"];
        let sent = authenticator::request(asker, provider, Vec::new()).unwrap();
        assert_eq!(sent.as_bytes(), bytes(expected, "authenticator_request"));
        let received = ReceivedRequest::receive(answerer, sent.as_bytes()).unwrap();
        let authenticator = received.authenticate(&[]).unwrap();
        assert_eq!(authenticator, bytes(expected, "authenticator"));
        assert!(sent.verify(&authenticator).is_ok());
    });
}

#[test]
fn the_recorded_authenticator_of_one_role_is_refused_in_the_other() {
    each(Side::Server, |suite, _, provider, asker, _| {
        let (_, pending) = atls_core::exchange::request(asker, provider, None).unwrap();
        let reflected = bytes(&suite[key_of(Side::Client)], "authenticator");
        assert_eq!(
            pending.finish(&reflected).unwrap_err(),
            ProtocolError::BadFinished
        );
    });
}

#[test]
fn the_exporter_equals_the_channel_binding_of_rfc_9266() {
    each(Side::Server, |suite, _, _, asker, _| {
        let mut value = [0; 32];
        asker
            .exporter
            .export(b"EXPORTER-Channel-Binding", b"", &mut value)
            .unwrap();
        let expected = bytes(&suite["binders"], "EXPORTER-Channel-Binding_rfc9266_32");
        assert_eq!(value.as_slice(), expected);
    });
}

/// Fizz' published test data predates the RFC: its request has no handshake header, its signature another context
/// string. Its valid authenticators must be refused here.
#[test]
fn authenticators_of_the_pre_rfc_draft_are_refused() {
    let Some(folder) = test_support::vectors() else {
        return;
    };
    let json = std::fs::read(folder.join("ea/fizz.json")).unwrap();
    let json: Value = serde_json::from_slice(&json).unwrap();
    let leaf = CertificateDer::from(bytes(&json, "leaf_certificate_der_hex"));
    for base in support::providers() {
        let suite = find_suite(&base, "TLS_AES_128_GCM_SHA256");
        let mut refused = 0;
        for vector in json["vectors"].as_array().unwrap() {
            let request = bytes(vector, "authenticator_request_hex");
            let server = ObservedSession::new(Side::Server, suite, &[0; 32], None, Vec::new());
            let received = ReceivedRequest::receive(&server, &request);
            assert_eq!(received.unwrap_err(), ProtocolError::Malformed);
            let Some(authenticator) = vector["authenticator_hex"].as_str() else {
                continue;
            };
            let client =
                ObservedSession::new(Side::Client, suite, &[0; 32], None, vec![leaf.clone()]);
            let extensions = vec![Extension {
                code: CMW_ATTESTATION,
                data: Vec::new(),
            }];
            let sent = authenticator::request(&client, &base, extensions).unwrap();
            assert!(sent.verify(&hex(authenticator)).is_err());
            refused += 1;
        }
        assert!(refused > 0, "the file has authenticators");
    }
}
