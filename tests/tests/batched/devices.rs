//! Slow devices, and the clients that wait for them.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use adversary::AUTHENTICATOR;
use adversary::Link;
use adversary::REQUEST;
use atls_core::Attester;
use atls_core::PeerAttestation;
use atls_core::ProtocolError;
use atls_core::RelyingParty;
use atls_core::ear::Tier;
use atls_core::exchange::Pending;
use atls_sim::SimVerifier;
use atls_tower::AttestedStream;
use atls_tower::Batcher;
use atls_tower::ClientConnector;
use atls_tower::ClientTerms;
use atls_tower::Error;
use atls_tower::ServerTerms;
use end_to_end::Gate;
use end_to_end::Gated;
use end_to_end::Served;
use end_to_end::World;
use tokio::net::TcpStream;
use tokio::task::JoinHandle;

/// A batcher around a device that waits at a gate.
pub(crate) struct GatedBatcher {
    pub(crate) batcher: Batcher,
    pub(crate) gate: Gate,
}

impl GatedBatcher {
    pub(crate) fn new<A: Attester + 'static>(device: &Arc<A>) -> Self {
        Self::with(device, |builder| builder)
    }

    pub(crate) fn with<A: Attester + 'static>(
        device: &Arc<A>,
        adjust: impl FnOnce(atls_tower::BatcherBuilder) -> atls_tower::BatcherBuilder,
    ) -> Self {
        let gate = Gate::new();
        let gated = Gated {
            inner: device.clone(),
            gate: gate.clone(),
        };
        // The gate is the test's, and stays closed for as long as others take to come.
        let builder = Batcher::builder(gated).device_deadline(PATIENT);
        let batcher = adjust(builder).spawn().unwrap();
        Self { batcher, gate }
    }

    pub(crate) fn attester(&self) -> Arc<Batcher> {
        Arc::new(self.batcher.clone())
    }

    /// A server whose device this is, and that has all the time.
    pub(crate) async fn serve(&self, world: &World) -> Served {
        let terms = ServerTerms::new().attester(self.attester());
        world.serve(terms.deadline(PATIENT)).await
    }

    /// Lets one connection occupy the device until all others wait, and opens the gate.
    pub(crate) async fn all_at_once(
        &self,
        client: &ClientConnector,
        server: SocketAddr,
        number: usize,
    ) -> Vec<JoinHandle<Result<AttestedStream<TcpStream>, Error>>> {
        let mut attempts = vec![connecting(client, server)];
        self.gate.reached_by(1).await;
        attempts.extend((1..number).map(|_| connecting(client, server)));
        self.until_waiting(number - 1).await;
        self.gate.open();
        attempts
    }

    pub(crate) async fn until_waiting(&self, number: usize) {
        while self.batcher.stats().waiting != number {
            tokio::task::yield_now().await;
        }
    }

    pub(crate) async fn answered(&self, connections: u64) {
        while self.batcher.stats().connections != connections {
            tokio::task::yield_now().await;
        }
    }
}

pub(crate) fn connector(world: &World, servers: Arc<RelyingParty>) -> ClientConnector {
    let terms = ClientTerms::new().require_peer(servers).deadline(PATIENT);
    ClientConnector::new(world.client_tls(&["http/1.1"]), terms).unwrap()
}

pub(crate) fn connecting(
    client: &ClientConnector,
    server: SocketAddr,
) -> JoinHandle<Result<AttestedStream<TcpStream>, Error>> {
    let client = client.clone();
    tokio::spawn(async move {
        let socket = TcpStream::connect(server).await.unwrap();
        client
            .connect("localhost".try_into().unwrap(), socket)
            .await
    })
}

pub(crate) fn status(connected: &Result<AttestedStream<TcpStream>, Error>) -> Tier {
    let peer: &PeerAttestation = connected.as_ref().unwrap().peer().unwrap();
    peer.status()
}

/// A client of the minimal exchange, which knows no batches.
pub(crate) struct Minimal {
    pub(crate) link: Link,
    pending: Option<Pending>,
}

impl Minimal {
    pub(crate) async fn asking(world: &World, server: &Served) -> Self {
        let socket = TcpStream::connect(server.address).await.unwrap();
        let tls = Arc::new(world.client_tls(&["http/1.1"]));
        let mut link = Link::connect(tls, socket, None).await.unwrap();
        let (request, pending) =
            atls_core::exchange::request(&link, &demo::provider(), None).unwrap();
        link.write(REQUEST, &request).await.unwrap();
        Self {
            link,
            pending: Some(pending),
        }
    }

    pub(crate) async fn answer(
        &mut self,
    ) -> Result<atls_core::exchange::Credential, ProtocolError> {
        let (kind, authenticator) = self.link.read().await.unwrap();
        assert_eq!(kind, AUTHENTICATOR);
        self.pending.take().unwrap().finish(&authenticator)
    }
}

/// More than a slow machine that runs many tests at once needs.
pub(crate) const PATIENT: Duration = Duration::from_secs(300);

pub(crate) fn about_servers(world: &World) -> SimVerifier {
    SimVerifier::new(world.server_device.trust_anchor())
}
