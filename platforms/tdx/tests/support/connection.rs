//! A connection in memory: a client asks, a server answers.
#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    reason = "tests and the benchmark use some of it, and fail by panicking"
)]

use std::sync::Arc;

use atls_core::LocalAttester;
use atls_core::ProtocolError;
use atls_core::cmw::Cmw;
use atls_core::exchange::Challenge;
use atls_core::exchange::Credential;
use atls_core::pki_types::PrivateKeyDer;
use atls_core::session::ExporterSecret;
use atls_core::session::Handshake;
use atls_core::session::Session;
use atls_core::session::Side;
use atls_tdx::TdxAttester;
use rustls::CipherSuite;
use rustls::sign::CertifiedKey;

/// A connection of which only the exporter secret is known: a client asks, a server answers.
pub struct Connection {
    client: End,
    server: End,
    pub challenge: Challenge,
}

impl Connection {
    pub fn new(suite: CipherSuite) -> Self {
        let provider = rustls::crypto::ring::default_provider();
        let key = rcgen::KeyPair::generate().unwrap();
        let params = rcgen::CertificateParams::new(Vec::new()).unwrap();
        let certificate = params.self_signed(&key).unwrap();
        let der = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        let key = provider.key_provider.load_private_key(der).unwrap();
        let identity = Arc::new(CertifiedKey::new(vec![certificate.der().clone()], key));
        let client = End::new(Side::Client, suite, &identity);
        let server = End::new(Side::Server, suite, &identity);
        let (request, _) = atls_core::exchange::request(&client, &provider, None).unwrap();
        let challenge = Challenge::receive(&server, &request).unwrap();
        Self {
            client,
            server,
            challenge,
        }
    }

    pub fn evidence(&self, attester: &mut TdxAttester) -> Cmw {
        attester
            .attest(self.challenge.to_attest().unwrap())
            .unwrap()
    }

    pub fn credential(&self, attester: &mut TdxAttester) -> Credential {
        let provider = rustls::crypto::ring::default_provider();
        let (request, pending) =
            atls_core::exchange::request(&self.client, &provider, None).unwrap();
        let challenge = Challenge::receive(&self.server, &request).unwrap();
        let cmw = attester.attest(challenge.to_attest().unwrap()).unwrap();
        pending.finish(&challenge.answer(&cmw).unwrap()).unwrap()
    }
}

struct End {
    handshake: Handshake,
    exporter: ExporterSecret,
}

impl End {
    fn new(side: Side, suite: CipherSuite, identity: &Arc<CertifiedKey>) -> Self {
        let provider = rustls::crypto::ring::default_provider();
        let mut suites = provider
            .cipher_suites
            .iter()
            .filter_map(|suite| suite.tls13());
        let suite = suites.find(|known| known.common.suite == suite).unwrap();
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
