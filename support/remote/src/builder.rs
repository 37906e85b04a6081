//! The builder of a verifier, with the settings that all services share.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use atls_core::MediaType;
use atls_core::ear::KeySource;
use rustls::crypto::CryptoProvider;
use rustls::crypto::WebPkiSupportedAlgorithms;

use crate::format::EvidenceFormat;
use crate::limits::DEADLINE;
use crate::limits::MAX_AGE;
use crate::service::RemoteService;
use crate::setup::SetupError;
use crate::verifier::ConfiguredFormat;
use crate::verifier::RemoteVerifier;

impl<S: RemoteService> RemoteVerifier<S> {
    /// Starts with the service to ask, and the keys under which its results are accepted: pinned, or a [`Jwks`](crate::Jwks).
    pub fn builder(
        service: S,
        keys: Arc<dyn KeySource>,
        provider: &CryptoProvider,
    ) -> RemoteVerifierBuilder<S> {
        RemoteVerifierBuilder {
            issuer: service.issuer().map(str::to_owned),
            service,
            keys,
            supported: provider.signature_verification_algorithms,
            formats: Vec::new(),
            max_age: MAX_AGE,
            deadline: DEADLINE,
        }
    }
}

/// Makes a [`RemoteVerifier`].
#[must_use]
pub struct RemoteVerifierBuilder<S: RemoteService> {
    service: S,
    keys: Arc<dyn KeySource>,
    supported: WebPkiSupportedAlgorithms,
    formats: Vec<Box<dyn EvidenceFormat<S>>>,
    issuer: Option<String>,
    max_age: Duration,
    deadline: Duration,
}

impl<S: RemoteService> RemoteVerifierBuilder<S> {
    /// Adds a format of Evidence. At least one is needed.
    pub fn format(mut self, format: impl EvidenceFormat<S> + 'static) -> Self {
        self.formats.push(Box::new(format));
        self
    }

    /// The `iss` that results must have, by default that of the service.
    pub fn issuer(mut self, issuer: impl Into<String>) -> Self {
        self.issuer = Some(issuer.into());
        self
    }

    /// The largest age of a result at its arrival, by its `iat`; by default 5 minutes. The service makes results on request, so
    /// this bounds the difference between its clock and that of this machine.
    pub fn max_age(mut self, max_age: Duration) -> Self {
        self.max_age = max_age;
        self
    }

    /// Longest time for one appraisal, all requests and the fetch of keys together; by default 8 seconds, within the 10 seconds
    /// that a connection has for its exchange.
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// Makes the verifier.
    ///
    /// # Errors
    /// [`SetupError`] without format, with two formats for one media type, with a malformed media type, or with a zero
    /// duration.
    pub fn build(self) -> Result<RemoteVerifier<S>, SetupError> {
        if self.max_age.as_secs() == 0 {
            return Err(SetupError::Zero("maximum age"));
        }
        if self.deadline.is_zero() {
            return Err(SetupError::Zero("deadline"));
        }
        if self.formats.is_empty() {
            return Err(SetupError::NoFormat);
        }
        let mut formats: Vec<ConfiguredFormat<S>> = Vec::new();
        let mut media_types = Vec::new();
        for format in self.formats {
            let media_type = MediaType::parse(format.media_type())?;
            if media_types.contains(&media_type) {
                return Err(SetupError::RepeatedFormat(media_type));
            }
            media_types.push(media_type.clone());
            formats.push(ConfiguredFormat {
                terms: format.terms(),
                format,
                media_type,
            });
        }
        Ok(RemoteVerifier {
            service: self.service,
            keys: self.keys,
            supported: self.supported,
            formats,
            media_types,
            issuer: self.issuer,
            max_age: self.max_age,
            deadline: self.deadline,
        })
    }
}

impl<S: RemoteService> fmt::Debug for RemoteVerifierBuilder<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RemoteVerifierBuilder")
            .field("service", &self.service)
            .field("formats", &self.formats.len())
            .finish_non_exhaustive()
    }
}
