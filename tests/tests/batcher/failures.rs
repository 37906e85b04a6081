//! A device that fails, panics or hangs.

use std::time::Duration;

use atls_core::AttestError;
use atls_core::AttestRequest;
use atls_core::Attester;
use atls_core::MediaType;
use atls_core::cmw::Cmw;
use atls_tower::Batcher;
use atls_tower::Blocking;
use test_support::Connection;
use tokio::time::Instant;

use crate::bench::Bench;
use crate::bench::NamesKey;
use crate::bench::Step;

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
    // And so is the one after that.
    bench.answered_at_once().await;
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
