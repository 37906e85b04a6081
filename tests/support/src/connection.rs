//! A connection in memory, with one request under way: a client asks, a server has to answer.

use std::sync::Arc;

use atls_core::AppraisalError;
use atls_core::Appraised;
use atls_core::AttestError;
use atls_core::AttestRequest;
use atls_core::Attester;
use atls_core::Bound;
use atls_core::Evidence;
use atls_core::LocalAttester;
use atls_core::MediaType;
use atls_core::Verifier;
use atls_core::cmw::Cmw;
use atls_core::exchange::CanAttest;
use atls_core::exchange::Challenge;
use atls_core::exchange::Credential;
use atls_core::exchange::Parameters;
use atls_core::exchange::Pending;
use atls_core::pki_types::PrivateKeyDer;
use atls_core::pki_types::UnixTime;
use atls_core::session::Side;
use rustls::CipherSuite;
use rustls::sign::CertifiedKey;

use crate::ObservedSession;
use crate::ready;

/// Two connections differ in their bound value, and in their key unless it is given.
pub struct Connection {
    suite: CipherSuite,
    identity: Arc<CertifiedKey>,
    challenge: Challenge,
    pending: Pending,
}

impl Connection {
    /// A connection with SHA-256: a bound value of 32 bytes.
    pub fn new() -> Self {
        Self::of(&identity())
    }

    /// A connection with SHA-384: a bound value of 48 bytes.
    pub fn sha384() -> Self {
        Self::with_suite(CipherSuite::TLS13_AES_256_GCM_SHA384)
    }

    pub fn with_suite(suite: CipherSuite) -> Self {
        Self::between(&identity(), suite)
    }

    /// A connection with SHA-256 whose server has this certificate.
    pub fn of(identity: &Arc<CertifiedKey>) -> Self {
        Self::between(identity, CipherSuite::TLS13_AES_128_GCM_SHA256)
    }

    /// The server has this certificate; the client appraises this format and takes Evidence of a batch. SHA-256.
    pub fn in_batches(identity: &Arc<CertifiedKey>, format: MediaType) -> Self {
        let parameters = Parameters::client(vec![format], true, CanAttest::No);
        let suite = CipherSuite::TLS13_AES_128_GCM_SHA256;
        Self::asked(identity, suite, Some(&parameters))
    }

    fn between(identity: &Arc<CertifiedKey>, suite: CipherSuite) -> Self {
        Self::asked(identity, suite, None)
    }

    fn asked(
        identity: &Arc<CertifiedKey>,
        suite: CipherSuite,
        parameters: Option<&Parameters>,
    ) -> Self {
        let provider = rustls::crypto::ring::default_provider();
        let mut suites = provider.cipher_suites.iter();
        let known = suites.find(|known| known.suite() == suite).unwrap();
        let known = known.tls13().unwrap();
        let secret = vec![7; known.common.hash_provider.output_len()];
        let [client, server] = [Side::Client, Side::Server].map(|side| {
            let (identity, chain) = (identity.clone(), identity.cert.clone());
            ObservedSession::new(side, known, &secret, Some(identity), chain)
        });
        let (request, pending) =
            atls_core::exchange::request(&client, &provider, parameters).unwrap();
        Self {
            suite,
            identity: identity.clone(),
            challenge: Challenge::receive(&server, &request).unwrap(),
            pending,
        }
    }

    /// The same connection with another request, and so another bound value.
    #[must_use]
    pub fn again(&self) -> Self {
        Self::between(&self.identity, self.suite)
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

    pub fn attest(&self, attester: &mut dyn LocalAttester) -> Result<Cmw, AttestError> {
        attester.attest(self.to_attest())
    }

    /// The Evidence that a device gives for it, without its envelope.
    pub fn evidence(&self, attester: &mut dyn LocalAttester) -> Vec<u8> {
        first(&self.attest(attester).unwrap())
    }

    /// The Evidence that an attester gives for it, without its envelope.
    pub async fn token(&self, attester: &dyn Attester) -> Vec<u8> {
        first(&attester.attest(self.to_attest()).await.unwrap())
    }

    /// Appraises Evidence of the first media type, by a verifier that waits for nothing.
    pub fn appraise(
        &self,
        verifier: &dyn Verifier,
        evidence: &[u8],
        now: UnixTime,
    ) -> Result<Appraised, AppraisalError> {
        let media_type = &verifier.media_types()[0];
        ready(verifier.appraise(&Evidence::new(media_type, evidence, self.bound()), now))
    }

    /// The client's credential after the server answered with this.
    pub fn finish(self, cmw: &Cmw) -> Credential {
        let authenticator = self.challenge.answer(cmw).unwrap();
        self.pending.finish(&authenticator).unwrap()
    }

    /// The client's credential after the server's attester answered.
    pub async fn attested(self, attester: &dyn Attester) -> Credential {
        let cmw = attester.attest(self.to_attest()).await.unwrap();
        self.finish(&cmw)
    }

    /// The client's credential after the server's device answered another request.
    pub fn credential(&self, attester: &mut dyn LocalAttester) -> Credential {
        let again = self.again();
        let cmw = again.attest(attester).unwrap();
        again.finish(&cmw)
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

/// The same with another kind of key.
pub fn identity_of(algorithm: &'static rcgen::SignatureAlgorithm) -> Arc<CertifiedKey> {
    let provider = rustls::crypto::ring::default_provider();
    let key = rcgen::KeyPair::generate_for(algorithm).unwrap();
    let parameters = rcgen::CertificateParams::new(Vec::new()).unwrap();
    let certificate = parameters.self_signed(&key).unwrap();
    let der = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let key = provider.key_provider.load_private_key(der).unwrap();
    Arc::new(CertifiedKey::new(vec![certificate.der().clone()], key))
}

fn first(cmw: &Cmw) -> Vec<u8> {
    cmw.items()[0].value().to_vec()
}
