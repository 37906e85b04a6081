//! The service as a verifier asks it, and as an attester fetches passports from it.

use std::convert::Infallible;

use atls_core::AppraisalError;
use atls_core::BoxFuture;
use atls_core::ear::Check;
use atls_core::ear::Ear;
use atls_core::ear::EarError;
use atls_core::ear::ExpectedNonce;
use atls_core::ear::jwt;
use atls_core::pki_types::UnixTime;
use atls_remote::CheckedEvidence;
use atls_remote::Failure;
use atls_remote::IssuingService;
use atls_remote::RemoteService;
use atls_remote::ResultCheck;

use crate::error::VeraisonError;
use crate::parts::Parts;
use crate::service::VeraisonService;
use crate::session::Submission;

impl RemoteService for VeraisonService {
    const NAME: &'static str = "veraison";

    type Terms = Parts;
    type Content = ();
    type Claims = Infallible;

    /// Veraison's results have no `iss`: their key is all that names the service.
    fn issuer(&self) -> Option<&str> {
        None
    }

    fn ask<'a>(
        &'a self,
        evidence: &'a CheckedEvidence<'a, Self>,
        now: Option<UnixTime>,
    ) -> BoxFuture<'a, Result<String, Failure>> {
        Box::pin(async move {
            let submission = Submission {
                media_type: evidence.media_type,
                evidence: evidence.bytes,
                nonce: evidence.expected.bytes(),
                now,
            };
            let result = self.submit(submission).await;
            Ok(result.inspect_err(trace_problem)?.into_token())
        })
    }

    /// The nonce is required and proves nothing; the comparison before the submission does.
    fn read(
        &self,
        token: &str,
        check: &ResultCheck<'_>,
        evidence: &CheckedEvidence<'_, Self>,
    ) -> Result<(Ear, Option<Infallible>), EarError> {
        let ear = self.read_about(token, check, evidence.terms, evidence.expected.bytes())?;
        Ok((ear, None))
    }
}

impl VeraisonService {
    /// The signature and the time, and then what the result says: this nonce, and each of these parts.
    pub(crate) fn read_about(
        &self,
        token: &str,
        check: &ResultCheck<'_>,
        parts: &Parts,
        nonce: &[u8],
    ) -> Result<Ear, EarError> {
        let parts: Vec<_> = parts.names().collect();
        let claims = Check {
            now: check.now,
            max_age: check.max_age,
            nonce: ExpectedNonce::Echoed(nonce),
            issuer: check.issuer,
            submods: &parts,
        };
        jwt::decode(token, check.keys, check.supported, &claims)
    }
}

impl IssuingService for VeraisonService {
    /// RFC 9782, with the profile of deployed services.
    const RESULTS: &'static str =
        "application/eat+jwt; eat_profile=\"tag:github.com,2023:veraison/ear\"";
}

/// Veraison judges Evidence in a result, so none of its refusals is the peer's fault.
impl From<VeraisonError> for Failure {
    fn from(error: VeraisonError) -> Self {
        let refusal = match &error {
            VeraisonError::Http(error) => return error.clone().into(),
            VeraisonError::NonceLength => {
                AppraisalError::Local("the value of the connection is no nonce of the service")
            }
            VeraisonError::Status {
                status: 400 | 422, ..
            } => AppraisalError::BadResult,
            VeraisonError::Failed
            | VeraisonError::Pending
            | VeraisonError::SessionEnded
            | VeraisonError::Status { .. } => AppraisalError::Unreachable,
            _ => AppraisalError::BadResult,
        };
        Self::new(refusal, error.reason()).with_cause(atls_core::report(&error).to_string())
    }
}

fn trace_problem(error: &VeraisonError) {
    if let VeraisonError::Status {
        problem: Some(problem),
        ..
    } = error
    {
        tracing::trace!(target: "atls_veraison", ?problem, "the service's own words");
    }
}
