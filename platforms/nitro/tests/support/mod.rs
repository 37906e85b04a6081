//! Connections in memory, of which only the exporter secret is known: a client asks, a server answers.
#![allow(
    clippy::panic,
    clippy::unwrap_used,
    unreachable_pub,
    reason = "support for tests, which fail by panicking"
)]

use std::future::Future;
use std::sync::Arc;
use std::task::Context;
use std::task::Poll;
use std::task::Waker;

use atls_core::AppraisalError;
use atls_core::Appraised;
use atls_core::AttestError;
use atls_core::Evidence;
use atls_core::LocalAttester;
use atls_core::ProtocolError;
use atls_core::Verifier;
use atls_core::cmw::Cmw;
use atls_core::exchange::Challenge;
use atls_core::exchange::Credential;
use atls_core::exchange::Pending;
use atls_core::pki_types::CertificateDer;
use atls_core::pki_types::PrivateKeyDer;
use atls_core::pki_types::UnixTime;
use atls_core::session::ExporterSecret;
use atls_core::session::Handshake;
use atls_core::session::Session;
use atls_core::session::Side;
use rustls::CipherSuite;
use rustls::sign::CertifiedKey;

pub struct Connection {
    suite: CipherSuite,
    identity: Arc<CertifiedKey>,
    challenge: Challenge,
}

impl Connection {
    pub fn new(suite: CipherSuite) -> Self {
        let key = rcgen::KeyPair::generate().unwrap();
        let certificate = rcgen::CertificateParams::default();
        let certificate = certificate.self_signed(&key).unwrap();
        Self::of(suite, certificate.der(), &key)
    }

    /// The server's certificate has a key of this many bytes, which nobody holds.
    pub fn with_large_key(bytes: usize) -> Self {
        let key = rcgen::KeyPair::generate().unwrap();
        let parameters = rcgen::CertificateParams::default();
        let issuer = rcgen::Issuer::from_params(&parameters, &key);
        let certificate = parameters.signed_by(&LargeKey(vec![7; bytes]), &issuer);
        let suite = CipherSuite::TLS13_AES_128_GCM_SHA256;
        Self::of(suite, certificate.unwrap().der(), &key)
    }

    fn of(suite: CipherSuite, certificate: &CertificateDer<'static>, key: &rcgen::KeyPair) -> Self {
        let provider = rustls::crypto::ring::default_provider();
        let der = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        let key = provider.key_provider.load_private_key(der).unwrap();
        let identity = Arc::new(CertifiedKey::new(vec![certificate.clone()], key));
        let (_, challenge) = exchange(suite, &identity);
        Self {
            suite,
            identity,
            challenge,
        }
    }

    /// What Evidence for [`appraise`](Self::appraise) has to carry.
    pub fn bound(&self) -> &[u8] {
        self.challenge.to_attest().unwrap().bound().as_bytes()
    }

    pub fn leaf_key(&self) -> &[u8] {
        self.challenge.to_attest().unwrap().leaf_key()
    }

    pub fn attest(&self, attester: &mut dyn LocalAttester) -> Result<Vec<u8>, AttestError> {
        let cmw = attester.attest(self.challenge.to_attest().unwrap())?;
        Ok(cmw.items().first().unwrap().value().to_vec())
    }

    pub fn evidence(&self, attester: &mut dyn LocalAttester) -> Vec<u8> {
        self.attest(attester).unwrap()
    }

    pub fn appraise(
        &self,
        verifier: &dyn Verifier,
        evidence: &[u8],
        now: UnixTime,
    ) -> Result<Appraised, AppraisalError> {
        let media_type = verifier.media_types().first().unwrap();
        let bound = self.challenge.to_attest().unwrap().bound();
        ready(verifier.appraise(&Evidence::new(media_type, evidence, bound), now))
    }

    /// A whole exchange, by an honest attester.
    pub fn credential(&self, attester: &mut dyn LocalAttester) -> Credential {
        let (pending, challenge) = exchange(self.suite, &self.identity);
        let cmw = attester.attest(challenge.to_attest().unwrap()).unwrap();
        pending.finish(&challenge.answer(&cmw).unwrap()).unwrap()
    }

    /// A whole exchange, by an attester that makes whatever it likes of the value.
    pub fn credential_around(&self, evidence: impl FnOnce(&[u8]) -> Vec<u8>) -> Credential {
        let (pending, challenge) = exchange(self.suite, &self.identity);
        let evidence = evidence(challenge.to_attest().unwrap().bound().as_bytes());
        let media_type = "application/vnd.atls.nitro-document".parse().unwrap();
        let answer = challenge.answer(&Cmw::evidence(media_type, evidence));
        pending.finish(&answer.unwrap()).unwrap()
    }
}

struct LargeKey(Vec<u8>);

impl rcgen::PublicKeyData for LargeKey {
    fn der_bytes(&self) -> &[u8] {
        &self.0
    }

    fn algorithm(&self) -> &'static rcgen::SignatureAlgorithm {
        &rcgen::PKCS_ED25519
    }
}

/// Runs what does not wait.
pub fn ready<T>(future: impl Future<Output = T>) -> T {
    let mut future = Box::pin(future);
    match future
        .as_mut()
        .poll(&mut Context::from_waker(Waker::noop()))
    {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("nothing here waits"),
    }
}

fn exchange(suite: CipherSuite, identity: &Arc<CertifiedKey>) -> (Pending, Challenge) {
    let provider = rustls::crypto::ring::default_provider();
    let client = End::new(Side::Client, suite, identity);
    let server = End::new(Side::Server, suite, identity);
    let (request, pending) = atls_core::exchange::request(&client, &provider, None).unwrap();
    (pending, Challenge::receive(&server, &request).unwrap())
}

struct End {
    handshake: Handshake,
    exporter: ExporterSecret,
}

impl End {
    fn new(side: Side, suite: CipherSuite, identity: &Arc<CertifiedKey>) -> Self {
        let provider = rustls::crypto::ring::default_provider();
        let mut suites = provider.cipher_suites.iter();
        let suite = suites.find(|known| known.suite() == suite).unwrap();
        let suite = suite.tls13().unwrap();
        let secret = vec![7; suite.common.hash_provider.output_len()];
        let chain = identity.cert.clone();
        Self {
            handshake: Handshake::observed(side, suite, Some(identity.clone()), chain).unwrap(),
            exporter: ExporterSecret::new(suite, &secret).unwrap(),
        }
    }
}

impl Session for End {
    fn handshake(&self) -> &Handshake {
        &self.handshake
    }

    fn export(&self, label: &[u8], context: &[u8], output: &mut [u8]) -> Result<(), ProtocolError> {
        self.exporter.export(label, context, output)
    }
}
