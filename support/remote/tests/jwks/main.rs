//! Keys that rotate, services that are down, tokens of strangers.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::type_complexity,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod fresh;

use std::future::pending;
use std::future::ready;
use std::pin::pin;
use std::sync::Arc;
use std::task::Context;
use std::task::Poll;
use std::task::Waker;
use std::time::Duration;

use atls_core::ear::Algorithm;
use atls_core::ear::EarError;
use atls_core::ear::KeySource;
use atls_core::ear::VerificationKeys;
use atls_core::ear::jwt;
use atls_core::ear::verify_with;
use atls_core::http::HttpError;
use atls_remote::Endpoint;
use atls_remote::Jwks;
use http::Response;
use serde_json::Value;
use serde_json::json;
use stand_in::Signer;
use test_support::Script;
use test_support::at;
use test_support::supported;
use tokio::sync::Semaphore;

#[tokio::test(start_paused = true)]
async fn keys_are_fetched_from_the_configured_address_and_kept() {
    let signer = Signer::es256();
    let (jwks, script) = jwks(serving(&[&signer]));
    for second in 0..1800 {
        assert!(jwks.keys(at(1_000_000 + second)).await.is_ok());
    }
    assert_eq!(script.requests(), 1);
    let uri = script.last().0.uri().to_string();
    assert_eq!(uri, "https://issuer.example/certs");
}

#[tokio::test(start_paused = true)]
async fn keys_end_to_be_valid_when_their_issuer_cannot_be_asked() {
    let signer = Signer::es256();
    let set = signer.jwk_set();
    let (jwks, _) = jwks(Script::immediate(move |number, _| match number {
        0 => body(&set),
        _ => Err(HttpError::TimedOut),
    }));
    for (second, good) in [
        (0, true),
        (1799, true),
        (1800, true),
        (3599, true),
        (3600, false),
    ] {
        let keys = jwks.keys(at(1_000_000 + second)).await;
        assert_eq!(keys.is_ok(), good, "{second}");
    }
    let refused = jwks.keys(at(1_004_000)).await;
    assert_eq!(refused.err(), Some(EarError::NoKeys));
}

#[tokio::test(start_paused = true)]
async fn old_keys_are_renewed_before_they_end() {
    let (old, new) = (Signer::es256(), Signer::es256());
    let (jwks, script) = jwks(serving(&[&old, &new]));
    assert!(verified(&jwks, &old, 0).await.is_ok());
    assert!(verified(&jwks, &new, 1800).await.is_ok());
    assert_eq!(script.requests(), 2);
    // The issuer withdrew it.
    assert!(verified(&jwks, &old, 1801).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn the_generation_rises_with_a_withdrawn_key_and_not_with_an_added_one() {
    let (first, second) = (Signer::es256(), Signer::es256());
    let both = json!({ "keys": [first.jwk_set()["keys"][0], second.jwk_set()["keys"][0]] });
    let sets = [first.jwk_set(), both, second.jwk_set()];
    let (jwks, _) = jwks(Script::immediate(move |number, _| body(&sets[number])));
    for (second, generation) in [(0, 0), (3600, 0), (7200, 1)] {
        assert!(jwks.keys(at(1_000_000 + second)).await.is_ok());
        assert_eq!(jwks.generation(), generation, "{second}");
    }
}

#[tokio::test(start_paused = true)]
async fn new_keys_are_not_waited_for_while_the_old_ones_are_good() {
    let signer = Signer::es256();
    let set = signer.jwk_set();
    let (jwks, script) = jwks(Script::new(move |number, _| match number {
        0 => Box::pin(ready(body(&set))),
        _ => Box::pin(pending()),
    }));
    assert!(jwks.keys(at(1_000_000)).await.is_ok());
    for second in [1800, 1801, 3599] {
        let keys = at_once(jwks.keys(at(1_000_000 + second)));
        assert!(keys.is_some_and(|keys| keys.is_ok()), "{second}");
        tokio::task::yield_now().await;
        // One is out for all of them.
        assert_eq!(script.requests(), 2);
    }
    // Without good keys, the caller waits for a fetch.
    assert!(at_once(jwks.keys(at(1_003_600))).is_none());
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_went_back_does_not_prolong_keys() {
    let signer = Signer::es256();
    let (jwks, script) = jwks(serving(&[&signer]));
    assert!(jwks.keys(at(1_000_000)).await.is_ok());
    assert!(jwks.keys(at(900_000)).await.is_ok());
    assert_eq!(script.requests(), 2);
}

/// A clock that stands still, or is set back by little again and again.
#[tokio::test(start_paused = true)]
async fn a_clock_that_stands_still_does_not_prolong_keys() {
    let signer = Signer::es256();
    let (jwks, script) = jwks(serving(&[&signer]));
    assert!(jwks.keys(at(1_000_000)).await.is_ok());
    tokio::time::advance(Duration::from_secs(3600)).await;
    for _ in 0..2 {
        assert!(jwks.keys(at(999_990)).await.is_ok());
        assert_eq!(script.requests(), 2);
    }
}

/// The new keys are of the same second as the old ones.
#[tokio::test(start_paused = true)]
async fn all_who_wait_have_the_new_keys_though_the_clock_stands_still() {
    let signer = Signer::es256();
    let (jwks, script) = jwks(serving(&[&signer]));
    let now = at(1_000_000);
    assert!(jwks.keys(now).await.is_ok());
    tokio::time::advance(Duration::from_secs(60)).await;
    let (one, other) = tokio::join!(jwks.newer_keys(now), jwks.newer_keys(now));
    assert!(one.is_some() && other.is_some());
    assert_eq!(script.requests(), 2);
}

/// Each appraisal takes the time once, at its beginning: one that began before a fetch of another ends after it.
#[tokio::test(start_paused = true)]
async fn keys_that_were_fetched_meanwhile_are_not_from_the_future() {
    let signer = Signer::es256();
    let set = signer.jwk_set();
    let (jwks, script) = jwks(Script::immediate(move |number, _| match number {
        0 => body(&set),
        _ => Err(HttpError::TimedOut),
    }));
    assert!(jwks.keys(at(1_000_000)).await.is_ok());
    for before in [1, 60] {
        assert!(jwks.keys(at(1_000_000 - before)).await.is_ok());
        assert!(jwks.newer_keys(at(1_000_000 - before)).await.is_none());
    }
    assert_eq!(script.requests(), 1);
    // A clock went back.
    let refused = jwks.keys(at(1_000_000 - 61)).await;
    assert_eq!(refused.err(), Some(EarError::NoKeys));
    assert_eq!(script.requests(), 2);
}

#[tokio::test(start_paused = true)]
async fn an_older_appraisal_does_not_make_keys_older() {
    let signer = Signer::es256();
    let (jwks, script) = jwks(serving(&[&signer]));
    let jwks = jwks.with_interval(Duration::ZERO);
    assert!(jwks.keys(at(1_000_000)).await.is_ok());
    assert!(jwks.newer_keys(at(999_970)).await.is_some());
    assert_eq!(script.requests(), 2);
    assert!(jwks.keys(at(1_001_799)).await.is_ok());
    tokio::task::yield_now().await;
    assert_eq!(script.requests(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_new_key_is_found_at_once_but_not_at_every_strangers_wish() {
    let (old, new, stranger) = (Signer::es256(), Signer::es256(), Signer::es256());
    let (jwks, script) = jwks(serving(&[&old, &new]));
    assert!(verified(&jwks, &old, 0).await.is_ok());
    // Within the interval nobody looks.
    assert!(verified(&jwks, &new, 59).await.is_err());
    assert_eq!(script.requests(), 1);
    assert!(verified(&jwks, &new, 60).await.is_ok());
    assert_eq!(script.requests(), 2);
    for second in 61..120 {
        assert!(verified(&jwks, &stranger, second).await.is_err());
    }
    assert_eq!(script.requests(), 2);
    assert!(verified(&jwks, &new, 119).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_failure_is_remembered_for_a_moment() {
    let signer = Signer::es256();
    let set = signer.jwk_set();
    let (jwks, script) = jwks(Script::immediate(move |number, _| match number {
        0 => Err(HttpError::TimedOut),
        _ => body(&set),
    }));
    for second in 0..5 {
        let keys = jwks.keys(at(1_000_000 + second)).await;
        assert_eq!(keys.err(), Some(EarError::NoKeys));
    }
    assert_eq!(script.requests(), 1);
    assert!(jwks.keys(at(1_000_005)).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn all_who_wait_share_one_fetch_and_nobody_can_take_it_from_them() {
    let signer = Signer::es256();
    let set = signer.jwk_set();
    let gate = Arc::new(Semaphore::new(0));
    let opened = gate.clone();
    let (jwks, script) = jwks(Script::new(move |_, _| {
        let (opened, set) = (opened.clone(), set.clone());
        Box::pin(async move {
            let _permit = opened.acquire().await.unwrap();
            body(&set)
        })
    }));
    let jwks = Arc::new(jwks);
    let waiting: Vec<_> = (0..10)
        .map(|_| {
            let jwks = jwks.clone();
            tokio::spawn(async move { jwks.keys(at(1_000_000)).await })
        })
        .collect();
    tokio::task::yield_now().await;
    let mut waiting = waiting.into_iter();
    // The one that began the fetch goes away.
    waiting.next().unwrap().abort();
    tokio::task::yield_now().await;
    gate.add_permits(1);
    for task in waiting {
        assert!(task.await.unwrap().is_ok());
    }
    assert_eq!(script.requests(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_is_no_set_gives_no_keys() {
    let signer = Signer::es256();
    let unusable: [fn(&Value) -> Response<Vec<u8>>; 6] = [
        |_| Response::new(Vec::new()),
        |_| Response::new(b"\xff".to_vec()),
        |_| Response::new(br#"{"keys":[]}"#.to_vec()),
        |set| Response::new(json!({ "keys": set["keys"][0] }).to_string().into()),
        |set| with_status(302, set),
        |set| with_status(500, set),
    ];
    for write in unusable {
        let set = signer.jwk_set();
        let (jwks, _) = jwks(Script::immediate(move |_, _| Ok(write(&set))));
        assert!(jwks.keys(at(1_000_000)).await.is_err());
    }
    let mut long = signer.jwk_set().to_string();
    long.push_str(&" ".repeat(256 * 1024));
    let (jwks, _) = jwks(Script::immediate(move |_, _| {
        Ok(Response::new(long.clone().into()))
    }));
    assert!(jwks.keys(at(1_000_000)).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn keys_for_other_algorithms_are_not_taken() {
    let signer = Signer::rs256();
    let (jwks, _) = jwks(serving(&[&signer]));
    assert!(jwks.keys(at(1_000_000)).await.is_err());
}

fn jwks(script: Script) -> (Jwks, Arc<Script>) {
    let script = Arc::new(script);
    let url = Endpoint::https("https://issuer.example")
        .unwrap()
        .join("/certs")
        .unwrap();
    (Jwks::new(script.clone(), url, &[Algorithm::Es256]), script)
}

/// The first request gets the first signer's key, and so on; the last stays.
fn serving(signers: &[&Signer]) -> Script {
    let sets: Vec<_> = signers.iter().map(|signer| signer.jwk_set()).collect();
    Script::immediate(move |number, _| {
        let set = sets.get(number).or_else(|| sets.last());
        body(set.unwrap())
    })
}

async fn verified(jwks: &Jwks, signer: &Signer, second: u64) -> Result<(), EarError> {
    let token = signer.token(&json!({}));
    let verify = |keys: &VerificationKeys| jwt::verify(&token, keys, &supported()).map(drop);
    verify_with(jwks, at(1_000_000 + second), verify).await
}

/// The output of a future that waits for nothing, if it is one.
fn at_once<T>(future: impl Future<Output = T>) -> Option<T> {
    let mut context = Context::from_waker(Waker::noop());
    match pin!(future).as_mut().poll(&mut context) {
        Poll::Ready(output) => Some(output),
        Poll::Pending => None,
    }
}

#[allow(clippy::unnecessary_wraps, reason = "what a script answers")]
fn body(set: &Value) -> Result<Response<Vec<u8>>, HttpError> {
    Ok(Response::new(set.to_string().into_bytes()))
}

fn with_status(code: u16, set: &Value) -> Response<Vec<u8>> {
    let response = Response::builder().status(code);
    response.body(set.to_string().into_bytes()).unwrap()
}
