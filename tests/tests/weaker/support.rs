//! Servers and clients of the weaker modes.

use std::sync::Arc;
use std::time::Duration;

use adversary::Link;
use atls_core::AppraisalError;
use atls_core::Attester;
use atls_core::Binding;
use atls_core::Refusal;
use atls_core::RelyingParty;
use atls_core::exchange::OwnedAttestRequest;
use atls_reqwest::Attested;
use atls_reqwest::Http;
use atls_sim::SimAttester;
use atls_tower::AttestedStream;
use atls_tower::Error;
use atls_tower::ServerAcceptor;
use atls_tower::ServerTerms;
use atls_tower::weaker::CertificateProfile;
use atls_tower::weaker::InCertificate;
use atls_tower::weaker::InHandshake;
use atls_tower::weaker::Mode;
use atls_tower::weaker::dangerous_any_client;
use atls_tower::weaker::dangerous_any_server;
use end_to_end::Served;
use end_to_end::World;
use end_to_end::exchange_error;
use end_to_end::reqwest_client;
use end_to_end::weak;
use rustls::ClientConfig;
use rustls::ServerConfig;
use rustls::client::ResolvesClientCert;
use rustls::crypto::CryptoProvider;
use rustls::server::ResolvesServerCert;
use rustls::sign::CertifiedKey;
use rustls::sign::SingleCertAndKey;
use rustls::time_provider::TimeProvider;
use tokio::net::TcpListener;
use tokio::net::TcpStream;

pub(crate) const LIFETIME: Duration = Duration::from_secs(600);
pub(crate) const WEAKER: [(Mode, Binding); 2] = [
    (Mode::InCertificate, Binding::Key),
    (Mode::InHandshake, Binding::Handshake),
];

/// A server that attests itself in this mode.
pub(crate) async fn serve(world: &World, mode: Mode) -> Served {
    world
        .serve_with(terms(world, mode), tls_of(world, mode).await)
        .await
}

pub(crate) fn terms(world: &World, servers: Mode) -> ServerTerms {
    match servers {
        Mode::InHandshake => ServerTerms::new()
            .attester(world.server_device.clone())
            .attest_in_handshake(),
        _ => ServerTerms::plain(),
    }
}

pub(crate) async fn tls_of(world: &World, servers: Mode) -> ServerConfig {
    match servers {
        Mode::InCertificate => {
            let identity = in_certificate(world, world.server_device.clone()).await;
            server_tls(world, identity)
        }
        _ => asking_tls(world),
    }
}

/// TLS of the genuine server, which asks clients for any certificate.
pub(crate) fn asking_tls(world: &World) -> ServerConfig {
    server_tls(world, Arc::new(SingleCertAndKey::from(world.stolen_key())))
}

pub(crate) fn server_tls(world: &World, resolver: Arc<dyn ResolvesServerCert>) -> ServerConfig {
    let provider = demo::provider();
    let mut tls = ServerConfig::builder_with_details(provider.clone(), world.clock.clone())
        .with_protocol_versions(&[&rustls::version::TLS13])
        .unwrap()
        .with_client_cert_verifier(dangerous_any_client(&provider))
        .with_cert_resolver(resolver);
    tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    tls
}

/// TLS of a client that takes any server, for what is self-signed.
pub(crate) fn client_tls(
    world: &World,
    alpn: &str,
    resolver: Option<Arc<dyn ResolvesClientCert>>,
) -> ClientConfig {
    let mut tls = ClientConfig::builder_with_details(demo::provider(), world.clock.clone())
        .with_protocol_versions(&[&rustls::version::TLS13])
        .unwrap()
        .dangerous()
        .with_custom_certificate_verifier(dangerous_any_server(&demo::provider()))
        .with_no_client_auth();
    if let Some(resolver) = resolver {
        tls.client_auth_cert_resolver = resolver;
    }
    tls.alpn_protocols = vec![alpn.as_bytes().to_vec()];
    tls
}

pub(crate) async fn in_certificate(world: &World, device: Arc<dyn Attester>) -> Arc<InCertificate> {
    InCertificate::new(device, tls(world), profile())
        .await
        .unwrap()
}

pub(crate) fn profile() -> CertificateProfile {
    CertificateProfile::new(LIFETIME).name("localhost")
}

pub(crate) fn tls(world: &World) -> (Arc<CryptoProvider>, Arc<dyn TimeProvider>) {
    (demo::provider(), world.clock.clone())
}

/// A client's certificate resolver for this mode, and who accepts it.
pub(crate) async fn attesting_client(
    world: &World,
    mode: Mode,
    binding: Binding,
) -> (Arc<dyn ResolvesClientCert>, Arc<RelyingParty>) {
    let device = Arc::new(SimAttester::generate().unwrap());
    let party = weak(&device, binding);
    let resolver = resolver(world, mode, device).await.unwrap();
    (resolver, party)
}

pub(crate) async fn resolver(
    world: &World,
    mode: Mode,
    device: Arc<SimAttester>,
) -> Option<Arc<dyn ResolvesClientCert>> {
    Some(match mode {
        Mode::InHandshake => {
            let device = Box::new(Arc::into_inner(device).unwrap());
            Arc::new(InHandshake::new(device, demo::provider(), world.clock.clone()).unwrap())
        }
        _ => in_certificate(world, device).await,
    })
}

/// A reqwest client that expects servers of this mode, and takes any certificate.
pub(crate) fn expecting(
    world: &World,
    mode: Mode,
    party: Arc<RelyingParty>,
    http: Http,
) -> Attested {
    world
        .client()
        .server_verifier(dangerous_any_server(&demo::provider()))
        .require_peer(party)
        .servers_attest(mode)
        .http(http)
        .build()
        .unwrap()
}

/// A reqwest client that knows of attestation at most by the certificate that it is given.
pub(crate) fn attesting_plainly(
    world: &World,
    resolver: Option<Arc<dyn ResolvesClientCert>>,
) -> reqwest::Client {
    reqwest::Client::builder()
        .tls_backend_preconfigured(client_tls(world, "h2", resolver))
        .build()
        .unwrap()
}

/// The server's decision about one client with this certificate.
pub(crate) async fn accept_one(
    world: &World,
    terms: ServerTerms,
    resolver: Option<Arc<dyn ResolvesClientCert>>,
) -> Result<AttestedStream<TcpStream>, Error> {
    let acceptor = ServerAcceptor::new(asking_tls(world), terms).unwrap();
    let (near, far) = sockets().await;
    let tls = Arc::new(client_tls(world, "h2", resolver));
    let client = async {
        match Link::connect(tls, near, None).await {
            Ok(mut link) => link.drain().await,
            Err(_) => Vec::new(),
        }
    };
    let (heard, accepted) = tokio::join!(client, acceptor.accept(far));
    assert!(heard.is_empty());
    accepted
}

/// The error of a client that meets a server with this certificate.
pub(crate) async fn present(world: &World, mode: Mode, key: Arc<CertifiedKey>) -> Error {
    let party = weak(&world.server_device, Binding::Key);
    present_to(world, mode, party, key).await
}

/// The error of a client with another relying party.
pub(crate) async fn present_to(
    world: &World,
    mode: Mode,
    party: Arc<RelyingParty>,
    key: Arc<CertifiedKey>,
) -> Error {
    let resolver = Arc::new(SingleCertAndKey::from(key));
    let server = world
        .serve_with(ServerTerms::plain(), server_tls(world, resolver))
        .await;
    let attested = expecting(world, mode, party, Http::Two);
    let refused = reqwest_client(&attested).get(server.url("/")).send().await;
    assert_eq!(server.hits(), 0);
    exchange_error(&refused.unwrap_err())
}

pub(crate) async fn attest(
    device: &SimAttester,
    request: &OwnedAttestRequest,
) -> atls_core::cmw::Cmw {
    Attester::attest(device, request.as_request())
        .await
        .unwrap()
}

pub(crate) async fn sockets() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let near = TcpStream::connect(listener.local_addr().unwrap()).await;
    (near.unwrap(), listener.accept().await.unwrap().0)
}

pub(crate) fn url_of(listener: &TcpListener) -> String {
    format!(
        "https://localhost:{}/",
        listener.local_addr().unwrap().port()
    )
}

pub(crate) fn not_bound() -> Refusal {
    Refusal::Appraisal(AppraisalError::NotBound)
}

/// Always this certificate.
#[derive(Debug)]
pub(crate) struct FixedCertificate(pub(crate) Arc<CertifiedKey>);

impl ResolvesClientCert for FixedCertificate {
    fn resolve(&self, _: &[&[u8]], _: &[rustls::SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        Some(self.0.clone())
    }

    fn has_certs(&self) -> bool {
        true
    }
}
