//! Our own ends pass.

use std::collections::BTreeSet;
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
use conform::run::run;
use conform::twist::Place;
use conform::twist::Twist;
use rustls::ClientConfig;
use rustls::ServerConfig;
use rustls::sign::CertifiedKey;
use rustls::sign::SingleCertAndKey;
use tokio::io::AsyncReadExt;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;
use tokio::net::TcpStream;

fn kit() -> Kit {
    let mut kit = Kit::new(Keys::generate().unwrap());
    // On a busy machine; only what fails waits so long.
    kit.limit = Duration::from_secs(20);
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
        Self::with(kit, terms, None)
    }

    /// `certificate` is for TLS.
    fn with(kit: &Kit, terms: ClientTerms, certificate: Option<Arc<CertifiedKey>>) -> Target {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut tls = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(kit.keys.roots().unwrap())
            .with_no_client_auth();
        if let Some(certificate) = certificate {
            tls.client_auth_cert_resolver = Arc::new(SingleCertAndKey::from(certificate));
        }
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

fn device() -> Arc<SimAttester> {
    Arc::new(SimAttester::generate().unwrap())
}

/// A server that demands attestation, one that hears the client first, and one that only asks.
#[tokio::test(flavor = "multi_thread")]
async fn our_servers_conform() {
    let kit = kit();
    let mut asking = kit.clone();
    asking.demands = false;
    let terms = || ServerTerms::new().attester(device());
    let servers = [
        (&kit, terms().require_peer(party(&kit))),
        (&kit, terms().require_peer(party(&kit)).client_first()),
        (&asking, terms().ask_peer(party(&kit))),
    ];
    let mut passed = BTreeSet::new();
    for (kit, terms) in servers {
        passed.extend(conforms(kit, &serve(kit, terms).await).await);
    }
    let all = BTreeSet::from_iter(Breach::cases(Side::Server));
    let missed: Vec<Breach> = all.difference(&passed).copied().collect();
    assert_eq!(missed, beyond(Side::Server));
}

/// Clients that attest after the server, in either order, under a certificate of TLS, not at all, and without a demand.
#[tokio::test(flavor = "multi_thread")]
async fn our_clients_conform() {
    let kit = kit();
    let demanding = || ClientTerms::new().require_peer(party(&kit));
    let indifferent = ClientTerms::new().dangerous_accept_unattested_servers();
    let certificate = Some(kit.keys.client.clone());
    let clients = [
        Client::target(&kit, demanding().attester(device())),
        Client::target(&kit, demanding().attester(device()).attest_before_server()),
        Client::with(&kit, demanding().attester(device()), certificate),
        Client::target(&kit, demanding()),
        Client::target(&kit, indifferent.attester(device())),
    ];
    let mut passed = BTreeSet::new();
    for client in clients {
        passed.extend(conforms(&kit, &client).await);
    }
    let all = BTreeSet::from_iter(Breach::cases(Side::Client));
    let missed: Vec<Breach> = all.difference(&passed).copied().collect();
    assert_eq!(missed, beyond(Side::Client));
}

/// The cases that passed. None failed, and none was not reached.
async fn conforms(kit: &Kit, target: &Target) -> Vec<Breach> {
    let report = run(kit, target, &Breach::cases(target.side())).await;
    assert_eq!(report.with(Outcome::Fail), [], "{report}");
    assert_eq!(report.with(Outcome::NotReached), [], "{report}");
    report.with(Outcome::Pass)
}

/// What our ends cannot be tested for: they offer batches and verdicts wherever they can be offered, and Evidence of a batch takes a
/// busy device (tests/tests/batched.rs).
fn beyond(side: Side) -> Vec<Breach> {
    let is_beyond = |case: &Breach| match case {
        Breach::Misjudges(Twist::UnofferedBatch) => true,
        Breach::Misjudges(Twist::UnofferedVerdicts) => side == Side::Server,
        Breach::Sends(Twist::UnsaidProof) => false,
        Breach::Sends(twist) => twist.place() == Place::Batch,
        _ => false,
    };
    let mut cases = Breach::cases(side);
    cases.retain(is_beyond);
    cases.sort_unstable();
    cases
}
