//! A server that has its clients appraised, what its operator sees, and what it has left.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use atls_axum::AttestedListener;
use atls_core::Attester;
use atls_core::RelyingParty;
use atls_core::StandardPolicy;
use atls_core::Verifier;
use atls_core::exchange::RefusalCode;
use atls_tower::AttestedStream;
use atls_tower::ClientConnector;
use atls_tower::ClientTerms;
use atls_tower::Error;
use atls_tower::ServerAcceptor;
use atls_tower::ServerTerms;
use end_to_end::Gate;
use end_to_end::Served;
use end_to_end::World;
use end_to_end::time::PATIENCE;
use end_to_end::time::until;
use end_to_end::time::wait;
use metrics_exporter_prometheus::PrometheusBuilder;
use metrics_exporter_prometheus::PrometheusHandle;
use tokio::net::TcpStream;
use tokio::runtime::Handle;

pub(crate) struct Scene {
    pub(crate) world: World,
    pub(crate) served: Served,
    /// Of the server.
    pub(crate) acceptor: ServerAcceptor,
    pub(crate) numbers: Numbers,
    pub(crate) client: ClientConnector,
}

impl Scene {
    /// A server that attests by its own device, and clients with this one, which the verifier appraises.
    pub(crate) async fn of(
        world: World,
        device: Arc<dyn Attester>,
        verifier: Arc<dyn Verifier>,
    ) -> Self {
        let terms = ServerTerms::new().attester(world.server_device.clone());
        // The service has a time of its own, which passes within that of a connection.
        let terms = terms.require_peer(party(verifier)).deadline(PATIENCE);
        Self::with(world, device, terms).await
    }

    pub(crate) async fn with(world: World, device: Arc<dyn Attester>, terms: ServerTerms) -> Self {
        let numbers = Numbers::begin();
        let acceptor = ServerAcceptor::new(world.server_tls(), terms).unwrap();
        let listener = AttestedListener::bind("127.0.0.1:0", acceptor.clone()).await;
        let served = Served::over(listener.unwrap());
        let terms = ClientTerms::new().require_peer(world.about_servers());
        let terms = terms.attester(device).deadline(PATIENCE);
        let client = ClientConnector::new(world.client_tls(&["h2"]), terms);
        Self {
            client: client.unwrap(),
            world,
            served,
            acceptor,
            numbers,
        }
    }

    pub(crate) async fn connect(&self) -> Result<AttestedStream<TcpStream>, Error> {
        connect(&self.client, self.served.address).await
    }

    async fn connect_with(
        &self,
        meanwhile: impl Future<Output = ()>,
    ) -> Result<AttestedStream<TcpStream>, Error> {
        let mut connecting = std::pin::pin!(self.connect());
        tokio::select! {
            connected = &mut connecting => return connected,
            () = meanwhile => {}
        }
        connecting.await
    }

    /// A client that is accepted, and leaves.
    pub(crate) async fn accepts(&self) {
        self.accepts_after(std::future::ready(())).await;
    }

    /// The same where something must happen meanwhile.
    pub(crate) async fn accepts_after(&self, meanwhile: impl Future<Output = ()>) {
        drop(self.connect_with(meanwhile).await.unwrap());
    }

    /// A client that is refused for a reason of this end, and is told no more than that.
    pub(crate) async fn is_unavailable(&self) {
        self.is_unavailable_after(std::future::ready(())).await;
    }

    /// The same where something must happen meanwhile, such as the end of a service's time.
    pub(crate) async fn is_unavailable_after(&self, meanwhile: impl Future<Output = ()>) {
        let refused = self.connect_with(meanwhile).await.unwrap_err();
        assert_eq!(
            refused.refused_by_peer(),
            Some(RefusalCode::Unavailable),
            "{}",
            refused.report()
        );
    }

    /// A client that waits at this gate for longer than its connection has.
    pub(crate) async fn hangs(&self, gate: &Gate) {
        let passes = async {
            gate.reached_by(1).await;
            pass(10).await;
        };
        let (connected, ()) = tokio::join!(self.connect(), passes);
        assert!(connected.is_err());
    }

    /// Waits until as many tasks live as before, and no connection of this server does.
    pub(crate) async fn is_left_with(&self, tasks: usize) {
        let is_gone = || self.numbers.value("atls_connections", &[SERVER]) == 0.0;
        until("connections and their tasks are gone", || {
            alive() == tasks && is_gone()
        })
        .await;
        for (gauge, labels) in [
            ("atls_connections", &[SERVER][..]),
            ("atls_pending_connections", &[]),
            ("atls_work_in_progress", &[r#"work="appraisal""#]),
            ("atls_work_in_progress", &[r#"work="attestation""#]),
            ("atls_work_waiting", &[r#"work="appraisal""#]),
            ("atls_work_waiting", &[r#"work="attestation""#]),
        ] {
            assert_eq!(self.numbers.value(gauge, labels), 0.0, "{gauge} {labels:?}");
        }
    }

    /// Waits until that many connections of the server have ended so: it counts after its client has heard.
    pub(crate) async fn counts(&self, expected: f64, outcome: &str, fault: &str, reason: &str) {
        let what = format!("{outcome} {fault} {reason} comes to {expected}");
        until(&what, || self.count(outcome, fault, reason) == expected).await;
    }

    /// Connections of the server that have ended so.
    pub(crate) fn count(&self, outcome: &str, fault: &str, reason: &str) -> f64 {
        let labels = [
            SERVER.to_owned(),
            format!("outcome=\"{outcome}\""),
            format!("fault=\"{fault}\""),
            format!("reason=\"{reason}\""),
        ];
        let labels = labels.each_ref().map(String::as_str);
        self.numbers.value("atls_connections_total", &labels)
    }
}

/// Each case on a runtime of its own, whose tasks are its own.
pub(crate) fn each<T>(cases: impl IntoIterator<Item = T>, test: impl AsyncFn(T)) {
    for case in cases {
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = runtime.enable_all().build().unwrap();
        runtime.block_on(test(case));
    }
}

pub(crate) async fn connect(
    client: &ClientConnector,
    address: SocketAddr,
) -> Result<AttestedStream<TcpStream>, Error> {
    let socket = TcpStream::connect(address).await.unwrap();
    socket.set_nodelay(true).unwrap();
    client
        .connect("localhost".try_into().unwrap(), socket)
        .await
}

pub(crate) fn party(verifier: Arc<dyn Verifier>) -> Arc<RelyingParty> {
    let policy = StandardPolicy::new().dangerous_accept_simulated();
    let party = RelyingParty::builder().verifier(verifier);
    Arc::new(party.standard_policy(policy).build().unwrap())
}

/// Lets time pass for timers, in steps, so that one may follow another. Nothing else moves them: sockets are a kernel's, which takes its
/// time.
pub(crate) async fn pass(seconds: u64) {
    for _ in 0..seconds {
        wait(Duration::from_secs(1)).await;
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
    }
}

/// Tasks of the runtime that have not ended.
pub(crate) fn alive() -> usize {
    Handle::current().metrics().num_alive_tasks()
}

/// A recorder of this thread, on which a test's runtime runs everything.
pub(crate) struct Numbers {
    handle: PrometheusHandle,
    _guard: metrics::LocalRecorderGuard<'static>,
}

impl Numbers {
    fn begin() -> Self {
        let recorder = PrometheusBuilder::new().build_recorder();
        let handle = recorder.handle();
        // For the life of the test.
        let recorder = Box::leak(Box::new(recorder));
        Self {
            handle,
            _guard: metrics::set_default_local_recorder(recorder),
        }
    }

    /// The sum of the series of this name that have all of these labels.
    pub(crate) fn value(&self, name: &str, labels: &[&str]) -> f64 {
        let text = self.handle.render();
        let series = text.lines().filter(|line| {
            let rest = line.strip_prefix(name);
            rest.is_some_and(|rest| rest.starts_with([' ', '{']))
                && labels.iter().all(|label| line.contains(label))
        });
        series
            .map(|line| line.rsplit_once(' ').unwrap().1.parse::<f64>().unwrap())
            .sum()
    }
}

const SERVER: &str = r#"side="server""#;
