//! The relying party's half.
//!
//! A passport goes in. It is verified by the keys of each issuer of its dialect, and then appraised; the first issuer whose key
//! verifies it decides. A passport of nobody is refused by the fault of the peer, unless an issuer's keys cannot be had.

use std::fmt;
use std::time::Duration;

use atls_core::AppraisalError;
use atls_core::Appraised;
use atls_core::BoxFuture;
use atls_core::ConceptualMessage;
use atls_core::Evidence;
use atls_core::MediaType;
use atls_core::Verifier;
use atls_core::ear::Check;
use atls_core::ear::EarError;
use atls_core::ear::cwt;
use atls_core::ear::jwt;
use atls_core::ear::verify_with;
use atls_core::limits::DEFAULT_MAX_AGE;
use atls_core::pki_types::UnixTime;
use rustls::crypto::CryptoProvider;
use rustls::crypto::WebPkiSupportedAlgorithms;

use crate::appraisal::appraise;
use crate::confirmation::Form;
use crate::error::PassportSetupError;
use crate::issuer::TrustedIssuer;

/// Accepts passports of configured issuers under configured schemes, and nothing else. Needs no network unless an issuer's
/// keys do.
pub struct PassportVerifier {
    issuers: Vec<(Vec<MediaType>, TrustedIssuer)>,
    media_types: Vec<MediaType>,
    supported: WebPkiSupportedAlgorithms,
    max_age: Duration,
}

impl PassportVerifier {
    /// Starts without issuers.
    pub fn builder(provider: &CryptoProvider) -> PassportVerifierBuilder {
        PassportVerifierBuilder {
            issuers: Vec::new(),
            supported: provider.signature_verification_algorithms,
            max_age: DEFAULT_MAX_AGE,
        }
    }

    async fn verify(
        &self,
        passport: &Evidence<'_>,
        now: UnixTime,
    ) -> Result<Appraised, AppraisalError> {
        let form = Form::of(passport.media_type());
        let mut refusal = EarError::UnknownKey;
        for (media_types, issuer) in &self.issuers {
            if !media_types.contains(passport.media_type()) {
                continue;
            }
            let check = Check {
                now,
                max_age: self.max_age,
                nonce: issuer.dialect.nonce(),
                issuer: issuer.issuer.as_deref(),
                audience: issuer.audience.as_deref(),
                submods: &[],
            };
            let decode = |keys: &_| match form {
                Form::Cwt => cwt::decode(passport.bytes(), keys, &self.supported, &check),
                Form::Jwt => {
                    let token = std::str::from_utf8(passport.bytes());
                    let token = token.map_err(|_| EarError::Malformed)?;
                    jwt::decode(token, keys, &self.supported, &check)
                }
            };
            match verify_with(&*issuer.keys, now, decode).await {
                Ok(ear) => {
                    let appraised = appraise(ear, form, issuer, passport.bound())?;
                    return Ok(appraised.with_token(passport.bytes()));
                }
                // Another issuer may have signed it.
                Err(EarError::UnknownKey) => {}
                Err(other @ (EarError::BadSignature | EarError::Issuer | EarError::NoKeys)) => {
                    refusal = other;
                }
                Err(other) => return Err(refused(&other)),
            }
        }
        Err(refused(&refusal))
    }
}

/// The peer brought the passport, so its faults are the peer's.
fn refused(error: &EarError) -> AppraisalError {
    match error {
        EarError::BadSignature => AppraisalError::BadSignature,
        EarError::Expired | EarError::Future => AppraisalError::Expired,
        EarError::Issuer | EarError::UnknownKey => AppraisalError::UnknownKey,
        EarError::NoKeys => AppraisalError::Unreachable,
        EarError::Nonce => AppraisalError::NotBound,
        _ => AppraisalError::Malformed,
    }
}

impl Verifier for PassportVerifier {
    fn media_types(&self) -> &[MediaType] {
        &self.media_types
    }

    fn conceptual_message(&self) -> ConceptualMessage {
        ConceptualMessage::AttestationResults
    }

    fn generation(&self) -> u64 {
        self.issuers.iter().fold(0, |sum: u64, (_, issuer)| {
            sum.wrapping_add(issuer.keys.generation())
        })
    }

    fn appraise<'a>(
        &'a self,
        evidence: &'a Evidence<'a>,
        now: UnixTime,
    ) -> BoxFuture<'a, Result<Appraised, AppraisalError>> {
        Box::pin(self.verify(evidence, now))
    }
}

impl fmt::Debug for PassportVerifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let issuers: Vec<_> = self.issuers.iter().map(|(_, issuer)| issuer).collect();
        f.debug_struct("PassportVerifier")
            .field("issuers", &issuers)
            .field("max_age", &self.max_age)
            .finish_non_exhaustive()
    }
}

/// Makes a [`PassportVerifier`].
#[must_use]
pub struct PassportVerifierBuilder {
    issuers: Vec<TrustedIssuer>,
    supported: WebPkiSupportedAlgorithms,
    max_age: Duration,
}

impl PassportVerifierBuilder {
    /// Trusts an issuer under its schemes. Issuers of one dialect differ by their keys.
    pub fn issuer(mut self, issuer: TrustedIssuer) -> Self {
        self.issuers.push(issuer);
        self
    }

    /// Sets for how long after its `iat` a passport is accepted, whatever its `exp` says; by default [`DEFAULT_MAX_AGE`].
    pub fn max_age(mut self, max_age: Duration) -> Self {
        self.max_age = max_age;
        self
    }

    /// # Errors
    /// [`PassportSetupError`] without issuer, or with an issuer whose passports could never be accepted, or would be about anything.
    pub fn build(self) -> Result<PassportVerifier, PassportSetupError> {
        let mut issuers = Vec::new();
        let mut media_types: Vec<MediaType> = Vec::new();
        for issuer in self.issuers {
            issuer.check()?;
            let own = issuer.dialect.media_types()?;
            for media_type in &own {
                if !media_types.contains(media_type) {
                    media_types.push(media_type.clone());
                }
            }
            issuers.push((own, issuer));
        }
        if issuers.is_empty() {
            return Err(PassportSetupError::NoIssuer);
        }
        Ok(PassportVerifier {
            issuers,
            media_types,
            supported: self.supported,
            max_age: self.max_age,
        })
    }
}

impl fmt::Debug for PassportVerifierBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PassportVerifierBuilder")
            .field("issuers", &self.issuers)
            .finish_non_exhaustive()
    }
}
