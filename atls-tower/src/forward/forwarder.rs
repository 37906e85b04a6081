//! The service that states.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use atls_core::PeerAttestation;
use atls_core::ear::EarSigner;
use atls_core::ear::Statement;
use atls_core::ear::cwt;
use atls_core::ear::jwt;
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use http::HeaderMap;
use http::HeaderValue;
use rustls::crypto::CryptoProvider;
use rustls::crypto::SecureRandom;
use rustls::time_provider::DefaultTimeProvider;
use rustls::time_provider::TimeProvider;

use super::forward_error::ForwardError;
use super::headers::HEADER;
use super::headers::MAX_VALUE;
use super::headers::VERIFIER_HEADER;
use super::statement;

/// States the attestation of peers to one service behind this one, in headers. The module says what a header is good for.
///
/// ```
/// # use atls_core::ear::EarSigner;
/// # use atls_tower::forward::ResultForwarder;
/// # use rustls::crypto::CryptoProvider;
/// # use std::time::Duration;
/// fn forwarder(signer: EarSigner, provider: &CryptoProvider) -> ResultForwarder {
///     ResultForwarder::new(signer, provider, "gateway.example", "orders.example")
///         .with_lifetime(Duration::from_secs(10))
///         .with_verifier_tokens()
/// }
/// ```
pub struct ResultForwarder {
    signer: EarSigner,
    random: &'static dyn SecureRandom,
    issuer: String,
    audience: String,
    lifetime: Duration,
    form: StatementForm,
    verifier_tokens: VerifierTokens,
    clock: Arc<dyn TimeProvider>,
}

/// The form of statements.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(clippy::exhaustive_enums, reason = "the two forms of an EAR")]
pub enum StatementForm {
    /// CBOR (RFC 8392): smaller.
    Cwt,
    /// JSON (RFC 7519), which more languages read.
    #[default]
    Jwt,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum VerifierTokens {
    Kept,
    LeftOut,
}

impl ResultForwarder {
    /// States as `issuer` to `audience`, as JWT, for [`DEFAULT_LIFETIME`](Self::DEFAULT_LIFETIME). The key must sign nothing else.
    pub fn new(
        signer: EarSigner,
        provider: &CryptoProvider,
        issuer: impl Into<String>,
        audience: impl Into<String>,
    ) -> Self {
        Self {
            signer,
            random: provider.secure_random,
            issuer: issuer.into(),
            audience: audience.into(),
            lifetime: Self::DEFAULT_LIFETIME,
            form: StatementForm::Jwt,
            verifier_tokens: VerifierTokens::LeftOut,
            clock: Arc::new(DefaultTimeProvider),
        }
    }

    /// Sets the time for which a statement is good, at most [`MAX_LIFETIME`](Self::MAX_LIFETIME). Make it no longer than a request
    /// takes to the service behind.
    #[must_use]
    pub fn with_lifetime(mut self, lifetime: Duration) -> Self {
        self.lifetime = lifetime.min(Self::MAX_LIFETIME);
        self
    }

    /// Sets the form.
    #[must_use]
    pub fn with_form(mut self, form: StatementForm) -> Self {
        self.form = form;
        self
    }

    /// Hands on the signed results of the verifiers too. They may identify devices.
    #[must_use]
    pub fn with_verifier_tokens(mut self) -> Self {
        self.verifier_tokens = VerifierTokens::Kept;
        self
    }

    /// Sets the clock.
    #[must_use]
    pub fn with_clock(mut self, clock: Arc<dyn TimeProvider>) -> Self {
        self.clock = clock;
        self
    }

    /// The headers of one request. Remove what its client sent under their names first, with
    /// [`remove_headers`](super::remove_headers).
    ///
    /// # Errors
    /// [`ForwardError`]. Refuse the request then.
    pub fn headers(&self, peer: &PeerAttestation) -> Result<HeaderMap, ForwardError> {
        let mut headers = HeaderMap::new();
        headers.insert(HEADER, sensitive(&self.state(peer)?)?);
        if self.verifier_tokens == VerifierTokens::Kept {
            for token in tokens(peer) {
                headers.append(VERIFIER_HEADER, sensitive(&token)?);
            }
        }
        Ok(headers)
    }

    fn state(&self, peer: &PeerAttestation) -> Result<String, ForwardError> {
        let now = self.clock.current_time().ok_or(ForwardError::NoTime)?;
        if peer.is_expired(now) {
            return Err(ForwardError::Expired);
        }
        let mut nonce = [0; NONCE];
        let filled = self.random.fill(&mut nonce);
        filled.map_err(|_| ForwardError::Random)?;
        // An accepted peer has at least one part.
        let ear = statement::about(peer, now, self.lifetime).ok_or(ForwardError::Expired)?;
        let statement = Statement {
            ear: &ear,
            issuer: &self.issuer,
            audience: &self.audience,
            nonce: &nonce,
        };
        let value = match self.form {
            StatementForm::Cwt => {
                BASE64_URL_SAFE_NO_PAD.encode(cwt::encode(&statement, &self.signer)?)
            }
            StatementForm::Jwt => jwt::encode(&statement, &self.signer)?,
        };
        if value.len() > MAX_VALUE {
            return Err(ForwardError::TooLarge);
        }
        Ok(value)
    }

    /// The time for which a statement is good by default.
    pub const DEFAULT_LIFETIME: Duration = Duration::from_secs(60);

    /// The longest time for which a statement may be good.
    pub const MAX_LIFETIME: Duration = Duration::from_secs(300);
}

/// The results of the verifiers, or none where they are too large together.
fn tokens(peer: &PeerAttestation) -> Vec<String> {
    let tokens = peer.items().iter().filter_map(|item| item.token());
    let values: Vec<_> = tokens.map(as_text).collect();
    let size: usize = values.iter().map(String::len).sum();
    if size > MAX_VALUE { Vec::new() } else { values }
}

/// A JWT as it is. It has dots, and base64url has none.
fn as_text(token: &[u8]) -> String {
    match std::str::from_utf8(token) {
        Ok(text) if text.contains('.') && HeaderValue::from_str(text).is_ok() => text.to_owned(),
        _ => BASE64_URL_SAFE_NO_PAD.encode(token),
    }
}

/// A value that is not printed.
fn sensitive(value: &str) -> Result<HeaderValue, ForwardError> {
    let mut value = HeaderValue::from_str(value).map_err(|_| ForwardError::TooLarge)?;
    value.set_sensitive(true);
    Ok(value)
}

impl fmt::Debug for ResultForwarder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResultForwarder")
            .field("signer", &self.signer)
            .field("issuer", &self.issuer)
            .field("audience", &self.audience)
            .field("lifetime", &self.lifetime)
            .field("form", &self.form)
            .field("verifier_tokens", &self.verifier_tokens)
            .finish_non_exhaustive()
    }
}

/// Bytes: 128 random bits do not repeat within the life of a statement.
const NONCE: usize = 16;
