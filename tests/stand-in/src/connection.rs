//! Connections of which only the exporter secret is known.

use std::sync::Arc;

use atls_core::AttestRequest;
use atls_core::Attester;
use atls_core::Bound;
use atls_core::ProtocolError;
use atls_core::cmw::Cmw;
use atls_core::exchange::Challenge;
use atls_core::exchange::Credential;
use atls_core::exchange::Pending;
use atls_core::session::ExporterSecret;
use atls_core::session::Handshake;
use atls_core::session::Session;
use atls_core::session::Side;
use rustls::pki_types::PrivateKeyDer;
use rustls::sign::CertifiedKey;

/// A client that asks and a server that has to answer. Two of them differ in their value, and in their key.
pub struct Connection {
    challenge: Challenge,
    pending: Pending,
}

impl Connection {
    /// With SHA-256: a value of 32 bytes.
    pub fn new() -> Self {
        Self::with(&identity(), "TLS13_AES_128_GCM_SHA256")
    }

    /// With SHA-384: a value of 48 bytes.
    pub fn sha384() -> Self {
        Self::with(&identity(), "TLS13_AES_256_GCM_SHA384")
    }

    /// Another connection of the same two: the same key, another value.
    pub fn of(identity: &Arc<CertifiedKey>) -> Self {
        Self::with(identity, "TLS13_AES_128_GCM_SHA256")
    }

    fn with(identity: &Arc<CertifiedKey>, suite: &str) -> Self {
        let provider = rustls::crypto::ring::default_provider();
        let client = End::new(Side::Client, suite, identity);
        let server = End::new(Side::Server, suite, identity);
        let (request, pending) = atls_core::exchange::request(&client, &provider, None).unwrap();
        let challenge = Challenge::receive(&server, &request).unwrap();
        Self { challenge, pending }
    }

    pub fn to_attest(&self) -> AttestRequest<'_> {
        self.challenge.to_attest().unwrap()
    }

    pub fn bound(&self) -> &Bound {
        self.to_attest().bound()
    }

    pub fn leaf_key(&self) -> Vec<u8> {
        self.to_attest().leaf_key().to_vec()
    }

    /// The Evidence of an attester for it.
    pub async fn token(&self, attester: &dyn Attester) -> Vec<u8> {
        let cmw = attester.attest(self.to_attest()).await.unwrap();
        cmw.items()[0].value().to_vec()
    }

    /// What the client has once the server's attester answered.
    pub async fn attested(self, attester: &dyn Attester) -> Credential {
        let cmw = attester.attest(self.to_attest()).await.unwrap();
        self.finish(&cmw)
    }

    /// What the client has once the server answered with this.
    pub fn finish(self, cmw: &Cmw) -> Credential {
        let authenticator = self.challenge.answer(cmw).unwrap();
        self.pending.finish(&authenticator).unwrap()
    }
}

impl Default for Connection {
    fn default() -> Self {
        Self::new()
    }
}

/// A self-signed certificate and its key, of P-256.
pub fn identity() -> Arc<CertifiedKey> {
    identity_of(&rcgen::PKCS_ECDSA_P256_SHA256)
}

/// Another kind.
pub fn identity_of(algorithm: &'static rcgen::SignatureAlgorithm) -> Arc<CertifiedKey> {
    let provider = rustls::crypto::ring::default_provider();
    let key = rcgen::KeyPair::generate_for(algorithm).unwrap();
    let parameters = rcgen::CertificateParams::new(Vec::new()).unwrap();
    let certificate = parameters.self_signed(&key).unwrap();
    let der = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let key = provider.key_provider.load_private_key(der).unwrap();
    Arc::new(CertifiedKey::new(vec![certificate.der().clone()], key))
}

struct End {
    handshake: Handshake,
    exporter: ExporterSecret,
}

impl End {
    fn new(side: Side, suite: &str, identity: &Arc<CertifiedKey>) -> Self {
        let provider = rustls::crypto::ring::default_provider();
        let mut suites = provider
            .cipher_suites
            .iter()
            .filter_map(|suite| suite.tls13());
        let suite = suites
            .find(|known| format!("{:?}", known.common.suite) == suite)
            .unwrap();
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
