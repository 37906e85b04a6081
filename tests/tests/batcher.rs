//! Who shares a device's Evidence, in which order, and what happens where the device fails or connections go away.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

use std::io;
use std::sync::Arc;
use std::sync::Mutex;
use std::time::Duration;

use atls_core::AttestError;
use atls_core::AttestRequest;
use atls_core::Attester;
use atls_core::BoxFuture;
use atls_core::MediaType;
use atls_core::batch::Batch;
use atls_core::cmw::Cmw;
use atls_core::cmw::Label;
use atls_core::exchange::OwnedAttestRequest;
use atls_sim::SimAttester;
use atls_tower::Batcher;
use atls_tower::BatcherBuilder;
use atls_tower::Blocking;
use rustls::sign::CertifiedKey;
use test_support::Connection;
use tokio::sync::Mutex as AsyncMutex;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::layer::SubscriberExt;

// --- Who shares --------------------------------------------------------------------------------------------------------

#[tokio::test(start_paused = true)]
async fn an_idle_device_begins_at_once_over_the_binder_itself() {
    let bench = Bench::new();
    let begun = Instant::now();
    let (connection, answer) = bench.answered_at_once().await;
    assert_eq!(bench.asked(), [bound(&connection)]);
    assert!(!answer.is_of_batch());
    assert_eq!(value(&answer), bound(&connection));
    assert_eq!(begun.elapsed(), Duration::ZERO);
}

#[tokio::test]
async fn who_comes_while_the_device_works_shares_what_it_makes_next() {
    let bench = Bench::new();
    let first = bench.waiting();
    bench.device_asked(1).await;
    let others = bench.all_waiting(5).await;
    bench.tell(Step::Answer);
    assert!(!first.answer().await.is_of_batch());
    bench.device_asked(2).await;
    assert_eq!(bench.asked()[1], root(&others));
    // Who comes now has to wait for the third.
    let late = bench.waiting();
    bench.tell(Step::Answer);
    for other in others {
        let (connection, answer) = other.credited().await;
        assert!(answer.is_of_batch());
        let expected = connection.finish(&answer);
        assert_eq!(expected.bound().as_bytes(), value(&answer));
    }
    bench.tell(Step::Answer);
    let (connection, answer) = late.credited().await;
    assert_eq!(value(&answer), bound(&connection));
    assert_eq!(bench.asked().len(), 3);
}

#[tokio::test]
async fn a_connection_that_goes_away_is_in_no_batch() {
    let bench = Bench::new();
    let first = bench.waiting();
    bench.device_asked(1).await;
    let mut others = bench.all_waiting(5).await;
    others.remove(3).give_up().await;
    others.remove(0).give_up().await;
    bench.tell(Step::Answer);
    first.answer().await;
    bench.device_asked(2).await;
    assert_eq!(bench.asked()[1], root(&others));
    // One that goes away while the device works for it costs the others nothing.
    others.remove(1).give_up().await;
    bench.tell(Step::Answer);
    for other in others {
        assert!(other.answer().await.is_of_batch());
    }
    assert_eq!(bench.batcher.stats().abandoned, 2);
}

#[tokio::test]
async fn a_device_is_not_asked_for_those_who_went_away() {
    let bench = Bench::new();
    let first = bench.waiting();
    bench.device_asked(1).await;
    for gone in bench.all_waiting(3).await {
        gone.give_up().await;
    }
    assert_eq!(bench.batcher.stats().waiting, 0);
    bench.tell(Step::Answer);
    first.answer().await;
    settle().await;
    assert_eq!(bench.asked().len(), 1);
}

#[tokio::test]
async fn a_batch_is_of_one_key_where_the_evidence_names_it() {
    for (names, batches) in [(NamesKey::Yes, 2), (NamesKey::No, 1)] {
        let bench = Bench::with(names, |builder| builder);
        let first = bench.waiting();
        bench.device_asked(1).await;
        let another = test_support::identity();
        let mut others = Vec::new();
        for n in 0..6 {
            let key = if n % 2 == 0 { &bench.key } else { &another };
            others.push(bench.waiting_with(Connection::in_batches(key, media_type())));
            bench.until_waiting(n + 1).await;
        }
        bench.tell(Step::Answer);
        first.answer().await;
        for _ in 0..batches {
            bench.tell(Step::Answer);
        }
        for other in others {
            let (connection, answer) = other.credited().await;
            assert!(answer.is_of_batch());
            let credential = connection.finish(&answer);
            let named = bench.key_asked_for(credential.bound().as_bytes());
            let right = named == credential.leaf_key();
            assert!(right || matches!(names, NamesKey::No));
        }
        assert_eq!(bench.asked().len(), 1 + batches);
    }
}

#[tokio::test]
async fn a_batch_is_no_larger_than_allowed_and_the_others_are_next() {
    let bench = Bench::with(NamesKey::Yes, |builder| builder.largest(2));
    let first = bench.waiting();
    bench.device_asked(1).await;
    let others = bench.all_waiting(5).await;
    bench.tell(Step::Answer);
    first.answer().await;
    for _ in 0..3 {
        bench.tell(Step::Answer);
    }
    let mut batched = 0;
    for other in others {
        batched += usize::from(other.answer().await.is_of_batch());
    }
    assert_eq!((batched, bench.asked().len()), (4, 4));
    assert_eq!(bench.batcher.stats().largest, 2);
}

// --- Peers that take no batches ----------------------------------------------------------------------------------------

#[tokio::test]
async fn singles_and_batches_take_turns() {
    let bench = Bench::new();
    let first = bench.waiting();
    bench.device_asked(1).await;
    let singles = bench.all_single(3).await;
    let others = bench.all_waiting_beside(3, 4).await;
    for answered in 2..=5 {
        bench.tell(Step::Answer);
        bench.device_asked(answered).await;
    }
    let asked = bench.asked();
    let expected = [
        bound(&first.connection),
        bound(&singles[0].connection),
        root(&others),
        bound(&singles[1].connection),
        bound(&singles[2].connection),
    ];
    assert_eq!(asked, expected);
    bench.tell(Step::Answer);
    for single in singles {
        assert!(!single.answer().await.is_of_batch());
    }
    for other in others {
        assert!(other.answer().await.is_of_batch());
    }
}

#[tokio::test]
async fn a_flood_of_singles_fills_its_own_queue_and_no_other() {
    let bench = Bench::new();
    let first = bench.waiting();
    bench.device_asked(1).await;
    let singles = bench.all_single(16).await;
    for _ in 0..100 {
        let refused = bench.single().result().await;
        assert_eq!(refused, Err(AttestError::Busy));
    }
    // Everybody else is served within two turns, whatever still comes.
    let others = bench.all_waiting_beside(16, 50).await;
    bench.tell(Step::Answer);
    first.answer().await;
    bench.tell(Step::Answer);
    bench.tell(Step::Answer);
    for other in others {
        assert!(other.answer().await.is_of_batch());
    }
    assert_eq!(bench.batcher.stats().refused, 100);
    for _ in 1..16 {
        bench.tell(Step::Answer);
    }
    for single in singles {
        single.answer().await;
    }
}

#[tokio::test]
async fn a_flood_of_batches_does_not_starve_a_single() {
    let bench = Bench::new();
    let mut batches = vec![bench.waiting()];
    bench.device_asked(1).await;
    let single = bench.all_single(1).await.remove(0);
    batches.extend(bench.all_waiting_beside(1, 3).await);
    bench.tell(Step::Answer);
    bench.device_asked(2).await;
    assert_eq!(bench.asked()[1], bound(&single.connection));
    bench.tell(Step::Answer);
    bench.tell(Step::Answer);
    single.answer().await;
    for batched in batches {
        batched.answer().await;
    }
}

#[tokio::test]
async fn evidence_for_a_certificate_is_made_alone() {
    let bench = Bench::new();
    let first = bench.waiting();
    bench.device_asked(1).await;
    let of_key = OwnedAttestRequest::for_key(&*test_support::identity().key).unwrap();
    let batcher = bench.batcher.clone();
    let request = of_key.clone();
    let alone = tokio::spawn(async move { batcher.attest(request.as_request()).await });
    bench.until_waiting(1).await;
    bench.tell(Step::Answer);
    first.answer().await;
    bench.tell(Step::Answer);
    let answer = alone.await.unwrap().unwrap();
    assert_eq!(value(&answer), of_key.as_request().bound().as_bytes());
}

// --- Bounds ------------------------------------------------------------------------------------------------------------

#[tokio::test]
async fn a_full_queue_refuses_until_somebody_leaves() {
    let bench = Bench::with(NamesKey::Yes, |builder| builder.waiting(3));
    let first = bench.waiting();
    bench.device_asked(1).await;
    let mut others = bench.all_waiting(3).await;
    assert_eq!(bench.waiting().result().await, Err(AttestError::Busy));
    others.remove(1).give_up().await;
    others.push(bench.waiting());
    bench.until_waiting(3).await;
    assert_eq!(bench.waiting().result().await, Err(AttestError::Busy));
    // The other queue has room.
    let single = bench.all_single_beside(3, 1).await.remove(0);
    for _ in 0..3 {
        bench.tell(Step::Answer);
    }
    first.answer().await;
    single.answer().await;
    for other in others {
        other.answer().await;
    }
}

// --- Devices that fail -------------------------------------------------------------------------------------------------

#[tokio::test]
async fn a_device_that_fails_or_panics_fails_one_batch_and_the_next_is_tried() {
    let unplugged = AttestError::Device("unplugged".to_owned());
    let panicked = AttestError::Device("its driver panicked".to_owned());
    for (step, error) in [
        (Step::Fail(unplugged.clone()), unplugged),
        (Step::Panic, panicked),
    ] {
        let bench = Bench::new();
        let first = bench.waiting();
        bench.device_asked(1).await;
        let others = bench.all_waiting(3).await;
        bench.tell(Step::Answer);
        first.answer().await;
        bench.device_asked(2).await;
        let late = bench.all_waiting(2).await;
        bench.tell(step);
        for other in others {
            assert_eq!(other.result().await, Err(error.clone()));
        }
        bench.tell(Step::Answer);
        for late in late {
            assert!(late.answer().await.is_of_batch());
        }
        let stats = bench.batcher.stats();
        assert_eq!((stats.failed, stats.connections), (3, 3));
    }
}

#[tokio::test(start_paused = true)]
async fn a_device_that_hangs_fails_its_batch_at_the_deadline_and_the_next_is_tried() {
    let deadline = Duration::from_secs(2);
    let bench = Bench::with(NamesKey::Yes, |builder| builder.device_deadline(deadline));
    let begun = Instant::now();
    let first = bench.waiting();
    bench.device_asked(1).await;
    let others = bench.all_waiting(2).await;
    // Nobody tells the device anything.
    assert_eq!(first.result().await, Err(AttestError::TimedOut));
    assert_eq!(begun.elapsed(), deadline);
    bench.device_asked(2).await;
    bench.tell(Step::Answer);
    for other in others {
        assert!(other.answer().await.is_of_batch());
    }
}

#[tokio::test]
async fn evidence_without_room_for_a_proof_is_made_for_one_connection_after_the_other() {
    let bench = Bench::new();
    let first = bench.waiting();
    bench.device_asked(1).await;
    let mut others = bench.all_waiting(4).await;
    bench.tell(Step::AnswerFull);
    first.answer().await;
    bench.device_asked(2).await;
    others.remove(2).give_up().await;
    for _ in 0..4 {
        bench.tell(Step::AnswerFull);
    }
    for other in others {
        assert!(!other.answer().await.is_of_batch());
    }
    // No device time goes into another batch.
    let late = bench.waiting();
    bench.device_asked(6).await;
    let later = bench.all_waiting(2).await;
    for _ in 0..3 {
        bench.tell(Step::AnswerFull);
    }
    for late in later.into_iter().chain([late]) {
        assert!(!late.answer().await.is_of_batch());
    }
    let stats = bench.batcher.stats();
    assert_eq!((stats.batches, stats.singles), (1, 7));
    assert_eq!((stats.connections, stats.failed), (7, 0));
}

#[tokio::test(start_paused = true)]
async fn a_device_that_hangs_is_known_to_though_the_batcher_gives_up_first() {
    let (began, begins) = std::sync::mpsc::channel();
    let (returns, returned) = std::sync::mpsc::channel();
    let device = Hangs { began, returned };
    let blocking = Blocking::spawn(device).unwrap();
    let batcher = Batcher::builder(blocking).spawn().unwrap();
    let request = Connection::new().to_attest().to_owned();
    let attest = || batcher.attest(request.as_request());
    let asking = {
        let (batcher, request) = (batcher.clone(), request.clone());
        tokio::spawn(async move { batcher.attest(request.as_request()).await })
    };
    while begins.try_recv().is_err() {
        tokio::task::yield_now().await;
    }
    let begun = Instant::now();
    assert_eq!(asking.await.unwrap(), Err(AttestError::TimedOut));
    assert_eq!(begun.elapsed(), Duration::from_secs(4));
    assert_eq!(attest().await, Err(AttestError::TimedOut));
    assert_eq!(begun.elapsed(), Duration::from_secs(8));
    assert_eq!(attest().await, Err(AttestError::Busy));
    assert_eq!(begun.elapsed(), Duration::from_secs(8));
    drop(returns);
    while attest().await == Err(AttestError::Busy) {
        tokio::task::yield_now().await;
    }
}

// --- The end -----------------------------------------------------------------------------------------------------------

#[tokio::test]
async fn shutdown_answers_those_who_wait_and_refuses_others() {
    let bench = Bench::new();
    let first = bench.waiting();
    bench.device_asked(1).await;
    let others = bench.all_waiting(3).await;
    let batcher = bench.batcher.clone();
    let shutdown = tokio::spawn(async move { batcher.shutdown().await });
    settle().await;
    assert_eq!(bench.waiting().result().await, Err(AttestError::Stopped));
    assert!(!shutdown.is_finished());
    bench.tell(Step::Answer);
    bench.tell(Step::Answer);
    shutdown.await.unwrap();
    first.answer().await;
    for other in others {
        assert!(other.answer().await.is_of_batch());
    }
    assert_eq!(bench.waiting().result().await, Err(AttestError::Stopped));
    // Twice does no harm.
    bench.batcher.shutdown().await;
}

#[tokio::test]
async fn the_device_is_given_back_with_the_last_clone() {
    let device = Arc::new(SimAttester::generate().unwrap());
    let batcher = Batcher::builder(Arc::clone(&device)).spawn().unwrap();
    let clone = batcher.clone();
    drop(batcher);
    settle().await;
    assert_eq!(Arc::strong_count(&device), 2);
    drop(clone);
    settle().await;
    assert_eq!(Arc::strong_count(&device), 1);
}

#[test]
fn a_batcher_needs_a_runtime_and_ends_with_it() {
    let device = Arc::new(SimAttester::generate().unwrap());
    let outside = Batcher::builder(Arc::clone(&device)).spawn();
    assert!(outside.is_err());

    let of_batcher = tokio::runtime::Runtime::new().unwrap();
    let batcher = of_batcher.block_on(async { Bench::new() });
    let of_connection = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    of_connection.block_on(async {
        let first = batcher.waiting();
        batcher.device_asked(1).await;
        let other = batcher.waiting();
        batcher.until_waiting(1).await;
        of_batcher.shutdown_background();
        assert_eq!(first.result().await, Err(AttestError::Stopped));
        assert_eq!(other.result().await, Err(AttestError::Stopped));
        let late = batcher.waiting().result().await;
        assert_eq!(late, Err(AttestError::Stopped));
    });
}

// --- What operators see ------------------------------------------------------------------------------------------------

#[tokio::test(start_paused = true)]
async fn counters_tell_sizes_waits_and_device_time() {
    let bench = Bench::new();
    let first = bench.waiting();
    bench.device_asked(1).await;
    let others = bench.all_waiting(3).await;
    assert_eq!(bench.batcher.stats().waiting, 3);
    tokio::time::advance(Duration::from_millis(40)).await;
    bench.tell(Step::Answer);
    first.answer().await;
    bench.device_asked(2).await;
    tokio::time::advance(Duration::from_millis(50)).await;
    bench.tell(Step::Answer);
    for other in others {
        other.answer().await;
    }
    let stats = bench.batcher.stats();
    assert_eq!((stats.batches, stats.singles), (1, 1));
    assert_eq!((stats.connections, stats.largest, stats.waiting), (4, 3, 0));
    assert_eq!((stats.failed, stats.refused, stats.abandoned), (0, 0, 0));
    assert_eq!(stats.device_time, Duration::from_millis(90));
    assert_eq!(stats.waited, Duration::from_millis(120));
}

#[tokio::test(start_paused = true)]
async fn each_turn_of_the_device_is_one_event_and_a_failure_is_loud() {
    let log = Log::default();
    let writer = log.clone();
    let layer = tracing_subscriber::fmt::layer()
        .with_ansi(false)
        .with_writer(move || writer.clone());
    let only = tracing_subscriber::filter::Targets::new()
        .with_target("atls_tower::batcher", LevelFilter::TRACE);
    let layer = tracing_subscriber::Layer::with_filter(layer, only);
    let _guard = tracing::subscriber::set_default(tracing_subscriber::registry().with(layer));

    let bench = Bench::new();
    let first = bench.waiting();
    bench.device_asked(1).await;
    let others = bench.all_waiting(3).await;
    tokio::time::advance(Duration::from_millis(40)).await;
    bench.tell(Step::Answer);
    first.answer().await;
    bench.tell(Step::Fail(AttestError::Device("unplugged".to_owned())));
    for other in others {
        assert!(other.result().await.is_err());
    }
    let lines = log.lines();
    assert_eq!(lines.len(), 2, "{lines:#?}");
    for (line, words) in lines.iter().zip([
        ["DEBUG", "device made evidence", "size=1", "device_ms=40"],
        ["ERROR", "unplugged", "size=3", "waited_ms=40"],
    ]) {
        for word in words {
            assert!(line.contains(word), "{word:?} in {line}");
        }
    }
}

#[tokio::test]
async fn what_evidence_names_is_told_through_every_wrapper() {
    struct Told(NamesKey);
    impl atls_core::LocalAttester for Told {
        fn media_types(&self) -> &[MediaType] {
            &[]
        }
        fn names_leaf_key(&self) -> bool {
            matches!(self.0, NamesKey::Yes)
        }
        fn attest(&mut self, _: AttestRequest<'_>) -> Result<Cmw, AttestError> {
            Err(AttestError::Busy)
        }
    }
    for (names, expected) in [(NamesKey::Yes, true), (NamesKey::No, false)] {
        let boxed: Box<dyn atls_core::LocalAttester> = Box::new(Told(names));
        let device: Arc<dyn Attester> = Arc::new(Blocking::spawn(boxed).unwrap());
        let batcher = Batcher::builder(device).spawn().unwrap();
        assert_eq!(batcher.names_leaf_key(), expected);
    }
}

// --- A device that does as it is told ----------------------------------------------------------------------------------

#[derive(Clone, Copy)]
enum NamesKey {
    Yes,
    No,
}

enum Step {
    Answer,
    /// With Evidence of as many items as there may be.
    AnswerFull,
    Fail(AttestError),
    Panic,
}

/// Answers each call as it is told, and not before.
struct Told {
    media_types: [MediaType; 1],
    names: NamesKey,
    steps: AsyncMutex<mpsc::UnboundedReceiver<Step>>,
    asked: Arc<Mutex<Vec<OwnedAttestRequest>>>,
}

impl Attester for Told {
    fn media_types(&self) -> &[MediaType] {
        &self.media_types
    }

    fn names_leaf_key(&self) -> bool {
        matches!(self.names, NamesKey::Yes)
    }

    fn attest<'a>(&'a self, request: AttestRequest<'a>) -> BoxFuture<'a, Result<Cmw, AttestError>> {
        Box::pin(async move {
            self.asked.lock().unwrap().push(request.to_owned());
            // Who else asks at the same time finds it locked.
            let Ok(mut steps) = self.steps.try_lock() else {
                panic!("the device is asked twice at once");
            };
            match steps.recv().await.unwrap() {
                Step::Answer => Ok(Cmw::evidence(
                    media_type(),
                    request.bound().as_bytes().to_vec(),
                )),
                Step::AnswerFull => {
                    let items = (0..8).map(|n| {
                        let value = request.bound().as_bytes().to_vec();
                        (Label::Integer(n), Cmw::evidence(media_type(), value))
                    });
                    Ok(Cmw::collection(None, items.collect())?)
                }
                Step::Fail(error) => Err(error),
                Step::Panic => panic!("a panic on purpose, inside of a device"),
            }
        })
    }
}

/// Returns from no call until nobody holds the other end of its channel.
struct Hangs {
    began: std::sync::mpsc::Sender<()>,
    returned: std::sync::mpsc::Receiver<()>,
}

impl atls_core::LocalAttester for Hangs {
    fn media_types(&self) -> &[MediaType] {
        &[]
    }

    fn attest(&mut self, _: AttestRequest<'_>) -> Result<Cmw, AttestError> {
        let _ = self.began.send(());
        let _ = self.returned.recv();
        Err(AttestError::Device("returned at last".to_owned()))
    }
}

struct Bench {
    batcher: Batcher,
    tell: mpsc::UnboundedSender<Step>,
    asked: Arc<Mutex<Vec<OwnedAttestRequest>>>,
    key: Arc<CertifiedKey>,
}

impl Bench {
    fn new() -> Self {
        Self::with(NamesKey::Yes, |builder| builder)
    }

    fn with(names: NamesKey, adjust: impl FnOnce(BatcherBuilder) -> BatcherBuilder) -> Self {
        let (tell, steps) = mpsc::unbounded_channel();
        let asked = Arc::default();
        let device = Told {
            media_types: [media_type()],
            names,
            steps: AsyncMutex::new(steps),
            asked: Arc::clone(&asked),
        };
        Self {
            batcher: adjust(Batcher::builder(device)).spawn().unwrap(),
            tell,
            asked,
            key: test_support::identity(),
        }
    }

    fn tell(&self, step: Step) {
        self.tell.send(step).unwrap();
    }

    /// A connection whose peer takes batches, and that asks.
    fn waiting(&self) -> Waiting {
        self.waiting_with(Connection::in_batches(&self.key, media_type()))
    }

    /// A connection whose peer takes none, and that asks.
    fn single(&self) -> Waiting {
        self.waiting_with(Connection::of(&self.key))
    }

    fn waiting_with(&self, connection: Connection) -> Waiting {
        let (batcher, request) = (self.batcher.clone(), connection.to_attest().to_owned());
        let task = tokio::spawn(async move { batcher.attest(request.as_request()).await });
        Waiting { connection, task }
    }

    /// So many, one after the other, when nobody else waits.
    async fn all_waiting(&self, number: usize) -> Vec<Waiting> {
        self.all_waiting_beside(0, number).await
    }

    async fn all_waiting_beside(&self, others: usize, number: usize) -> Vec<Waiting> {
        let mut waiting = Vec::new();
        for n in 1..=number {
            waiting.push(self.waiting());
            self.until_waiting(others + n).await;
        }
        waiting
    }

    async fn all_single(&self, number: usize) -> Vec<Waiting> {
        self.all_single_beside(0, number).await
    }

    async fn all_single_beside(&self, others: usize, number: usize) -> Vec<Waiting> {
        let mut waiting = Vec::new();
        for n in 1..=number {
            waiting.push(self.single());
            self.until_waiting(others + n).await;
        }
        waiting
    }

    async fn answered_at_once(&self) -> (Connection, Cmw) {
        let waiting = self.waiting();
        self.tell(Step::Answer);
        waiting.credited().await
    }

    async fn until_waiting(&self, number: usize) {
        while self.batcher.stats().waiting != number {
            tokio::task::yield_now().await;
        }
    }

    async fn device_asked(&self, times: usize) {
        while self.asked.lock().unwrap().len() < times {
            tokio::task::yield_now().await;
        }
    }

    /// The values that the device was asked for.
    fn asked(&self) -> Vec<Vec<u8>> {
        let asked = self.asked.lock().unwrap();
        let values = asked
            .iter()
            .map(|request| request.as_request().bound().as_bytes().to_vec());
        values.collect()
    }

    /// The key that it was asked for together with this value.
    fn key_asked_for(&self, bound: &[u8]) -> Vec<u8> {
        let asked = self.asked.lock().unwrap();
        let mut requests = asked.iter().map(OwnedAttestRequest::as_request);
        let request = requests.find(|request| request.bound().as_bytes() == bound);
        request.unwrap().leaf_key().to_vec()
    }
}

/// A connection that asked.
struct Waiting {
    connection: Connection,
    task: JoinHandle<Result<Cmw, AttestError>>,
}

impl Waiting {
    async fn result(self) -> Result<Cmw, AttestError> {
        self.task.await.unwrap()
    }

    async fn answer(self) -> Cmw {
        self.result().await.unwrap()
    }

    async fn credited(self) -> (Connection, Cmw) {
        (self.connection, self.task.await.unwrap().unwrap())
    }

    async fn give_up(self) {
        self.task.abort();
        assert!(self.task.await.unwrap_err().is_cancelled());
    }
}

fn media_type() -> MediaType {
    "application/x-told".parse().unwrap()
}

fn bound(connection: &Connection) -> Vec<u8> {
    connection.bound().as_bytes().to_vec()
}

fn value(cmw: &Cmw) -> Vec<u8> {
    cmw.items()[0].value().to_vec()
}

/// That of the tree over these, in this order.
fn root(waiting: &[Waiting]) -> Vec<u8> {
    let requests = waiting
        .iter()
        .map(|w| (w.connection.to_attest().to_owned(), ()));
    let batch = Batch::new(requests.collect()).unwrap();
    batch.request().bound().as_bytes().to_vec()
}

/// Lets everybody do what can be done.
async fn settle() {
    for _ in 0..1000 {
        tokio::task::yield_now().await;
    }
}

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    fn lines(&self) -> Vec<String> {
        let text = String::from_utf8(self.0.lock().unwrap().clone()).unwrap();
        text.lines().map(str::to_owned).collect()
    }
}

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
