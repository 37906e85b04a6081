//! The challenge-response API, version 1.
//!
//! ```text
//! POST   /challenge-response/v1/newSession?nonce=…   201, Location, session { status: waiting, nonce, accept, expiry }
//! POST   /challenge-response/v1/session/{id}         Evidence; 200 complete, or 202 processing
//! GET    /challenge-response/v1/session/{id}         until it is complete
//! DELETE /challenge-response/v1/session/{id}         204
//! ```

use std::time::Duration;

use atls_core::MediaType;
use atls_core::bounded;
use atls_core::cmw::Cmw;
use atls_core::ear::Check;
use atls_core::ear::Ear;
use atls_core::ear::EarError;
use atls_core::ear::VerificationKeys;
use atls_core::ear::jwt;
use atls_core::http::HttpError;
use atls_core::pki_types::UnixTime;
use atls_remote::is_of_type;
use base64::Engine;
use base64::alphabet;
use base64::engine::DecodePaddingMode;
use base64::engine::GeneralPurpose;
use base64::engine::GeneralPurposeConfig;
use base64::prelude::BASE64_URL_SAFE;
use http::Method;
use http::Request;
use http::Response;
use http::StatusCode;
use http::header::LOCATION;
use rustls::crypto::WebPkiSupportedAlgorithms;
use serde::Deserialize;
use serde_json::Value;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use tokio::runtime::Handle;
use tokio::time::Instant;
use url::Url;

use crate::discovery;
use crate::discovery::MAX_LISTED;
use crate::error::VeraisonError;
use crate::service::NEW_SESSION;
use crate::service::SESSION_TYPE;
use crate::service::VeraisonService;
use crate::wrapping::Wrapping;

/// Evidence for the service, and what it must be fresh against.
#[derive(Clone, Copy, Debug)]
#[allow(
    clippy::exhaustive_structs,
    reason = "whoever submits must decide about each of these"
)]
pub struct Submission<'a> {
    /// The format of the Evidence, one that the service accepts.
    pub media_type: &'a MediaType,
    /// The Evidence.
    pub evidence: &'a [u8],
    /// The session's nonce, 8 to 64 bytes: the value that the Evidence carries.
    pub nonce: &'a [u8],
    /// The time, with which the session's expiry is compared. Without it the service's answer tells that a session has ended.
    pub now: Option<UnixTime>,
}

/// The token of the service's answer, which nobody has verified yet.
#[derive(Clone, PartialEq, Eq)]
pub struct UnverifiedResult {
    token: String,
}

impl UnverifiedResult {
    /// Verifies the signature under pinned keys, then reads the result. An echoed nonce is no proof that the *Evidence*
    /// was fresh: who did not look into the Evidence does not know.
    ///
    /// # Errors
    /// [`EarError`]
    pub fn verify(
        &self,
        keys: &VerificationKeys,
        supported: &WebPkiSupportedAlgorithms,
        check: &Check<'_>,
    ) -> Result<Ear, EarError> {
        jwt::decode(&self.token, keys, supported, check)
    }

    /// The token, to hand on: an attester that fetched its own result presents it to its peers.
    pub fn into_token(self) -> String {
        self.token
    }
}

impl std::fmt::Debug for UnverifiedResult {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("UnverifiedResult(..)")
    }
}

impl VeraisonService {
    /// Submits Evidence and waits for the result, within the deadline.
    ///
    /// However it ends, a task of the tokio runtime deletes the session, so that the service need not keep the Evidence, and nobody
    /// waits for that: also where the future is dropped on the way, such as by the deadline of a connection. Where the deletion fails,
    /// or the answer that names the session never came, the session ends by itself after a few minutes.
    ///
    /// This is the bare API: **it checks neither the Evidence nor the result.** For relying parties there is
    /// [`RemoteVerifier`](atls_remote::RemoteVerifier).
    ///
    /// # Errors
    /// [`VeraisonError`]. Evidence that the service found bad is a *result*, which says so.
    pub async fn submit(
        &self,
        submission: Submission<'_>,
    ) -> Result<UnverifiedResult, VeraisonError> {
        if !(8..=64).contains(&submission.nonce.len()) {
            return Err(VeraisonError::NonceLength);
        }
        let end = self.end();
        let session = self.open(&submission, end).await?;
        self.run(&session, &submission, end).await
    }

    async fn open(
        &self,
        submission: &Submission<'_>,
        end: Instant,
    ) -> Result<Session, VeraisonError> {
        let mut url = self.endpoint(NEW_SESSION)?;
        // Released services take no other form than the padded one.
        let nonce = BASE64_URL_SAFE.encode(submission.nonce);
        url.query_pairs_mut().append_pair("nonce", &nonce);
        let request = Self::request(Method::POST, &url, Some(SESSION_TYPE), None, Vec::new())?;
        let response = self.send(request, end).await?;
        if response.status() != StatusCode::CREATED {
            return Err(VeraisonError::of_status(&response));
        }
        let location = response.headers().get(LOCATION);
        let location = location.and_then(|location| location.to_str().ok());
        let url = self.session_at(location.ok_or(VeraisonError::Location)?)?;
        // From here on there is something to delete.
        let mut session = Session {
            service: self.clone(),
            url,
            accept: Vec::new(),
        };
        let body = Body::decode(&response, submission.nonce)?;
        let accepted = body.accept.iter().filter_map(Value::as_str);
        session.accept = accepted.map(str::to_owned).collect();
        if body.status != Status::Waiting {
            return Err(VeraisonError::Malformed);
        }
        if body
            .expiry
            .zip(submission.now)
            .is_some_and(|(expiry, now)| has_ended(&expiry, now))
        {
            return Err(VeraisonError::SessionEnded);
        }
        Ok(session)
    }

    async fn run(
        &self,
        session: &Session,
        submission: &Submission<'_>,
        end: Instant,
    ) -> Result<UnverifiedResult, VeraisonError> {
        let (content_type, content) = session.content(submission)?;
        let accept = Some(SESSION_TYPE);
        let request = Self::request(
            Method::POST,
            &session.url,
            accept,
            Some(&content_type),
            content,
        )?;
        let mut response = self.send(request, end).await?;
        let mut polls = self.polls;
        loop {
            if !matches!(response.status(), StatusCode::OK | StatusCode::ACCEPTED) {
                return Err(VeraisonError::of_session_status(&response));
            }
            let body = Body::decode(&response, submission.nonce)?;
            match (body.status, body.result) {
                (Status::Complete, Some(token)) => return Ok(UnverifiedResult { token }),
                (Status::Processing, None) => {}
                (Status::Failed, _) => return Err(VeraisonError::Failed),
                _ => return Err(VeraisonError::Malformed),
            }
            polls = polls.checked_sub(1).ok_or(VeraisonError::Pending)?;
            let pause = tokio::time::sleep(self.pause);
            let paused = tokio::time::timeout_at(end, pause).await;
            paused.map_err(|_| VeraisonError::Http(HttpError::TimedOut))?;
            let request = Self::request(Method::GET, &session.url, accept, None, Vec::new())?;
            response = self.send(request, end).await?;
        }
    }

    /// Best effort, and not for long.
    async fn close(&self, request: Request<Vec<u8>>) {
        let Some(end) = Instant::now().checked_add(CLOSING) else {
            return;
        };
        if let Err(error) = self.send(request, end).await {
            tracing::debug!(target: "atls_veraison", reason = error.reason(), "session was not deleted");
        }
    }
}

/// A session of the service, deleted when this is dropped.
struct Session {
    service: VeraisonService,
    url: Url,
    accept: Vec<String>,
}

impl Drop for Session {
    fn drop(&mut self) {
        let request = VeraisonService::request(Method::DELETE, &self.url, None, None, Vec::new());
        // Dropped outside of any runtime it is left to its expiry.
        if let (Ok(request), Ok(runtime)) = (request, Handle::try_current()) {
            let service = self.service.clone();
            runtime.spawn(async move { service.close(request).await });
        }
    }
}

impl Session {
    /// The media type exactly as the service spells it, which is how it looks for a scheme.
    fn content(&self, submission: &Submission<'_>) -> Result<(String, Vec<u8>), VeraisonError> {
        let wanted = submission.media_type;
        let is_wanted = |text: &&String| MediaType::parse(text).as_ref() == Ok(wanted);
        let Some(spelling) = self.accept.iter().find(is_wanted) else {
            let accepted = discovery::media_types(self.accept.iter().map(String::as_str));
            return Err(VeraisonError::UnsupportedMediaType(accepted));
        };
        let record = || Cmw::evidence(wanted.clone(), submission.evidence.to_vec());
        let wrapped = match self.service.wrapping {
            Wrapping::Bare => return Ok((spelling.clone(), submission.evidence.to_vec())),
            Wrapping::CmwCbor => record()
                .encode()
                .map(|bytes| ("application/cmw+cbor", bytes)),
            Wrapping::CmwJson => record()
                .to_json()
                .map(|bytes| ("application/cmw+json", bytes)),
        };
        let (content_type, bytes) = wrapped.map_err(|_| VeraisonError::Malformed)?;
        Ok((content_type.to_owned(), bytes))
    }
}

/// `application/vnd.veraison.challenge-response-session+json`. Other members, such as the Evidence, are not read.
#[derive(Deserialize)]
struct Body {
    status: Status,
    nonce: String,
    #[serde(default)]
    expiry: Option<String>,
    #[serde(default)]
    accept: Vec<Value>,
    #[serde(default)]
    result: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Status {
    Waiting,
    Processing,
    Complete,
    Failed,
}

impl Body {
    fn decode(response: &Response<Vec<u8>>, nonce: &[u8]) -> Result<Self, VeraisonError> {
        if !is_of_type(response, SESSION_TYPE) {
            return Err(VeraisonError::Malformed);
        }
        if !bounded::json(MAX_VALUES, response.body()) {
            return Err(VeraisonError::Malformed);
        }
        let body: Self =
            serde_json::from_slice(response.body()).map_err(|_| VeraisonError::Malformed)?;
        // Base64 or base64url, padded or not, by version.
        let stated = body.nonce.replace('+', "-").replace('/', "_");
        let stated = BASE64_URL.decode(stated);
        if stated.map_err(|_| VeraisonError::Nonce)? != nonce {
            return Err(VeraisonError::Nonce);
        }
        Ok(body)
    }
}

impl VeraisonError {
    pub(crate) fn of_status(response: &Response<Vec<u8>>) -> Self {
        match response.status() {
            StatusCode::NOT_ACCEPTABLE => Self::NotAcceptable,
            StatusCode::UNSUPPORTED_MEDIA_TYPE => {
                let accepted = response.headers().get(http::header::ACCEPT);
                let accepted = accepted.and_then(|value| value.to_str().ok()).unwrap_or("");
                let accepted = listed(accepted);
                let accepted = accepted.iter().map(String::as_str);
                Self::UnsupportedMediaType(discovery::media_types(accepted))
            }
            status => Self::Status {
                status: status.as_u16(),
                problem: crate::problem::Problem::of(response),
            },
        }
    }

    fn of_session_status(response: &Response<Vec<u8>>) -> Self {
        match response.status() {
            StatusCode::NOT_FOUND => Self::SessionEnded,
            _ => Self::of_status(response),
        }
    }
}

/// The elements of a list in a header (RFC 9110 §5.6.1): commas within quotes separate nothing.
fn listed(text: &str) -> Vec<String> {
    let mut elements = vec![String::new()];
    let (mut quoted, mut escaped) = (false, false);
    for c in text.chars() {
        match c {
            ',' if !quoted && elements.len() < MAX_LISTED => elements.push(String::new()),
            _ => {
                if let Some(element) = elements.last_mut() {
                    element.push(c);
                }
            }
        }
        quoted ^= c == '"' && !escaped;
        escaped = quoted && c == '\\' && !escaped;
    }
    elements
}

/// Whether that moment (RFC 3339) is over. A text that is no time counts as over.
fn has_ended(expiry: &str, now: UnixTime) -> bool {
    let expiry = OffsetDateTime::parse(expiry, &Rfc3339);
    let seconds = expiry
        .ok()
        .and_then(|time| u64::try_from(time.unix_timestamp()).ok());
    seconds.is_none_or(|expiry| expiry.saturating_add(CLOCK_SKEW.as_secs()) <= now.as_secs())
}

/// Most values in a session: 128 media types, the Evidence, and a few members.
const MAX_VALUES: usize = 512;

/// How far the service's clock may be behind ours.
const CLOCK_SKEW: Duration = Duration::from_secs(60);

/// How long the deletion of a session may take.
const CLOSING: Duration = Duration::from_secs(1);

/// With and without padding.
const BASE64_URL: GeneralPurpose = GeneralPurpose::new(
    &alphabet::URL_SAFE,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commas_within_quotes_separate_nothing() {
        let text = r#"a/b, c/d; e="f,g\",h" ,i/j"#;
        assert_eq!(listed(text), ["a/b", r#" c/d; e="f,g\",h" "#, "i/j"]);
        assert!(listed(&",".repeat(1000)).len() <= MAX_LISTED);
    }

    #[test]
    fn a_session_ends_at_its_expiry_or_where_that_is_no_time() {
        let at = |seconds| UnixTime::since_unix_epoch(Duration::from_secs(seconds));
        let expiry = "2026-11-24T11:33:45.466075439Z";
        let expires_at = 1_795_520_025;
        assert!(!has_ended(expiry, at(expires_at)));
        assert!(!has_ended(expiry, at(expires_at + 59)));
        assert!(has_ended(expiry, at(expires_at + 60)));
        assert!(!has_ended("2026-11-24T13:33:45+02:00", at(expires_at)));
        for text in ["", "soon", "1795519425", "1960-01-01T00:00:00Z"] {
            assert!(has_ended(text, at(expires_at)), "{text:?}");
        }
    }
}
