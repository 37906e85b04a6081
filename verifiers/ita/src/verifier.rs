//! The verifier: our check of the quote, the service's appraisal, our check of the token.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use atls_core::AppraisalError;
use atls_core::Appraised;
use atls_core::BoxFuture;
use atls_core::Evidence;
use atls_core::ExpectedValue;
use atls_core::MediaType;
use atls_core::Origin;
use atls_core::Verifier;
use atls_core::ear::KeySource;
use atls_core::http::HttpClient;
use atls_core::limits::DEFAULT_MAX_AGE;
use atls_core::pki_types::UnixTime;
use atls_formats::dcap::Quote;
use atls_formats::dcap::TDX_QUOTE;
use atls_formats::dcap::Tee;
use atls_formats::dcap::report_data;
use atls_remote::Endpoint;
use atls_remote::Service;
use atls_remote::SetupError;
use atls_remote::TokenCheck;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use http::HeaderName;
use http::HeaderValue;
use rustls::crypto::CryptoProvider;
use rustls::crypto::WebPkiSupportedAlgorithms;
use serde_json::Value;
use serde_json::json;

use crate::claims::ItaClaims;

/// Appraises TDX quotes by asking Intel Trust Authority.
pub struct ItaVerifier {
    service: Service,
    keys: Arc<dyn KeySource>,
    supported: WebPkiSupportedAlgorithms,
    media_types: [MediaType; 1],
    policies: Vec<String>,
    issuer: String,
    max_age: Duration,
    runtime_data: RuntimeData,
}

/// Whether the value of the connection goes to the service as `runtime_data`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(clippy::exhaustive_enums, reason = "there is no third")]
pub enum RuntimeData {
    /// It goes along, and the service compares its SHA-512 with the quote too.
    #[default]
    Sent,
    /// It does not. The comparisons made here are the same.
    Omitted,
}

impl ItaVerifier {
    /// Where to ask, see [`api`](crate::api), and the keys that tokens are accepted under, see
    /// [`portal_keys`](crate::portal_keys). Give it a [`Resilient`](atls_remote::Resilient) client.
    pub fn builder(
        api: &Endpoint,
        client: Arc<dyn HttpClient>,
        keys: Arc<dyn KeySource>,
        provider: &CryptoProvider,
    ) -> ItaVerifierBuilder {
        ItaVerifierBuilder {
            api: api.clone(),
            client,
            keys,
            supported: provider.signature_verification_algorithms,
            api_key: None,
            policies: Vec::new(),
            issuer: "Intel Trust Authority".to_owned(),
            max_age: DEFAULT_MAX_AGE,
            runtime_data: RuntimeData::Sent,
        }
    }

    async fn ask(
        &self,
        evidence: &Evidence<'_>,
        now: UnixTime,
    ) -> Result<Appraised, AppraisalError> {
        let challenge = ExpectedValue::from(report_data(evidence.bound()));
        let quote =
            Quote::decode(evidence.bytes(), Tee::Tdx).map_err(|_| AppraisalError::Malformed)?;
        let matched = challenge.compare(quote.report.report_data())?;
        let check = TokenCheck {
            now,
            max_age: self.max_age,
            issuer: &self.issuer,
            supported: &self.supported,
        };
        let request = self.request(evidence);
        let token = self.service.token(&request, &*self.keys, &check).await?;
        let claims = ItaClaims::of(&token)?;
        claims.check(&challenge)?;
        let ear = claims.result(&token, &self.policies);
        Ok(Appraised::bound_to_connection(ear, Origin::Device, matched).with_claims(claims))
    }

    fn request(&self, evidence: &Evidence<'_>) -> Value {
        let mut tdx = json!({ "quote": BASE64_STANDARD.encode(evidence.bytes()) });
        if self.runtime_data == RuntimeData::Sent {
            let runtime_data = BASE64_STANDARD.encode(evidence.bound());
            if let Value::Object(tdx) = &mut tdx {
                tdx.insert("runtime_data".to_owned(), runtime_data.into());
            }
        }
        json!({
            "tdx": tdx,
            "policy_ids": self.policies,
            "policy_must_match": !self.policies.is_empty(),
            "token_signing_alg": "PS384",
        })
    }
}

impl Verifier for ItaVerifier {
    fn media_types(&self) -> &[MediaType] {
        &self.media_types
    }

    fn appraise<'a>(
        &'a self,
        evidence: &'a Evidence<'a>,
        now: UnixTime,
    ) -> BoxFuture<'a, Result<Appraised, AppraisalError>> {
        let appraisal = self.ask(evidence, now);
        Box::pin(atls_remote::recorded(
            NAME,
            evidence.media_type(),
            appraisal,
        ))
    }
}

impl fmt::Debug for ItaVerifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ItaVerifier")
            .field("service", &self.service)
            .field("policies", &self.policies)
            .field("max_age", &self.max_age)
            .finish_non_exhaustive()
    }
}

/// Makes an [`ItaVerifier`].
#[must_use]
pub struct ItaVerifierBuilder {
    api: Endpoint,
    client: Arc<dyn HttpClient>,
    keys: Arc<dyn KeySource>,
    supported: WebPkiSupportedAlgorithms,
    api_key: Option<HeaderValue>,
    policies: Vec<String>,
    issuer: String,
    max_age: Duration,
    runtime_data: RuntimeData,
}

impl ItaVerifierBuilder {
    /// The key of your subscription, `x-api-key`.
    ///
    /// # Errors
    /// [`SetupError::Credential`]
    pub fn api_key(mut self, key: &str) -> Result<Self, SetupError> {
        let key = HeaderValue::from_str(key).map_err(|_| SetupError::Credential)?;
        self.api_key = Some(key);
        Ok(self)
    }

    /// Adds a policy of your subscription, by its UUID, that must match. Without any, results are warnings.
    pub fn policy(mut self, id: impl Into<String>) -> Self {
        self.policies.push(id.into());
        self
    }

    /// The `iss` that tokens must have, by default `Intel Trust Authority`.
    pub fn issuer(mut self, issuer: impl Into<String>) -> Self {
        self.issuer = issuer.into();
        self
    }

    /// How old a token may become, by default [`DEFAULT_MAX_AGE`].
    pub fn max_age(mut self, max_age: Duration) -> Self {
        self.max_age = max_age;
        self
    }

    /// Whether the service gets the value to compare, by default [`RuntimeData::Sent`].
    pub fn runtime_data(mut self, runtime_data: RuntimeData) -> Self {
        self.runtime_data = runtime_data;
        self
    }

    /// # Errors
    /// [`SetupError::Credential`] without key.
    pub fn build(self) -> Result<ItaVerifier, SetupError> {
        let key = self.api_key.ok_or(SetupError::Credential)?;
        let url = self.api.join("/appraisal/v2/attest")?;
        Ok(ItaVerifier {
            service: Service::new(NAME, self.client, url).with_header(API_KEY, key),
            keys: self.keys,
            supported: self.supported,
            media_types: [MediaType::parse(TDX_QUOTE)?],
            policies: self.policies,
            issuer: self.issuer,
            max_age: self.max_age,
            runtime_data: self.runtime_data,
        })
    }
}

impl fmt::Debug for ItaVerifierBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ItaVerifierBuilder")
            .field("api", &self.api)
            .field("policies", &self.policies)
            .finish_non_exhaustive()
    }
}

/// In events.
const NAME: &str = "ita";

const API_KEY: HeaderName = HeaderName::from_static("x-api-key");
