//! Sessions: opened, polled, deleted.

use std::pin::pin;
use std::task::Context;
use std::task::Poll;
use std::task::Waker;
use std::time::Duration;

use http::Response;

use crate::service::NONCE;
use crate::service::PSA;
use crate::service::at;
use crate::service::saying;
use crate::service::submit;
use crate::service::submit_as;
use crate::support::Fake;
use crate::support::Step;
use crate::support::service;

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
    let submitted = service.dangerous_submit_unchecked(&media_type, b"evidence", NONCE);
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
