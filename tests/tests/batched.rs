//! Whole connections whose peers share Evidence: over real sockets, in both roles, beside peers that take none.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

use std::collections::HashSet;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;
use std::time::Duration;

use adversary::AUTHENTICATOR;
use adversary::Link;
use adversary::REQUEST;
use adversary::VERDICT;
use atls_core::AppraisalError;
use atls_core::Appraised;
use atls_core::AttestError;
use atls_core::AttestRequest;
use atls_core::Attester;
use atls_core::BoxFuture;
use atls_core::Evidence;
use atls_core::MediaType;
use atls_core::PeerAttestation;
use atls_core::ProtocolError;
use atls_core::RelyingParty;
use atls_core::StandardPolicy;
use atls_core::Verifier;
use atls_core::cmw::Cmw;
use atls_core::combine::Cached;
use atls_core::ear::Tier;
use atls_core::exchange::Pending;
use atls_core::pki_types::UnixTime;
use atls_sim::SimVerifier;
use atls_tower::AttestedStream;
use atls_tower::Batcher;
use atls_tower::ClientConnector;
use atls_tower::ClientTerms;
use atls_tower::Error;
use atls_tower::ServerTerms;
use end_to_end::Gate;
use end_to_end::Gated;
use end_to_end::PassportOffice;
use end_to_end::Served;
use end_to_end::World;
use rustls::time_provider::TimeProvider;
use tokio::net::TcpStream;
use tokio::task::JoinHandle;

// --- Many at once ------------------------------------------------------------------------------------------------------

/// The device takes 39 ms and works for one request at a time; without batches this would take 39 s.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_connections_are_attested_by_a_slow_device_each_over_its_own_binder() {
    const CONNECTIONS: usize = 1000;
    let world = World::new();
    let device = Arc::new(Slow {
        inner: world.server_device.clone(),
        busy: tokio::sync::Mutex::new(()),
        asked: AtomicUsize::new(0),
    });
    let batcher = Batcher::builder(device.clone()).spawn().unwrap();
    let recorder = Arc::new(Recorder {
        inner: batcher.clone(),
        binders: Mutex::default(),
    });
    let terms = ServerTerms::new().attester(recorder.clone());
    let server = world
        .serve(terms.at_once(CONNECTIONS, 1).deadline(PATIENT))
        .await;
    let (verifier, appraised) = counted(about_servers(&world));
    let client = connector(&world, accepting(Cached::new(verifier)));
    let attempts: Vec<_> = (0..CONNECTIONS)
        .map(|_| connecting(&client, server.address))
        .collect();
    for attempt in attempts {
        assert_eq!(status(&attempt.await.unwrap()), Tier::Affirming);
    }
    assert_eq!(recorder.binders.lock().unwrap().len(), CONNECTIONS);
    let stats = batcher.stats();
    let asked = device.asked.load(Ordering::Relaxed);
    assert_eq!(stats.connections, u64::try_from(CONNECTIONS).unwrap());
    assert_eq!((stats.failed, stats.refused, stats.abandoned), (0, 0, 0));
    assert_eq!(stats.batches + stats.singles, u64::try_from(asked).unwrap());
    // However fast the machine that runs this is: connections came while the device worked.
    assert!(asked < CONNECTIONS / 2, "{asked}");
    assert_eq!(appraised.load(Ordering::Relaxed), asked);
}

#[tokio::test]
async fn clients_share_evidence_too_and_both_ends_may() {
    let world = World::new();
    let (ours, theirs) = (
        Held::new(&world.client_device),
        Held::new(&world.server_device),
    );
    theirs.gate.open();
    let (verifier, appraised) = counted(SimVerifier::new(world.client_device.trust_anchor()));
    let server = world
        .serve(
            ServerTerms::new()
                .attester(theirs.attester())
                .require_peer(accepting(Cached::new(verifier)))
                .deadline(PATIENT),
        )
        .await;
    let terms = ClientTerms::new()
        .require_peer(world.about_servers())
        .attester(ours.attester())
        .deadline(PATIENT);
    let client = ClientConnector::new(world.client_tls(&["http/1.1"]), terms).unwrap();
    let attempts = ours.all_at_once(&client, server.address, 12).await;
    for attempt in attempts {
        // A client that attested has waited for the server's verdict.
        assert_eq!(status(&attempt.await.unwrap()), Tier::Affirming);
    }
    let stats = ours.batcher.stats();
    assert_eq!((stats.singles, stats.batches, stats.largest), (1, 1, 11));
    assert_eq!(appraised.load(Ordering::Relaxed), 2);
}

#[tokio::test]
async fn a_passport_over_the_root_serves_a_batch() {
    let world = World::new();
    let office = Arc::new(PassportOffice::new());
    let holder = Holder {
        media_types: [office
            .issue(b"", world.clock.current_time().unwrap())
            .items()[0]
            .media_type()
            .unwrap()],
        office: office.clone(),
        now: world.clock.current_time().unwrap(),
    };
    let held = Held::new(&Arc::new(holder));
    let server = world
        .serve(
            ServerTerms::new()
                .attester(held.attester())
                .deadline(PATIENT),
        )
        .await;
    let (verifier, appraised) = counted(office.verifier());
    let client = connector(&world, accepting(Cached::new(verifier)));
    for attempt in held.all_at_once(&client, server.address, 9).await {
        assert_eq!(status(&attempt.await.unwrap()), Tier::Affirming);
    }
    assert_eq!(appraised.load(Ordering::Relaxed), 2);
}

#[tokio::test]
async fn connections_that_come_together_wait_for_one_appraisal() {
    let world = World::new();
    let held = Held::new(&world.server_device);
    let server = world
        .serve(
            ServerTerms::new()
                .attester(held.attester())
                .deadline(PATIENT),
        )
        .await;
    let gate = Gate::new();
    let slow = Gated {
        inner: about_servers(&world),
        gate: gate.clone(),
    };
    let (verifier, appraised) = counted(slow);
    let client = connector(&world, accepting(Cached::new(verifier)));
    let attempts = held.all_at_once(&client, server.address, 30).await;
    // One for the connection that was alone, one for the batch.
    gate.reached_by(2).await;
    held.answered(30).await;
    settle().await;
    gate.open();
    for attempt in attempts {
        assert_eq!(status(&attempt.await.unwrap()), Tier::Affirming);
    }
    assert_eq!(appraised.load(Ordering::Relaxed), 2);
}

// --- Peers that take no batches, and queues that are full --------------------------------------------------------------

#[tokio::test]
async fn a_client_that_takes_no_batches_gets_evidence_of_its_own() {
    let world = World::new();
    let held = Held::new(&world.server_device);
    let server = world
        .serve(
            ServerTerms::new()
                .attester(held.attester())
                .deadline(PATIENT),
        )
        .await;
    let client = connector(&world, world.about_servers());
    let mut first = Minimal::asking(&world, &server).await;
    held.gate.reached_by(1).await;
    let others = [
        connecting(&client, server.address),
        connecting(&client, server.address),
    ];
    let mut second = Minimal::asking(&world, &server).await;
    held.until_waiting(3).await;
    held.gate.open();
    for minimal in [&mut first, &mut second] {
        let credential = minimal.answer().await.unwrap();
        assert!(credential.selection().is_none());
        let now = world.clock.current_time().unwrap();
        assert!(
            world
                .about_servers()
                .appraise(credential, now)
                .await
                .is_ok()
        );
    }
    for other in others {
        assert_eq!(status(&other.await.unwrap()), Tier::Affirming);
    }
    let stats = held.batcher.stats();
    assert_eq!((stats.singles, stats.batches), (2, 1));
}

#[tokio::test]
async fn a_flood_of_singles_is_declined_and_delays_no_batch() {
    let world = World::new();
    let held = Held::new(&world.server_device);
    let server = world
        .serve(
            ServerTerms::new()
                .attester(held.attester())
                .deadline(PATIENT),
        )
        .await;
    let client = connector(&world, world.about_servers());
    let first = connecting(&client, server.address);
    held.gate.reached_by(1).await;
    let mut flood = Vec::new();
    for waiting in 1..=16 {
        flood.push(Minimal::asking(&world, &server).await);
        held.until_waiting(waiting).await;
    }
    for _ in 0..20 {
        let mut refused = Minimal::asking(&world, &server).await;
        let declined = refused.answer().await.map(drop);
        assert_eq!(declined, Err(ProtocolError::Declined));
    }
    let others: Vec<_> = (0..10)
        .map(|_| connecting(&client, server.address))
        .collect();
    held.until_waiting(26).await;
    held.gate.open();
    for other in others.into_iter().chain([first]) {
        assert_eq!(status(&other.await.unwrap()), Tier::Affirming);
    }
    for mut single in flood {
        assert!(single.answer().await.is_ok());
    }
}

#[tokio::test]
async fn a_full_queue_is_told_by_an_empty_authenticator() {
    let world = World::new();
    let held = Held::with(&world.server_device, |builder| builder.waiting(1));
    let server = world
        .serve(
            ServerTerms::new()
                .attester(held.attester())
                .deadline(PATIENT),
        )
        .await;
    let client = connector(&world, world.about_servers());
    let first = connecting(&client, server.address);
    held.gate.reached_by(1).await;
    let second = connecting(&client, server.address);
    held.until_waiting(1).await;
    let refused = connecting(&client, server.address).await.unwrap();
    assert_eq!(
        refused.unwrap_err().protocol(),
        Some(&ProtocolError::Declined)
    );
    held.gate.open();
    for served in [first, second] {
        assert_eq!(status(&served.await.unwrap()), Tier::Affirming);
    }
}

#[tokio::test]
async fn evidence_that_does_not_fit_is_told_by_an_empty_authenticator() {
    let world = World::new();
    let server = world
        .serve(
            ServerTerms::new()
                .attester(Arc::new(TooLarge(world.server_device.clone())))
                .deadline(PATIENT),
        )
        .await;
    let client = connector(&world, world.about_servers());
    let refused = connecting(&client, server.address).await.unwrap();
    assert_eq!(
        refused.unwrap_err().protocol(),
        Some(&ProtocolError::Declined)
    );
}

#[tokio::test]
async fn a_client_that_closes_its_socket_leaves_the_queue() {
    let world = World::new();
    let held = Held::new(&world.server_device);
    let server = world
        .serve(
            ServerTerms::new()
                .attester(held.attester())
                .deadline(PATIENT),
        )
        .await;
    let client = connector(&world, world.about_servers());
    let first = connecting(&client, server.address);
    held.gate.reached_by(1).await;
    let gone: Vec<_> = (0..5)
        .map(|_| connecting(&client, server.address))
        .collect();
    let minimal = Minimal::asking(&world, &server).await;
    held.until_waiting(6).await;
    let stays = connecting(&client, server.address);
    held.until_waiting(7).await;
    for gone in gone {
        gone.abort();
    }
    drop(minimal);
    held.until_waiting(1).await;
    held.gate.open();
    for served in [first, stays] {
        assert_eq!(status(&served.await.unwrap()), Tier::Affirming);
    }
    let stats = held.batcher.stats();
    assert_eq!((stats.abandoned, stats.singles, stats.batches), (6, 2, 0));
}

#[tokio::test]
async fn a_client_that_sent_something_and_closes_its_socket_leaves_the_queue() {
    let world = World::new();
    let held = Held::new(&world.server_device);
    let server = world
        .serve(
            ServerTerms::new()
                .attester(held.attester())
                .deadline(PATIENT),
        )
        .await;
    let client = connector(&world, world.about_servers());
    let first = connecting(&client, server.address);
    held.gate.reached_by(1).await;
    let mut hasty = Minimal::asking(&world, &server).await;
    held.until_waiting(1).await;
    hasty.link.write(VERDICT, &[]).await.unwrap();
    drop(hasty);
    held.until_waiting(0).await;
    held.gate.open();
    assert_eq!(status(&first.await.unwrap()), Tier::Affirming);
    let stats = held.batcher.stats();
    assert_eq!((stats.abandoned, stats.singles), (1, 1));
}

/// What a client sends while the server's device works is not lost.
#[tokio::test]
async fn http_that_comes_before_the_authenticator_is_served() {
    use tokio::io::AsyncWriteExt;

    let world = World::new();
    let held = Held::new(&world.server_device);
    let server = world
        .serve(
            ServerTerms::new()
                .attester(held.attester())
                .deadline(PATIENT),
        )
        .await;
    let mut hasty = Minimal::asking(&world, &server).await;
    held.gate.reached_by(1).await;
    let request = b"GET / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
    hasty.link.tls.write_all(request).await.unwrap();
    hasty.link.tls.flush().await.unwrap();
    settle().await;
    held.gate.open();
    assert!(hasty.answer().await.is_ok());
    let answer = hasty.link.drain().await;
    assert!(answer.ends_with(b"hello"));
}

// --- Ends --------------------------------------------------------------------------------------------------------------

/// A batcher around a device that waits at a gate.
struct Held {
    batcher: Batcher,
    gate: Gate,
}

impl Held {
    fn new<A: Attester + 'static>(device: &Arc<A>) -> Self {
        Self::with(device, |builder| builder)
    }

    fn with<A: Attester + 'static>(
        device: &Arc<A>,
        adjust: impl FnOnce(atls_tower::BatcherBuilder) -> atls_tower::BatcherBuilder,
    ) -> Self {
        let gate = Gate::new();
        let gated = Gated {
            inner: device.clone(),
            gate: gate.clone(),
        };
        let batcher = adjust(Batcher::builder(gated)).spawn().unwrap();
        Self { batcher, gate }
    }

    fn attester(&self) -> Arc<Batcher> {
        Arc::new(self.batcher.clone())
    }

    /// Lets one connection occupy the device until all others wait, and opens the gate.
    async fn all_at_once(
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

    async fn until_waiting(&self, number: usize) {
        while self.batcher.stats().waiting != number {
            tokio::task::yield_now().await;
        }
    }

    async fn answered(&self, connections: u64) {
        while self.batcher.stats().connections != connections {
            tokio::task::yield_now().await;
        }
    }
}

fn connector(world: &World, servers: Arc<RelyingParty>) -> ClientConnector {
    let terms = ClientTerms::new().require_peer(servers).deadline(PATIENT);
    ClientConnector::new(world.client_tls(&["http/1.1"]), terms).unwrap()
}

fn connecting(
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

fn status(connected: &Result<AttestedStream<TcpStream>, Error>) -> Tier {
    let peer: &PeerAttestation = connected.as_ref().unwrap().peer().unwrap();
    peer.status()
}

/// A client of the minimal exchange, which knows no batches.
struct Minimal {
    link: Link,
    pending: Option<Pending>,
}

impl Minimal {
    async fn asking(world: &World, server: &Served) -> Self {
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

    async fn answer(&mut self) -> Result<atls_core::exchange::Credential, ProtocolError> {
        let (kind, authenticator) = self.link.read().await.unwrap();
        assert_eq!(kind, AUTHENTICATOR);
        self.pending.take().unwrap().finish(&authenticator)
    }
}

/// More than a slow machine that runs many tests at once needs.
const PATIENT: Duration = Duration::from_secs(300);

async fn settle() {
    for _ in 0..1000 {
        tokio::task::yield_now().await;
    }
}

// --- Devices -----------------------------------------------------------------------------------------------------------

/// Works for one request at a time, and takes as long as a TDX quote does.
struct Slow<A> {
    inner: Arc<A>,
    busy: tokio::sync::Mutex<()>,
    asked: AtomicUsize,
}

impl<A: Attester> Attester for Slow<A> {
    fn media_types(&self) -> &[MediaType] {
        self.inner.media_types()
    }

    fn attest<'a>(&'a self, request: AttestRequest<'a>) -> BoxFuture<'a, Result<Cmw, AttestError>> {
        Box::pin(async move {
            let _busy = self.busy.lock().await;
            self.asked.fetch_add(1, Ordering::Relaxed);
            tokio::time::sleep(Duration::from_millis(39)).await;
            self.inner.attest(request).await
        })
    }
}

/// Makes Evidence for which an answer with a selection has no room.
struct TooLarge<A>(Arc<A>);

impl<A: Attester> Attester for TooLarge<A> {
    fn media_types(&self) -> &[MediaType] {
        self.0.media_types()
    }

    fn attest<'a>(&'a self, _: AttestRequest<'a>) -> BoxFuture<'a, Result<Cmw, AttestError>> {
        let media_type = self.media_types()[0].clone();
        let evidence = Cmw::evidence(media_type, vec![7; 65_520]);
        Box::pin(std::future::ready(Ok(evidence)))
    }
}

/// Takes note of what connections ask for.
struct Recorder {
    inner: Batcher,
    binders: Mutex<HashSet<Vec<u8>>>,
}

impl Attester for Recorder {
    fn media_types(&self) -> &[MediaType] {
        self.inner.media_types()
    }

    fn attest<'a>(&'a self, request: AttestRequest<'a>) -> BoxFuture<'a, Result<Cmw, AttestError>> {
        let binder = request.bound().as_bytes().to_vec();
        self.binders.lock().unwrap().insert(binder);
        self.inner.attest(request)
    }
}

/// Brings a result of an office about the value that it is asked for.
struct Holder {
    media_types: [MediaType; 1],
    office: Arc<PassportOffice>,
    now: UnixTime,
}

impl Attester for Holder {
    fn media_types(&self) -> &[MediaType] {
        &self.media_types
    }

    fn attest<'a>(&'a self, request: AttestRequest<'a>) -> BoxFuture<'a, Result<Cmw, AttestError>> {
        let passport = self.office.issue(request.bound().as_bytes(), self.now);
        Box::pin(std::future::ready(Ok(passport)))
    }
}

// --- Relying parties ---------------------------------------------------------------------------------------------------

fn about_servers(world: &World) -> SimVerifier {
    SimVerifier::new(world.server_device.trust_anchor())
}

fn accepting(verifier: impl Verifier + 'static) -> Arc<RelyingParty> {
    let party = RelyingParty::builder()
        .verifier(Arc::new(verifier))
        .standard_policy(StandardPolicy::new().dangerous_accept_simulated());
    Arc::new(party.build().unwrap())
}

/// A verifier, and how often it was asked.
struct Counted<V> {
    inner: V,
    asked: Arc<AtomicUsize>,
}

fn counted<V>(inner: V) -> (Counted<V>, Arc<AtomicUsize>) {
    let asked = Arc::<AtomicUsize>::default();
    let counted = Counted {
        inner,
        asked: asked.clone(),
    };
    (counted, asked)
}

impl<V: Verifier> Verifier for Counted<V> {
    fn media_types(&self) -> &[MediaType] {
        self.inner.media_types()
    }

    fn conceptual_message(&self) -> atls_core::ConceptualMessage {
        self.inner.conceptual_message()
    }

    fn appraise<'a>(
        &'a self,
        evidence: &'a Evidence<'a>,
        now: UnixTime,
    ) -> BoxFuture<'a, Result<Appraised, AppraisalError>> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        self.inner.appraise(evidence, now)
    }
}
