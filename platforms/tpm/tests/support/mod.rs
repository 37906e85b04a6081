//! Connections in memory, of which only the exporter secret is known: a client asks, a server answers.
#![allow(
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    dead_code,
    unreachable_pub,
    reason = "support for several tests, which fail by panicking"
)]

use std::future::Future;
use std::path::PathBuf;
use std::sync::Arc;
use std::task::Context;
use std::task::Poll;
use std::task::Waker;
use std::time::Duration;

use atls_core::AppraisalError;
use atls_core::Appraised;
use atls_core::AttestRequest;
use atls_core::Evidence;
use atls_core::LocalAttester;
use atls_core::ProtocolError;
use atls_core::Verifier;
use atls_core::exchange::Challenge;
use atls_core::exchange::Credential;
use atls_core::exchange::Pending;
use atls_core::pki_types::PrivateKeyDer;
use atls_core::pki_types::UnixTime;
use atls_core::session::ExporterSecret;
use atls_core::session::Handshake;
use atls_core::session::Session;
use atls_core::session::Side;
use atls_tpm::PcrIndex;
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
        let provider = rustls::crypto::ring::default_provider();
        let der = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        let key = provider.key_provider.load_private_key(der).unwrap();
        let chain = vec![certificate.der().clone()];
        let identity = Arc::new(CertifiedKey::new(chain, key));
        let (_, challenge) = exchange(suite, &identity);
        Self {
            suite,
            identity,
            challenge,
        }
    }

    pub fn request(&self) -> AttestRequest<'_> {
        self.challenge.to_attest().unwrap()
    }

    pub fn appraise(
        &self,
        verifier: &dyn Verifier,
        evidence: &[u8],
    ) -> Result<Appraised, AppraisalError> {
        let media_type = verifier.media_types().first().unwrap();
        let evidence = Evidence::new(media_type, evidence, self.request().bound());
        ready(verifier.appraise(&evidence, at()))
    }

    /// A whole exchange, by an honest attester.
    pub fn credential(&self, attester: &mut dyn LocalAttester) -> Credential {
        let (pending, challenge) = exchange(self.suite, &self.identity);
        let cmw = attester.attest(challenge.to_attest().unwrap()).unwrap();
        pending.finish(&challenge.answer(&cmw).unwrap()).unwrap()
    }
}

/// Any time: quotes have none.
pub fn at() -> UnixTime {
    UnixTime::since_unix_epoch(Duration::from_secs(1_800_000_000))
}

pub fn pcr(index: u8) -> PcrIndex {
    PcrIndex::new(index).unwrap()
}

/// Runs what does not wait.
pub fn ready<T>(future: impl Future<Output = T>) -> T {
    let mut future = Box::pin(future);
    let polled = future
        .as_mut()
        .poll(&mut Context::from_waker(Waker::noop()));
    match polled {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("nothing here waits"),
    }
}

/// The genuine samples; `None` where they are not, which is told.
pub fn vectors() -> Option<PathBuf> {
    let beside = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/vectors");
    let vectors = std::env::var_os("ATLS_VECTORS").map_or(beside, PathBuf::from);
    if vectors.is_dir() {
        return Some(vectors);
    }
    let required = std::env::var_os("ATLS_REQUIRE_VECTORS").is_some();
    assert!(!required, "no samples in {}", vectors.display());
    println!("SKIPPED: no samples in {}", vectors.display());
    None
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
