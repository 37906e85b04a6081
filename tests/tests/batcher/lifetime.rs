//! Shutdown, the runtime, counters and events.

use std::sync::Arc;
use std::time::Duration;

use atls_core::AttestError;
use atls_core::AttestRequest;
use atls_core::Attester;
use atls_core::MediaType;
use atls_core::cmw::Cmw;
use atls_sim::SimAttester;
use atls_tower::Batcher;
use atls_tower::Blocking;
use test_support::Log;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::filter::Targets;

use crate::bench::Bench;
use crate::bench::NamesKey;
use crate::bench::Step;
use crate::bench::settle;

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
    let only = Targets::new().with_target("atls_tower::batcher", LevelFilter::TRACE);
    let (log, _guard) = Log::start(only);

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
    let lines = log.take();
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
    struct NamingDevice(NamesKey);
    impl atls_core::LocalAttester for NamingDevice {
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
        let boxed: Box<dyn atls_core::LocalAttester> = Box::new(NamingDevice(names));
        let device: Arc<dyn Attester> = Arc::new(Blocking::spawn(boxed).unwrap());
        let batcher = Batcher::builder(device).spawn().unwrap();
        assert_eq!(batcher.names_leaf_key(), expected);
    }
}
