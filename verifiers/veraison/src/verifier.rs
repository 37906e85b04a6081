//! The verifier: our check of the Evidence, the service's appraisal, our check of the result.

use std::fmt;
use std::time::Duration;

use atls_core::AppraisalError;
use atls_core::Appraised;
use atls_core::BoundMatch;
use atls_core::BoxFuture;
use atls_core::Evidence;
use atls_core::MediaType;
use atls_core::Verifier;
use atls_core::ear::Check;
use atls_core::ear::Ear;
use atls_core::ear::ExpectedNonce;
use atls_core::ear::VerificationKeys;
use atls_core::pki_types::UnixTime;
use rustls::crypto::CryptoProvider;
use rustls::crypto::WebPkiSupportedAlgorithms;

use crate::config::ConfigError;
use crate::error::VeraisonError;
use crate::format::Carried;
use crate::format::EvidenceFormat;
use crate::outcome;
use crate::service::Service;
use crate::session::Submission;
use crate::session::Wrapping;

/// Appraises Evidence by asking a Veraison service. Needs a tokio runtime with time.
///
/// It bounds one appraisal, and not how many there are: for that, and to leave a failing service alone, the [`Service`] gets a
/// client such as `atls_remote::Resilient`.
///
/// Endorsements that a peer sends along are not passed on; Veraison has its own.
pub struct VeraisonVerifier {
    service: Service,
    keys: VerificationKeys,
    supported: WebPkiSupportedAlgorithms,
    formats: Vec<Configured>,
    media_types: Vec<MediaType>,
    max_age: Duration,
    wrapping: Wrapping,
}

/// A format, and the parts that a result about it must judge.
struct Configured {
    format: Box<dyn EvidenceFormat>,
    media_type: MediaType,
    parts: Vec<String>,
}

impl VeraisonVerifier {
    /// The service to ask, and the keys that its results are accepted under: pinned, or out of
    /// [`Discovery::keys`](crate::Discovery::keys).
    pub fn builder(
        service: Service,
        keys: VerificationKeys,
        provider: &CryptoProvider,
    ) -> VeraisonVerifierBuilder {
        VeraisonVerifierBuilder {
            verifier: Self {
                service,
                keys,
                supported: provider.signature_verification_algorithms,
                formats: Vec::new(),
                media_types: Vec::new(),
                max_age: DEFAULT_MAX_AGE,
                wrapping: Wrapping::Bare,
            },
            formats: Vec::new(),
        }
    }

    async fn ask(
        &self,
        evidence: &Evidence<'_>,
        now: UnixTime,
    ) -> Result<Appraised, VeraisonError> {
        let configured = self.configured(evidence);
        let configured = configured.map_err(VeraisonError::Evidence)?;
        let (carried, matched) = configured.find(evidence).map_err(VeraisonError::Evidence)?;
        let ear = self.ask_about(configured, evidence.bytes(), &carried, now);
        Ok(Appraised::bound_to_connection(
            ear.await?,
            carried.origin,
            matched,
        ))
    }

    /// The result as the service signed it, for an attester to present. That the Evidence is this connection's is found
    /// out before it is sent.
    pub(crate) async fn fetch(&self, evidence: &Evidence<'_>) -> Result<String, AppraisalError> {
        let configured = self.configured(evidence)?;
        let (carried, _) = configured.find(evidence)?;
        let submission = Submission {
            media_type: &configured.media_type,
            evidence: evidence.bytes(),
            nonce: &carried.challenge,
            wrapping: self.wrapping,
            now: None,
        };
        let answer = self.service.submit(submission).await?;
        Ok(answer.into_token())
    }

    fn configured(&self, evidence: &Evidence<'_>) -> Result<&Configured, AppraisalError> {
        let mut formats = self.formats.iter();
        let configured = formats.find(|known| known.media_type == *evidence.media_type());
        configured.ok_or(AppraisalError::Malformed)
    }

    /// Recorded Evidence is bound to no connection: the service is asked about whatever it carries.
    #[cfg(test)]
    pub(crate) async fn ask_recorded(
        &self,
        evidence: &[u8],
        now: UnixTime,
    ) -> Result<(Ear, Carried), VeraisonError> {
        let configured = &self.formats[0];
        let carried = configured.format.read(evidence).unwrap();
        let ear = self.ask_about(configured, evidence, &carried, now).await?;
        Ok((ear, carried))
    }

    async fn ask_about(
        &self,
        configured: &Configured,
        evidence: &[u8],
        carried: &Carried,
        now: UnixTime,
    ) -> Result<Ear, VeraisonError> {
        let submission = Submission {
            media_type: &configured.media_type,
            evidence,
            nonce: &carried.challenge,
            wrapping: self.wrapping,
            now: Some(now),
        };
        let answer = self.service.submit(submission).await?;
        let check = Check {
            now,
            max_age: self.max_age,
            nonce: ExpectedNonce::Echoed(&carried.challenge),
            issuer: None,
            submods: &[],
        };
        let ear = answer.verify(&self.keys, &self.supported, &check);
        let ear = ear.map_err(VeraisonError::Result)?;
        let missing = configured
            .parts
            .iter()
            .find(|name| ear.submod(name).is_none());
        if let Some(name) = missing {
            return Err(VeraisonError::MissingPart(name.clone()));
        }
        Ok(match &carried.judgement {
            Some(judgement) => ear.with_submod(LOCAL, judgement.clone()),
            None => ear,
        })
    }
}

impl Configured {
    /// What the Evidence carries, which is the value of its connection.
    fn find(&self, evidence: &Evidence<'_>) -> Result<(Carried, BoundMatch), AppraisalError> {
        let carried = self.format.read(evidence.bytes())?;
        let expected = self.format.carriage().challenge(evidence.bound());
        let matched = expected.compare(&carried.challenge)?;
        Ok((carried, matched))
    }
}

impl Verifier for VeraisonVerifier {
    fn media_types(&self) -> &[MediaType] {
        &self.media_types
    }

    fn appraise<'a>(
        &'a self,
        evidence: &'a Evidence<'a>,
        now: UnixTime,
    ) -> BoxFuture<'a, Result<Appraised, AppraisalError>> {
        Box::pin(async move {
            let appraisal = self.ask(evidence, now);
            Ok(outcome::recorded(evidence.media_type(), appraisal).await?)
        })
    }
}

impl fmt::Debug for VeraisonVerifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VeraisonVerifier")
            .field("service", &self.service)
            .field("media_types", &self.media_types)
            .field("max_age", &self.max_age)
            .field("wrapping", &self.wrapping)
            .finish_non_exhaustive()
    }
}

/// Makes a [`VeraisonVerifier`].
#[must_use]
pub struct VeraisonVerifierBuilder {
    verifier: VeraisonVerifier,
    formats: Vec<(Box<dyn EvidenceFormat>, Vec<String>)>,
}

impl VeraisonVerifierBuilder {
    /// Adds a format of Evidence. Results must judge the parts that the format names.
    pub fn format(self, format: impl EvidenceFormat + 'static) -> Self {
        let parts = format.parts().to_vec();
        self.format_with_parts(format, &parts)
    }

    /// Adds a format whose results must judge these parts (`submods`), for services whose schemes were renamed.
    pub fn format_with_parts(
        mut self,
        format: impl EvidenceFormat + 'static,
        parts: &[&str],
    ) -> Self {
        let parts = parts.iter().map(|&name| name.to_owned()).collect();
        self.formats.push((Box::new(format), parts));
        self
    }

    /// How old a result may be when it arrives, by its `iat`; by default 5 minutes. It answers a fresh nonce, so this bounds
    /// how far the clocks of the service and of this machine may be apart.
    pub fn max_age(mut self, max_age: Duration) -> Self {
        self.verifier.max_age = max_age;
        self
    }

    /// How Evidence travels; by default [`Wrapping::Bare`].
    pub fn wrapping(mut self, wrapping: Wrapping) -> Self {
        self.verifier.wrapping = wrapping;
        self
    }

    /// # Errors
    /// [`ConfigError`] without format, with two of one media type, with one without parts or whose media type is none, or
    /// without maximum age.
    pub fn build(self) -> Result<VeraisonVerifier, ConfigError> {
        let mut verifier = self.verifier;
        if self.formats.is_empty() {
            return Err(ConfigError::NoFormat);
        }
        if verifier.max_age.as_secs() == 0 {
            return Err(ConfigError::Zero("maximum age"));
        }
        for (format, parts) in self.formats {
            let media_type = MediaType::parse(format.media_type());
            let media_type = media_type.map_err(|_| ConfigError::MediaType)?;
            if parts.is_empty() {
                return Err(ConfigError::NoParts(media_type));
            }
            if verifier.media_types.contains(&media_type) {
                return Err(ConfigError::AmbiguousFormat(media_type));
            }
            verifier.media_types.push(media_type.clone());
            verifier.formats.push(Configured {
                format,
                media_type,
                parts,
            });
        }
        Ok(verifier)
    }
}

impl fmt::Debug for VeraisonVerifierBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VeraisonVerifierBuilder")
            .field("verifier", &self.verifier)
            .field("formats", &self.formats.len())
            .finish()
    }
}

/// The part of a result that is ours.
const LOCAL: &str = "local";

const DEFAULT_MAX_AGE: Duration = Duration::from_secs(5 * 60);
