//! The service as a verifier asks it, and as an attester fetches passports from it.

use std::convert::Infallible;

use atls_core::BoxFuture;
use atls_core::ear::Check;
use atls_core::ear::Ear;
use atls_core::ear::EarError;
use atls_core::ear::ExpectedNonce;
use atls_core::ear::jwt;
use atls_remote::CheckedEvidence;
use atls_remote::Failure;
use atls_remote::IssuingService;
use atls_remote::RemoteService;
use atls_remote::ResultCheck;

use crate::parts::Parts;
use crate::service::VeraisonService;

impl RemoteService for VeraisonService {
    const NAME: &'static str = "veraison";

    type Terms = Parts;
    type Content = ();
    type Claims = Infallible;

    /// Veraison's results have no `iss`. Their key alone names the service.
    fn issuer(&self) -> Option<&str> {
        None
    }

    fn ask<'a>(
        &'a self,
        evidence: &'a CheckedEvidence<'a, Self>,
    ) -> BoxFuture<'a, Result<String, Failure>> {
        Box::pin(self.submit_within(
            evidence.time_left(),
            evidence.media_type,
            evidence.bytes,
            evidence.expected.bytes(),
        ))
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
    /// Verifies the signature and the time, then reads the result: it has this nonce, and each of these parts.
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
            audience: None,
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
