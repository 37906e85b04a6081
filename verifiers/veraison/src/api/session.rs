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
use atls_remote::Failure;
use atls_remote::Incidental;
use atls_remote::is_of_type;
use base64::Engine;
use base64::alphabet;
use base64::engine::DecodePaddingMode;
use base64::engine::GeneralPurpose;
use base64::engine::GeneralPurposeConfig;
use base64::prelude::BASE64_URL_SAFE;
use http::Request;
use http::Response;
use http::StatusCode;
use http::header::ACCEPT;
use http::header::CONTENT_TYPE;
use http::header::LOCATION;
use serde::Deserialize;
use serde_json::Value;
use tokio::runtime::Handle;
use tokio::time::Instant;
use url::Url;

use crate::failures;
use crate::service::DEADLINE;
use crate::service::VeraisonService;
use crate::service::within;
use crate::wrapping::Wrapping;

impl VeraisonService {
    /// Submits Evidence in a session with this nonce of 8 to 64 bytes, and gives the token of the result. All requests together
    /// may take 8 seconds.
    ///
    /// At the end a task of the tokio runtime deletes the session, after a result, after a failure, and where the future was dropped.
    /// Nobody waits for that task. A session whose deletion fails, or whose name never arrived, ends by itself after a few
    /// minutes.
    ///
    /// This is the bare API, to learn how a service treats Evidence that nobody checked before: **neither the Evidence nor the
    /// result is checked.** Relying parties use [`RemoteVerifier`](atls_remote::RemoteVerifier).
    ///
    /// # Errors
    /// [`Failure`]. Evidence that the service found bad is a *result*, and that result says so.
    pub async fn dangerous_submit_unchecked(
        &self,
        media_type: &MediaType,
        evidence: &[u8],
        nonce: &[u8],
    ) -> Result<String, Failure> {
        self.submit_within(DEADLINE, media_type, evidence, nonce)
            .await
    }

    pub(crate) async fn submit_within(
        &self,
        time: Duration,
        media_type: &MediaType,
        evidence: &[u8],
        nonce: &[u8],
    ) -> Result<String, Failure> {
        let until = within(time);
        let session = self.open(nonce, until).await?;
        let (content_type, content) = session.content(media_type, evidence)?;
        let request = Request::post(session.url.as_str())
            .header(ACCEPT, SESSION_TYPE)
            .header(CONTENT_TYPE, content_type);
        let mut response = self.send(request.body(content), until).await?;
        let mut polls = self.polls;
        loop {
            match response.status() {
                StatusCode::OK | StatusCode::ACCEPTED => {}
                StatusCode::NOT_FOUND => return Err(failures::SESSION_ENDED),
                _ => return Err(failures::of_status(&response)),
            }
            let body = Body::decode(&response, nonce)?;
            match (body.status, body.result) {
                (Status::Complete, Some(token)) => return Ok(token),
                (Status::Processing, None) => {}
                (Status::Failed, _) => return Err(failures::FAILED),
                _ => return Err(failures::MALFORMED),
            }
            polls = polls.checked_sub(1).ok_or(failures::PENDING)?;
            tokio::time::sleep(self.pause).await;
            let request = Request::get(session.url.as_str()).header(ACCEPT, SESSION_TYPE);
            response = self.send(request.body(Vec::new()), until).await?;
        }
    }

    async fn open(&self, nonce: &[u8], until: Instant) -> Result<Session, Failure> {
        let mut url = self.endpoint(NEW_SESSION)?;
        // Released services take no other form than the padded one.
        let nonce_text = BASE64_URL_SAFE.encode(nonce);
        url.query_pairs_mut().append_pair("nonce", &nonce_text);
        let request = Request::post(url.as_str()).header(ACCEPT, SESSION_TYPE);
        let response = self.send(request.body(Vec::new()), until).await?;
        if response.status() != StatusCode::CREATED {
            return Err(failures::of_status(&response));
        }
        let location = response.headers().get(LOCATION);
        let location = location.and_then(|location| location.to_str().ok());
        // From here on there is a session to delete.
        let mut session = Session {
            service: self.clone(),
            url: self.session_at(location.ok_or(failures::LOCATION)?)?,
            accept: Vec::new(),
        };
        let body = Body::decode(&response, nonce)?;
        if body.status != Status::Waiting {
            return Err(failures::MALFORMED);
        }
        let accepted = body.accept.iter().filter_map(Value::as_str);
        session.accept = accepted.map(str::to_owned).collect();
        Ok(session)
    }

    /// The address of a session: a reference, resolved as RFC 3986 says, that stays below [`SESSIONS`] of this origin.
    fn session_at(&self, location: &str) -> Result<Url, Failure> {
        let base = self.endpoint(NEW_SESSION)?;
        let url = base.join(location).map_err(|_| failures::LOCATION)?;
        let here = url.origin() == base.origin()
            && url.username().is_empty()
            && url.password().is_none()
            && url.query().is_none()
            && url.fragment().is_none();
        let id = url.path().strip_prefix(SESSIONS);
        let one_segment = id.is_some_and(|id| !id.is_empty() && !id.contains(['/', '%']));
        match here && one_segment {
            true => Ok(url),
            false => Err(failures::LOCATION),
        }
    }
}

/// A session of the service, deleted when this is dropped.
struct Session {
    service: VeraisonService,
    url: Url,
    accept: Vec<String>,
}

impl Session {
    /// The Evidence, under its media type exactly as the service spells it, which is how it looks for a scheme.
    fn content(&self, wanted: &MediaType, evidence: &[u8]) -> Result<(String, Vec<u8>), Failure> {
        let is_wanted = |text: &&String| MediaType::parse(text).as_ref() == Ok(wanted);
        let Some(spelling) = self.accept.iter().find(is_wanted) else {
            return Err(failures::unsupported_media_type(&self.accept.join(", ")));
        };
        let record = Cmw::evidence(wanted.clone(), evidence.to_vec());
        let (media_type, body) = match self.service.wrapping {
            Wrapping::Bare => (spelling.as_str(), Ok(evidence.to_vec())),
            Wrapping::CmwCbor => ("application/cmw+cbor", record.encode()),
            Wrapping::CmwJson => ("application/cmw+json", record.to_json()),
        };
        let body = body.map_err(|_| failures::MALFORMED)?;
        Ok((media_type.to_owned(), body))
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        // Without a runtime the session is left to its expiry.
        let Ok(runtime) = Handle::try_current() else {
            return;
        };
        let service = self.service.clone();
        // Peers decide how many sessions end at once, and the service may be slow at what nobody needs.
        let request = Request::delete(self.url.as_str()).extension(Incidental::default());
        let request = request.body(Vec::new());
        runtime.spawn(async move {
            if service.send(request, within(CLOSING)).await.is_err() {
                tracing::debug!(target: "atls_veraison", "session was not deleted");
            }
        });
    }
}

/// `application/vnd.veraison.challenge-response-session+json`. Other members, such as the Evidence, are not read.
#[derive(Deserialize)]
struct Body {
    status: Status,
    nonce: String,
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
    fn decode(response: &Response<Vec<u8>>, nonce: &[u8]) -> Result<Self, Failure> {
        if !is_of_type(response, SESSION_TYPE) || !bounded::json(MAX_VALUES, response.body()) {
            return Err(failures::MALFORMED);
        }
        let body: Self =
            serde_json::from_slice(response.body()).map_err(|_| failures::MALFORMED)?;
        // Base64 or base64url, padded or not, by version.
        let stated = body.nonce.replace('+', "-").replace('/', "_");
        match BASE64_URL.decode(stated) {
            Ok(stated) if stated == nonce => Ok(body),
            _ => Err(failures::NONCE),
        }
    }
}

const NEW_SESSION: &str = "/challenge-response/v1/newSession";
const SESSIONS: &str = "/challenge-response/v1/session/";

pub(crate) const SESSION_TYPE: &str = "application/vnd.veraison.challenge-response-session+json";

/// Most values in a session: 128 media types, the Evidence, and a few members.
const MAX_VALUES: usize = 512;

/// Longest time for the deletion of a session.
const CLOSING: Duration = Duration::from_secs(1);

/// With and without padding.
const BASE64_URL: GeneralPurpose = GeneralPurpose::new(
    &alphabet::URL_SAFE,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);
