//! Our own ends pass.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use atls_axum::AttestedListener;
use atls_core::BoxFuture;
use atls_core::RelyingParty;
use atls_core::StandardPolicy;
use atls_core::session::Side;
use atls_sim::SimAttester;
use atls_sim::SimVerifier;
use atls_sim::TrustAnchor;
use atls_tower::ClientConnector;
use atls_tower::ClientTerms;
use atls_tower::ServerAcceptor;
use atls_tower::ServerTerms;
use atls_tower::weaker::dangerous_any_client;
use axum::Router;
use axum::routing::get;
use conform::breach::Breach;
use conform::keys::Keys;
use conform::kit::Dial;
use conform::kit::Kit;
use conform::kit::Target;
use conform::report::Outcome;
use conform::report::Report;
use conform::run::run;
use rustls::ClientConfig;
use rustls::ServerConfig;
use rustls::sign::SingleCertAndKey;
use tokio::io::AsyncReadExt;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;
use tokio::net::TcpStream;

fn kit() -> Kit {
    let mut kit = Kit::new(Keys::generate().unwrap());
    // On a busy machine; only what fails waits so long.
    kit.limit = Duration::from_secs(5);
    kit
}

/// Trusts the kit's device.
fn party(kit: &Kit) -> Arc<RelyingParty> {
    let device = TrustAnchor::from_public_key(&kit.keys.device_key()).unwrap();
    let party = RelyingParty::builder()
        .verifier(Arc::new(SimVerifier::new(device)))
        .standard_policy(StandardPolicy::new().dangerous_accept_simulated());
    Arc::new(party.build().unwrap())
}

async fn serve(kit: &Kit, terms: ServerTerms) -> Target {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let resolver = SingleCertAndKey::from(kit.keys.server.clone());
    let mut tls = ServerConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_client_cert_verifier(dangerous_any_client(&provider))
        .with_cert_resolver(Arc::new(resolver));
    tls.alpn_protocols = vec![b"http/1.1".to_vec()];
    let acceptor = ServerAcceptor::new(tls, terms).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let listener = AttestedListener::new(listener, acceptor).unwrap();
    let address = listener.local_addr();
    let app = Router::new().route("/", get(async || "hello"));
    tokio::spawn(async move { atls_axum::serve(listener, app).await });
    Target::Server(address)
}

struct Client {
    connector: ClientConnector,
}

impl Client {
    fn target(kit: &Kit, terms: ClientTerms) -> Target {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut tls = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(kit.keys.roots().unwrap())
            .with_no_client_auth();
        tls.alpn_protocols = vec![b"http/1.1".to_vec()];
        let connector = ClientConnector::new(tls, terms).unwrap();
        Target::Client(Arc::new(Self { connector }))
    }
}

impl Dial for Client {
    fn dial(&self, to: SocketAddr) -> BoxFuture<'static, ()> {
        let connector = self.connector.clone();
        Box::pin(async move {
            let socket = TcpStream::connect(to).await.unwrap();
            let name = "localhost".try_into().unwrap();
            if let Ok(mut stream) = connector.connect(name, socket).await {
                let request = b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n";
                let _ = stream.write_all(request).await;
                let _ = stream.flush().await;
                let _ = stream.read_to_end(&mut Vec::new()).await;
            }
        })
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_attests_and_demands_attestation_conforms() {
    let kit = kit();
    let device = Arc::new(SimAttester::generate().unwrap());
    let terms = ServerTerms::new()
        .attester(device)
        .require_peer(party(&kit));
    let report = run(
        &kit,
        &serve(&kit, terms).await,
        &Breach::cases(Side::Server),
    )
    .await;
    conforms(&report);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_hears_the_client_first_conforms() {
    let kit = kit();
    let device = Arc::new(SimAttester::generate().unwrap());
    let terms = ServerTerms::new()
        .attester(device)
        .require_peer(party(&kit));
    let target = serve(&kit, terms.client_first()).await;
    let report = run(&kit, &target, &Breach::cases(Side::Server)).await;
    conforms(&report);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_only_asks_conforms() {
    let mut kit = kit();
    kit.demands = false;
    let device = Arc::new(SimAttester::generate().unwrap());
    let terms = ServerTerms::new().attester(device).ask_peer(party(&kit));
    let report = run(
        &kit,
        &serve(&kit, terms).await,
        &Breach::cases(Side::Server),
    )
    .await;
    conforms(&report);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_demands_attestation_and_attests_conforms() {
    let kit = kit();
    let device = Arc::new(SimAttester::generate().unwrap());
    let terms = ClientTerms::new()
        .require_peer(party(&kit))
        .attester(device);
    let target = Client::target(&kit, terms);
    let report = run(&kit, &target, &Breach::cases(Side::Client)).await;
    conforms(&report);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_only_attests_conforms() {
    let kit = kit();
    let device = Arc::new(SimAttester::generate().unwrap());
    let terms = ClientTerms::new().attester(device);
    let target = Client::target(&kit, terms.dangerous_accept_unattested_servers());
    let report = run(&kit, &target, &Breach::cases(Side::Client)).await;
    conforms(&report);
}

fn conforms(report: &Report) {
    assert_eq!(report.with(Outcome::Fail), [], "{report}");
    assert_eq!(report.with(Outcome::NotReached), [], "{report}");
}
