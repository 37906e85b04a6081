//! A connection of which only the exporter secret is known.

use std::sync::Arc;

use atls_core::Attester;
use atls_core::Bound;
use atls_core::Challenge;
use atls_core::Credential;
use atls_core::ExporterSecret;
use atls_core::Handshake;
use atls_core::ProtocolError;
use atls_core::Session;
use atls_core::Side;
use atls_core::pki_types::PrivateKeyDer;
use atls_sim::SimAttester;
use rustls::CipherSuite;
use rustls::sign::CertifiedKey;

use super::provider;

pub struct Connection {
    challenge: Challenge,
    pending: atls_core::Pending,
}

impl Connection {
    pub fn new(suite: CipherSuite) -> Self {
        let key = rcgen::KeyPair::generate().unwrap();
        let parameters = rcgen::CertificateParams::new(Vec::new()).unwrap();
        let certificate = parameters.self_signed(&key).unwrap();
        let der = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        let key = provider().key_provider.load_private_key(der).unwrap();
        let identity = Arc::new(CertifiedKey::new(vec![certificate.der().clone()], key));
        let client = End::new(Side::Client, suite, &identity);
        let server = End::new(Side::Server, suite, &identity);
        let (request, pending) = atls_core::request(&client, &provider(), None).unwrap();
        Self {
            challenge: Challenge::receive(&server, &request).unwrap(),
            pending,
        }
    }

    pub fn bound(&self) -> &Bound {
        self.challenge.to_attest().unwrap().bound()
    }

    pub async fn token(&self, attester: &SimAttester) -> Vec<u8> {
        let cmw = attester.attest(self.challenge.to_attest().unwrap()).await;
        cmw.unwrap().items()[0].value().to_vec()
    }

    pub async fn credential(self, attester: &SimAttester) -> Credential {
        let cmw = attester.attest(self.challenge.to_attest().unwrap()).await;
        let authenticator = self.challenge.answer(&cmw.unwrap()).unwrap();
        self.pending.finish(&authenticator).unwrap()
    }
}

impl Default for Connection {
    fn default() -> Self {
        Self::new(CipherSuite::TLS13_AES_128_GCM_SHA256)
    }
}

struct End {
    handshake: Handshake,
    exporter: ExporterSecret,
}

impl End {
    fn new(side: Side, suite: CipherSuite, identity: &Arc<CertifiedKey>) -> Self {
        let provider = provider();
        let suites = provider.cipher_suites.iter();
        let mut suites = suites.filter_map(|suite| suite.tls13());
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
