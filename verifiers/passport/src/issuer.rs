//! The issuers whose passports are accepted, and their dialects of EAR.

use std::fmt;
use std::sync::Arc;

use atls_core::AppraisalError;
use atls_core::MediaType;
use atls_core::MediaTypeError;
use atls_core::ear::Ear;
use atls_core::ear::ExpectedNonce;
use atls_core::ear::KeySource;
use atls_core::expected::BoundMatch;
use atls_core::expected::ExpectedValue;

use crate::error::PassportSetupError;
use crate::scheme::Scheme;

/// An issuer of passports: its dialect, its keys, its name, and the schemes under which it is believed.
pub struct TrustedIssuer {
    pub(crate) keys: Arc<dyn KeySource>,
    pub(crate) dialect: Dialect,
    pub(crate) issuer: Option<String>,
    pub(crate) audience: Option<String>,
    pub(crate) schemes: Vec<Scheme>,
}

impl TrustedIssuer {
    /// A Veraison service: its results have an `eat_nonce`, and neither `iss` nor `exp`. Its key alone names it.
    pub fn veraison(keys: Arc<dyn KeySource>) -> Self {
        Self::of(Dialect::Veraison, keys, None)
    }

    /// A Trustee attestation service: its results have the `iss` `CoCo-Attestation-Service`, an `exp`, and no `eat_nonce`.
    pub fn trustee(keys: Arc<dyn KeySource>) -> Self {
        let issuer = "CoCo-Attestation-Service".to_owned();
        Self::of(Dialect::Trustee, keys, Some(issuer))
    }

    /// An issuer of results of draft-ietf-rats-ear-04, JWT or CWT, with this `iss`.
    pub fn ietf(keys: Arc<dyn KeySource>, issuer: impl Into<String>) -> Self {
        Self::of(Dialect::Ietf, keys, Some(issuer.into()))
    }

    /// Adds a scheme. It declares that this issuer compares the values that the scheme names.
    #[must_use]
    pub fn with_scheme(mut self, scheme: Scheme) -> Self {
        self.schemes.push(scheme);
        self
    }

    /// Demands another `iss` than the usual one.
    #[must_use]
    pub fn with_issuer(mut self, issuer: impl Into<String>) -> Self {
        self.issuer = Some(issuer.into());
        self
    }

    /// Demands that `aud` names this service, alone or among others. Without a name, a passport with `aud` is refused: it was issued for
    /// somebody else (RFC 7519 §4.1.3).
    #[must_use]
    pub fn with_audience(mut self, audience: impl Into<String>) -> Self {
        self.audience = Some(audience.into());
        self
    }

    pub(crate) fn check(&self) -> Result<(), PassportSetupError> {
        if self.schemes.is_empty() {
            return Err(PassportSetupError::NoScheme);
        }
        let mut fresh = self.schemes.iter().filter(|scheme| scheme.is_fresh());
        if let Some(part) = fresh.clone().find_map(Scheme::replayable) {
            return Err(PassportSetupError::Replayable(part.to_owned()));
        }
        if let Some(tee) = self.schemes.iter().find_map(Scheme::unknown_tee) {
            return Err(PassportSetupError::UnknownTee(tee.to_owned()));
        }
        let silent = !self.dialect.has_nonce() && fresh.clone().next().is_some();
        if silent && !fresh.any(Scheme::compares_reported) {
            return Err(PassportSetupError::NothingCompared);
        }
        Ok(())
    }

    fn of(dialect: Dialect, keys: Arc<dyn KeySource>, issuer: Option<String>) -> Self {
        Self {
            keys,
            dialect,
            issuer,
            audience: None,
            schemes: Vec::new(),
        }
    }
}

impl fmt::Debug for TrustedIssuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TrustedIssuer")
            .field("dialect", &self.dialect)
            .field("issuer", &self.issuer)
            .field("audience", &self.audience)
            .field("schemes", &self.schemes)
            .finish_non_exhaustive()
    }
}

/// The dialects of EAR. Each has media types of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dialect {
    Ietf,
    Trustee,
    Veraison,
}

impl Dialect {
    pub(crate) fn profile(self) -> &'static str {
        match self {
            Self::Ietf => "tag:ietf.org,2026:rats/ear#04",
            Self::Trustee => "tag:github.com,2024:confidential-containers/Trustee",
            Self::Veraison => "tag:github.com,2023:veraison/ear",
        }
    }

    /// One for each of its forms; the deployed dialects have one form, JWT.
    pub(crate) fn media_types(self) -> Result<Vec<MediaType>, MediaTypeError> {
        let forms: &[_] = match self {
            Self::Ietf => &["eat+jwt", "eat+cwt"],
            Self::Trustee | Self::Veraison => &["eat+jwt"],
        };
        let profile = self.profile();
        forms
            .iter()
            .map(|form| MediaType::parse(&format!("application/{form}; eat_profile=\"{profile}\"")))
            .collect()
    }

    /// The nonce is compared by the schemes, which know how Evidence carries it.
    pub(crate) fn nonce(self) -> ExpectedNonce<'static> {
        match self {
            Self::Trustee => ExpectedNonce::InAnotherClaim,
            Self::Ietf | Self::Veraison => ExpectedNonce::DangerousOfAnySession,
        }
    }

    /// Whether results state the nonce of the request.
    pub(crate) fn has_nonce(self) -> bool {
        match self {
            Self::Trustee => false,
            Self::Ietf | Self::Veraison => true,
        }
    }

    /// Compares the nonce of the result, where results state the nonce of the request.
    ///
    /// # Errors
    /// [`AppraisalError::NotBound`] where the result answers another challenge.
    pub(crate) fn answers(
        self,
        ear: &Ear,
        challenge: &ExpectedValue,
    ) -> Result<Option<BoundMatch>, AppraisalError> {
        if !self.has_nonce() {
            return Ok(None);
        }
        let nonce = ear.nonce().ok_or(AppraisalError::NotBound)?;
        challenge.compare(nonce).map(Some)
    }

    /// Whether the result has the end that its dialect demands: Trustee's always has one.
    pub(crate) fn has_end(self, ear: &Ear) -> bool {
        match self {
            Self::Trustee => ear.expires_at().is_some(),
            Self::Ietf | Self::Veraison => true,
        }
    }
}
