//! A service with a certificate by ACME, and its clients.

use std::net::SocketAddr;
use std::sync::Arc;

use acme::Current;
use acme::Issuer;
use acme::Name;
use acme::OrderError;
use acme::Renewal;
use atls_axum::AttestedListener;
use atls_core::RelyingParty;
use atls_reqwest::Attested;
use atls_reqwest::ClientBuilderExt;
use atls_reqwest::ResponseExt;
use atls_reqwest::reqwest;
use atls_sim::SimAttester;
use atls_tower::ServerAcceptor;
use atls_tower::ServerTerms;
use axum::Router;
use axum::routing::get;
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use rustls::ServerConfig;
use rustls::time_provider::DefaultTimeProvider;
use rustls::time_provider::TimeProvider;
use tokio::net::TcpListener;

use crate::acme_server::AcmeServer;
use crate::acme_server::Manner;
use crate::acme_server::program;

/// The service, which has no certificate yet, and the ACME server, whose time is the real one.
pub(crate) struct Scene {
    pub(crate) acme: AcmeServer,
    pub(crate) acceptor: ServerAcceptor,
    pub(crate) current: Arc<Current>,
    pub(crate) renewal: Renewal<Issuer>,
    pub(crate) address: SocketAddr,
    servers: Arc<RelyingParty>,
}

impl Scene {
    /// A DNS name and an address. `None` where there is no Pebble.
    pub(crate) async fn new() -> Option<Self> {
        Self::with(Manner::default(), &["service.test", "127.0.0.1"]).await
    }

    pub(crate) async fn with(manner: Manner, names: &[&str]) -> Option<Self> {
        let program = program()?;
        let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = socket.local_addr().unwrap();
        let external = manner.external;
        let acme = AcmeServer::start_with(manner, program, address.port()).await;
        let mut issuer = issuer(&acme, names).unwrap();
        if let Some((id, key)) = external {
            let key = BASE64_URL_SAFE_NO_PAD.decode(key).unwrap();
            issuer = issuer.with_external_account(id, &key);
        }

        let device = SimAttester::generate().unwrap();
        let servers = demo::trusting(&device).unwrap();
        let terms = ServerTerms::new()
            .attester(Arc::new(device))
            .tls_alpn_01(issuer.challenges());
        let current = Arc::new(Current::default());
        let mut tls = ServerConfig::builder_with_provider(demo::provider())
            .with_protocol_versions(&[&rustls::version::TLS13])
            .unwrap()
            .with_no_client_auth()
            .with_cert_resolver(current.clone());
        tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        let acceptor = ServerAcceptor::new(tls, terms).unwrap();
        let listener = AttestedListener::new(socket, acceptor.clone()).unwrap();
        let app = Router::new().route("/", get(async || "hello"));
        tokio::spawn(async move { atls_axum::serve(listener, app).await });
        Some(Self {
            acme,
            acceptor,
            renewal: Renewal::new(issuer, current.clone(), clock()),
            current,
            address,
            servers,
        })
    }

    /// A client that trusts the ACME server's root of now, and the device.
    pub(crate) async fn client(&self) -> Client {
        self.client_at(clock()).await
    }

    pub(crate) async fn client_at(&self, clock: Arc<dyn TimeProvider>) -> Client {
        let attested = Attested::builder(demo::provider())
            .roots(self.acme.roots().await)
            .require_peer(self.servers.clone())
            .time_provider(clock)
            .build()
            .unwrap();
        let client = reqwest::Client::builder()
            .resolve("service.test", self.address)
            .attested(&attested);
        Client {
            client: client.build().unwrap(),
            attested,
            port: self.address.port(),
        }
    }
}

pub(crate) fn clock() -> Arc<dyn TimeProvider> {
    Arc::new(DefaultTimeProvider)
}

/// With an account of its own.
pub(crate) fn issuer(acme: &AcmeServer, names: &[&str]) -> Result<Issuer, OrderError> {
    let names: Vec<Name> = names.iter().map(|name| name.parse().unwrap()).collect();
    Issuer::new(
        acme.http(),
        acme.directory(),
        names,
        demo::provider(),
        clock(),
    )
}

pub(crate) struct Client {
    client: reqwest::Client,
    attested: Attested,
    port: u16,
}

impl Client {
    /// The key of the server that answered, which is attested.
    pub(crate) async fn key_of(&self, name: &str) -> Result<Vec<u8>, reqwest::Error> {
        let url = format!("https://{name}:{}/", self.port);
        let response = self.client.get(url).send().await?;
        let server = response.attestation(&self.attested).unwrap();
        let key = server.leaf_key().to_vec();
        assert_eq!(response.text().await?, "hello");
        Ok(key)
    }
}
