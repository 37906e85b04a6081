//! The place: a genuine server with device A, another genuine machine B, a victim, and a network that is the attacker's.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::Mutex;
use std::time::Duration;

use adversary::AUTHENTICATOR;
use adversary::Link;
use adversary::REQUEST;
use atls_core::Attester;
use atls_core::Binding;
use atls_core::RelyingParty;
use atls_core::StandardPolicy;
use atls_core::cmw::Cmw;
use atls_core::exchange::Challenge;
use atls_core::exchange::OwnedAttestRequest;
use atls_core::exchange::certificate::Format;
use atls_core::pki_types::CertificateDer;
use atls_core::pki_types::PrivateKeyDer;
use atls_core::session::Session;
use atls_core::session::Side;
use atls_sim::SimAttester;
use atls_sim::SimVerifier;
use atls_tower::ServerTerms;
use atls_tower::weaker::CertificateProfile;
use atls_tower::weaker::InCertificate;
use atls_tower::weaker::Mode;
use end_to_end::ForgedKey;
use end_to_end::Served;
use end_to_end::World;
use rustls::ClientConfig;
use rustls::Error;
use rustls::ServerConfig;
use rustls::crypto::CryptoProvider;
use rustls::crypto::GetRandomFailed;
use rustls::crypto::KeyProvider;
use rustls::crypto::SecureRandom;
use rustls::server::ResolvesServerCert;
use rustls::sign::CertifiedKey;
use rustls::sign::SigningKey;
use rustls::sign::SingleCertAndKey;
use rustls::time_provider::TimeProvider;
use tokio::net::TcpStream;

/// In the order of the table's columns.
pub(crate) const MODES: [Mode; 3] = [Mode::InCertificate, Mode::InHandshake, Mode::AfterHandshake];

pub(crate) struct Lab {
    pub(crate) world: World,
    /// B: as genuine as A, and somebody else's.
    pub(crate) other: Arc<SimAttester>,
    leaks: Leaks,
}

impl Lab {
    pub(crate) fn new() -> Self {
        Self {
            world: World::new(),
            other: Arc::new(SimAttester::generate().unwrap()),
            leaks: Leaks::default(),
        }
    }

    /// A relying party that trusts A only, and takes any binding: in the weaker modes the attacks must be able to succeed.
    pub(crate) fn trusting_a(&self) -> Arc<RelyingParty> {
        let verifier = SimVerifier::new(self.world.server_device.trust_anchor());
        Arc::new(lenient().verifier(Arc::new(verifier)).build().unwrap())
    }

    /// A verifier that trusts A and B, as with real hardware everybody trusts every genuine machine.
    pub(crate) fn trusting_both(&self) -> SimVerifier {
        SimVerifier::new(self.world.server_device.trust_anchor())
            .with_trust_anchor(self.other.trust_anchor())
    }

    /// A genuine server that attests in this mode. Its keys leak: the laboratory's provider writes them down.
    pub(crate) async fn genuine(&self, mode: Mode) -> Served {
        let certificate = self.world.stolen_key();
        self.genuine_under(certificate, mode, &self.world.server_device)
            .await
    }

    /// In the post-handshake mode, under this certificate.
    pub(crate) async fn genuine_under(
        &self,
        certificate: Arc<CertifiedKey>,
        mode: Mode,
        device: &Arc<SimAttester>,
    ) -> Served {
        let terms = terms_of(mode);
        let (terms, tls) = self.attesting(certificate, mode, device, terms).await;
        self.world.serve_with(terms, tls).await
    }

    /// The acceptor of such a server.
    pub(crate) async fn attesting(
        &self,
        certificate: Arc<CertifiedKey>,
        mode: Mode,
        device: &Arc<SimAttester>,
        terms: ServerTerms,
    ) -> (ServerTerms, ServerConfig) {
        let own = Arc::new(SingleCertAndKey::from(certificate));
        match mode {
            Mode::InCertificate => (terms, self.tls(self.identity(device).await)),
            Mode::InHandshake => (
                terms.attester(device.clone()).attest_in_handshake(),
                self.tls(own),
            ),
            Mode::AfterHandshake => (terms.attester(device.clone()), self.tls(own)),
        }
    }

    /// A certificate with Evidence about its key, as RA-TLS has it.
    pub(crate) async fn identity(&self, device: &Arc<SimAttester>) -> Arc<InCertificate> {
        self.identity_in(Format::default(), device.clone()).await
    }

    pub(crate) async fn identity_in(
        &self,
        format: Format,
        device: Arc<dyn Attester>,
    ) -> Arc<InCertificate> {
        let clock: Arc<dyn TimeProvider> = self.world.clock.clone();
        let tls = (self.leaky(), clock);
        let daily = CertificateProfile::new(DAY).name("localhost");
        InCertificate::new(device, tls, daily.format(format))
            .await
            .unwrap()
    }

    /// TLS of a server with this certificate.
    pub(crate) fn tls(&self, resolver: Arc<dyn ResolvesServerCert>) -> ServerConfig {
        self.tls_by(self.leaky(), resolver)
    }

    pub(crate) fn tls_by(
        &self,
        provider: Arc<CryptoProvider>,
        resolver: Arc<dyn ResolvesServerCert>,
    ) -> ServerConfig {
        let clock = self.world.clock.clone();
        let mut tls = ServerConfig::builder_with_details(provider, clock)
            .with_protocol_versions(&[&rustls::version::TLS13])
            .unwrap()
            .with_no_client_auth()
            .with_cert_resolver(resolver);
        tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        tls
    }

    /// A provider whose private keys the attacker reads.
    pub(crate) fn leaky(&self) -> Arc<CryptoProvider> {
        Arc::new(CryptoProvider {
            key_provider: Box::leak(Box::new(self.leaks.clone())),
            ..CryptoProvider::clone(&demo::provider())
        })
    }

    /// The leaked private key of a certificate.
    pub(crate) fn leaked(&self, certificate: &CertificateDer<'_>) -> ForgedKey {
        let keys = self.leaks.keys.lock().unwrap();
        let keys = keys.iter().map(|key| ForgedKey::leaked(key.clone()));
        let fits = |key: &ForgedKey| {
            let spki = key.signing.public_key().unwrap();
            let spki = spki.as_ref();
            certificate.windows(spki.len()).any(|bytes| bytes == spki)
        };
        keys.into_iter().find(fits).unwrap()
    }

    /// A connection of the attacker's own to a server, with a `client_random` of his choice.
    pub(crate) async fn upstream(&self, server: SocketAddr, random: Option<[u8; 32]>) -> Link {
        let mut provider = CryptoProvider::clone(&demo::provider());
        if let Some(random) = random {
            provider.secure_random = Box::leak(Box::new(Chosen(random)));
        }
        let tls = self.any_server(Arc::new(provider));
        let socket = TcpStream::connect(server).await.unwrap();
        Link::connect(Arc::new(tls), socket, None).await.unwrap()
    }

    /// TLS of a client that takes any certificate.
    pub(crate) fn any_server(&self, provider: Arc<CryptoProvider>) -> ClientConfig {
        let verifier = atls_tower::weaker::dangerous_any_server(&provider);
        let mut tls = ClientConfig::builder_with_details(provider, self.world.clock.clone())
            .with_protocol_versions(&[&rustls::version::TLS13])
            .unwrap()
            .dangerous()
            .with_custom_certificate_verifier(verifier)
            .with_no_client_auth();
        tls.alpn_protocols = vec![b"http/1.1".to_vec()];
        tls
    }

    /// The certificate that a genuine server of a weaker mode presents, its Evidence, and its leaked key.
    pub(crate) async fn loot(&self, server: SocketAddr, random: Option<[u8; 32]>) -> Loot {
        self.loot_of(&self.upstream(server, random).await)
    }

    /// The same of whoever is at the other end.
    pub(crate) fn loot_of(&self, link: &Link) -> Loot {
        let credential = atls_core::exchange::Credential::in_certificate(link.handshake()).unwrap();
        let chain = link.handshake().peer_chain().to_vec();
        let key = self.leaked(chain.first().unwrap());
        Loot {
            evidence: credential.cmw().clone(),
            identity: key.with(chain),
            key,
        }
    }

    /// A certificate for the server's name that its authority should not have issued, over the attacker's key.
    pub(crate) fn misissued(&self) -> Arc<CertifiedKey> {
        end_to_end::load(&self.world.authority.issue().unwrap())
    }

    /// A certificate of the same authority for a name that is the attacker's own.
    pub(crate) fn of_another_name(&self) -> Arc<CertifiedKey> {
        let issued = self.world.authority.issue_for(&["attacker.example"]);
        end_to_end::load(&issued.unwrap())
    }
}

/// Terms of a server that attests in this mode, before it has its attester.
pub(crate) fn terms_of(mode: Mode) -> ServerTerms {
    match mode {
        Mode::InCertificate => ServerTerms::plain(),
        Mode::InHandshake | Mode::AfterHandshake => ServerTerms::new(),
    }
}

/// The messages that the attacker took from a genuine peer.
pub(crate) struct Loot {
    pub(crate) evidence: Cmw,
    pub(crate) identity: Arc<CertifiedKey>,
    pub(crate) key: ForgedKey,
}

/// A relying party that takes simulated devices and any binding.
pub(crate) fn lenient() -> atls_core::RelyingPartyBuilder {
    let policy = StandardPolicy::new()
        .dangerous_accept_simulated()
        .dangerous_accept_binding(Binding::Key);
    RelyingParty::builder().standard_policy(policy)
}

/// The device's answer to a request that the attacker may hand to it.
pub(crate) async fn attest(device: &SimAttester, request: &OwnedAttestRequest) -> Cmw {
    Attester::attest(device, request.as_request())
        .await
        .unwrap()
}

/// The request about a key to the device of a server, in a weaker mode.
pub(crate) fn request_for(mode: Mode, random: &[u8; 32], key: &ForgedKey) -> OwnedAttestRequest {
    let request = match mode {
        Mode::InHandshake => OwnedAttestRequest::for_handshake(Side::Server, random, &*key.signing),
        Mode::InCertificate | Mode::AfterHandshake => OwnedAttestRequest::for_key(&*key.signing),
    };
    request.unwrap()
}

/// Evidence that a server gives to anybody who asks, over the asker's connection.
pub(crate) async fn ask(link: &mut Link) -> Cmw {
    let (request, pending) = atls_core::exchange::request(link, &demo::provider(), None).unwrap();
    link.write(REQUEST, &request).await.unwrap();
    let (kind, authenticator) = link.read().await.unwrap();
    assert_eq!(kind, AUTHENTICATOR);
    pending.finish(&authenticator).unwrap().cmw().clone()
}

/// For how long the certificates of RA-TLS live.
pub(crate) const DAY: Duration = Duration::from_secs(24 * 3600);

#[derive(Clone, Debug, Default)]
struct Leaks {
    keys: Arc<Mutex<Vec<Vec<u8>>>>,
}

impl KeyProvider for Leaks {
    fn load_private_key(&self, key: PrivateKeyDer<'static>) -> Result<Arc<dyn SigningKey>, Error> {
        self.keys.lock().unwrap().push(key.secret_der().to_vec());
        demo::provider().key_provider.load_private_key(key)
    }
}

/// Randomness that is none, where TLS wants 32 bytes.
#[derive(Debug)]
struct Chosen([u8; 32]);

impl SecureRandom for Chosen {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), GetRandomFailed> {
        if bytes.len() == self.0.len() {
            bytes.copy_from_slice(&self.0);
            return Ok(());
        }
        demo::provider().secure_random.fill(bytes)
    }
}

/// The device's Evidence for a connection that was opened to, or by, the attacker.
pub(crate) async fn attest_challenge(device: &SimAttester, challenge: &Challenge) -> Cmw {
    Attester::attest(device, challenge.to_attest().unwrap())
        .await
        .unwrap()
}

/// Cuts the Evidence out of an authenticator that is not for this attacker: the token follows its media type.
pub(crate) fn evidence_in(authenticator: &[u8], device: &SimAttester) -> Cmw {
    let media_type = Attester::media_types(device).first().unwrap().clone();
    let name = media_type.to_string().into_bytes();
    let place = authenticator
        .windows(name.len())
        .position(|bytes| bytes == name);
    let (_, rest) = authenticator.split_at(place.unwrap());
    let (_, rest) = rest.split_at(name.len());
    let [0x59, high, low, token @ ..] = rest else {
        panic!("an octet string with two length bytes");
    };
    let length = usize::from(u16::from_be_bytes([*high, *low]));
    let (token, _) = token.split_at(length);
    Cmw::evidence(media_type, token.to_vec())
}
