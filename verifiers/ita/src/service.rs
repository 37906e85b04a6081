//! The service: one request about a quote, and a token that reports the quote's report data.

use std::sync::Arc;

use atls_core::BoxFuture;
use atls_core::ear::Ear;
use atls_core::ear::EarError;
use atls_core::http::HttpClient;
use atls_remote::CheckedEvidence;
use atls_remote::Endpoint;
use atls_remote::Failure;
use atls_remote::JsonApi;
use atls_remote::RemoteService;
use atls_remote::ResultCheck;
use atls_remote::SetupError;
use atls_remote::Token;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use http::HeaderName;
use http::HeaderValue;
use serde_json::Value;
use serde_json::json;

use crate::claims::ItaClaims;

/// Intel Trust Authority, for [`RemoteVerifier`](atls_remote::RemoteVerifier).
#[derive(Clone, Debug)]
pub struct ItaService {
    api: JsonApi,
    policies: Vec<String>,
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

impl ItaService {
    /// The service at this address, see [`api`](crate::api), asked with the key of your subscription, `x-api-key`. Give it a
    /// [`Resilient`](atls_remote::Resilient) client.
    ///
    /// # Errors
    /// [`SetupError::Credential`] where the key is no header value.
    pub fn new(
        api: &Endpoint,
        api_key: &str,
        client: Arc<dyn HttpClient>,
    ) -> Result<Self, SetupError> {
        let key = HeaderValue::from_str(api_key);
        let key = key.map_err(|_| SetupError::Credential)?;
        let url = api.join("/appraisal/v2/attest")?;
        Ok(Self {
            api: JsonApi::new(client, url).with_header(API_KEY, key),
            policies: Vec::new(),
            runtime_data: RuntimeData::Sent,
        })
    }

    /// Adds a policy of your subscription, by its UUID, that must match. Without any, results are warnings.
    #[must_use]
    pub fn with_policy(mut self, id: impl Into<String>) -> Self {
        self.policies.push(id.into());
        self
    }

    /// Whether the service gets the value to compare, by default [`RuntimeData::Sent`].
    #[must_use]
    pub fn with_runtime_data(mut self, runtime_data: RuntimeData) -> Self {
        self.runtime_data = runtime_data;
        self
    }

    fn request(&self, evidence: &CheckedEvidence<'_, Self>) -> Value {
        let mut tdx = json!({ "quote": BASE64_STANDARD.encode(evidence.bytes) });
        if let (RuntimeData::Sent, Value::Object(tdx)) = (self.runtime_data, &mut tdx) {
            let runtime_data = BASE64_STANDARD.encode(evidence.bound);
            tdx.insert("runtime_data".to_owned(), runtime_data.into());
        }
        json!({
            "tdx": tdx,
            "policy_ids": self.policies,
            "policy_must_match": !self.policies.is_empty(),
            "token_signing_alg": "PS384",
        })
    }
}

impl RemoteService for ItaService {
    const NAME: &'static str = "ita";

    type Terms = ();
    type Content = ();
    type Claims = ItaClaims;

    fn issuer(&self) -> Option<&str> {
        Some("Intel Trust Authority")
    }

    fn ask<'a>(
        &'a self,
        evidence: &'a CheckedEvidence<'a, Self>,
    ) -> BoxFuture<'a, Result<String, Failure>> {
        let request = self.request(evidence);
        Box::pin(async move { self.api.token(&request, evidence.time_left()).await })
    }

    fn read(
        &self,
        token: &str,
        check: &ResultCheck<'_>,
        evidence: &CheckedEvidence<'_, Self>,
    ) -> Result<(Ear, Option<ItaClaims>), EarError> {
        let token = Token::decode(token, check)?;
        let claims = ItaClaims::about(&token, evidence.expected)?;
        Ok((claims.result(&token, &self.policies), Some(claims)))
    }
}

const API_KEY: HeaderName = HeaderName::from_static("x-api-key");
