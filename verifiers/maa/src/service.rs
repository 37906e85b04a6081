//! The service: one request to the endpoint of the guest's kind, and a token that reports the guest's report data.

use std::sync::Arc;

use atls_core::BoxFuture;
use atls_core::ear::Ear;
use atls_core::ear::EarError;
use atls_core::http::HttpClient;
use atls_remote::CheckedEvidence;
use atls_remote::Endpoint;
use atls_remote::EndpointError;
use atls_remote::Failure;
use atls_remote::JsonApi;
use atls_remote::RemoteService;
use atls_remote::ResultCheck;
use atls_remote::Token;
use serde_json::Value;

use crate::claims::GuestKind;
use crate::claims::MaaClaims;
use crate::software::KnownSoftware;
use crate::software::TdMeasurements;

/// An instance of Azure Attestation, for [`RemoteVerifier`](atls_remote::RemoteVerifier).
#[derive(Clone, Debug)]
pub struct MaaService {
    snp: JsonApi,
    tdx: JsonApi,
    issuer: String,
    known: KnownSoftware,
}

impl MaaService {
    /// The instance at this address, which is also the `iss` of its tokens. Give it a [`Resilient`](atls_remote::Resilient) client.
    ///
    /// # Errors
    /// [`EndpointError`], which an endpoint that parsed does not give.
    pub fn new(instance: &Endpoint, client: Arc<dyn HttpClient>) -> Result<Self, EndpointError> {
        let url = |path: &str| instance.join(&format!("{path}?api-version={VERSION}"));
        Ok(Self {
            snp: JsonApi::new(client.clone(), url("/attest/SevSnpVm")?),
            tdx: JsonApi::new(client, url("/attest/TdxVm")?),
            issuer: instance.to_string(),
            known: KnownSoftware::default(),
        })
    }

    /// Adds a launch measurement of SEV-SNP that is known good. Where neither such a measurement nor a [TD](Self::with_td) is known,
    /// results are warnings: the service's default policy does not check the software. Where any is, all other guests are
    /// contraindicated.
    #[must_use]
    pub fn with_launch_measurement(mut self, measurement: [u8; 48]) -> Self {
        self.known.launch_measurements.push(measurement);
        self
    }

    /// Adds a TD that is known good, as [`with_launch_measurement`](Self::with_launch_measurement) does a guest of SEV-SNP.
    #[must_use]
    pub fn with_td(mut self, td: TdMeasurements) -> Self {
        self.known.tds.push(td);
        self
    }
}

impl RemoteService for MaaService {
    const NAME: &'static str = "maa";

    type Terms = GuestKind;
    type Content = Value;
    type Claims = MaaClaims;

    fn issuer(&self) -> Option<&str> {
        Some(&self.issuer)
    }

    fn ask<'a>(
        &'a self,
        evidence: &'a CheckedEvidence<'a, Self>,
    ) -> BoxFuture<'a, Result<String, Failure>> {
        let api = match evidence.terms {
            GuestKind::Snp => &self.snp,
            GuestKind::Tdx => &self.tdx,
        };
        Box::pin(async move { api.token(evidence.content, evidence.time_left()).await })
    }

    fn read(
        &self,
        token: &str,
        check: &ResultCheck<'_>,
        evidence: &CheckedEvidence<'_, Self>,
    ) -> Result<(Ear, Option<MaaClaims>), EarError> {
        let token = Token::decode(token, check)?;
        let claims = MaaClaims::about(&token, *evidence.terms, evidence.expected)?;
        let software = self.known.find(*evidence.terms, &claims);
        let ear = claims.result(*evidence.terms, &token, software);
        Ok((ear, Some(claims)))
    }
}

const VERSION: &str = "2025-06-01";
