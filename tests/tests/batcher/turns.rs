//! The turns of two lines, and a full queue.

use atls_core::AttestError;
use atls_core::Attester;
use atls_core::exchange::OwnedAttestRequest;

use crate::bench::Bench;
use crate::bench::NamesKey;
use crate::bench::Step;
use crate::bench::bound;
use crate::bench::root;
use crate::bench::value;

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
async fn a_queue_of_singles_is_as_long_as_it_is_said() {
    let bench = Bench::with(NamesKey::Yes, |builder| builder.singles(2));
    let first = bench.waiting();
    bench.device_asked(1).await;
    let singles = bench.all_single(2).await;
    assert_eq!(bench.single().result().await, Err(AttestError::Busy));
    for _ in 0..3 {
        bench.tell(Step::Answer);
    }
    first.answer().await;
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
