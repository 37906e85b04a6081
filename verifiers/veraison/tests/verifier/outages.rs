//! Services that fail, hang or are asked too often.

use std::sync::Arc;
use std::time::Duration;

use atls_core::AppraisalError;
use atls_core::BoxFuture;
use atls_core::Fault;
use atls_core::Verifier;
use atls_core::http::HttpClient;
use atls_core::http::HttpError;
use atls_core::http::HttpLimits;
use atls_remote::Circuit;
use atls_remote::RemoteVerifierBuilder;
use atls_remote::Resilient;
use atls_remote::SetupError;
use atls_sim::SimAttester;
use atls_veraison::CcaToken;
use atls_veraison::PsaToken;
use atls_veraison::VeraisonService;
use http::Request;
use http::Response;
use test_support::Connection;

use crate::fixtures::appraise;
use crate::fixtures::builder;
use crate::fixtures::builder_over;
use crate::fixtures::verifier;
use crate::support::Fake;
use crate::support::Step;

#[tokio::test]
async fn an_outage_is_the_verifiers_fault_and_no_result() {
    let connection = Connection::new();
    let token = connection.token(&SimAttester::generate().unwrap()).await;
    let fake =
        Fake::new().tampering(|_, _| Response::builder().status(503).body(Vec::new()).unwrap());
    let refused = appraise(&verifier(&fake), &connection, &token)
        .await
        .unwrap_err();
    assert_eq!(
        (refused.fault(), refused),
        (Fault::Verifier, AppraisalError::Unreachable)
    );
}

/// The clients of every service are bounded by the same means.
#[tokio::test]
async fn a_service_that_fails_again_and_again_is_left_alone() {
    let connection = Connection::new();
    let token = connection.token(&SimAttester::generate().unwrap()).await;
    let fake = Fake::new().tampering(|_, _| {
        let answer = Response::builder().status(503);
        answer.body(Vec::new()).unwrap()
    });
    let client = Resilient::builder("veraison", Arc::new(fake.clone()));
    let client = Arc::new(client.circuit(2, Duration::from_secs(5)).build());
    let verifier = builder_over(&fake, client.clone());
    let verifier = verifier.format(PsaToken::tfm()).build().unwrap();
    for _ in 0..3 {
        let refused = appraise(&verifier, &connection, &token).await;
        assert_eq!(refused.unwrap_err(), AppraisalError::Unreachable);
    }
    assert_eq!(fake.steps(), [Step::Open, Step::Open]);
    assert_eq!((client.stats().failures, client.stats().not_sent), (2, 1));
}

#[tokio::test]
async fn requests_under_way_are_limited() {
    let connection = Connection::new();
    let token = connection.token(&SimAttester::generate().unwrap()).await;
    let mut fake = Fake::new();
    fake.stuck = Some(Step::Submit);
    let client = Resilient::builder("veraison", Arc::new(fake.clone()));
    let client = Arc::new(client.in_flight(1).queue(0).build());
    let verifier = builder_over(&fake, client);
    let verifier = verifier.format(PsaToken::tfm()).build().unwrap();
    let refused = tokio::select! {
        biased;
        _ = appraise(&verifier, &connection, &token) => unreachable!("nobody answers it"),
        refused = appraise(&verifier, &connection, &token) => refused,
    };
    assert_eq!(refused.unwrap_err(), AppraisalError::Unreachable);
    assert_eq!(fake.steps(), [Step::Open, Step::Submit]);
}

/// A request takes a moment, so the last one of a session begins later than the appraisal.
struct Slow(Fake);

impl HttpClient for Slow {
    fn send(
        &self,
        request: Request<Vec<u8>>,
        limits: HttpLimits,
    ) -> BoxFuture<'_, Result<Response<Vec<u8>>, HttpError>> {
        Box::pin(async move {
            tokio::time::sleep(Duration::from_millis(20)).await;
            self.0.send(request, limits).await
        })
    }
}

#[tokio::test(start_paused = true)]
async fn a_service_that_hangs_in_a_session_opens_the_circuit() {
    let connection = Connection::new();
    let token = connection.token(&SimAttester::generate().unwrap()).await;
    let mut fake = Fake::new();
    fake.stuck = Some(Step::Submit);
    let client = Resilient::builder("veraison", Arc::new(Slow(fake.clone())));
    let client = Arc::new(client.circuit(3, Duration::from_secs(50)).build());
    let verifier = builder_over(&fake, client.clone());
    let verifier = verifier.format(PsaToken::tfm()).build().unwrap();
    let appraisal = || appraise(&verifier, &connection, &token);
    let (one, two, three) = tokio::join!(appraisal(), appraisal(), appraisal());
    for refused in [one, two, three] {
        assert_eq!(refused.unwrap_err(), AppraisalError::Unreachable);
    }
    let stats = client.stats();
    assert_eq!((stats.failures, stats.abandoned), (3, 0));
    let before = fake.steps().len();
    appraise(&verifier, &connection, &token).await.unwrap_err();
    assert_eq!(fake.steps().len(), before, "nothing was sent");
}

/// Peers that leave at once have as many sessions deleted at once.
#[tokio::test(start_paused = true)]
async fn deletions_that_hang_do_not_open_the_circuit() {
    let connection = Connection::new();
    let token = connection.token(&SimAttester::generate().unwrap()).await;
    let mut fake = Fake::new();
    fake.stuck = Some(Step::Delete);
    let client = Resilient::builder("veraison", Arc::new(fake.clone()));
    let client = Arc::new(client.circuit(3, Duration::from_secs(50)).build());
    let verifier = builder_over(&fake, client.clone());
    let verifier = verifier.format(PsaToken::tfm()).build().unwrap();
    let appraisal = || appraise(&verifier, &connection, &token);
    let (one, two, three) = tokio::join!(appraisal(), appraisal(), appraisal());
    for appraised in [one, two, three] {
        assert!(appraised.is_ok());
    }
    // Each deletion has its time, and is over then.
    for _ in 0..10 {
        tokio::time::advance(Duration::from_secs(1)).await;
        tokio::task::yield_now().await;
    }
    assert_eq!(client.stats().failures, 3);
    assert_eq!(client.stats().circuit, Circuit::Closed);
    assert!(appraisal().await.is_ok());
}

#[test]
fn a_verifier_that_could_never_work_is_not_built() {
    let fake = Fake::new();
    let error = |builder: RemoteVerifierBuilder<VeraisonService>| builder.build().unwrap_err();
    assert_eq!(error(builder(&fake)), SetupError::NoFormat);
    assert!(matches!(
        error(
            builder(&fake)
                .format(PsaToken::tfm())
                .format(CcaToken::new())
                .format(PsaToken::tfm())
        ),
        SetupError::RepeatedFormat(_)
    ));
    assert!(matches!(
        error(
            builder(&fake)
                .format(PsaToken::tfm())
                .max_age(Duration::from_millis(999))
        ),
        SetupError::Zero(_)
    ));
    let both = builder(&fake)
        .format(PsaToken::tfm())
        .format(CcaToken::new())
        .build();
    assert_eq!(both.unwrap().media_types().len(), 2);
}
