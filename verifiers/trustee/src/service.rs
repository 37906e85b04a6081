//! The service: Evidence goes out in one request, a token comes back, and its claims are compared with the Evidence.

use std::convert::Infallible;
use std::sync::Arc;

use atls_core::BoxFuture;
use atls_core::ear::Check;
use atls_core::ear::Ear;
use atls_core::ear::EarError;
use atls_core::ear::ExpectedNonce;
use atls_core::ear::jwt;
use atls_core::http::HttpClient;
use atls_formats::ReportedClaims;
use atls_remote::CheckedEvidence;
use atls_remote::Endpoint;
use atls_remote::EndpointError;
use atls_remote::Failure;
use atls_remote::IssuingService;
use atls_remote::JsonApi;
use atls_remote::RemoteService;
use atls_remote::ResultCheck;
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::Value;
use serde_json::json;

use crate::tee::TeeTerms;

/// A Trustee attestation service, for [`RemoteVerifier`](atls_remote::RemoteVerifier) and
/// [`RemoteIssuer`](atls_remote::RemoteIssuer).
#[derive(Clone, Debug)]
pub struct TrusteeService {
    api: JsonApi,
    policy: String,
}

impl TrusteeService {
    /// The service at this address. Give it a [`Resilient`](atls_remote::Resilient) client.
    ///
    /// # Errors
    /// [`EndpointError`] if the path `/attestation` does not fit behind the endpoint.
    pub fn new(service: &Endpoint, client: Arc<dyn HttpClient>) -> Result<Self, EndpointError> {
        Ok(Self {
            api: JsonApi::new(client, service.join("/attestation")?),
            policy: "default".to_owned(),
        })
    }

    /// Names the policy of the service, by default `default`. A result under another policy is refused. The default policy affirms
    /// nothing until the service has reference values.
    #[must_use]
    pub fn with_policy(mut self, id: impl Into<String>) -> Self {
        self.policy = id.into();
        self
    }

    /// Verifies the signature, and then checks the result: one part, about the TEE of the request, under the configured policy, with
    /// this report data, and with an end.
    pub(crate) fn read_about(
        &self,
        token: &str,
        check: &ResultCheck<'_>,
        terms: TeeTerms,
        report_data: &[u8],
    ) -> Result<Ear, EarError> {
        let claims = Check {
            now: check.now,
            max_age: check.max_age,
            nonce: ExpectedNonce::InAnotherClaim,
            issuer: check.issuer,
            audience: None,
            submods: &[PART],
        };
        let ear = jwt::decode(token, check.keys, check.supported, &claims)?;
        let appraisal = ear.submod(PART).ok_or(EarError::MissingSubmod)?;
        let reported = ReportedClaims::of(appraisal);
        let found = reported.bytes("report_data", terms.report_data);
        if found.as_deref() != Some(report_data) || !reported.is_about_tee(terms.tee) {
            return Err(EarError::Nonce);
        }
        let is_as_asked = appraisal.policy_ids() == [&*self.policy]
            && ear.submods().count() == 1
            && ear.expires_at().is_some();
        is_as_asked.then_some(ear).ok_or(EarError::Malformed)
    }
}

impl RemoteService for TrusteeService {
    const NAME: &'static str = "trustee";

    type Terms = TeeTerms;
    type Content = Value;
    type Claims = Infallible;

    fn issuer(&self) -> Option<&str> {
        Some("CoCo-Attestation-Service")
    }

    /// `POST /attestation`, about one TEE. Trustee compares `raw` runtime data as it is (its documentation says "digest"). Every
    /// request has them, because without them Trustee compares nothing. The answer is the bare token, labelled as plain text.
    fn ask<'a>(
        &'a self,
        evidence: &'a CheckedEvidence<'a, Self>,
    ) -> BoxFuture<'a, Result<String, Failure>> {
        let base64 = |bytes: &[u8]| BASE64_URL_SAFE_NO_PAD.encode(bytes);
        let request = json!({
            "verification_requests": [{
                "tee": evidence.terms.tee,
                "evidence": base64(evidence.content.to_string().as_bytes()),
                "runtime_data": { "raw": base64(evidence.expected.bytes()) },
            }],
            "policy_ids": [self.policy],
        });
        Box::pin(async move { self.api.bare_token(&request, evidence.time_left()).await })
    }

    fn read(
        &self,
        token: &str,
        check: &ResultCheck<'_>,
        evidence: &CheckedEvidence<'_, Self>,
    ) -> Result<(Ear, Option<Infallible>), EarError> {
        let ear = self.read_about(token, check, *evidence.terms, evidence.expected.bytes())?;
        Ok((ear, None))
    }
}

impl IssuingService for TrusteeService {
    const RESULTS: &'static str =
        "application/eat+jwt; eat_profile=\"tag:github.com,2024:confidential-containers/Trustee\"";
}

/// The first device of the class `cpu`. A request is about one device.
const PART: &str = "cpu0";
