//! Answers that are no results, and limits.

use atls_core::AppraisalError;
use serde_json::Value;

use crate::service::NONCE;
use crate::service::PSA;
use crate::service::at;
use crate::service::saying;
use crate::service::status;
use crate::service::submit;
use crate::service::submit_as;
use crate::support::Fake;
use crate::support::Step;

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
