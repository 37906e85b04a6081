//! Keys that are fetched for connections that stand, and what is heard of those that were withdrawn.

use std::cell::Cell;
use std::cell::RefCell;
use std::time::Duration;

use atls_core::http::HttpError;
use serde_json::json;
use stand_in::Signer;
use test_support::Script;
use test_support::at;
use tokio::time::Instant;

use crate::body;
use crate::jwks;
use crate::serving;
use crate::verified;

#[tokio::test(start_paused = true)]
async fn who_keeps_keys_fresh_hears_of_a_withdrawn_key_and_not_of_an_added_one() {
    let (first, second) = (Signer::es256(), Signer::es256());
    let both = json!({ "keys": [first.jwk_set()["keys"][0], second.jwk_set()["keys"][0]] });
    let sets = [first.jwk_set(), both, second.jwk_set()];
    let (jwks, script) = jwks(Script::immediate(move |number, _| {
        body(&sets[number.min(2)])
    }));
    let start = Instant::now();
    let heard = RefCell::new(Vec::new());
    let fresh = jwks.keep_fresh(
        || at(1_000_000 + start.elapsed().as_secs()),
        Duration::from_secs(60),
        || heard.borrow_mut().push(start.elapsed().as_secs()),
    );
    let passed = tokio::time::timeout(Duration::from_secs(200), fresh).await;
    assert!(passed.is_err());
    assert_eq!(script.requests(), 4);
    assert_eq!(*heard.borrow(), [120]);
    // They are in force, although nobody asked for keys.
    assert!(verified(&jwks, &second, 200).await.is_ok());
    assert!(verified(&jwks, &first, 200).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn who_keeps_keys_fresh_hears_of_a_fetch_that_a_token_caused() {
    let (first, second) = (Signer::es256(), Signer::es256());
    let (jwks, _) = jwks(serving(&[&first, &second]));
    let start = Instant::now();
    let heard = Cell::new(None);
    let fresh = jwks.keep_fresh(
        || at(1_000_000 + start.elapsed().as_secs()),
        Duration::from_secs(3600),
        || heard.set(Some(start.elapsed().as_secs())),
    );
    let token = async {
        tokio::time::sleep(Duration::from_secs(70)).await;
        assert!(verified(&jwks, &second, 70).await.is_ok());
        tokio::time::sleep(Duration::from_secs(1)).await;
    };
    tokio::select! {
        never = fresh => match never {},
        () = token => {}
    }
    assert_eq!(heard.get(), Some(70));
}

#[tokio::test(start_paused = true)]
async fn an_issuer_that_cannot_be_asked_withdraws_nothing() {
    let signer = Signer::es256();
    let set = signer.jwk_set();
    let (jwks, script) = jwks(Script::immediate(move |number, _| match number {
        0 => body(&set),
        1 => Err(HttpError::TimedOut),
        _ => body(&json!({ "keys": [] })),
    }));
    let start = Instant::now();
    let fresh = jwks.keep_fresh(
        || at(1_000_000 + start.elapsed().as_secs()),
        Duration::ZERO,
        || panic!("nothing was withdrawn"),
    );
    let passed = tokio::time::timeout(Duration::from_secs(200), fresh).await;
    assert!(passed.is_err());
    // Not more often than once in a minute, whatever was asked for.
    assert_eq!(script.requests(), 4);
}
