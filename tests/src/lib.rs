//! A world for whole connections: an authority, devices, verifiers that know them, servers and clients.
#![forbid(unsafe_code)]
#![allow(
    missing_docs,
    missing_debug_implementations,
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    clippy::exhaustive_structs,
    reason = "a test fails by panicking, and this is part of the tests"
)]

pub mod azure;
pub mod azure_sample;
pub mod http2;
pub mod time;

mod clock;
mod dcap;
mod forge;
mod hanging;
mod hooks;
mod ordinary;
mod passport;
#[cfg(doctest)]
mod prose;
mod proxy;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;

use atls_axum::AttestationResult;
use atls_axum::AttestedListener;
use atls_core::Binding;
use atls_core::RelyingParty;
use atls_core::RelyingPartyBuilder;
use atls_core::StandardPolicy;
use atls_reqwest::Attested;
use atls_reqwest::AttestedBuilder;
use atls_reqwest::ClientBuilderExt;
use atls_sim::SimAttester;
use atls_sim::SimVerifier;
use atls_tower::RequireAttestationLayer;
use atls_tower::ServerAcceptor;
use atls_tower::ServerTerms;
use axum::Router;
use axum::extract::ConnectInfo;
use axum::extract::Request;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::http::HeaderName;
use axum::http::HeaderValue;
use axum::http::StatusCode;
use axum::http::header::LOCATION;
use axum::middleware::Next;
use axum::response::Response;
use axum::routing::get;
use demo::Authority;
use demo::Issued;
use rustls::ClientConfig;
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use rustls::sign::CertifiedKey;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

pub use clock::Clock;
pub use dcap::DcapDevice;
pub use dcap::dcap_challenge;
pub use forge::ForgedKey;
pub use hanging::Hanging;
pub use hooks::Broken;
pub use hooks::Gate;
pub use hooks::Gated;
pub use hooks::Panicking;
pub use hooks::Unreachable;
pub use ordinary::ordinary_server;
pub use passport::PassportOffice;
pub use proxy::Proxy;

/// Everybody who takes part.
pub struct World {
    pub authority: Authority,
    pub issued: Issued,
    pub server_device: Arc<SimAttester>,
    pub client_device: Arc<SimAttester>,
    pub clock: Arc<Clock>,
}

impl World {
    pub fn new() -> Self {
        let authority = Authority::new().unwrap();
        Self {
            issued: authority.issue().unwrap(),
            authority,
            server_device: Arc::new(SimAttester::generate().unwrap()),
            client_device: Arc::new(SimAttester::generate().unwrap()),
            clock: Arc::new(Clock::new()),
        }
    }

    /// Knows the server's device, and accepts simulated ones.
    pub fn about_servers(&self) -> Arc<RelyingParty> {
        Arc::new(lenient(&self.server_device).build().unwrap())
    }

    /// Knows the client's device, and accepts simulated ones.
    pub fn about_clients(&self) -> Arc<RelyingParty> {
        Arc::new(lenient(&self.client_device).build().unwrap())
    }

    /// TLS of the genuine server, by this world's clock.
    pub fn server_tls(&self) -> ServerConfig {
        let mut tls = self.issued.server().unwrap();
        tls.time_provider = self.clock.clone();
        tls
    }

    /// TLS of a client that trusts the authority, by this world's clock.
    pub fn client_tls(&self, alpn: &[&str]) -> ClientConfig {
        let mut tls = ClientConfig::builder_with_details(demo::provider(), self.clock.clone())
            .with_protocol_versions(&[&rustls::version::TLS13])
            .unwrap()
            .with_root_certificates(self.authority.roots().unwrap())
            .with_no_client_auth();
        tls.alpn_protocols = alpn.iter().map(|name| name.as_bytes().to_vec()).collect();
        tls
    }

    /// The key of the server's certificate, as an attacker may have stolen it.
    pub fn stolen_key(&self) -> Arc<CertifiedKey> {
        load(&self.issued)
    }

    pub async fn serve(&self, terms: ServerTerms) -> Served {
        self.serve_with(terms, self.server_tls()).await
    }

    pub async fn serve_with(&self, terms: ServerTerms, tls: ServerConfig) -> Served {
        let acceptor = ServerAcceptor::new(tls, terms).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        Served::over(AttestedListener::new(listener, acceptor).unwrap())
    }

    /// A server that attests itself and demands nothing.
    pub async fn serve_attested(&self) -> Served {
        self.serve(ServerTerms::new().attester(self.server_device.clone()))
            .await
    }

    /// Starts a client: it trusts the authority and nothing is demanded or offered yet.
    pub fn client(&self) -> AttestedBuilder {
        Attested::builder(demo::provider())
            .roots(self.authority.roots().unwrap())
            .time_provider(self.clock.clone())
    }

    /// A client that demands attestation of servers.
    pub fn demanding(&self) -> Attested {
        self.client()
            .require_peer(self.about_servers())
            .build()
            .unwrap()
    }

    /// A client that demands attestation of servers, and attests itself.
    pub fn mutual(&self) -> Attested {
        let builder = self.client().require_peer(self.about_servers());
        builder
            .attester(self.client_device.clone())
            .build()
            .unwrap()
    }

    /// A reqwest client that knows nothing of attestation.
    pub fn plain_client(&self, alpn: &[&str]) -> reqwest::Client {
        reqwest::Client::builder()
            .tls_backend_preconfigured(self.client_tls(alpn))
            .build()
            .unwrap()
    }
}

impl Default for World {
    fn default() -> Self {
        Self::new()
    }
}

pub use atls_reqwest::reqwest;
pub use atls_tdx::Tee;

/// Trusts this device, and accepts that it is simulated.
pub fn lenient(device: &SimAttester) -> RelyingPartyBuilder {
    RelyingParty::builder()
        .verifier(Arc::new(SimVerifier::new(device.trust_anchor())))
        .standard_policy(StandardPolicy::new().dangerous_accept_simulated())
}

/// The same for a peer whose attestation is bound more weakly than to the connection.
pub fn weak(device: &SimAttester, weakest: Binding) -> Arc<RelyingParty> {
    let policy = StandardPolicy::new()
        .dangerous_accept_simulated()
        .dangerous_accept_binding(weakest);
    Arc::new(lenient(device).standard_policy(policy).build().unwrap())
}

/// A reqwest client of this configuration.
pub fn reqwest_client(attested: &Attested) -> reqwest::Client {
    reqwest::Client::builder()
        .attested(attested)
        .build()
        .unwrap()
}

pub fn load(issued: &Issued) -> Arc<CertifiedKey> {
    let key: PrivateKeyDer<'static> = issued.key.clone_key();
    let key = demo::provider().key_provider.load_private_key(key).unwrap();
    Arc::new(CertifiedKey::new(issued.chain.clone(), key))
}

/// The refusal behind an error of reqwest.
pub fn refusal(error: &reqwest::Error) -> atls_reqwest::Error {
    assert!(error.is_connect(), "HTTP had begun: {error:?}");
    atls_reqwest::Error::of(error)
        .unwrap_or_else(|| panic!("{error:?}"))
        .clone()
}

/// The error of the exchange, behind an error of reqwest.
pub fn exchange_error(error: &reqwest::Error) -> atls_tower::Error {
    refusal(error)
        .in_exchange()
        .unwrap_or_else(|| panic!("{error:?}"))
        .clone()
}

/// A running server, and how many requests have reached its handlers.
pub struct Served {
    pub address: SocketAddr,
    hits: Arc<AtomicUsize>,
    slow: Gate,
    stop: Option<oneshot::Sender<()>>,
    pub task: JoinHandle<std::io::Result<()>>,
}

impl Served {
    pub fn over(listener: AttestedListener) -> Self {
        let address = listener.local_addr();
        let hits = Arc::new(AtomicUsize::new(0));
        let slow = Gate::new();
        let app = app(hits.clone(), slow.clone());
        let (stop, stopped) = oneshot::channel();
        let task = tokio::spawn(async move {
            atls_axum::serve(listener, app)
                .with_graceful_shutdown(async { drop(stopped.await) })
                .await
        });
        Self {
            address,
            hits,
            slow,
            stop: Some(stop),
            task,
        }
    }

    pub fn url(&self, path: &str) -> String {
        format!("https://localhost:{}{path}", self.address.port())
    }

    /// Requests that reached a handler.
    pub fn hits(&self) -> usize {
        self.hits.load(Ordering::SeqCst)
    }

    /// Waits until that many requests to `/slow` are being served.
    pub async fn slow_requests(&self, number: u32) {
        self.slow.reached_by(number).await;
    }

    /// Lets the handler of `/slow` answer.
    pub fn finish_slow_requests(&self) {
        self.slow.open();
    }

    /// Begins a graceful shutdown.
    pub fn stop(&mut self) {
        self.stop = None;
    }
}

/// `/` answers hello, `/peer` what the client is, `/binding` what that is bound to, `/address` where it comes from; `/attested` is for attested clients.
fn app(hits: Arc<AtomicUsize>, slow: Gate) -> Router {
    Router::new()
        .route("/attested", get(async || "for attested clients"))
        .route_layer(RequireAttestationLayer::new())
        .route("/", get(async || "hello"))
        .route("/peer", get(peer))
        .route("/binding", get(binding))
        .route("/extractor", get(async |_: AttestationResult| "extracted"))
        .route("/address", get(address))
        .route("/redirect", get(redirect))
        .route(
            "/slow",
            get(async move || {
                slow.pass().await;
                "at last"
            }),
        )
        .layer(axum::middleware::from_fn_with_state(hits, count))
}

async fn peer(peer: Option<AttestationResult>) -> String {
    peer.map_or_else(|| "unattested".to_owned(), |peer| peer.status().to_string())
}

async fn binding(peer: AttestationResult) -> String {
    peer.binding().to_string()
}

/// To wherever the header `to` says.
async fn redirect(headers: HeaderMap) -> (StatusCode, [(HeaderName, HeaderValue); 1]) {
    let to = headers.get("to").expect("a destination");
    (StatusCode::FOUND, [(LOCATION, to.clone())])
}

async fn address(ConnectInfo(address): ConnectInfo<SocketAddr>) -> String {
    address.to_string()
}

async fn count(State(hits): State<Arc<AtomicUsize>>, request: Request, next: Next) -> Response {
    hits.fetch_add(1, Ordering::SeqCst);
    next.run(request).await
}
