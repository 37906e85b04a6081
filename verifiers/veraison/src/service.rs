//! Where the service is, and how it is spoken to: one origin, one deadline, answers of bounded size.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use atls_core::http::HttpClient;
use atls_core::http::HttpLimits;
use http::Method;
use http::Request;
use http::Response;
use http::header::ACCEPT;
use http::header::CONTENT_TYPE;
use tokio::time::Instant;
use url::Host;
use url::Url;

use crate::config::ConfigError;
use crate::discovery::Discovery;
use crate::error::VeraisonError;

/// A Veraison verification service, API version 1.
///
/// No request leaves its origin, whatever it answers.
#[derive(Clone)]
pub struct Service {
    origin: Url,
    http: Arc<dyn HttpClient>,
    pub(crate) deadline: Duration,
    pub(crate) polls: u32,
    pub(crate) pause: Duration,
}

impl Service {
    /// The service at an `https` origin. Its name and trust anchors are the HTTP client's to check.
    ///
    /// Until told otherwise it has 5 seconds per appraisal, and is polled up to 20 times with 200 ms between.
    ///
    /// # Errors
    /// [`ConfigError`] where the URL is not an `https` origin.
    pub fn new(url: &str, http: Arc<dyn HttpClient>) -> Result<Self, ConfigError> {
        let origin = origin(url)?;
        if origin.scheme() != "https" {
            return Err(ConfigError::NotHttps);
        }
        Ok(Self::at(origin, http))
    }

    /// The service on this very machine, without TLS: whoever can listen on that port is believed to be the service.
    /// The host must be a loopback address, not a name, and the HTTP client must use no proxy.
    ///
    /// # Errors
    /// [`ConfigError`] where the URL is not an `http` origin with such an address.
    pub fn dangerous_over_loopback_http(
        url: &str,
        http: Arc<dyn HttpClient>,
    ) -> Result<Self, ConfigError> {
        let origin = origin(url)?;
        let loopback = match origin.host() {
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            _ => false,
        };
        if origin.scheme() != "http" || !loopback {
            return Err(ConfigError::NotLoopback);
        }
        Ok(Self::at(origin, http))
    }

    fn at(origin: Url, http: Arc<dyn HttpClient>) -> Self {
        Self {
            origin,
            http,
            deadline: DEFAULT_DEADLINE,
            polls: DEFAULT_POLLS,
            pause: DEFAULT_PAUSE,
        }
    }

    /// The time for one appraisal, all its requests together. A relying party's connection has 10 seconds for
    /// everything, so leave it some.
    ///
    /// # Errors
    /// [`ConfigError::Zero`]
    pub fn with_deadline(mut self, deadline: Duration) -> Result<Self, ConfigError> {
        if deadline.is_zero() {
            return Err(ConfigError::Zero("deadline"));
        }
        self.deadline = deadline;
        Ok(self)
    }

    /// How often to ask again where the service appraises in the background, and the pause before each time.
    ///
    /// # Errors
    /// [`ConfigError::Zero`] for no poll or no pause.
    pub fn with_polling(mut self, polls: u32, pause: Duration) -> Result<Self, ConfigError> {
        if polls == 0 {
            return Err(ConfigError::Zero("number of polls"));
        }
        if pause.is_zero() {
            return Err(ConfigError::Zero("pause between polls"));
        }
        self.polls = polls;
        self.pause = pause;
        Ok(self)
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
        let sent = self.http.send(request, HttpLimits::new(left, MAX_RESPONSE));
        // A client that does not keep its deadline is not waited for either.
        let response = tokio::time::timeout_at(end, sent).await;
        let response = response.map_err(|_| VeraisonError::TimedOut)??;
        if response.body().len() > MAX_RESPONSE {
            return Err(VeraisonError::Http(atls_core::http::HttpError::TooLarge));
        }
        Ok(response)
    }
}

impl fmt::Debug for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Service")
            .field("origin", &self.origin.as_str())
            .field("deadline", &self.deadline)
            .field("polls", &self.polls)
            .field("pause", &self.pause)
            .finish_non_exhaustive()
    }
}

/// Whether an answer says that it is of this type; parameters do not matter.
pub(crate) fn is_of_type(response: &Response<Vec<u8>>, essence: &str) -> bool {
    let stated = response.headers().get(CONTENT_TYPE);
    let stated = stated.and_then(|value| value.to_str().ok()).unwrap_or("");
    let stated = stated.split(';').next().unwrap_or("").trim();
    stated.eq_ignore_ascii_case(essence)
}

fn origin(url: &str) -> Result<Url, ConfigError> {
    let url = Url::parse(url).map_err(|_| ConfigError::NotAnOrigin)?;
    let bare = url.has_host()
        && url.path() == "/"
        && url.query().is_none()
        && url.fragment().is_none()
        && url.username().is_empty()
        && url.password().is_none();
    if bare {
        Ok(url)
    } else {
        Err(ConfigError::NotAnOrigin)
    }
}

pub(crate) const NEW_SESSION: &str = "/challenge-response/v1/newSession";
const SESSIONS: &str = "/challenge-response/v1/session/";
const WELL_KNOWN: &str = "/.well-known/veraison/verification";

pub(crate) const SESSION_TYPE: &str = "application/vnd.veraison.challenge-response-session+json";
const DISCOVERY_TYPE: &str = "application/vnd.veraison.discovery+json";

/// Octets of one answer. A session repeats the Evidence, base64 of at most 64 KiB, beside a result of at most 64 KiB.
pub(crate) const MAX_RESPONSE: usize = 256 * 1024;

const DEFAULT_DEADLINE: Duration = Duration::from_secs(5);
const DEFAULT_POLLS: u32 = 20;
const DEFAULT_PAUSE: Duration = Duration::from_millis(200);
