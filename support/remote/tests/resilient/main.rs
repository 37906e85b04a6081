//! Failing services, and the client in front of them. Time is tokio's, and moves by sleeps alone.
#![allow(
    clippy::as_conversions,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod retry_after;

use std::future::pending;
use std::future::ready;
use std::sync::Arc;
use std::time::Duration;

use atls_core::http::HttpClient;
use atls_core::http::HttpError;
use atls_core::http::HttpLimits;
use atls_core::http::NotSent;
use atls_remote::Circuit;
use atls_remote::Repeatable;
use atls_remote::Resilient;
use atls_remote::ResilientBuilder;
use http::Method;
use http::Request;
use http::Response;
use test_support::Script;
use tokio::time::Instant;

type Answer = Result<Response<Vec<u8>>, HttpError>;

#[tokio::test(start_paused = true)]
async fn a_get_is_repeated_until_it_succeeds() {
    let script = Script::immediate(|number, _| match number {
        0 => status(503),
        1 => broken(),
        _ => status(200),
    });
    let (client, script) = client(script, |builder| builder);
    assert_eq!(send(&client, get()).await.unwrap().status(), 200);
    assert_eq!(script.requests(), 3);
    assert_eq!(client.stats().retries, 2);
    assert_eq!(client.stats().failures, 0);
}

#[tokio::test(start_paused = true)]
async fn attempts_are_bounded() {
    let (client, script) = client(Script::immediate(|_, _| status(503)), |builder| {
        builder.attempts(4)
    });
    assert_eq!(send(&client, get()).await.unwrap().status(), 503);
    assert_eq!(script.requests(), 4);
    assert_eq!(client.stats().failures, 1);
}

#[tokio::test(start_paused = true)]
async fn a_post_is_sent_once() {
    for answer in [broken as fn() -> Answer, || status(503)] {
        let (client, script) = client(Script::immediate(move |_, _| answer()), |builder| builder);
        drop(send(&client, post()).await);
        assert_eq!(script.requests(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_post_that_only_computes_may_be_repeated() {
    let (client, script) = client(Script::immediate(|_, _| broken()), |builder| builder);
    let mut request = post();
    request.extensions_mut().insert(Repeatable::default());
    assert_eq!(send(&client, request).await.unwrap_err(), gone());
    assert_eq!(script.requests(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_request_is_not_repeated_without_hope() {
    for answer in [
        (|| status(404)) as fn() -> Answer,
        || status(500),
        || status(302),
        || Err(HttpError::TooLarge),
        || Err(HttpError::TimedOut),
    ] {
        let (client, script) = client(Script::immediate(move |_, _| answer()), |builder| builder);
        drop(send(&client, get()).await);
        assert_eq!(script.requests(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn pauses_are_random_and_grow() {
    let (client, _) = client(Script::immediate(|_, _| broken()), |builder| {
        builder
            .attempts(3)
            .backoff(Duration::from_millis(100))
            .jitter(|| 100_000)
    });
    let start = Instant::now();
    drop(send(&client, get()).await);
    // 100,000 µs of at most 100 ms, then of at most 200 ms; tokio's clock ticks in milliseconds.
    assert_eq!(start.elapsed().as_millis(), 200);
}

#[tokio::test(start_paused = true)]
async fn attempts_and_pauses_fit_into_the_one_deadline() {
    let (client, script) = client(Script::immediate(|_, _| broken()), |builder| {
        builder
            .attempts(100)
            .backoff(Duration::from_secs(3))
            .circuit(1000, Duration::from_secs(1))
            .jitter(|| 3_000_000)
    });
    let start = Instant::now();
    assert_eq!(send(&client, get()).await.unwrap_err(), gone());
    assert!(start.elapsed() < Duration::from_secs(8));
    assert_eq!(script.requests(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_silent_service_is_given_up_at_the_deadline_of_either() {
    for (own, callers) in [(2, 60), (60, 2)] {
        let (client, script) = client(Script::new(|_, _| Box::pin(pending())), |builder| {
            builder.deadline(Duration::from_secs(own))
        });
        let start = Instant::now();
        let limits = HttpLimits::new(Duration::from_secs(callers), 1000);
        let result = client.send(get(), limits).await;
        assert_eq!(result.unwrap_err(), HttpError::TimedOut);
        assert_eq!(start.elapsed().as_secs(), 2);
        assert_eq!(script.last().1.deadline, Duration::from_secs(2));
    }
}

#[tokio::test(start_paused = true)]
async fn a_body_beyond_the_limit_of_either_is_refused() {
    for (own, callers) in [(10, 1000), (1000, 10)] {
        let long = |_: usize, _: &Request<Vec<u8>>| Ok(Response::new(vec![0; 11]));
        let (client, script) = client(Script::immediate(long), |builder| builder.max_body(own));
        let limits = HttpLimits::new(Duration::from_secs(1), callers);
        let result = client.send(get(), limits).await;
        assert_eq!(result.unwrap_err(), HttpError::TooLarge);
        assert_eq!(script.last().1.max_body, 10);
    }
}

#[tokio::test(start_paused = true)]
async fn a_request_beyond_the_queue_is_refused_at_once() {
    let (client, script) = client(Script::new(|_, _| Box::pin(pending())), |builder| {
        builder.in_flight(2).queue(1)
    });
    let client = Arc::new(client);
    let sent: Vec<_> = (0..4)
        .map(|_| {
            let client = client.clone();
            tokio::spawn(async move { send(&client, get()).await })
        })
        .collect();
    let mut results = Vec::new();
    for task in sent {
        results.push(task.await.unwrap().unwrap_err());
    }
    let not_sent = |error: &&HttpError| **error == HttpError::NotSent(NotSent::Busy);
    // One found no place; another had one, and its turn never came.
    assert_eq!(results.iter().filter(not_sent).count(), 2);
    assert_eq!(script.requests(), 2);
    assert_eq!(client.stats().not_sent, 2);
}

#[tokio::test(start_paused = true)]
async fn a_waiting_request_gets_its_turn() {
    let slow = Script::new(|_, _| {
        Box::pin(async {
            tokio::time::sleep(Duration::from_secs(1)).await;
            status(200)
        })
    });
    let (client, script) = client(slow, |builder| builder.in_flight(1).queue(2));
    let (a, b, c) = tokio::join!(
        send(&client, get()),
        send(&client, get()),
        send(&client, get())
    );
    assert!(a.is_ok() && b.is_ok() && c.is_ok());
    assert_eq!(script.requests(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_service_that_fails_is_left_alone_and_tried_again() {
    let script = Script::immediate(|number, _| match number {
        0..4 => broken(),
        _ => status(200),
    });
    let (client, script) = client(script, |builder| builder.circuit(3, Duration::from_secs(5)));
    for _ in 0..3 {
        assert_eq!(send(&client, post()).await.unwrap_err(), gone());
    }
    assert_eq!(client.stats().circuit, Circuit::Open);
    let not_sent = HttpError::NotSent(NotSent::Failing);
    assert_eq!(send(&client, post()).await.unwrap_err(), not_sent);
    assert_eq!(script.requests(), 3);

    tokio::time::advance(Duration::from_secs(5)).await;
    // The probe fails, and the pause begins anew.
    assert_eq!(send(&client, post()).await.unwrap_err(), gone());
    assert_eq!(send(&client, post()).await.unwrap_err(), not_sent);

    tokio::time::advance(Duration::from_secs(5)).await;
    assert!(send(&client, post()).await.is_ok());
    assert_eq!(client.stats().circuit, Circuit::Closed);
    assert!(send(&client, post()).await.is_ok());
    assert_eq!(client.stats().failures, 4);
    assert_eq!(client.stats().not_sent, 2);
    assert_eq!(client.stats().requests, 8);
}

#[tokio::test(start_paused = true)]
async fn one_probe_is_out_at_a_time_and_after_a_cancelled_one_the_next_goes_out_at_once() {
    let script = Script::new(|number, _| match number {
        0 => Box::pin(ready(broken())),
        1..=3 => Box::pin(pending()),
        _ => Box::pin(ready(status(200))),
    });
    let (client, script) = client(script, |builder| builder.circuit(1, Duration::from_secs(5)));
    assert_eq!(send(&client, post()).await.unwrap_err(), gone());
    tokio::time::advance(Duration::from_secs(5)).await;
    // A peer that holds its connection to the deadline and goes away, again and again.
    for _ in 0..3 {
        let probe = send(&client, post());
        tokio::pin!(probe);
        tokio::select! {
            biased;
            _ = &mut probe => unreachable!("nobody answers it"),
            () = ready(()) => {}
        }
        assert_eq!(client.stats().circuit, Circuit::HalfOpen);
        let not_sent = HttpError::NotSent(NotSent::Failing);
        assert_eq!(send(&client, post()).await.unwrap_err(), not_sent);
    }
    assert_eq!(client.stats().circuit, Circuit::Open);
    assert!(send(&client, post()).await.is_ok());
    assert_eq!(client.stats().circuit, Circuit::Closed);
    assert_eq!(script.requests(), 5);
}

#[tokio::test(start_paused = true)]
async fn successes_between_failures_keep_the_circuit_closed() {
    let script = Script::immediate(|number, _| match number % 2 {
        0 => broken(),
        _ => status(200),
    });
    let (client, _) = client(script, |builder| builder.circuit(2, Duration::from_secs(5)));
    for _ in 0..10 {
        drop(send(&client, post()).await);
    }
    assert_eq!(client.stats().circuit, Circuit::Closed);
    assert_eq!(client.stats().not_sent, 0);
}

/// Services answer 500 or 400 to Evidence that they do not like: a peer must not switch them off for the others.
#[tokio::test(start_paused = true)]
async fn evidence_that_a_service_dislikes_does_not_open_the_circuit() {
    for code in [400, 401, 422, 500] {
        let (client, _) = client(Script::immediate(move |_, _| status(code)), |builder| {
            builder.circuit(1, Duration::from_secs(5))
        });
        for _ in 0..10 {
            assert_eq!(send(&client, post()).await.unwrap().status(), code);
        }
        assert_eq!(client.stats().circuit, Circuit::Closed);
    }
}

fn client(
    script: Script,
    change: impl FnOnce(ResilientBuilder) -> ResilientBuilder,
) -> (Resilient, Arc<Script>) {
    let script = Arc::new(script);
    let builder = Resilient::builder("test", script.clone()).jitter(|| 0);
    (change(builder).build(), script)
}

async fn send(client: &Resilient, request: Request<Vec<u8>>) -> Answer {
    let limits = HttpLimits::new(Duration::from_secs(60), 1000);
    client.send(request, limits).await
}

fn get() -> Request<Vec<u8>> {
    Request::new(Vec::new())
}

fn post() -> Request<Vec<u8>> {
    let mut request = Request::new(b"evidence".to_vec());
    *request.method_mut() = Method::POST;
    request
}

fn status(code: u16) -> Answer {
    Ok(Response::builder().status(code).body(Vec::new()).unwrap())
}

fn gone() -> HttpError {
    HttpError::Unreachable("gone".to_owned())
}

fn broken() -> Answer {
    Err(gone())
}
