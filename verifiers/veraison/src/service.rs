//! The service: its origin, and one request to it.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use atls_core::http::HttpClient;
use atls_core::http::HttpLimits;
use atls_remote::Endpoint;
use atls_remote::EndpointError;
use atls_remote::Failure;
use atls_remote::SetupError;
use atls_remote::exchange;
use http::Request;
use http::Response;
use tokio::time::Instant;
use url::Url;

use crate::failures;
use crate::wrapping::Wrapping;

/// A Veraison verification service, API version 1, for [`RemoteVerifier`](atls_remote::RemoteVerifier) and
/// [`RemoteIssuer`](atls_remote::RemoteIssuer).
///
/// Every request goes to its origin. No answer can lead elsewhere.
#[derive(Clone)]
pub struct VeraisonService {
    origin: Url,
    http: Arc<dyn HttpClient>,
    pub(crate) polls: u32,
    pub(crate) pause: Duration,
    pub(crate) wrapping: Wrapping,
}

impl VeraisonService {
    /// The service at an address without path. The HTTP client checks its name and its certificate: give it a
    /// [`Resilient`](atls_remote::Resilient) client.
    ///
    /// By default a service that appraises in the background is asked up to 20 times more, with 200 ms between.
    ///
    /// # Errors
    /// [`EndpointError::HasPath`]
    pub fn new(service: &Endpoint, http: Arc<dyn HttpClient>) -> Result<Self, EndpointError> {
        let origin = Url::parse(&service.to_string()).map_err(|_| EndpointError::Malformed)?;
        if origin.path() != "/" {
            return Err(EndpointError::HasPath);
        }
        Ok(Self {
            origin,
            http,
            polls: 20,
            pause: Duration::from_millis(200),
            wrapping: Wrapping::Bare,
        })
    }

    /// The number of times that a service is asked again while it appraises in the background, and the pause before each of them.
    ///
    /// # Errors
    /// [`SetupError::Zero`] for no poll or no pause.
    pub fn with_polling(mut self, polls: u32, pause: Duration) -> Result<Self, SetupError> {
        if polls == 0 {
            return Err(SetupError::Zero("number of polls"));
        }
        if pause.is_zero() {
            return Err(SetupError::Zero("pause between polls"));
        }
        self.polls = polls;
        self.pause = pause;
        Ok(self)
    }

    /// The form in which Evidence travels, by default [`Wrapping::Bare`].
    #[must_use]
    pub fn with_wrapping(mut self, wrapping: Wrapping) -> Self {
        self.wrapping = wrapping;
        self
    }

    pub(crate) fn endpoint(&self, path: &str) -> Result<Url, Failure> {
        self.origin.join(path).map_err(|_| failures::LOCATION)
    }

    /// Sends a request that was built without error, and waits for its answer until this time.
    pub(crate) async fn send(
        &self,
        request: http::Result<Request<Vec<u8>>>,
        until: Instant,
    ) -> Result<Response<Vec<u8>>, Failure> {
        let request = request.map_err(|_| failures::MALFORMED)?;
        let left = until.saturating_duration_since(Instant::now());
        let limits = HttpLimits::new(left, MAX_RESPONSE);
        Ok(exchange(&*self.http, request, limits).await?)
    }
}

impl fmt::Debug for VeraisonService {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VeraisonService")
            .field("origin", &self.origin.as_str())
            .field("polls", &self.polls)
            .field("pause", &self.pause)
            .field("wrapping", &self.wrapping)
            .finish_non_exhaustive()
    }
}

/// That much later. A time that no clock reaches is now: nothing is waited for.
pub(crate) fn within(time: Duration) -> Instant {
    let now = Instant::now();
    now.checked_add(time).unwrap_or(now)
}

/// Longest time for all requests of a submission, outside of a verifier, which has a deadline of its own.
pub(crate) const DEADLINE: Duration = Duration::from_secs(8);

/// Bytes of one answer. A session repeats the Evidence, base64 of at most 64 KiB, beside a result of at most 64 KiB.
const MAX_RESPONSE: usize = 256 * 1024;
