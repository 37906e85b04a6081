//! The two weaker modes: our own ends pass, and each case can fail.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use atls_axum::AttestedListener;
use atls_core::Binding;
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
use atls_tower::weaker::CertificateProfile;
use atls_tower::weaker::InCertificate;
use atls_tower::weaker::InHandshake;
use atls_tower::weaker::dangerous_any_client;
use atls_tower::weaker::dangerous_any_server;
use axum::Router;
use axum::routing::get;
use conform::breach::Breach;
use conform::keys::Keys;
use conform::kit::Dial;
use conform::kit::Kit;
use conform::kit::Target;
use conform::report::Outcome;
use conform::weaker::Mode;
use conform::weaker::Weak;
use conform::weaker::broken::BrokenPeer;
use conform::weaker::run::run;
use rustls::ClientConfig;
use rustls::ServerConfig;
use rustls::client::ResolvesClientCert;
use rustls::crypto::CryptoProvider;
use rustls::sign::SingleCertAndKey;
use rustls::time_provider::DefaultTimeProvider;
use rustls::time_provider::TimeProvider;
use tokio::io::AsyncReadExt;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;
use tokio::net::TcpStream;

const MODES: [Mode; 2] = [Mode::InCertificate, Mode::InHandshake];

fn kit() -> Kit {
    let mut kit = Kit::new(Keys::generate().unwrap());
    // On a busy machine; only what fails waits so long.
    kit.limit = Duration::from_secs(20);
    kit
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

fn ours(mode: Mode) -> atls_tower::weaker::Mode {
    match mode {
        Mode::InCertificate => atls_tower::weaker::Mode::InCertificate,
        Mode::InHandshake => atls_tower::weaker::Mode::InHandshake,
    }
}

/// Trusts the kit's device, and accepts a weaker binding.
fn party(kit: &Kit) -> Arc<RelyingParty> {
    let device = TrustAnchor::from_public_key(&kit.keys.device_key()).unwrap();
    let policy = StandardPolicy::new()
        .dangerous_accept_simulated()
        .dangerous_accept_binding(Binding::Key);
    let party = RelyingParty::builder()
        .verifier(Arc::new(SimVerifier::new(device)))
        .standard_policy(policy);
    Arc::new(party.build().unwrap())
}

async fn in_certificate() -> Arc<InCertificate> {
    let device = Arc::new(SimAttester::generate().unwrap());
    let clock: Arc<dyn TimeProvider> = Arc::new(DefaultTimeProvider);
    let tls = (provider(), clock);
    let profile = CertificateProfile::new(Duration::from_secs(600)).name("localhost");
    InCertificate::new(device, tls, profile).await.unwrap()
}

async fn our_server(kit: &Kit, mode: Mode) -> Target {
    let builder = ServerConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&rustls::version::TLS13])
        .unwrap()
        .with_client_cert_verifier(dangerous_any_client(&provider()));
    let (tls, terms) = match mode {
        Mode::InCertificate => (
            builder.with_cert_resolver(in_certificate().await),
            ServerTerms::plain(),
        ),
        Mode::InHandshake => {
            let resolver = SingleCertAndKey::from(kit.keys.server.clone());
            let device = Arc::new(SimAttester::generate().unwrap());
            let terms = ServerTerms::new().attester(device).attest_in_handshake();
            (builder.with_cert_resolver(Arc::new(resolver)), terms)
        }
    };
    let terms = terms.clients_attest(ours(mode)).require_peer(party(kit));
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

async fn our_client(kit: &Kit, mode: Mode) -> Target {
    let mut tls = ClientConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&rustls::version::TLS13])
        .unwrap()
        .dangerous()
        .with_custom_certificate_verifier(dangerous_any_server(&provider()))
        .with_no_client_auth();
    let resolver: Arc<dyn ResolvesClientCert> = match mode {
        Mode::InCertificate => in_certificate().await,
        Mode::InHandshake => {
            let device = Box::new(SimAttester::generate().unwrap());
            let clock = Arc::new(DefaultTimeProvider);
            Arc::new(InHandshake::new(device, provider(), clock).unwrap())
        }
    };
    tls.client_auth_cert_resolver = resolver;
    tls.alpn_protocols = vec![b"http/1.1".to_vec()];
    let terms = ClientTerms::new()
        .require_peer(party(kit))
        .servers_attest(ours(mode));
    let connector = ClientConnector::new(tls, terms).unwrap();
    Target::Client(Arc::new(Client { connector }))
}

impl Dial for Client {
    fn dial(&self, to: SocketAddr) -> BoxFuture<'static, ()> {
        let connector = self.connector.clone();
        Box::pin(async move {
            let socket = TcpStream::connect(to).await.unwrap();
            let name = "localhost".try_into().unwrap();
            if let Ok(mut stream) = connector.connect(name, socket).await {
                let _ = stream
                    .write_all(b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n")
                    .await;
                let _ = stream.flush().await;
                let _ = stream.read_to_end(&mut Vec::new()).await;
            }
        })
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn our_ends_conform_in_the_weaker_modes() {
    for mode in MODES {
        for side in [Side::Server, Side::Client] {
            let kit = kit();
            let target = match side {
                Side::Server => our_server(&kit, mode).await,
                Side::Client => our_client(&kit, mode).await,
            };
            let report = run(&kit, &target, mode, &Weak::cases(side, mode)).await;
            let passed = report.count(Outcome::Pass);
            assert_eq!(passed, report.findings.len(), "{mode:?} {report}");
        }
    }
}

async fn broken(kit: &Kit, side: Side, mode: Mode, breach: Option<Weak>) -> Target {
    let peer = BrokenPeer::new(kit, mode, breach);
    match side {
        Side::Server => Target::Server(peer.serve().await.unwrap()),
        Side::Client => Target::Client(Arc::new(peer)),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_breaks_one_rule_of_a_weaker_mode_fails_one_case() {
    let mut wrong = Vec::new();
    for mode in MODES {
        for side in [Side::Server, Side::Client] {
            let cases = Weak::cases(side, mode);
            for breach in [None].into_iter().chain(cases.iter().copied().map(Some)) {
                let kit = kit();
                let target = broken(&kit, side, mode, breach).await;
                let report = run(&kit, &target, mode, &cases).await;
                let expected = Vec::from_iter(breach.map(Breach::Weak));
                if report.with(Outcome::Fail) != expected {
                    wrong.push(format!("== {side} {mode:?} {breach:?}\n{report}"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
