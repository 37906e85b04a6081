//! What an operator can count of appraisals.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::future::pending;
use std::future::ready;
use std::time::Duration;

use atls_core::AppraisalError;
use atls_core::Appraised;
use atls_core::MediaType;
use atls_core::Origin;
use atls_core::ear::Appraisal;
use atls_core::ear::Category;
use atls_core::ear::Ear;
use atls_core::ear::TrustClaim;
use atls_core::ear::TrustVector;
use atls_core::ear::VerifierId;
use atls_remote::recorded;
use stand_in::Connection;
use stand_in::at;
use support::Events;

type Outcome = Result<Appraised, AppraisalError>;

#[tokio::test]
async fn each_appraisal_is_one_event() {
    let vector = TrustVector::new().with(Category::Hardware, TrustClaim::new(2));
    let ear = Ear::local(
        VerifierId::new("a", "b"),
        at(1),
        "x",
        Appraisal::new(vector),
    );
    let connection = Connection::new();
    let bound = connection.bound();
    let matched = bound.verbatim().compare(bound.as_bytes()).unwrap();
    let appraised = Appraised::bound_to_connection(ear, Origin::Device, matched);
    for (outcome, faults) in [
        (Ok(appraised), &[][..]),
        (Err(AppraisalError::Unreachable), &["verifier"]),
        (Err(AppraisalError::NotBound), &["peer"]),
    ] {
        let word = match &outcome {
            Ok(appraised) => appraised.ear().status().to_string(),
            Err(error) => error.to_string(),
        };
        let events = Events::default();
        let _guard = events.collect();
        let expected = outcome.as_ref().map(drop).map_err(Clone::clone);
        let recorded = recorded("test", &media_type(), ready(outcome)).await;
        assert_eq!(recorded.map(drop), expected);
        assert_eq!(events.field("outcome"), [word]);
        assert_eq!(events.field("fault"), faults);
        assert_eq!(events.field("verifier"), ["test"]);
        assert_eq!(events.field("media_type"), ["application/x"]);
        assert_eq!(events.field("duration_ms").len(), 1);
    }
}

/// A service that is down may hold a connection until its deadline.
#[tokio::test(start_paused = true)]
async fn an_appraisal_that_nobody_waited_for_is_one_too() {
    let events = Events::default();
    let _guard = events.collect();
    let media_type = media_type();
    let appraisal = recorded("test", &media_type, pending::<Outcome>());
    let ended = tokio::time::timeout(Duration::from_secs(10), appraisal).await;
    assert!(ended.is_err());
    assert_eq!(events.field("outcome"), ["abandoned"]);
    assert_eq!(events.field("verifier"), ["test"]);
    assert_eq!(events.field("duration_ms"), ["10000"]);
}

#[tokio::test]
async fn an_appraisal_that_never_began_is_none() {
    let events = Events::default();
    let _guard = events.collect();
    drop(recorded("test", &media_type(), pending::<Outcome>()));
    assert!(events.field("outcome").is_empty());
}

fn media_type() -> MediaType {
    "application/x".parse().unwrap()
}
