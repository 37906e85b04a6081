//! Statements that are as large as a header may be, and as many results of verifiers beside them as a peer may have.

use atls_core::Origin;
use atls_core::ear::Ear;
use atls_core::ear::EarError;
use atls_core::limits::MAX_CMW_ITEMS;
use atls_tower::forward::HEADER;
use atls_tower::forward::ReceiveError;
use atls_tower::forward::VERIFIER_HEADER;
use axum::body::Body;
use http::HeaderMap;
use http::HeaderValue;
use http::Request;
use http::StatusCode;

use crate::hop::Hop;
use crate::hop::claims;
use crate::saying::Saying;

#[tokio::test]
async fn a_statement_of_8_kib_is_handed_on_and_a_larger_one_is_not() {
    let one = with_a_policy_of(1).await.unwrap();
    let (most, size) = largest(&one);
    let sent = with_a_policy_of(most).await.unwrap();
    assert_eq!((sent[&HEADER].len(), size), (MOST, MOST));
    let refused = with_a_policy_of(most + 1).await.unwrap_err();
    assert_eq!(refused, StatusCode::INTERNAL_SERVER_ERROR);
}

/// The sender is another one than ours.
#[tokio::test]
async fn a_statement_of_8_kib_is_received_and_a_larger_one_is_not() {
    let hop = Hop::new();
    let sent = hop.headers(hop.forwarder()).await;
    let named = |length: usize| {
        let policy = format!("\"policy\":\"{}\",\"eat_nonce\"", "a".repeat(length));
        let claims = claims(&sent[&HEADER]).replacen("\"eat_nonce\"", &policy, 1);
        hop.claiming(&sent[&HEADER], &claims)
    };
    let (most, size) = largest(&named(1));
    assert_eq!((named(most)[&HEADER].len(), size), (MOST, MOST));
    let receive = |headers: &HeaderMap| hop.receiver().receive(headers).map(|_| ());
    assert_eq!(receive(&named(most)), Ok(()));
    assert_eq!(receive(&named(most + 1)), Err(EarError::TooLarge.into()));
}

#[tokio::test]
async fn results_of_verifiers_of_8_kib_together_are_handed_on_and_larger_ones_are_not() {
    for (size, handed_on) in [(MOST / 2, 2), (MOST / 2 + 1, 0)] {
        let token = format!("a.{}", "b".repeat(size - 2));
        let hop = Hop::of_two_devices(token.as_bytes());
        let sent = hop.headers(hop.forwarder().with_verifier_tokens()).await;
        assert_eq!(sent.get_all(VERIFIER_HEADER).iter().count(), handed_on);
        let result = hop.receiver().receive(&sent).unwrap();
        assert_eq!(result.verifier_tokens().count(), handed_on);
    }
}

#[tokio::test]
async fn no_more_results_of_verifiers_are_kept_than_a_peer_has_items() {
    let hop = Hop::with_token(b"a.b.c");
    let mut sent = hop.headers(hop.forwarder().with_verifier_tokens()).await;
    let token = HeaderValue::from_static("a.b.c");
    while sent.get_all(VERIFIER_HEADER).iter().count() < MAX_CMW_ITEMS {
        sent.append(VERIFIER_HEADER, token.clone());
    }
    let result = hop.receiver().receive(&sent).unwrap();
    assert_eq!(result.verifier_tokens().count(), MAX_CMW_ITEMS);
    sent.append(VERIFIER_HEADER, token);
    let received = hop.receiver().receive(&sent).map(|_| ());
    assert_eq!(received, Err(ReceiveError::OtherToken));
}

/// What reaches the service behind, where the client's result names a policy of that many bytes.
async fn with_a_policy_of(length: usize) -> Result<HeaderMap, StatusCode> {
    let says = move |ear: &Ear| {
        let part = ear.submod("sim").unwrap().clone();
        let part = part.with_policy_id("a".repeat(length));
        Ear::local(ear.verifier().clone(), ear.issued_at(), "sim", part)
    };
    let hop = Hop::appraising(|verifier| Saying {
        verifier,
        origin: Origin::Simulated,
        says,
    });
    let request = Request::get("/").body(Body::empty()).unwrap();
    let answer = Hop::answer(hop.connection().await, hop.forwarder(), request).await;
    match answer.status() {
        StatusCode::OK => Ok(answer.headers().clone()),
        refused => Err(refused),
    }
}

/// How much longer than one byte a claim of this statement may be, and the size of the statement then.
fn largest(one: &HeaderMap) -> (usize, usize) {
    let claims = claims(&one[&HEADER]).len();
    let fixed = one[&HEADER].len() - base64(claims);
    let sizes = (1..MOST).map(|length| (length, fixed + base64(claims + length - 1)));
    let fitting = sizes.take_while(|(_, size)| *size <= MOST);
    fitting.last().unwrap()
}

/// Characters of so many bytes, without padding.
fn base64(bytes: usize) -> usize {
    (bytes * 4).div_ceil(3)
}

/// Bytes of a header.
const MOST: usize = 8 * 1024;
