//! What strangers bring about as often as they like does not fill the log at levels that wake people.

use std::sync::Arc;
use std::sync::Mutex;
use std::time::Duration;

use atls_axum::AttestedListener;
use atls_core::AttestError;
use atls_core::AttestRequest;
use atls_core::Attester;
use atls_core::BoxFuture;
use atls_core::MediaType;
use atls_core::cmw::Cmw;
use atls_tower::Batcher;
use atls_tower::ClientConnector;
use atls_tower::ClientTerms;
use atls_tower::ServerAcceptor;
use atls_tower::ServerTerms;
use axum::Router;
use end_to_end::Gate;
use end_to_end::Gated;
use end_to_end::World;
use metrics_exporter_prometheus::PrometheusBuilder;
use rustls::pki_types::ServerName;
use rustls::server::ClientHello;
use rustls::server::ResolvesServerCert;
use rustls::sign::CertifiedKey;
use test_support::Log;

use crate::log::assert_one;
use crate::log::capture;
use crate::log::of;

/// The events of a minute that have their level.
const TOLD: usize = 8;

struct Scene {
    world: World,
    acceptor: ServerAcceptor,
}

impl Scene {
    fn attesting(attester: impl Fn(&World) -> Arc<dyn Attester>) -> Self {
        let world = World::new();
        let terms = ServerTerms::new().attester(attester(&world)).at_once(1, 1);
        let acceptor = ServerAcceptor::new(world.server_tls(), terms).unwrap();
        Self { world, acceptor }
    }

    fn resolving(keys: &Keys) -> Self {
        let world = World::new();
        *keys.0.lock().unwrap() = Some(world.stolen_key());
        let terms = ServerTerms::new().attester(world.server_device.clone());
        let mut tls = world.server_tls();
        tls.cert_resolver = Arc::new(keys.clone());
        let acceptor = ServerAcceptor::new(tls, terms).unwrap();
        Self { world, acceptor }
    }

    /// A client that asks for this name, and for Evidence.
    async fn connect(&self, name: &str) -> Result<(), atls_tower::Error> {
        let (near, far) = tokio::io::duplex(64 * 1024);
        // The server gives up first.
        let terms = ClientTerms::new().require_peer(self.world.about_servers());
        let terms = terms.deadline(Duration::from_secs(600));
        let connector = ClientConnector::new(self.world.client_tls(&[]), terms).unwrap();
        let name = ServerName::try_from(name.to_owned()).unwrap();
        let (_, accepted) = tokio::join!(connector.connect(name, near), self.acceptor.accept(far));
        accepted.map(drop)
    }
}

/// A key for clients of `localhost` alone, while there is one.
#[derive(Clone, Debug, Default)]
struct Keys(Arc<Mutex<Option<Arc<CertifiedKey>>>>);

impl ResolvesServerCert for Keys {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let key = self.0.lock().unwrap().clone();
        key.filter(|_| hello.server_name() == Some("localhost"))
    }
}

/// How many events of the server have this level.
fn number(events: &[String], level: &str) -> usize {
    let level = format!(" {level} ");
    events.iter().filter(|event| event.contains(&level)).count()
}

fn assert_bounded(log: &Log, connections: usize, reason: &str) {
    let events = of(log, "server");
    let said = events.iter().filter(|event| event.contains(reason));
    assert_eq!(said.count(), connections, "{events:#?}");
    assert_eq!(number(&events, "ERROR"), TOLD, "{events:#?}");
    assert_eq!(
        number(&events, "DEBUG"),
        connections.saturating_sub(TOLD),
        "{events:#?}"
    );
}

#[tokio::test]
async fn a_client_of_a_name_that_is_not_here_is_no_error_of_the_server() {
    let (log, _guard) = capture();
    let scene = Scene::resolving(&Keys::default());
    scene.connect("localhost").await.unwrap();
    log.take();
    // A client of an address asks for no name.
    for (name, said) in [
        ("elsewhere.example", "elsewhere.example"),
        ("127.0.0.1", "no name"),
    ] {
        for _ in 0..=TOLD {
            let refused = scene.connect(name).await.unwrap_err();
            assert!(refused.is_peer() && refused.is_unknown_name(), "{refused}");
        }
        let events = of(&log, "server");
        assert_eq!(number(&events, "INFO"), TOLD + 1, "{events:#?}");
        let words = ["error.type=\"unknown_name\"", said, "fault=peer"];
        for (event, word) in events
            .iter()
            .flat_map(|event| words.map(|word| (event, word)))
        {
            assert!(event.contains(word), "{word:?} in {event}");
        }
    }
}

#[tokio::test]
async fn a_server_without_a_key_is_an_error_that_does_not_fill_the_log() {
    let (log, _guard) = capture();
    let keys = Keys::default();
    let scene = Scene::resolving(&keys);
    let key = keys.0.lock().unwrap().take();
    for name in ["localhost", "127.0.0.1", "elsewhere.example"].repeat(4) {
        assert!(scene.connect(name).await.unwrap_err().is_local());
    }
    assert_bounded(&log, 12, "certificate resolver gave none");
    *keys.0.lock().unwrap() = key;
    scene.connect("localhost").await.unwrap();
}

#[tokio::test]
async fn a_server_that_loses_its_key_is_an_error() {
    let (log, _guard) = capture();
    let keys = Keys::default();
    let scene = Scene::resolving(&keys);
    scene.connect("localhost").await.unwrap();
    log.take();
    keys.0.lock().unwrap().take();
    assert!(scene.connect("localhost").await.unwrap_err().is_local());
    let events = of(&log, "server");
    assert_eq!(number(&events, "ERROR"), 1, "{events:#?}");
}

/// An attester that fails with whatever the test says.
struct Failing {
    media_types: Vec<MediaType>,
    error: Mutex<AttestError>,
}

impl Failing {
    fn new(world: &World, error: AttestError) -> Arc<Self> {
        let media_types = Attester::media_types(&*world.server_device).to_vec();
        let error = Mutex::new(error);
        Arc::new(Self { media_types, error })
    }
}

impl Attester for Failing {
    fn media_types(&self) -> &[MediaType] {
        &self.media_types
    }

    fn attest<'a>(&'a self, _: AttestRequest<'a>) -> BoxFuture<'a, Result<Cmw, AttestError>> {
        let error = self.error.lock().unwrap().clone();
        Box::pin(async { Err(error) })
    }
}

#[tokio::test]
async fn a_busy_device_does_not_fill_the_log_and_each_connection_counts() {
    let recorder = PrometheusBuilder::new().build_recorder();
    let counted = recorder.handle();
    let _recording = metrics::set_default_local_recorder(&recorder);
    let (log, _guard) = capture();
    let device = Mutex::new(None);
    let scene = Scene::attesting(|world| {
        let failing = Failing::new(world, AttestError::Busy);
        *device.lock().unwrap() = Some(failing.clone());
        failing
    });
    for _ in 0..20 {
        scene.connect("localhost").await.unwrap_err();
    }
    assert_bounded(&log, 20, "device is busy");
    let page = counted.render();
    let mut lines = page.lines();
    let line =
        lines.find(|line| line.starts_with("atls_connections_total") && line.contains("server"));
    let line = line.unwrap();
    assert!(
        line.contains("reason=\"attester\"") && line.ends_with(" 20"),
        "{line}"
    );
    // It hides no other failure.
    let device = device.into_inner().unwrap().unwrap();
    *device.error.lock().unwrap() = AttestError::TimedOut;
    scene.connect("localhost").await.unwrap_err();
    let events = of(&log, "server");
    assert_eq!(number(&events, "ERROR"), 1, "{events:#?}");
}

#[tokio::test(start_paused = true)]
async fn a_queue_that_does_not_move_does_not_fill_the_log() {
    let (log, _guard) = capture();
    let gate = Gate::new();
    let scene = Scene::attesting(|world| {
        Arc::new(Gated {
            inner: world.server_device.clone(),
            gate: gate.clone(),
        })
    });
    let mut first = std::pin::pin!(scene.connect("localhost"));
    tokio::select! {
        _ = &mut first => panic!("it hangs"),
        () = gate.reached_by(1) => {}
    }
    let others = (0..20).map(|_| scene.connect("localhost"));
    for refused in futures_util::future::join_all(others).await {
        assert!(refused.unwrap_err().is_timeout());
    }
    assert_bounded(&log, 20, "timeout_queue");
}

#[tokio::test]
async fn a_batcher_whose_device_fails_at_once_does_not_fill_the_log() {
    let (log, _guard) = capture();
    let scene = Scene::attesting(|world| {
        let failing = Failing::new(world, AttestError::Busy);
        Arc::new(Batcher::builder(failing).spawn().unwrap())
    });
    for _ in 0..20 {
        scene.connect("localhost").await.unwrap_err();
    }
    let mut events = log.take();
    events.retain(|event| event.contains("device made no evidence"));
    assert_eq!(events.len(), 20);
    assert_eq!(number(&events, "ERROR"), TOLD, "{events:#?}");
}

#[tokio::test]
async fn a_listener_without_the_http_2_that_its_tls_offers_says_so_once() {
    let (log, _guard) = capture();
    let world = World::new();
    let terms = ServerTerms::new().attester(world.server_device.clone());
    let mut tls = world.server_tls();
    tls.alpn_protocols = vec![b"h2".to_vec()];
    let acceptor = ServerAcceptor::new(tls, terms).unwrap();
    let listener = AttestedListener::builder(acceptor).http1_alone();
    let listener = listener.bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://localhost:{}/", listener.local_addr().port());
    tokio::spawn(async move { atls_axum::serve(listener, Router::new()).await });
    for _ in 0..3 {
        let client = world.plain_client(&["h2"]);
        client.get(&url).send().await.unwrap_err();
    }
    let mut events = log.take();
    events.retain(|event| event.contains("offers `h2`"));
    assert_one(&events, "ERROR", &["fault=\"local\""]);
}
