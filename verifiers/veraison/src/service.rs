//! Where the service is, and how it is spoken to: one origin, one deadline, answers of bounded size.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use atls_core::http::HttpClient;
use atls_core::http::HttpLimits;
use atls_remote::Endpoint;
use atls_remote::EndpointError;
use atls_remote::SetupError;
use atls_remote::exchange;
use atls_remote::is_of_type;
use http::Method;
use http::Request;
use http::Response;
use http::header::ACCEPT;
use http::header::CONTENT_TYPE;
use tokio::time::Instant;
use url::Url;

use crate::discovery::Discovery;
use crate::error::VeraisonError;
use crate::wrapping::Wrapping;

/// A Veraison verification service, API version 1, for [`RemoteVerifier`](atls_remote::RemoteVerifier) and
/// [`RemoteIssuer`](atls_remote::RemoteIssuer).
///
/// No request leaves its origin, whatever it answers.
#[derive(Clone)]
pub struct VeraisonService {
    origin: Url,
    http: Arc<dyn HttpClient>,
    pub(crate) deadline: Duration,
    pub(crate) polls: u32,
    pub(crate) pause: Duration,
    pub(crate) wrapping: Wrapping,
}

impl VeraisonService {
    /// The service at an address without path. Its name and trust anchors are the HTTP client's to check: give it a
    /// [`Resilient`](atls_remote::Resilient) one.
    ///
    /// Until told otherwise a submission has 8 seconds, and is polled up to 20 times with 200 ms between.
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
            deadline: DEFAULT_DEADLINE,
            polls: DEFAULT_POLLS,
            pause: DEFAULT_PAUSE,
            wrapping: Wrapping::Bare,
        })
    }

    /// Longest time for one submission, all its requests together.
    ///
    /// # Errors
    /// [`SetupError::Zero`]
    pub fn with_deadline(mut self, deadline: Duration) -> Result<Self, SetupError> {
        if deadline.is_zero() {
            return Err(SetupError::Zero("deadline"));
        }
        self.deadline = deadline;
        Ok(self)
    }

    /// How often to ask again where the service appraises in the background, and the pause before each time.
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

    /// The form in which Evidence travels; by default [`Wrapping::Bare`].
    #[must_use]
    pub fn with_wrapping(mut self, wrapping: Wrapping) -> Self {
        self.wrapping = wrapping;
        self
    }

    /// Asks what the service can do, and which key it signs with. Once, at start: not for each appraisal.
    ///
    /// # Errors
    /// [`VeraisonError`]
    pub async fn discover(&self) -> Result<Discovery, VeraisonError> {
        let end = self.end();
        let url = self.endpoint(WELL_KNOWN)?;
        let request = Self::request(Method::GET, &url, Some(DISCOVERY_TYPE), None, Vec::new())?;
        let response = self.send(request, end).await?;
        if response.status() != http::StatusCode::OK {
            return Err(VeraisonError::of_status(&response));
        }
        if !is_of_type(&response, DISCOVERY_TYPE) && !is_of_type(&response, "application/json") {
            return Err(VeraisonError::Malformed);
        }
        Discovery::decode(response.body())
    }

    /// When a request chain that starts now has to be over.
    pub(crate) fn end(&self) -> Instant {
        let now = Instant::now();
        now.checked_add(self.deadline).unwrap_or(now)
    }

    pub(crate) fn endpoint(&self, path: &str) -> Result<Url, VeraisonError> {
        self.origin.join(path).map_err(|_| VeraisonError::Location)
    }

    /// Where a session is: a reference as RFC 3986 resolves it, that must stay below [`SESSIONS`] of this origin.
    pub(crate) fn session_at(&self, location: &str) -> Result<Url, VeraisonError> {
        let url = self.endpoint(NEW_SESSION)?.join(location);
        let url = url.map_err(|_| VeraisonError::Location)?;
        let ours = url.origin() == self.origin.origin()
            && url.username().is_empty()
            && url.password().is_none()
            && url.query().is_none()
            && url.fragment().is_none();
        let id = url.path().strip_prefix(SESSIONS);
        let one_segment = id.is_some_and(|id| !id.is_empty() && !id.contains(['/', '%']));
        if ours && one_segment {
            Ok(url)
        } else {
            Err(VeraisonError::Location)
        }
    }

    pub(crate) fn request(
        method: Method,
        url: &Url,
        accept: Option<&str>,
        content_type: Option<&str>,
        body: Vec<u8>,
    ) -> Result<Request<Vec<u8>>, VeraisonError> {
        let mut request = Request::builder().method(method).uri(url.as_str());
        if let Some(accept) = accept {
            request = request.header(ACCEPT, accept);
        }
        if let Some(content_type) = content_type {
            request = request.header(CONTENT_TYPE, content_type);
        }
        request.body(body).map_err(|_| VeraisonError::Malformed)
    }

    pub(crate) async fn send(
        &self,
        request: Request<Vec<u8>>,
        end: Instant,
    ) -> Result<Response<Vec<u8>>, VeraisonError> {
        let left = end.saturating_duration_since(Instant::now());
        let limits = HttpLimits::new(left, MAX_RESPONSE);
        Ok(exchange(&*self.http, request, limits).await?)
    }
}

impl fmt::Debug for VeraisonService {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VeraisonService")
            .field("origin", &self.origin.as_str())
            .field("deadline", &self.deadline)
            .field("polls", &self.polls)
            .field("pause", &self.pause)
            .field("wrapping", &self.wrapping)
            .finish_non_exhaustive()
    }
}

pub(crate) const NEW_SESSION: &str = "/challenge-response/v1/newSession";
const SESSIONS: &str = "/challenge-response/v1/session/";
const WELL_KNOWN: &str = "/.well-known/veraison/verification";

pub(crate) const SESSION_TYPE: &str = "application/vnd.veraison.challenge-response-session+json";
const DISCOVERY_TYPE: &str = "application/vnd.veraison.discovery+json";

/// Bytes of one answer. A session repeats the Evidence, base64 of at most 64 KiB, beside a result of at most 64 KiB.
pub(crate) const MAX_RESPONSE: usize = 256 * 1024;

const DEFAULT_DEADLINE: Duration = Duration::from_secs(8);
const DEFAULT_POLLS: u32 = 20;
const DEFAULT_PAUSE: Duration = Duration::from_millis(200);
