//! The stand-in for the service.

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;
use std::time::Duration;

use atls_core::AppraisalError;
use atls_core::Appraised;
use atls_core::Evidence;
use atls_core::Verifier;
use atls_core::ear::KeySource;
use atls_remote::RemoteVerifier;
use atls_remote::RemoteVerifierBuilder;
use atls_trustee::TdxQuote;
use atls_trustee::TrusteeService;
use serde_json::Value;
use serde_json::json;
use stand_in::Loopback;
use stand_in::Signer;
use test_support::Connection;
use test_support::at;

pub(crate) const NOW: u64 = 1_000_000;

pub(crate) struct Trustee {
    pub(crate) server: Loopback,
    pub(crate) signer: Arc<Signer>,
    pub(crate) requests: Arc<AtomicUsize>,
}

impl Trustee {
    pub(crate) async fn faithful() -> Self {
        Self::with(Some, sign).await
    }

    /// A service that alters or refuses its claims by `alter`, and signs in another way.
    pub(crate) async fn with(
        alter: impl Fn(Value) -> Option<Value> + Send + Sync + 'static,
        sign: fn(&Signer, &Value) -> String,
    ) -> Self {
        let signer = Arc::new(Signer::es256());
        let requests = Arc::new(AtomicUsize::new(0));
        let counted = requests.clone();
        let answer = move |signer: &Signer, claims: Option<Value>| {
            counted.fetch_add(1, Ordering::SeqCst);
            Some(sign(signer, &alter(claims?)?))
        };
        let app = stand_in::trustee_with(signer.clone(), || NOW, answer);
        Self {
            server: Loopback::serve(app).await,
            signer,
            requests,
        }
    }

    pub(crate) fn requests(&self) -> usize {
        self.requests.load(Ordering::SeqCst)
    }

    pub(crate) fn builder(&self) -> RemoteVerifierBuilder<TrusteeService> {
        self.builder_with(Arc::new(self.signer.keys()))
    }

    pub(crate) fn builder_with(
        &self,
        keys: Arc<dyn KeySource>,
    ) -> RemoteVerifierBuilder<TrusteeService> {
        let provider = rustls::crypto::ring::default_provider();
        let service = TrusteeService::new(&self.server.endpoint(), Loopback::client());
        let service = service.unwrap().with_policy("mine");
        RemoteVerifier::builder(service, keys, &provider).max_age(Duration::from_secs(3600))
    }

    pub(crate) fn verifier(&self) -> RemoteVerifier<TrusteeService> {
        self.builder().format(TdxQuote::new()).build().unwrap()
    }

    pub(crate) async fn appraise(
        &self,
        connection: &Connection,
        quote: &[u8],
    ) -> Result<Appraised, AppraisalError> {
        let verifier = self.verifier();
        let evidence = Evidence::new(&verifier.media_types()[0], quote, connection.bound());
        verifier.appraise(&evidence, at(NOW)).await
    }
}

pub(crate) fn sign(signer: &Signer, claims: &Value) -> String {
    // The real one puts its key into the header too.
    let header = json!({ "typ": "JWT", "alg": "ES256", "jwk": signer.jwk() });
    signer.token_with(&header, claims)
}

/// The result of a service that changes its claims in that way.
pub(crate) async fn appraised_with(change: fn(&mut Value)) -> Result<Appraised, AppraisalError> {
    let alter = move |mut claims| {
        change(&mut claims);
        Some(claims)
    };
    let trustee = Trustee::with(alter, sign).await;
    let connection = Connection::new();
    trustee.appraise(&connection, &quote(&connection)).await
}

pub(crate) fn quote(connection: &Connection) -> Vec<u8> {
    test_support::td_quote(connection.bound().sha512().bytes())
}
