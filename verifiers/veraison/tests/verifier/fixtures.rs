//! Verifiers over the fake service.

use std::sync::Arc;

use atls_core::AppraisalError;
use atls_core::Appraised;
use atls_core::Evidence;
use atls_core::Verifier;
use atls_core::ear::Tier;
use atls_core::http::HttpClient;
use atls_remote::RemoteVerifier;
use atls_remote::RemoteVerifierBuilder;
use atls_sim::SimAttester;
use atls_veraison::PsaToken;
use atls_veraison::VeraisonService;
use serde_json::Value;
use test_support::Connection;

use crate::support::Fake;
use crate::support::now;
use crate::support::provider;

pub(crate) fn builder(fake: &Fake) -> RemoteVerifierBuilder<VeraisonService> {
    builder_over(fake, Arc::new(fake.clone()))
}

pub(crate) fn builder_over(
    fake: &Fake,
    client: Arc<dyn HttpClient>,
) -> RemoteVerifierBuilder<VeraisonService> {
    let service = crate::support::service_over(client);
    RemoteVerifier::builder(service, Arc::new(fake.keys()), &provider())
}

pub(crate) fn verifier(fake: &Fake) -> RemoteVerifier<VeraisonService> {
    builder(fake).format(PsaToken::tfm()).build().unwrap()
}

pub(crate) async fn appraise(
    verifier: &RemoteVerifier<VeraisonService>,
    connection: &Connection,
    token: &[u8],
) -> Result<Appraised, AppraisalError> {
    let evidence = Evidence::new(&verifier.media_types()[0], token, connection.bound());
    let outcome = verifier.appraise(&evidence, now()).await;
    // A task of its own deletes the session.
    tokio::task::yield_now().await;
    outcome
}

pub(crate) type Expected = Result<Tier, AppraisalError>;

/// The status of a result about good Evidence, after this change to its claims.
pub(crate) async fn status(change: impl Fn(&mut Value) + Send + Sync + 'static) -> Expected {
    let connection = Connection::new();
    let token = connection.token(&SimAttester::generate().unwrap()).await;
    let verifier = verifier(&Fake::new().claiming(change));
    let appraised = appraise(&verifier, &connection, &token).await?;
    Ok(appraised.ear().status())
}
