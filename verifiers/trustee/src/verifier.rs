//! The verifier: our check of the Evidence, the service's appraisal, our check of the result.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use atls_core::AppraisalError;
use atls_core::Appraised;
use atls_core::BoxFuture;
use atls_core::Evidence;
use atls_core::Issuer;
use atls_core::MediaType;
use atls_core::Verifier;
use atls_core::ear::Check;
use atls_core::ear::Ear;
use atls_core::ear::ExpectedNonce;
use atls_core::ear::KeySource;
use atls_core::ear::jwt;
use atls_core::ear::verify_with;
use atls_core::http::HttpClient;
use atls_core::limits::DEFAULT_MAX_AGE;
use atls_core::pki_types::UnixTime;
use atls_remote::Endpoint;
use atls_remote::Service;
use atls_remote::SetupError;
use rustls::crypto::CryptoProvider;
use rustls::crypto::WebPkiSupportedAlgorithms;

use crate::PROFILE;
use crate::format::EvidenceFormat;
use crate::format::Shaped;
use crate::request;
use crate::result;

/// Appraises Evidence by asking a Trustee attestation service, and obtains passports from it ([`Issuer`]).
///
/// Endorsements that a peer sends along are not passed on.
pub struct TrusteeVerifier {
    service: Service,
    keys: Arc<dyn KeySource>,
    supported: WebPkiSupportedAlgorithms,
    formats: Vec<Configured>,
    media_types: Vec<MediaType>,
    passports: MediaType,
    policy: String,
    issuer: String,
    max_age: Duration,
}

struct Configured {
    format: Box<dyn EvidenceFormat>,
    media_type: MediaType,
}

impl TrusteeVerifier {
    /// The service to ask, and the keys that its results are accepted under: pinned, or a [`Jwks`](atls_remote::Jwks) of the
    /// service. Give it a [`Resilient`](atls_remote::Resilient) client.
    pub fn builder(
        service: &Endpoint,
        client: Arc<dyn HttpClient>,
        keys: Arc<dyn KeySource>,
        provider: &CryptoProvider,
    ) -> TrusteeVerifierBuilder {
        TrusteeVerifierBuilder {
            service: service.clone(),
            client,
            keys,
            supported: provider.signature_verification_algorithms,
            formats: Vec::new(),
            policy: "default".to_owned(),
            issuer: "CoCo-Attestation-Service".to_owned(),
            max_age: DEFAULT_MAX_AGE,
        }
    }

    async fn ask(
        &self,
        evidence: &Evidence<'_>,
        now: UnixTime,
    ) -> Result<Appraised, AppraisalError> {
        let format = self.format_of(evidence)?;
        let challenge = format.carriage().challenge(evidence.bound());
        let shaped = format.shape(evidence.bytes())?;
        let matched = challenge.compare(&shaped.challenge)?;
        let token = self.submit(format, &shaped).await?;
        let ear = self.verify(&token, format, &shaped.challenge, now).await?;
        let ear = match shaped.judgement {
            Some(judgement) => ear.with_submod(LOCAL, judgement),
            None => ear,
        };
        Ok(Appraised::bound_to_connection(
            ear,
            format.origin(),
            matched,
        ))
    }

    /// Takes the challenge as octets, for recorded results, which are about no connection.
    pub(crate) async fn verify(
        &self,
        token: &str,
        format: &dyn EvidenceFormat,
        challenge: &[u8],
        now: UnixTime,
    ) -> Result<Ear, AppraisalError> {
        let check = Check {
            now,
            max_age: self.max_age,
            nonce: ExpectedNonce::InAnotherClaim,
            issuer: Some(&self.issuer),
            submods: &[],
        };
        let decode = |keys: &_| jwt::decode(token, keys, &self.supported, &check);
        let ear = verify_with(&*self.keys, now, decode).await?;
        result::check(&ear, format, challenge, &self.policy)?;
        Ok(ear)
    }

    /// The service's answer as it came, to Evidence that was found to be about this connection.
    async fn submit(
        &self,
        format: &dyn EvidenceFormat,
        shaped: &Shaped,
    ) -> Result<String, AppraisalError> {
        let body = request::body(format, &shaped.json, &shaped.challenge, &self.policy);
        let token = self.service.post(&body).await?;
        String::from_utf8(token).map_err(|_| AppraisalError::BadResult)
    }

    fn format_of(&self, evidence: &Evidence<'_>) -> Result<&dyn EvidenceFormat, AppraisalError> {
        let mut formats = self.formats.iter();
        let known = formats.find(|known| known.media_type == *evidence.media_type());
        known
            .map(|known| &*known.format)
            .ok_or(AppraisalError::Malformed)
    }
}

impl Verifier for TrusteeVerifier {
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

impl Issuer for TrusteeVerifier {
    fn media_type(&self) -> &MediaType {
        &self.passports
    }

    fn issue<'a>(
        &'a self,
        evidence: &'a Evidence<'a>,
    ) -> BoxFuture<'a, Result<Vec<u8>, AppraisalError>> {
        Box::pin(async move {
            let format = self.format_of(evidence)?;
            let challenge = format.carriage().challenge(evidence.bound());
            let shaped = format.shape(evidence.bytes())?;
            challenge.compare(&shaped.challenge).map(drop)?;
            Ok(self.submit(format, &shaped).await?.into_bytes())
        })
    }
}

impl fmt::Debug for TrusteeVerifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TrusteeVerifier")
            .field("service", &self.service)
            .field("media_types", &self.media_types)
            .field("policy", &self.policy)
            .field("max_age", &self.max_age)
            .finish_non_exhaustive()
    }
}

/// Makes a [`TrusteeVerifier`].
#[must_use]
pub struct TrusteeVerifierBuilder {
    service: Endpoint,
    client: Arc<dyn HttpClient>,
    keys: Arc<dyn KeySource>,
    supported: WebPkiSupportedAlgorithms,
    formats: Vec<Box<dyn EvidenceFormat>>,
    policy: String,
    issuer: String,
    max_age: Duration,
}

impl TrusteeVerifierBuilder {
    /// Adds a format. At least one is needed.
    pub fn format(mut self, format: impl EvidenceFormat + 'static) -> Self {
        self.formats.push(Box::new(format));
        self
    }

    /// The policy of the service under which Evidence is appraised, by default `default`; a result under another one is
    /// refused. The default policy affirms nothing until the service has reference values.
    pub fn policy(mut self, id: impl Into<String>) -> Self {
        self.policy = id.into();
        self
    }

    /// The `iss` that results must have, by default `CoCo-Attestation-Service`.
    pub fn issuer(mut self, issuer: impl Into<String>) -> Self {
        self.issuer = issuer.into();
        self
    }

    /// How old a result may become, by default [`DEFAULT_MAX_AGE`]; Trustee ends them after 5 minutes unless told otherwise.
    pub fn max_age(mut self, max_age: Duration) -> Self {
        self.max_age = max_age;
        self
    }

    /// # Errors
    /// [`SetupError`] without format, with two for one media type, or with one whose media type is none.
    pub fn build(self) -> Result<TrusteeVerifier, SetupError> {
        let mut formats: Vec<Configured> = Vec::new();
        for format in self.formats {
            let media_type = MediaType::parse(format.media_type())?;
            if formats.iter().any(|known| known.media_type == media_type) {
                return Err(SetupError::RepeatedFormat(media_type));
            }
            formats.push(Configured { format, media_type });
        }
        if formats.is_empty() {
            return Err(SetupError::NoFormat);
        }
        let url = self.service.join("/attestation")?;
        Ok(TrusteeVerifier {
            service: Service::new(NAME, self.client, url),
            keys: self.keys,
            supported: self.supported,
            media_types: formats
                .iter()
                .map(|known| known.media_type.clone())
                .collect(),
            formats,
            passports: MediaType::parse(&format!(
                "application/eat+jwt; eat_profile=\"{PROFILE}\""
            ))?,
            policy: self.policy,
            issuer: self.issuer,
            max_age: self.max_age,
        })
    }
}

impl fmt::Debug for TrusteeVerifierBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TrusteeVerifierBuilder")
            .field("service", &self.service)
            .field("policy", &self.policy)
            .finish_non_exhaustive()
    }
}

/// In events.
const NAME: &str = "trustee";

/// The part of a result that holds our own judgement.
const LOCAL: &str = "local";
