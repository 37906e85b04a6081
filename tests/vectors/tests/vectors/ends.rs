//! Two ends of the connection of a vector, and a provider that makes the vector's request.

use std::sync::Arc;
use std::sync::Mutex;

use atls_core::ProtocolError;
use atls_core::exchange::Challenge;
use atls_core::exchange::Pending;
use atls_core::exchange::authenticator::Extension;
use atls_core::exchange::authenticator::ReceivedRequest;
use atls_core::pki_types::CertificateDer;
use atls_core::pki_types::PrivateKeyDer;
use atls_core::pki_types::PrivatePkcs8KeyDer;
use atls_core::session::Side;
use rustls::SignatureScheme;
use rustls::Tls13CipherSuite;
use rustls::crypto::CryptoProvider;
use rustls::crypto::GetRandomFailed;
use rustls::crypto::SecureRandom;
use rustls::crypto::WebPkiSupportedAlgorithms;
use rustls::sign::CertifiedKey;
use test_support::ObservedSession;
use vectors::Hex;
use vectors::keys;
use vectors::keys::Key;
use vectors::scenario;

/// Both providers that users choose between.
pub(crate) fn providers() -> [CryptoProvider; 2] {
    [
        rustls::crypto::aws_lc_rs::default_provider(),
        rustls::crypto::ring::default_provider(),
    ]
}

pub(crate) fn side(side: scenario::Side) -> Side {
    match side {
        scenario::Side::Client => Side::Client,
        scenario::Side::Server => Side::Server,
    }
}

pub(crate) fn suite(provider: &CryptoProvider, name: &str) -> &'static Tls13CipherSuite {
    let mut suites = provider
        .cipher_suites
        .iter()
        .filter_map(|suite| suite.tls13());
    let named = |suite: &&Tls13CipherSuite| {
        format!("{:?}", suite.common.suite).replace("TLS13_", "TLS_") == name
    };
    suites.find(named).unwrap()
}

pub(crate) fn key(name: &str) -> Key {
    let page: keys::Page = crate::load("keys.json");
    let mut keys = page.keys.into_iter();
    keys.find(|key| key.name == name).unwrap()
}

pub(crate) fn certificate(name: &str) -> CertificateDer<'static> {
    key(name).certificate.to_vec().into()
}

pub(crate) fn identity(provider: &CryptoProvider, name: &str) -> Arc<CertifiedKey> {
    let key = key(name);
    let private_key = PrivatePkcs8KeyDer::from(key.private_key.to_vec());
    let private_key = PrivateKeyDer::Pkcs8(private_key);
    let signing = provider.key_provider.load_private_key(private_key).unwrap();
    let certificate = key.certificate.to_vec().into();
    Arc::new(CertifiedKey::new(vec![certificate], signing))
}

/// The end that asks. Its peer presented the certificate of this key in the handshake, if any.
pub(crate) fn asker(
    provider: &CryptoProvider,
    suite_name: &str,
    exporter_secret: &Hex,
    sender: scenario::Side,
    handshake_key: Option<&str>,
) -> ObservedSession {
    let chain = Vec::from_iter(handshake_key.map(certificate));
    let own = side(sender).peer();
    ObservedSession::new(
        own,
        suite(provider, suite_name),
        exporter_secret,
        None,
        chain,
    )
}

/// The end that answers by this key.
pub(crate) fn answerer(
    provider: &CryptoProvider,
    suite_name: &str,
    exporter_secret: &Hex,
    sender: scenario::Side,
    key: &str,
) -> ObservedSession {
    let identity = identity(provider, key);
    let chain = match sender {
        scenario::Side::Client => vec![certificate("ed25519-other")],
        scenario::Side::Server => Vec::new(),
    };
    let own = side(sender);
    ObservedSession::new(
        own,
        suite(provider, suite_name),
        exporter_secret,
        Some(identity),
        chain,
    )
}

/// Lets the project make the request of a vector on this connection.
///
/// # Panics
/// The project makes another request.
pub(crate) fn asked(base: &CryptoProvider, asker: &ObservedSession, request: &[u8]) -> Pending {
    let session = |side, chain| {
        let tls13 = asker.handshake.suite();
        let secret = vec![0; tls13.common.hash_provider.output_len()];
        ObservedSession::new(side, tls13, &secret, None, chain)
    };
    // The request is read by the project's own code on a connection of its own.
    let reader = || match asker.handshake.side() {
        Side::Client => session(Side::Server, Vec::new()),
        Side::Server => session(Side::Client, vec![certificate("ed25519")]),
    };
    let received = ReceivedRequest::receive(&reader(), request).unwrap();
    let schemes: Vec<_> = received.extension(13).unwrap()[2..]
        .chunks(2)
        .map(|pair| SignatureScheme::from(u16::from_be_bytes([pair[0], pair[1]])))
        .collect();
    let provider = provider(base, &schemes, received.context());
    let challenge = Challenge::receive(&reader(), request).unwrap();
    let (made, pending) =
        atls_core::exchange::request(asker, &provider, challenge.parameters()).unwrap();
    assert_eq!(Hex(made), Hex::from(request));
    pending
}

/// A provider that offers these schemes, and whose randomness is this context.
fn provider(base: &CryptoProvider, schemes: &[SignatureScheme], context: &[u8]) -> CryptoProvider {
    let all = base.signature_verification_algorithms;
    let find = |scheme: &SignatureScheme| {
        let mut known = all.mapping.iter();
        *known.find(|(known, _)| known == scheme).unwrap()
    };
    let mapping: Vec<_> = schemes.iter().map(find).collect();
    CryptoProvider {
        signature_verification_algorithms: WebPkiSupportedAlgorithms {
            all: all.all,
            mapping: Box::leak(mapping.into_boxed_slice()),
        },
        secure_random: Box::leak(Box::new(Fixed(Mutex::new(context.to_vec())))),
        ..base.clone()
    }
}

#[derive(Debug)]
struct Fixed(Mutex<Vec<u8>>);

impl SecureRandom for Fixed {
    fn fill(&self, buffer: &mut [u8]) -> Result<(), GetRandomFailed> {
        let mut context = self.0.lock().unwrap();
        if context.len() != buffer.len() {
            return Err(GetRandomFailed);
        }
        buffer.copy_from_slice(&context);
        // Used once.
        context.clear();
        Ok(())
    }
}

/// Any answer to a request: a certificate with these extensions.
pub(crate) fn answered(
    answerer: &ObservedSession,
    request: &[u8],
    extensions: &[Extension],
) -> Result<Vec<u8>, ProtocolError> {
    ReceivedRequest::receive(answerer, request)?.authenticate(extensions)
}
