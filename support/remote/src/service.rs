//! The parts that one service adds to a verifier that asks it.

use std::fmt;
use std::time::Duration;

use atls_core::Bound;
use atls_core::BoxFuture;
use atls_core::MediaType;
use atls_core::ear::Ear;
use atls_core::ear::EarError;
use atls_core::ear::VerificationKeys;
use atls_core::expected::ExpectedValue;
use atls_core::pki_types::UnixTime;
use rustls::crypto::WebPkiSupportedAlgorithms;
use tokio::time::Instant;

use crate::failure::Failure;

/// A service that appraises Evidence: how it is asked, and how its answer is read.
///
/// The [`RemoteVerifier`](crate::RemoteVerifier) does the rest, the same for every service: it compares the value of the
/// connection before anything is sent, bounds the time, finds keys, and records the outcome.
pub trait RemoteService: fmt::Debug + Send + Sync + Sized + 'static {
    /// The name in events, such as `trustee`.
    const NAME: &'static str;

    /// The terms of the service for a format: its name, and the claims that results about it must have.
    type Terms: Send + Sync + 'static;

    /// Evidence in the form that the service takes; `()` where it takes the bytes.
    type Content: Send + Sync + 'static;

    /// Claims that a handler may ask for beside the result; [`Infallible`](std::convert::Infallible) for none.
    type Claims: Send + Sync + 'static;

    /// The `iss` of its results, unless configured otherwise. `None` means that the key alone identifies the issuer.
    fn issuer(&self) -> Option<&str>;

    /// Asks about Evidence and gives the signed result as it came, after as many requests as that takes. Drop the future to
    /// give it up.
    ///
    /// # Errors
    /// [`Failure`]
    fn ask<'a>(
        &'a self,
        evidence: &'a CheckedEvidence<'a, Self>,
    ) -> BoxFuture<'a, Result<String, Failure>>;

    /// Reads a result under these keys: its signature, issuer and time, and then whether it is about this Evidence. The proof
    /// of that is the value that the signed result reports of the Evidence, not a nonce that the service echoes.
    ///
    /// # Errors
    /// [`EarError`]. After [`EarError::BadSignature`] and [`EarError::UnknownKey`] the verifier tries newer keys, once.
    fn read(
        &self,
        token: &str,
        check: &ResultCheck<'_>,
        evidence: &CheckedEvidence<'_, Self>,
    ) -> Result<(Ear, Option<Self::Claims>), EarError>;
}

/// A service whose signed results an attester may present by itself, as passports.
pub trait IssuingService: RemoteService {
    /// The media type of its results.
    const RESULTS: &'static str;
}

/// Evidence that carries the value of its connection. Only a [`RemoteVerifier`](crate::RemoteVerifier) makes one, so a service
/// is never asked about other Evidence.
#[non_exhaustive]
pub struct CheckedEvidence<'a, S: RemoteService> {
    /// The media type.
    pub media_type: &'a MediaType,
    /// The Evidence as it came.
    pub bytes: &'a [u8],
    /// The Evidence in the form that the service takes.
    pub content: &'a S::Content,
    /// The terms of its format.
    pub terms: &'a S::Terms,
    /// The value of the connection.
    pub bound: &'a Bound,
    /// The value as this format carries it. Claims of a result are compared with it.
    pub expected: &'a ExpectedValue,
    pub(crate) until: Instant,
}

impl<S: RemoteService> CheckedEvidence<'_, S> {
    /// The time that is left for the answer. A service of several requests bounds each by it: then the client of a service that
    /// hangs sees its own deadline pass, and [`Resilient`](crate::Resilient) counts a failure.
    pub fn time_left(&self) -> Duration {
        self.until.saturating_duration_since(Instant::now())
    }
}

/// Shows the media type alone, because Evidence identifies devices.
impl<S: RemoteService> fmt::Debug for CheckedEvidence<'_, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CheckedEvidence")
            .field("media_type", &self.media_type)
            .finish_non_exhaustive()
    }
}

/// The conditions that every result must satisfy.
#[derive(Clone, Copy, Debug)]
#[allow(
    clippy::exhaustive_structs,
    reason = "whoever checks a result must decide about each of these"
)]
pub struct ResultCheck<'a> {
    /// The keys of the issuer.
    pub keys: &'a VerificationKeys,
    /// The algorithms of your provider.
    pub supported: &'a WebPkiSupportedAlgorithms,
    /// The `iss` that the result must have, where the service has one.
    pub issuer: Option<&'a str>,
    /// The time after its `iat` for which the result is accepted, whatever its `exp` says.
    pub max_age: Duration,
    /// The time.
    pub now: UnixTime,
}
