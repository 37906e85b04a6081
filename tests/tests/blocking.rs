//! A device that blocks, hangs, panics or is asked too often.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a test fails by panicking"
)]

use std::sync::Arc;
use std::sync::Mutex;
use std::sync::mpsc;
use std::time::Duration;

use atls_core::AttestError;
use atls_core::AttestRequest;
use atls_core::Attester;
use atls_core::LocalAttester;
use atls_core::MediaType;
use atls_core::cmw::Cmw;
use atls_core::exchange::OwnedAttestRequest;
use atls_tower::Blocking;
use end_to_end::World;
use end_to_end::time::settle;
use end_to_end::time::wait;

/// Beside the one that the device works for.
const QUEUE: usize = 16;
const LONG: Duration = Duration::from_secs(60);

/// Answers each call when the test says so, and as it says.
struct ScriptedDevice {
    media_types: Vec<MediaType>,
    steps: mpsc::Receiver<Step>,
    calls: Arc<Mutex<u32>>,
}

enum Step {
    Answer,
    Panic,
}

impl LocalAttester for ScriptedDevice {
    fn media_types(&self) -> &[MediaType] {
        &self.media_types
    }

    fn attest(&mut self, request: AttestRequest<'_>) -> Result<Cmw, AttestError> {
        *self.calls.lock().unwrap() += 1;
        match self.steps.recv().unwrap() {
            Step::Answer => Ok(Cmw::evidence(
                self.media_types[0].clone(),
                request.bound().as_bytes().to_vec(),
            )),
            Step::Panic => panic!("the driver's own mistake"),
        }
    }
}

struct Bench {
    device: Arc<Blocking>,
    tell: mpsc::Sender<Step>,
    calls: Arc<Mutex<u32>>,
    request: OwnedAttestRequest,
}

impl Bench {
    fn new(deadline: Duration) -> Self {
        let (tell, steps) = mpsc::channel();
        let calls = Arc::default();
        let device = ScriptedDevice {
            media_types: vec![MediaType::parse("application/x-told").unwrap()],
            steps,
            calls: Arc::clone(&calls),
        };
        let key = World::new().stolen_key();
        Self {
            device: Arc::new(Blocking::spawn(device).unwrap().with_deadline(deadline)),
            tell,
            calls,
            request: OwnedAttestRequest::for_key(&*key.key).unwrap(),
        }
    }

    async fn attest(&self) -> Result<Cmw, AttestError> {
        self.device.attest(self.request.as_request()).await
    }

    /// A connection that waits for the device.
    fn waiting(&self) -> tokio::task::JoinHandle<Result<Cmw, AttestError>> {
        let (device, request) = (self.device.clone(), self.request.clone());
        tokio::spawn(async move { device.attest(request.as_request()).await })
    }

    async fn called(&self, times: u32) {
        while *self.calls.lock().unwrap() < times {
            tokio::task::yield_now().await;
        }
    }

    /// Until the device's thread took note that the device returned.
    async fn once_free(&self) -> Result<Cmw, AttestError> {
        loop {
            match self.attest().await {
                Err(AttestError::Busy) => tokio::task::yield_now().await,
                other => return other,
            }
        }
    }
}

#[tokio::test]
async fn a_device_that_hangs_refuses_at_once_until_it_returns() {
    let bench = Bench::new(LONG);
    let hung = bench.waiting();
    bench.called(1).await;
    wait(LONG - Duration::from_secs(1)).await;
    settle().await;
    assert!(!hung.is_finished());
    wait(Duration::from_secs(1)).await;
    assert_eq!(hung.await.unwrap(), Err(AttestError::TimedOut));
    assert_eq!(bench.attest().await.unwrap_err(), AttestError::Busy);
    bench.tell.send(Step::Answer).unwrap();
    bench.tell.send(Step::Answer).unwrap();
    assert!(bench.once_free().await.is_ok());
    assert_eq!(*bench.calls.lock().unwrap(), 2);
}

/// A caller that gives up on a device just as it returns must not leave it counted as hanging for ever.
#[tokio::test]
async fn giving_up_as_the_device_returns_does_not_wedge_it() {
    for _ in 0..200 {
        let bench = Bench::new(Duration::ZERO);
        bench.tell.send(Step::Answer).unwrap();
        let _ = bench.attest().await;
        // Only a device that counts as hanging is busy for ever.
        loop {
            bench.tell.send(Step::Answer).unwrap();
            if bench.attest().await != Err(AttestError::Busy) {
                break;
            }
            tokio::task::yield_now().await;
        }
    }
}

#[tokio::test]
async fn the_queue_is_bounded() {
    let bench = Bench::new(LONG);
    let mut waiting = vec![bench.waiting()];
    bench.called(1).await;
    waiting.extend((0..QUEUE).map(|_| bench.waiting()));
    settle().await;
    assert_eq!(bench.attest().await.unwrap_err(), AttestError::Busy);
    for _ in &waiting {
        bench.tell.send(Step::Answer).unwrap();
    }
    for waiting in waiting {
        assert!(waiting.await.unwrap().is_ok());
    }
}

#[tokio::test]
async fn a_connection_that_gave_up_leaves_its_place_to_another() {
    let bench = Bench::new(LONG);
    let first = bench.waiting();
    bench.called(1).await;
    let gone: Vec<_> = (0..QUEUE).map(|_| bench.waiting()).collect();
    settle().await;
    for gone in gone {
        gone.abort();
        assert!(gone.await.unwrap_err().is_cancelled());
    }
    // The device still works for the first.
    let waiting: Vec<_> = (0..QUEUE).map(|_| bench.waiting()).collect();
    settle().await;
    for _ in 0..=QUEUE {
        bench.tell.send(Step::Answer).unwrap();
    }
    for answered in waiting.into_iter().chain([first]) {
        assert!(answered.await.unwrap().is_ok());
    }
}

#[tokio::test]
async fn a_request_whose_connection_gave_up_is_skipped() {
    let bench = Bench::new(LONG);
    let first = bench.waiting();
    bench.called(1).await;
    let gone = bench.waiting();
    settle().await;
    gone.abort();
    assert!(gone.await.unwrap_err().is_cancelled());
    bench.tell.send(Step::Answer).unwrap();
    assert!(first.await.unwrap().is_ok());
    bench.tell.send(Step::Answer).unwrap();
    assert!(bench.attest().await.is_ok());
    assert_eq!(*bench.calls.lock().unwrap(), 2);
}

#[tokio::test]
async fn a_driver_that_panics_costs_one_connection() {
    let bench = Bench::new(LONG);
    bench.tell.send(Step::Panic).unwrap();
    let failed = bench.attest().await.unwrap_err();
    assert!(matches!(failed, AttestError::Device(_)), "{failed}");
    bench.tell.send(Step::Answer).unwrap();
    assert!(bench.attest().await.is_ok());
}
