//! The API, rule by rule: each faulty answer of a service, and its outcome.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod support;

use std::pin::pin;
use std::sync::Arc;
use std::task::Context;
use std::task::Poll;
use std::task::Waker;
use std::time::Duration;

use atls_core::AppraisalError;
use atls_remote::Endpoint;
use atls_remote::EndpointError;
use atls_remote::Failure;
use atls_remote::KeyFingerprint;
use atls_veraison::DiscoveryError;
use atls_veraison::VeraisonService;
use http::Response;
use serde_json::Value;
use support::Fake;
use support::Step;
use support::service;

const NONCE: &[u8] = b"this nonce has thirty-two bytes.";
const PSA: &str = "application/eat+cwt; eat_profile=\"tag:psacertified.org,2023:psa#tfm\"";

/// The word of the failure, if there is one.
async fn submit(fake: &Fake) -> Result<(), &'static str> {
    let outcome = submit_as(fake, PSA, NONCE).await;
    outcome.map_err(|failure| failure.reason())
}

async fn submit_as(fake: &Fake, media_type: &str, nonce: &[u8]) -> Result<(), Failure> {
    let media_type = media_type.parse().unwrap();
    let outcome = service(fake).submit(&media_type, b"evidence", nonce).await;
    // A task of its own deletes the session.
    tokio::task::yield_now().await;
    outcome.map(drop)
}

/// A service that answers like this at one step.
fn at(
    step: Step,
    change: impl Fn(Response<Vec<u8>>) -> Response<Vec<u8>> + Send + Sync + 'static,
) -> Fake {
    Fake::new().tampering(move |now, answer| if now == step { change(answer) } else { answer })
}

/// A service whose session says this at one step.
fn saying(step: Step, member: &'static str, value: impl Into<Value>) -> Fake {
    let value = value.into();
    at(step, move |answer| {
        let mut body: Value = serde_json::from_slice(answer.body()).unwrap();
        body[member] = value.clone();
        answer.map(|_| body.to_string().into_bytes())
    })
}

fn status(answer: Response<Vec<u8>>, status: u16) -> Response<Vec<u8>> {
    let (mut parts, body) = answer.into_parts();
    parts.status = status.try_into().unwrap();
    Response::from_parts(parts, body)
}

#[tokio::test]
async fn a_session_is_opened_used_and_deleted() {
    let fake = Fake::new();
    assert_eq!(submit(&fake).await, Ok(()));
    assert_eq!(fake.steps(), [Step::Open, Step::Submit, Step::Delete]);
    assert_eq!(fake.open_sessions(), 0);
    let opened = fake.request(Step::Open);
    // Padded, and `=` escaped: released services take no other form.
    assert_eq!(
        opened.uri().to_string(),
        "https://veraison.example/challenge-response/v1/newSession?nonce=dGhpcyBub25jZSBoYXMgdGhpcnR5LXR3byBieXRlcy4%3D"
    );
    let submitted = fake.request(Step::Submit);
    assert_eq!(submitted.headers()["content-type"], PSA);
    assert!(
        submitted
            .uri()
            .path()
            .starts_with("/challenge-response/v1/session/8f25dffc-")
    );
}

/// The deadline of a connection drops its appraisal at any step.
#[tokio::test]
async fn a_session_is_deleted_where_the_appraisal_is_dropped() {
    for step in [Step::Submit, Step::Poll] {
        let mut fake = Fake::new();
        fake.stuck = Some(step);
        fake.processing = 1;
        let ended = tokio::time::timeout(Duration::ZERO, submit(&fake)).await;
        assert!(ended.is_err());
        tokio::task::yield_now().await;
        assert_eq!(fake.steps().last(), Some(&Step::Delete), "{step:?}");
        assert_eq!(fake.open_sessions(), 0);
    }
}

#[tokio::test]
async fn a_faulty_session_is_deleted() {
    for (member, value) in [
        ("nonce", "AAAAAAAAAAA="),
        ("status", "complete"),
        ("status", "unheard of"),
    ] {
        let fake = saying(Step::Open, member, value);
        assert!(submit(&fake).await.is_err());
        assert_eq!(fake.steps(), [Step::Open, Step::Delete], "{member} {value}");
        assert_eq!(fake.open_sessions(), 0);
    }
}

#[tokio::test]
async fn nobody_waits_for_the_deletion() {
    let mut fake = Fake::new();
    fake.stuck = Some(Step::Delete);
    let media_type = PSA.parse().unwrap();
    let service = service(&fake);
    let submitted = service.submit(&media_type, b"evidence", NONCE);
    let mut context = Context::from_waker(Waker::noop());
    let result = pin!(submitted).as_mut().poll(&mut context);
    assert!(matches!(result, Poll::Ready(Ok(_))));
    tokio::task::yield_now().await;
    assert_eq!(fake.steps(), [Step::Open, Step::Submit, Step::Delete]);
}

#[tokio::test]
async fn a_media_type_is_sent_as_the_service_spells_it() {
    let mut fake = Fake::new();
    let spelling = "application/EAT+cwt;eat_profile=\"tag:psacertified.org,2023:psa#tfm\"";
    fake.accept = vec!["*".to_owned(), spelling.to_owned()];
    assert_eq!(submit(&fake).await, Ok(()));
    assert_eq!(
        fake.request(Step::Submit).headers()["content-type"],
        spelling
    );
}

#[tokio::test]
async fn evidence_that_the_service_does_not_take_is_not_sent() {
    let fake = Fake::new();
    let refused = submit_as(&fake, "application/eat+cwt", NONCE)
        .await
        .unwrap_err();
    assert_eq!(refused.reason(), "unsupported_media_type");
    assert!(refused.cause().contains("psa-attestation-token"));
    assert_eq!(fake.steps(), [Step::Open, Step::Delete]);
}

#[tokio::test]
async fn an_unsupported_media_type_names_what_is_accepted() {
    let mut fake = Fake::new();
    fake.accept.push("a/b; c=\"d,e\"".to_owned());
    let fake = fake.tampering(|step, answer| {
        if step != Step::Submit {
            return answer;
        }
        let answer = Response::builder()
            .status(415)
            .header("accept", "a/b; c=\"d,e\", x/y");
        answer.body(Vec::new()).unwrap()
    });
    let refused = submit_as(&fake, PSA, NONCE).await.unwrap_err();
    assert_eq!(refused.reason(), "unsupported_media_type");
    assert!(refused.cause().contains("x/y"));
    assert_eq!(fake.open_sessions(), 0, "deleted after a failure too");
}

#[tokio::test]
async fn a_session_about_another_nonce_is_refused() {
    for step in [Step::Open, Step::Submit] {
        for nonce in [
            "",
            "AAAAAAAAAAA=",
            "dGhpcyBub25jZSBoYXMgdGhpcnR5LXR3byBvY3RldA==",
            "?",
        ] {
            assert_eq!(
                submit(&saying(step, "nonce", nonce)).await,
                Err("nonce"),
                "{nonce}"
            );
        }
    }
    // 0xfb, whose digits the two alphabets write differently.
    for nonce in ["+/v7+/v7+/s=", "+/v7+/v7+/s", "-_v7-_v7-_s=", "-_v7-_v7-_s"] {
        let fake = saying(Step::Open, "nonce", nonce);
        assert_eq!(submit_as(&fake, PSA, &[0xfb; 8]).await, Ok(()), "{nonce}");
    }
}

#[tokio::test]
async fn a_location_stays_on_the_origin_and_below_the_sessions() {
    let located = |location: &'static str| {
        at(Step::Open, move |mut answer| {
            answer
                .headers_mut()
                .insert("location", location.parse().unwrap());
            answer
        })
    };
    for location in [
        "https://elsewhere.example/challenge-response/v1/session/1",
        "https://veraison.example:444/challenge-response/v1/session/1",
        "http://veraison.example/challenge-response/v1/session/1",
        "//elsewhere.example/challenge-response/v1/session/1",
        "\\\\elsewhere.example\\challenge-response\\v1\\session\\1",
        "https://veraison.example@elsewhere.example/challenge-response/v1/session/1",
        "https://user@veraison.example/challenge-response/v1/session/1",
        "https://veraison.example.elsewhere.example/challenge-response/v1/session/1",
        "/other/1",
        "session/../../../other/1",
        "session/%2e%2e/newSession",
        "session/",
        "session/1/2",
        "session/1%2f2",
        "session/1?nonce=AA",
        "session/1#2",
        "newSession",
        "file:///challenge-response/v1/session/1",
        "",
    ] {
        let fake = located(location);
        assert_eq!(submit(&fake).await, Err("location"), "{location}");
        assert_eq!(fake.steps(), [Step::Open], "{location}");
    }
    let absent = at(Step::Open, |mut answer| {
        answer.headers_mut().remove("location");
        answer
    });
    assert_eq!(submit(&absent).await, Err("location"));
    // Relative as services send it, absolute as their documentation has it, and from the root.
    for prefix in [
        "session/",
        "https://veraison.example/challenge-response/v1/session/",
        "/challenge-response/v1/session/",
    ] {
        let fake = at(Step::Open, move |mut answer| {
            let location = answer.headers()["location"].to_str().unwrap();
            let location = location.replace("session/", prefix);
            answer
                .headers_mut()
                .insert("location", location.parse().unwrap());
            answer
        });
        assert_eq!(submit(&fake).await, Ok(()), "{prefix}");
    }
}

#[tokio::test]
async fn an_answer_that_is_no_session_is_refused() {
    const MALFORMED: Result<(), &str> = Err("answer_malformed");
    for step in [Step::Open, Step::Submit] {
        for content_type in [
            "application/json",
            "text/html",
            "application/vnd.veraison.discovery+json",
        ] {
            let fake = at(step, move |mut answer| {
                let content_type = content_type.parse().unwrap();
                answer.headers_mut().insert("content-type", content_type);
                answer
            });
            assert_eq!(submit(&fake).await, MALFORMED, "{content_type}");
        }
        let nested = "[".repeat(100_000) + &"]".repeat(100_000);
        for body in [
            "",
            "<html>",
            "[]",
            "{}",
            r#"{"status":"complete"}"#,
            &nested,
        ] {
            let body = body.as_bytes().to_vec();
            let fake = at(step, move |answer| answer.map(|_| body.clone()));
            assert_eq!(submit(&fake).await, MALFORMED);
        }
    }
    for (step, member, value) in [
        (Step::Open, "status", "".into()),
        (Step::Open, "status", "COMPLETE".into()),
        (Step::Open, "status", "complete".into()),
        (Step::Submit, "status", "done".into()),
        (Step::Submit, "status", "waiting".into()),
        // With a result.
        (Step::Submit, "status", "processing".into()),
        (Step::Submit, "result", Value::Null),
        (Step::Submit, "result", 1.into()),
    ] {
        let fake = saying(step, member, value.clone());
        assert_eq!(submit(&fake).await, MALFORMED, "{step:?} {member} {value}");
    }
}

#[tokio::test]
async fn a_failed_session_is_a_failure_of_the_service() {
    let fake = saying(Step::Submit, "status", "failed");
    let refused = submit_as(&fake, PSA, NONCE).await.unwrap_err();
    assert_eq!(refused.reason(), "failed");
    assert_eq!(refused.error(), &AppraisalError::Unreachable);
}

#[tokio::test(start_paused = true)]
async fn polls_are_limited() {
    let mut fake = Fake::new();
    fake.processing = 3;
    assert_eq!(submit(&fake).await, Ok(()));
    assert_eq!(
        fake.steps(),
        [
            Step::Open,
            Step::Submit,
            Step::Poll,
            Step::Poll,
            Step::Poll,
            Step::Delete
        ]
    );

    let mut fake = Fake::new();
    fake.processing = 20;
    assert_eq!(submit(&fake).await, Ok(()), "at the last poll");

    let mut fake = Fake::new();
    fake.processing = usize::MAX;
    assert_eq!(submit(&fake).await, Err("pending"));
    let polls = fake
        .steps()
        .iter()
        .filter(|step| **step == Step::Poll)
        .count();
    assert_eq!(polls, 20);
    assert_eq!(fake.open_sessions(), 0);
}

#[tokio::test(start_paused = true)]
async fn all_requests_together_have_8_seconds() {
    for step in [Step::Open, Step::Submit, Step::Poll] {
        let mut fake = Fake::new();
        fake.stuck = Some(step);
        fake.processing = 1;
        let started = tokio::time::Instant::now();
        assert_eq!(submit(&fake).await, Err("timed_out"), "{step:?}");
        assert_eq!(started.elapsed().as_secs(), 8, "{step:?}");
        assert_eq!(fake.open_sessions(), 0, "{step:?}");
    }
    let mut fake = Fake::new();
    fake.stuck = Some(Step::Delete);
    assert_eq!(submit(&fake).await, Ok(()), "the result was there");
}

#[tokio::test]
async fn other_statuses_are_no_results_and_no_fault_of_the_peer() {
    use AppraisalError::BadResult;
    use AppraisalError::Unreachable;
    for step in [Step::Open, Step::Submit] {
        for (code, reason, error) in [
            (204, "status", Unreachable),
            (301, "status", Unreachable),
            (302, "status", Unreachable),
            (307, "status", Unreachable),
            (400, "status", BadResult),
            (401, "status", Unreachable),
            (406, "not_acceptable", BadResult),
            (415, "unsupported_media_type", BadResult),
            (422, "status", BadResult),
            (429, "status", Unreachable),
            (500, "status", Unreachable),
            (503, "status", Unreachable),
        ] {
            let fake = at(step, move |answer| status(answer, code));
            let refused = submit_as(&fake, PSA, NONCE).await.unwrap_err();
            let found = (refused.reason(), refused.error());
            assert_eq!(found, (reason, &error), "{step:?} {code}");
        }
    }
    let fake = at(Step::Open, |answer| status(answer, 200));
    assert_eq!(submit(&fake).await, Err("status"));
    let fake = at(Step::Submit, |answer| status(answer, 404));
    assert_eq!(submit(&fake).await, Err("session_ended"));
}

#[tokio::test]
async fn the_size_of_an_answer_is_bounded_even_where_the_client_ignores_the_limit() {
    let fake = at(Step::Submit, |answer| {
        answer.map(|body| [body, vec![b' '; 256 * 1024]].concat())
    });
    assert_eq!(submit(&fake).await, Err("too_large"));
}

#[tokio::test]
async fn a_discovered_key_is_believed_only_where_it_is_pinned() {
    let fake = Fake::new();
    let discovery = service(&fake).discover().await.unwrap();
    let pinned: KeyFingerprint = discovery.key_fingerprint().to_string().parse().unwrap();
    assert!(discovery.keys(&pinned).is_ok());
    assert!(discovery.is_ready());
    assert_eq!(discovery.version(), "v0.0.2608");
    assert_eq!(discovery.media_types().len(), 3);

    let another = service(&Fake::new()).discover().await.unwrap();
    assert_eq!(
        another.keys(&pinned).map(drop),
        Err(DiscoveryError::KeyChanged(*another.key_fingerprint()))
    );
}

#[tokio::test]
async fn an_entry_that_is_no_media_type_costs_itself_and_not_the_document() {
    let fake = at(Step::Discover, |answer| {
        answer.map(|body| {
            let mut document: Value = serde_json::from_slice(&body).unwrap();
            let listed = document["media-types"].as_array_mut().unwrap();
            listed.extend([
                Value::from(1),
                Value::Null,
                "".into(),
                Value::Array(Vec::new()),
            ]);
            document.to_string().into_bytes()
        })
    });
    let discovery = service(&fake).discover().await.unwrap();
    assert_eq!(discovery.media_types().len(), 3);
}

#[tokio::test]
async fn a_discovery_document_is_read_strictly() {
    for body in [
        "",
        "{}",
        "<html>",
        r#"{"ear-verification-key":{"kty":"oct"},"media-types":[],"version":"","service-state":""}"#,
    ] {
        let fake = at(Step::Discover, move |answer| {
            answer.map(|_| body.as_bytes().to_vec())
        });
        let refused = service(&fake).discover().await.unwrap_err();
        assert_eq!(refused.reason(), "answer_malformed", "{body}");
    }
    let html = at(Step::Discover, |mut answer| {
        answer
            .headers_mut()
            .insert("content-type", "text/html".parse().unwrap());
        answer
    });
    let refused = service(&html).discover().await.unwrap_err();
    assert_eq!(refused.reason(), "answer_malformed");
    let gone = at(Step::Discover, |answer| status(answer, 302));
    let refused = service(&gone).discover().await.unwrap_err();
    assert_eq!(
        (refused.reason(), refused.cause()),
        ("status", "status 302")
    );
    let busy = saying(Step::Discover, "service-state", "INITIALIZING");
    assert!(!service(&busy).discover().await.unwrap().is_ready());
}

#[test]
fn a_service_is_at_the_root_of_its_host() {
    let fake = Fake::new();
    let at = |url| {
        let endpoint = Endpoint::dangerous_loopback(url)?;
        VeraisonService::new(&endpoint, Arc::new(fake.clone())).map(drop)
    };
    for url in [
        "https://veraison.example:8443",
        "https://veraison.example/",
        "http://127.0.0.1:8080",
        "http://[::1]:8080",
    ] {
        assert_eq!(at(url), Ok(()), "{url}");
    }
    assert_eq!(at("https://a/b"), Err(EndpointError::HasPath));
    for url in ["http://veraison.example", "http://10.0.0.1", "http://[::2]"] {
        assert_eq!(at(url), Err(EndpointError::NotHttps), "{url}");
    }
    for url in ["", "https://", "https://a?b", "https://a#b", "https://a@b"] {
        assert_eq!(at(url), Err(EndpointError::Malformed), "{url}");
    }
}

#[test]
fn a_service_without_polls_is_refused() {
    let service = || service(&Fake::new());
    assert!(service().with_polling(0, Duration::from_secs(1)).is_err());
    assert!(service().with_polling(1, Duration::ZERO).is_err());
}
