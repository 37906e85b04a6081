//! The connections that share a batch.

use std::time::Duration;

use test_support::Connection;
use tokio::time::Instant;

use crate::bench::Bench;
use crate::bench::NamesKey;
use crate::bench::Step;
use crate::bench::bound;
use crate::bench::media_type;
use crate::bench::root;
use crate::bench::settle;
use crate::bench::value;

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
