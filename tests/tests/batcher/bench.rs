//! A device that a test works by hand, and those that wait for it.

use std::sync::Arc;
use std::sync::Mutex;
use std::time::Duration;

use atls_core::AttestError;
use atls_core::AttestRequest;
use atls_core::Attester;
use atls_core::BoxFuture;
use atls_core::MediaType;
use atls_core::cmw::Cmw;
use atls_core::cmw::Label;
use atls_core::exchange::OwnedAttestRequest;
use atls_core::exchange::batch::Batch;
use atls_tower::Batcher;
use atls_tower::BatcherBuilder;
use end_to_end::time::PATIENCE;
use rustls::sign::CertifiedKey;
use test_support::Connection;
use tokio::sync::Mutex as AsyncMutex;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

#[derive(Clone, Copy)]
pub(crate) enum NamesKey {
    Yes,
    No,
}

pub(crate) enum Step {
    Answer,
    /// With Evidence of as many items as there may be.
    AnswerFull,
    Fail(AttestError),
    Panic,
}

/// Answers each call when the test says so, and as it says.
pub(crate) struct ScriptedDevice {
    pub(crate) media_types: [MediaType; 1],
    pub(crate) names: NamesKey,
    steps: AsyncMutex<mpsc::UnboundedReceiver<Step>>,
    pub(crate) asked: Arc<Mutex<Vec<OwnedAttestRequest>>>,
}

impl Attester for ScriptedDevice {
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

pub(crate) struct Bench {
    pub(crate) batcher: Batcher,
    pub(crate) tell: mpsc::UnboundedSender<Step>,
    pub(crate) asked: Arc<Mutex<Vec<OwnedAttestRequest>>>,
    pub(crate) key: Arc<CertifiedKey>,
}

impl Bench {
    pub(crate) fn new() -> Self {
        Self::with(NamesKey::Yes, |builder| builder)
    }

    pub(crate) fn with(
        names: NamesKey,
        adjust: impl FnOnce(BatcherBuilder) -> BatcherBuilder,
    ) -> Self {
        let (tell, steps) = mpsc::unbounded_channel();
        let asked = Arc::default();
        let device = ScriptedDevice {
            media_types: [media_type()],
            names,
            steps: AsyncMutex::new(steps),
            asked: Arc::clone(&asked),
        };
        // The test works it, and takes its time.
        let builder = Batcher::builder(device).device_deadline(PATIENCE);
        Self {
            batcher: adjust(builder).spawn().unwrap(),
            tell,
            asked,
            key: test_support::identity(),
        }
    }

    pub(crate) fn tell(&self, step: Step) {
        self.tell.send(step).unwrap();
    }

    /// A connection whose peer takes batches, and that asks.
    pub(crate) fn waiting(&self) -> Waiting {
        self.waiting_with(Connection::in_batches(&self.key, media_type()))
    }

    /// A connection whose peer takes none, and that asks.
    pub(crate) fn single(&self) -> Waiting {
        self.waiting_with(Connection::of(&self.key))
    }

    pub(crate) fn waiting_with(&self, connection: Connection) -> Waiting {
        let (batcher, request) = (self.batcher.clone(), connection.to_attest().to_owned());
        let task = tokio::spawn(async move { batcher.attest(request.as_request()).await });
        Waiting { connection, task }
    }

    /// So many, one after the other, when nobody else waits.
    pub(crate) async fn all_waiting(&self, number: usize) -> Vec<Waiting> {
        self.all_waiting_beside(0, number).await
    }

    pub(crate) async fn all_waiting_beside(&self, others: usize, number: usize) -> Vec<Waiting> {
        let mut waiting = Vec::new();
        for n in 1..=number {
            waiting.push(self.waiting());
            self.until_waiting(others + n).await;
        }
        waiting
    }

    pub(crate) async fn all_single(&self, number: usize) -> Vec<Waiting> {
        self.all_single_beside(0, number).await
    }

    pub(crate) async fn all_single_beside(&self, others: usize, number: usize) -> Vec<Waiting> {
        let mut waiting = Vec::new();
        for n in 1..=number {
            waiting.push(self.single());
            self.until_waiting(others + n).await;
        }
        waiting
    }

    pub(crate) async fn answered_at_once(&self) -> (Connection, Cmw) {
        let waiting = self.waiting();
        self.tell(Step::Answer);
        waiting.credited().await
    }

    pub(crate) async fn until_waiting(&self, number: usize) {
        until(|| self.batcher.stats().waiting == number).await;
    }

    pub(crate) async fn device_asked(&self, times: usize) {
        until(|| self.asked.lock().unwrap().len() >= times).await;
    }

    /// The values that the device was asked for.
    pub(crate) fn asked(&self) -> Vec<Vec<u8>> {
        let asked = self.asked.lock().unwrap();
        let values = asked
            .iter()
            .map(|request| request.as_request().bound().as_bytes().to_vec());
        values.collect()
    }

    /// The key that it was asked for together with this value.
    pub(crate) fn key_asked_for(&self, bound: &[u8]) -> Vec<u8> {
        let asked = self.asked.lock().unwrap();
        let mut requests = asked.iter().map(OwnedAttestRequest::as_request);
        let request = requests.find(|request| request.bound().as_bytes() == bound);
        request.unwrap().leaf_key().to_vec()
    }
}

/// Lets other tasks go on until this is so. It takes the time of the machine, for batches are made on threads of their own, and that of tests may be
/// stopped.
async fn until(so: impl Fn() -> bool) {
    let since = std::time::Instant::now();
    while !so() {
        assert!(since.elapsed() < NEVER, "it is never so");
        tokio::task::yield_now().await;
    }
}

const NEVER: Duration = Duration::from_secs(60);

/// A connection that asked.
pub(crate) struct Waiting {
    pub(crate) connection: Connection,
    pub(crate) task: JoinHandle<Result<Cmw, AttestError>>,
}

impl Waiting {
    pub(crate) async fn result(self) -> Result<Cmw, AttestError> {
        self.task.await.unwrap()
    }

    pub(crate) async fn answer(self) -> Cmw {
        self.result().await.unwrap()
    }

    pub(crate) async fn credited(self) -> (Connection, Cmw) {
        (self.connection, self.task.await.unwrap().unwrap())
    }

    pub(crate) async fn give_up(self) {
        self.task.abort();
        assert!(self.task.await.unwrap_err().is_cancelled());
    }
}

pub(crate) fn media_type() -> MediaType {
    "application/x-told".parse().unwrap()
}

pub(crate) fn bound(connection: &Connection) -> Vec<u8> {
    connection.bound().as_bytes().to_vec()
}

pub(crate) fn value(cmw: &Cmw) -> Vec<u8> {
    cmw.items()[0].value().to_vec()
}

/// That of the tree over these, in this order.
pub(crate) fn root(waiting: &[Waiting]) -> Vec<u8> {
    let requests = waiting
        .iter()
        .map(|w| (w.connection.to_attest().to_owned(), ()));
    let batch = Batch::new(requests.collect()).unwrap();
    batch.request().bound().as_bytes().to_vec()
}

/// Lets everybody do what can be done.
pub(crate) async fn settle() {
    for _ in 0..1000 {
        tokio::task::yield_now().await;
    }
}
