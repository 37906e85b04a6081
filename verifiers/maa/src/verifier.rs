//! The verifier: our check of the Evidence, the service's appraisal, our check of the token.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use atls_core::AppraisalError;
use atls_core::Appraised;
use atls_core::BoxFuture;
use atls_core::Evidence;
use atls_core::MediaType;
use atls_core::Origin;
use atls_core::Verifier;
use atls_core::ear::KeySource;
use atls_core::http::HttpClient;
use atls_core::limits::DEFAULT_MAX_AGE;
use atls_core::pki_types::UnixTime;
use atls_formats::Carriage;
use atls_formats::dcap::TDX_QUOTE;
use atls_formats::tsm::TSM_REPORT;
use atls_remote::Endpoint;
use atls_remote::Service;
use atls_remote::SetupError;
use atls_remote::TokenCheck;
use rustls::crypto::CryptoProvider;
use rustls::crypto::WebPkiSupportedAlgorithms;

use crate::claims;
use crate::claims::Kind;
use crate::claims::MaaClaims;
use crate::request;

/// Appraises SEV-SNP reports and TDX quotes by asking an instance of Azure Attestation.
pub struct MaaVerifier {
    snp: Service,
    tdx: Service,
    keys: Arc<dyn KeySource>,
    supported: WebPkiSupportedAlgorithms,
    media_types: [MediaType; 2],
    measurements: Vec<[u8; 48]>,
    issuer: String,
    max_age: Duration,
}

impl MaaVerifier {
    /// The instance to ask, and the keys that tokens are accepted under, see [`instance_keys`](crate::instance_keys). Give it a
    /// [`Resilient`](atls_remote::Resilient) client.
    pub fn builder(
        instance: &Endpoint,
        client: Arc<dyn HttpClient>,
        keys: Arc<dyn KeySource>,
        provider: &CryptoProvider,
    ) -> MaaVerifierBuilder {
        MaaVerifierBuilder {
            instance: instance.clone(),
            client,
            keys,
            supported: provider.signature_verification_algorithms,
            measurements: Vec::new(),
            issuer: instance.to_string(),
            max_age: DEFAULT_MAX_AGE,
        }
    }

    async fn ask(
        &self,
        evidence: &Evidence<'_>,
        now: UnixTime,
    ) -> Result<Appraised, AppraisalError> {
        let challenge = Carriage::Sha512.challenge(evidence.bound());
        let [snp, _] = &self.media_types;
        let (service, kind, (request, matched)): (_, &Kind, _) = if evidence.media_type() == snp {
            let request = request::snp(evidence.bytes(), &challenge)?;
            (&self.snp, &claims::SNP, request)
        } else {
            let request = request::tdx(evidence.bytes(), &challenge)?;
            (&self.tdx, &claims::TDX, request)
        };
        let check = TokenCheck {
            now,
            max_age: self.max_age,
            issuer: &self.issuer,
            supported: &self.supported,
        };
        let token = service.token(&request, &*self.keys, &check).await?;
        let claims = MaaClaims::of(&token);
        claims.check(kind, &challenge)?;
        let ear = claims.result(kind, &token, &self.measurements);
        Ok(Appraised::bound_to_connection(ear, Origin::Device, matched).with_claims(claims))
    }
}

impl Verifier for MaaVerifier {
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

impl fmt::Debug for MaaVerifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MaaVerifier")
            .field("issuer", &self.issuer)
            .field("measurements", &self.measurements.len())
            .field("max_age", &self.max_age)
            .finish_non_exhaustive()
    }
}

/// Makes a [`MaaVerifier`].
#[must_use]
pub struct MaaVerifierBuilder {
    instance: Endpoint,
    client: Arc<dyn HttpClient>,
    keys: Arc<dyn KeySource>,
    supported: WebPkiSupportedAlgorithms,
    measurements: Vec<[u8; 48]>,
    issuer: String,
    max_age: Duration,
}

impl MaaVerifierBuilder {
    /// Adds a launch measurement (SNP) or MRTD (TDX) that is known good. Without any, results are warnings: the service's
    /// default policy does not look at what runs.
    pub fn launch_measurement(mut self, measurement: [u8; 48]) -> Self {
        self.measurements.push(measurement);
        self
    }

    /// The `iss` that tokens must have, by default the address of the instance.
    pub fn issuer(mut self, issuer: impl Into<String>) -> Self {
        self.issuer = issuer.into();
        self
    }

    /// How old a token may become, by default [`DEFAULT_MAX_AGE`]; the service ends them after 8 hours.
    pub fn max_age(mut self, max_age: Duration) -> Self {
        self.max_age = max_age;
        self
    }

    /// # Errors
    /// None for an endpoint that is one.
    pub fn build(self) -> Result<MaaVerifier, SetupError> {
        let service = |path: &str| {
            let url = self
                .instance
                .join(&format!("{path}?api-version={VERSION}"))?;
            let client = self.client.clone();
            Ok::<_, SetupError>(Service::new(NAME, client, url))
        };
        Ok(MaaVerifier {
            snp: service("/attest/SevSnpVm")?,
            tdx: service("/attest/TdxVm")?,
            keys: self.keys,
            supported: self.supported,
            media_types: [MediaType::parse(TSM_REPORT)?, MediaType::parse(TDX_QUOTE)?],
            measurements: self.measurements,
            issuer: self.issuer,
            max_age: self.max_age,
        })
    }
}

impl fmt::Debug for MaaVerifierBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MaaVerifierBuilder")
            .field("instance", &self.instance)
            .finish_non_exhaustive()
    }
}

/// In events.
const NAME: &str = "maa";

const VERSION: &str = "2025-06-01";
