//! The verifier around any service: checks before it asks, one deadline, one event. The service here affirms whatever it is given.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::convert::Infallible;
use std::future::pending;
use std::future::ready;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;
use std::time::Duration;

use atls_core::AppraisalError;
use atls_core::Appraised;
use atls_core::Bound;
use atls_core::BoxFuture;
use atls_core::Evidence;
use atls_core::MediaType;
use atls_core::Origin;
use atls_core::Verifier;
use atls_core::ear::Appraisal;
use atls_core::ear::Category;
use atls_core::ear::Ear;
use atls_core::ear::EarError;
use atls_core::ear::KeySource;
use atls_core::ear::Tier;
use atls_core::ear::TrustClaim;
use atls_core::ear::TrustVector;
use atls_core::ear::VerificationKeys;
use atls_core::ear::VerifierId;
use atls_core::expected::ExpectedValue;
use atls_core::pki_types::UnixTime;
use atls_remote::CheckedEvidence;
use atls_remote::EvidenceFormat;
use atls_remote::EvidenceReading;
use atls_remote::Failure;
use atls_remote::RemoteService;
use atls_remote::RemoteVerifier;
use atls_remote::RemoteVerifierBuilder;
use atls_remote::ResultCheck;
use atls_remote::SetupError;
use stand_in::Signer;
use support::Events;
use test_support::Connection;
use test_support::at;

#[tokio::test]
async fn the_level_of_an_outcome_follows_the_fault() {
    let affirming = (Answer::Affirming, "affirming", None, "DEBUG");
    let failed = |error: AppraisalError, fault, level| {
        let failure = Failure::new(error, "word").with_cause("why");
        (Answer::Failing(failure), "word", Some(fault), level)
    };
    for (answer, outcome, fault, level) in [
        affirming,
        failed(AppraisalError::Unreachable, "verifier", "WARN"),
        failed(AppraisalError::BadResult, "verifier", "WARN"),
        failed(AppraisalError::NoResult, "peer", "WARN"),
        failed(AppraisalError::Local("no clock"), "local", "ERROR"),
    ] {
        let events = Events::default();
        let _guard = events.collect();
        let connection = Connection::new();
        drop(appraise(&Affirming::new(answer), &connection).await);
        assert_eq!(events.field("outcome"), [outcome]);
        assert_eq!(events.field("fault"), Vec::from_iter(fault));
        assert_eq!(events.field("cause"), Vec::from_iter(fault.map(|_| "why")));
        assert_eq!(events.levels(), [level]);
        assert_eq!(events.field("verifier"), ["affirming"]);
        assert_eq!(events.field("media_type"), ["application/x; y=\"z\""]);
        assert_eq!(events.field("duration_ms").len(), 1);
    }
}

#[tokio::test]
async fn evidence_of_another_connection_is_never_sent() {
    let service = Affirming::new(Answer::Affirming);
    let (asked, verifier) = (service.asked.clone(), builder(service).build().unwrap());
    let (one, other) = (Connection::new(), Connection::new());
    let media_type = verifier.media_types().first().unwrap().clone();
    let events = Events::default();
    let _guard = events.collect();
    let replayed = Evidence::new(&media_type, other.bound().as_bytes(), one.bound());
    let refused = verifier.appraise(&replayed, at(1)).await;
    assert_eq!(refused.unwrap_err(), AppraisalError::NotBound);
    let unknown = "application/x".parse().unwrap();
    let unknown = Evidence::new(&unknown, one.bound().as_bytes(), one.bound());
    let refused = verifier.appraise(&unknown, at(1)).await;
    assert_eq!(refused.unwrap_err(), AppraisalError::Malformed);
    assert_eq!(
        events.field("outcome"),
        ["evidence_not_bound", "evidence_malformed"]
    );
    assert_eq!(asked.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn the_signed_result_is_kept_as_it_came() {
    let service = Affirming::new(Answer::Affirming);
    let appraised = appraise(&service, &Connection::new()).await.unwrap();
    assert_eq!(appraised.token(), Some(TOKEN.as_bytes()));
}

#[tokio::test]
async fn an_appraisal_of_our_own_makes_a_result_worse() {
    let mut service = Affirming::new(Answer::Affirming);
    service.local = 96;
    let appraised = appraise(&service, &Connection::new()).await.unwrap();
    assert_eq!(appraised.ear().status(), Tier::Contraindicated);
    let part = appraised.ear().submod("service").unwrap();
    assert_eq!(part.status(), Tier::Affirming);
}

#[tokio::test]
async fn a_result_that_is_not_about_the_evidence_is_refused() {
    let events = Events::default();
    let _guard = events.collect();
    let refused = appraise(&Affirming::new(Answer::AboutOthers), &Connection::new()).await;
    assert_eq!(refused.unwrap_err(), AppraisalError::BadResult);
    assert_eq!(events.field("outcome"), ["result_nonce"]);
}

#[tokio::test(start_paused = true)]
async fn a_service_that_does_not_keep_its_time_is_given_up_soon_after_it() {
    let events = Events::default();
    let _guard = events.collect();
    let refused = appraise(&Affirming::new(Answer::Silent), &Connection::new()).await;
    assert_eq!(refused.unwrap_err(), AppraisalError::Unreachable);
    assert_eq!(events.field("outcome"), ["timed_out"]);
    assert_eq!(events.field("fault"), ["verifier"]);
    assert_eq!(events.field("duration_ms"), ["8250"]);
}

/// The connection reaches its deadline first.
#[tokio::test(start_paused = true)]
async fn an_appraisal_that_nobody_waited_for_is_one_event_too() {
    let events = Events::default();
    let _guard = events.collect();
    let (service, connection) = (Affirming::new(Answer::Silent), Connection::new());
    let appraisal = appraise(&service, &connection);
    let ended = tokio::time::timeout(Duration::from_secs(3), appraisal).await;
    assert!(ended.is_err());
    assert_eq!(events.field("outcome"), ["abandoned"]);
    assert!(events.field("fault").is_empty());
    assert_eq!(events.levels(), ["WARN"]);
    assert_eq!(events.field("duration_ms"), ["3000"]);
}

#[tokio::test]
async fn an_appraisal_that_never_began_is_no_event() {
    let events = Events::default();
    let _guard = events.collect();
    let (service, connection) = (Affirming::new(Answer::Silent), Connection::new());
    drop(appraise(&service, &connection));
    assert!(events.field("outcome").is_empty());
}

#[test]
fn the_generation_is_that_of_the_keys() {
    let builder = RemoteVerifier::builder(
        Affirming::new(Answer::Affirming),
        Arc::new(Withdrawn),
        &provider(),
    );
    let verifier = builder.format(Verbatim { local: 2 }).build().unwrap();
    assert_eq!(verifier.generation(), 7);
}

#[test]
fn a_configuration_that_could_never_work_is_refused() {
    let builder = || builder(Affirming::new(Answer::Affirming));
    let repeated = builder().format(Verbatim { local: 2 }).build();
    assert!(matches!(repeated, Err(SetupError::RepeatedFormat(_))));
    let aged = builder().max_age(Duration::from_millis(999)).build();
    assert!(matches!(aged, Err(SetupError::Zero(_))));
    let hasty = builder().deadline(Duration::ZERO).build();
    assert!(matches!(hasty, Err(SetupError::Zero(_))));
    let service = Affirming::new(Answer::Affirming);
    let none = RemoteVerifier::builder(service, Arc::new(Signer::es256().keys()), &provider());
    assert!(matches!(none.build(), Err(SetupError::NoFormat)));
}

/// A source that withdrew seven keys.
struct Withdrawn;

impl KeySource for Withdrawn {
    fn keys(&self, _: UnixTime) -> BoxFuture<'_, Result<VerificationKeys, EarError>> {
        Box::pin(ready(Err(EarError::NoKeys)))
    }

    fn generation(&self) -> u64 {
        7
    }
}

#[derive(Clone, Debug)]
struct Affirming {
    answer: Answer,
    local: i8,
    asked: Arc<AtomicUsize>,
}

#[derive(Clone, Debug)]
enum Answer {
    AboutOthers,
    Affirming,
    Failing(Failure),
    Silent,
}

impl Affirming {
    fn new(answer: Answer) -> Self {
        Self {
            answer,
            local: 2,
            asked: Arc::default(),
        }
    }
}

impl RemoteService for Affirming {
    const NAME: &'static str = "affirming";

    type Terms = ();
    type Content = ();
    type Claims = Infallible;

    fn issuer(&self) -> Option<&str> {
        None
    }

    fn ask<'a>(
        &'a self,
        _: &'a CheckedEvidence<'a, Self>,
    ) -> BoxFuture<'a, Result<String, Failure>> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        match &self.answer {
            Answer::AboutOthers | Answer::Affirming => Box::pin(ready(Ok(TOKEN.to_owned()))),
            Answer::Failing(failure) => Box::pin(ready(Err(failure.clone()))),
            Answer::Silent => Box::pin(pending()),
        }
    }

    fn read(
        &self,
        _: &str,
        _: &ResultCheck<'_>,
        _: &CheckedEvidence<'_, Self>,
    ) -> Result<(Ear, Option<Infallible>), EarError> {
        if matches!(self.answer, Answer::AboutOthers) {
            return Err(EarError::Nonce);
        }
        let vector = TrustVector::new().with(Category::Hardware, TrustClaim::new(2));
        let verifier = VerifierId::new("test", "1");
        let ear = Ear::local(verifier, at(1), "service", Appraisal::new(vector));
        Ok((ear, None))
    }
}

/// Evidence that is the value itself.
struct Verbatim {
    local: i8,
}

impl EvidenceFormat<Affirming> for Verbatim {
    fn media_type(&self) -> &str {
        "application/x;y=z"
    }

    fn terms(&self) {}

    fn expected_value(&self, bound: &Bound) -> ExpectedValue {
        bound.verbatim()
    }

    fn read(&self, evidence: &[u8]) -> Result<EvidenceReading, Failure> {
        let vector = TrustVector::new().with(Category::Configuration, TrustClaim::new(self.local));
        let reading = EvidenceReading::new(evidence, Origin::Device);
        Ok(reading.with_local_appraisal(Appraisal::new(vector)))
    }
}

fn builder(service: Affirming) -> RemoteVerifierBuilder<Affirming> {
    let format = Verbatim {
        local: service.local,
    };
    let keys = Arc::new(Signer::es256().keys());
    RemoteVerifier::builder(service, keys, &provider()).format(format)
}

fn provider() -> rustls::crypto::CryptoProvider {
    rustls::crypto::ring::default_provider()
}

async fn appraise(
    service: &Affirming,
    connection: &Connection,
) -> Result<Appraised, AppraisalError> {
    let verifier = builder(service.clone()).build().unwrap();
    let media_type: MediaType = "application/x;y=z".parse().unwrap();
    let bound = connection.bound();
    let evidence = Evidence::new(&media_type, bound.as_bytes(), bound);
    verifier.appraise(&evidence, at(1)).await
}

/// A signed result, which this service does not read.
const TOKEN: &str = "head.claims.signature";
