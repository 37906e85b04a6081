//! Servers, clients of them, and what befalls these: everything that there is a number for.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use atls_axum::AttestedListener;
use atls_collateral::Cache;
use atls_core::Attester;
use atls_core::RelyingParty;
use atls_core::StandardPolicy;
use atls_core::combine::Cached;
use atls_reqwest::Attested;
use atls_reqwest::ClientBuilderExt;
use atls_reqwest::reqwest::Client;
use atls_sim::SimAttester;
use atls_sim::SimVerifier;
use atls_tower::Batcher;
use atls_tower::RequireAttestationLayer;
use atls_tower::ServerAcceptor;
use atls_tower::ServerTerms;
use atls_trustee::SampleAttester;
use axum::Router;
use axum::routing::get;
use demo::Authority;
use rustls::time_provider::DefaultTimeProvider;
use rustls::time_provider::TimeProvider;
use tokio::task::JoinSet;

use crate::collateral::Maker;
use crate::device::Device;
use crate::service::Service;

/// A server, its URL, and its certificate authority.
struct Served {
    acceptor: ServerAcceptor,
    url: String,
    authority: Authority,
}

/// Asks in rounds, with this pause between them.
pub(crate) async fn for_ever(pause: Duration) -> Result<(), Box<dyn Error>> {
    let device = SimAttester::generate()?;
    let anchor = device.trust_anchor();
    // A line so short that a crowd finds it full.
    let batcher = Batcher::builder(Device::new(device)).waiting(2).spawn()?;
    let own = Served::start(Arc::new(batcher), CROWD / 2).await?;
    let sample = Device::new(SampleAttester::new("1")?);
    let other = Served::start(Arc::new(sample), 1).await?;

    let verifier = SimVerifier::new(anchor);
    let verifier = Cached::new(verifier).with_observer(atls_tower::cache_metrics("sim"));
    let accepting = RelyingParty::builder()
        .verifier(Arc::new(verifier))
        .standard_policy(StandardPolicy::new().dangerous_accept_simulated());
    let accepting = Arc::new(accepting.build()?);
    let crowd = (0..CROWD).map(|_| own.client(accepting.clone()));
    let crowd = crowd.collect::<Result<Vec<_>, _>>()?;
    let refusing = own.client(demo::trusting(&SimAttester::generate()?)?)?;
    let service = Service::start().await;
    let asked = service.relying_party()?;
    let asking = (0..CROWD).map(|_| other.client(asked.clone()));
    let asking = asking.collect::<Result<Vec<_>, _>>()?;
    let collateral = Cache::new(Maker);

    for round in 0_u64.. {
        service.is_away(round % 10 >= 6);
        let mut answers = JoinSet::new();
        let own_clients = crowd.iter().map(|client| (client, &own.url));
        let other_clients = asking.iter().map(|client| (client, &other.url));
        for (client, url) in own_clients.chain(other_clients) {
            let (client, url) = (client.clone(), url.clone());
            // What fails fails on purpose: the metrics and the log say why.
            answers.spawn(async move { drop(client.get(url).send().await) });
        }
        answers.join_all().await;
        for client in &crowd {
            let _ = client.get(format!("{}members", own.url)).send().await;
        }
        let _ = refusing.get(&own.url).send().await;
        if let Some(now) = DefaultTimeProvider.current_time() {
            let _ = collateral.get("list", now).await;
            let _ = collateral.get("absent", now).await;
        }
        tokio::time::sleep(pause).await;
        // So that the next requests are on connections of their own, as a busy server sees them.
        own.acceptor.recall(Duration::from_millis(100));
        other.acceptor.recall(Duration::from_millis(100));
    }
    Ok(())
}

impl Served {
    /// `at_once` clients have a turn at the device, the others wait for theirs.
    async fn start(attester: Arc<dyn Attester>, at_once: usize) -> Result<Self, Box<dyn Error>> {
        let authority = Authority::new()?;
        let terms = ServerTerms::new().attester(attester);
        let terms = terms.at_once(at_once, at_once);
        let acceptor = ServerAcceptor::new(authority.server()?, terms)?;
        let listener = AttestedListener::builder(acceptor.clone()).connections(1000);
        let listener = listener.bind("127.0.0.1:0").await?;
        let url = format!("https://localhost:{}/", listener.local_addr().port());
        let members = get(async || "members").layer(RequireAttestationLayer::new());
        let app = Router::new()
            .route("/", get(async || "hello"))
            .route("/members", members);
        tokio::spawn(async move { atls_axum::serve(listener, app).await });
        Ok(Self {
            acceptor,
            url,
            authority,
        })
    }

    fn client(&self, servers: Arc<RelyingParty>) -> Result<Client, Box<dyn Error>> {
        let attested = Attested::builder(demo::provider())
            .roots(self.authority.roots()?)
            .require_peer(servers)
            .build()?;
        Ok(Client::builder().attested(&attested).build()?)
    }
}

/// Clients that come at once.
const CROWD: usize = 8;
