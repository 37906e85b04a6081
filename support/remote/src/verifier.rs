//! The verifier that asks a service.
//!
//! ```text
//! Evidence ─▶ format reads it ─▶ value compared ─▶ service asked ─▶ result read ─▶ Appraised
//!               Malformed          NotBound        no result       not accepted
//!             └─────── nothing was sent ───────┘  └── within one deadline ──┘
//! ```

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use atls_core::AppraisalError;
use atls_core::Appraised;
use atls_core::BoxFuture;
use atls_core::Evidence;
use atls_core::MediaType;
use atls_core::Verifier;
use atls_core::ear::KeySource;
use atls_core::ear::verify_with;
use atls_core::expected::BoundMatch;
use atls_core::expected::ExpectedValue;
use atls_core::http::HttpError;
use atls_core::pki_types::UnixTime;
use rustls::crypto::WebPkiSupportedAlgorithms;
use tokio::time::Instant;

use crate::failure::Failure;
use crate::format::EvidenceFormat;
use crate::format::EvidenceReading;
use crate::later::later;
use crate::outcome::recorded;
use crate::service::CheckedEvidence;
use crate::service::RemoteService;
use crate::service::ResultCheck;

/// Appraises Evidence by asking the service `S`. It needs a tokio runtime with time.
///
/// It bounds the time of one appraisal. Give the service a [`Resilient`](crate::Resilient) client, which bounds their number
/// and leaves a failing service alone. Endorsements of the peer are not passed on.
///
/// Each appraisal is one event, of the target `atls_remote::outcome` and the name `atls.verifier.outcome`, with the fields
///
/// * `verifier`, the name of the service, and `media_type`;
/// * `outcome`: the status of the result, a word of [`Failure`], or `abandoned` where the caller gave up, such as because the
///   connection reached its deadline;
/// * `duration_ms`;
/// * of failures, `fault` and `cause`.
///
/// | end of the appraisal | level |
/// |---|---|
/// | a result, whatever its status | `DEBUG` |
/// | no result, by the fault of the peer or of the service | `WARN` |
/// | the caller gave up | `WARN` |
/// | no result, by the fault of this end | `ERROR` |
///
/// These events have neither Evidence nor its values.
pub struct RemoteVerifier<S: RemoteService> {
    pub(crate) service: S,
    pub(crate) keys: Arc<dyn KeySource>,
    pub(crate) supported: WebPkiSupportedAlgorithms,
    pub(crate) formats: Vec<ConfiguredFormat<S>>,
    pub(crate) media_types: Vec<MediaType>,
    pub(crate) issuer: Option<String>,
    pub(crate) max_age: Duration,
    pub(crate) deadline: Duration,
}

/// A format with its terms and media type.
pub(crate) struct ConfiguredFormat<S: RemoteService> {
    pub(crate) format: Box<dyn EvidenceFormat<S>>,
    pub(crate) media_type: MediaType,
    pub(crate) terms: S::Terms,
}

impl<S: RemoteService> RemoteVerifier<S> {
    /// The service.
    pub fn service(&self) -> &S {
        &self.service
    }

    async fn appraised(
        &self,
        evidence: &Evidence<'_>,
        now: UnixTime,
    ) -> Result<Appraised, Failure> {
        let checked = self.check(evidence)?;
        let asked = checked.for_service(evidence, self.until());
        let appraisal = async {
            let token = self.service.ask(&asked).await?;
            let (ear, claims) = self.read(&token, &asked, now).await?;
            Ok::<_, Failure>((token, ear, claims))
        };
        let appraisal = tokio::time::timeout(self.backstop(), appraisal).await;
        let (token, ear, claims) = appraisal.map_err(|_| HttpError::TimedOut)??;
        let ear = match checked.reading.local_appraisal {
            Some(appraisal) => ear.with_submod(LOCAL, appraisal),
            None => ear,
        };
        let appraised =
            Appraised::bound_to_connection(ear, checked.reading.origin, checked.matched)
                .with_token(token.as_bytes());
        Ok(match claims {
            Some(claims) => appraised.with_claims(claims),
            None => appraised,
        })
    }

    /// The signed result as it came, about Evidence that carries the value of its connection.
    pub(crate) async fn fetch(&self, evidence: &Evidence<'_>) -> Result<String, Failure> {
        let checked = self.check(evidence)?;
        let asked = checked.for_service(evidence, self.until());
        let answer = self.service.ask(&asked);
        let token = tokio::time::timeout(self.backstop(), answer).await;
        token.map_err(|_| HttpError::TimedOut)?
    }

    /// The end of the service's time.
    fn until(&self) -> Instant {
        later(self.deadline)
    }

    /// A service keeps its time by itself, so that its HTTP client sees it hang. A little later, this end stops waiting anyhow.
    fn backstop(&self) -> Duration {
        self.deadline.saturating_add(BACKSTOP)
    }

    /// Reads the Evidence and compares the value that it carries. Nothing is sent before.
    fn check(&self, evidence: &Evidence<'_>) -> Result<Checked<'_, S>, Failure> {
        let mut formats = self.formats.iter();
        let configured = formats.find(|known| known.media_type == *evidence.media_type());
        let configured = configured.ok_or(AppraisalError::Malformed)?;
        let expected = configured.format.expected_value(evidence.bound());
        let reading = configured.format.read(evidence.bytes())?;
        let matched = expected.compare(&reading.carried)?;
        Ok(Checked {
            configured,
            expected,
            reading,
            matched,
        })
    }

    async fn read(
        &self,
        token: &str,
        asked: &CheckedEvidence<'_, S>,
        now: UnixTime,
    ) -> Result<(atls_core::ear::Ear, Option<S::Claims>), Failure> {
        let read = |keys: &_| {
            let check = ResultCheck {
                keys,
                supported: &self.supported,
                issuer: self.issuer.as_deref(),
                max_age: self.max_age,
                now,
            };
            self.service.read(token, &check, asked)
        };
        Ok(verify_with(&*self.keys, now, read).await?)
    }
}

/// Evidence that was read and compared.
struct Checked<'a, S: RemoteService> {
    configured: &'a ConfiguredFormat<S>,
    expected: ExpectedValue,
    reading: EvidenceReading<S::Content>,
    matched: BoundMatch,
}

impl<S: RemoteService> Checked<'_, S> {
    fn for_service<'a>(
        &'a self,
        evidence: &Evidence<'a>,
        until: Instant,
    ) -> CheckedEvidence<'a, S> {
        CheckedEvidence {
            media_type: &self.configured.media_type,
            bytes: evidence.bytes(),
            content: &self.reading.content,
            terms: &self.configured.terms,
            bound: evidence.bound(),
            expected: &self.expected,
            until,
        }
    }
}

impl<S: RemoteService> Verifier for RemoteVerifier<S> {
    fn media_types(&self) -> &[MediaType] {
        &self.media_types
    }

    fn generation(&self) -> u64 {
        self.keys.generation()
    }

    fn appraise<'a>(
        &'a self,
        evidence: &'a Evidence<'a>,
        now: UnixTime,
    ) -> BoxFuture<'a, Result<Appraised, AppraisalError>> {
        Box::pin(async move {
            let appraisal = self.appraised(evidence, now);
            Ok(recorded(S::NAME, evidence.media_type(), appraisal).await?)
        })
    }
}

impl<S: RemoteService> fmt::Debug for RemoteVerifier<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RemoteVerifier")
            .field("service", &self.service)
            .field("media_types", &self.media_types)
            .field("issuer", &self.issuer)
            .field("max_age", &self.max_age)
            .field("deadline", &self.deadline)
            .finish_non_exhaustive()
    }
}

const BACKSTOP: Duration = Duration::from_millis(250);

/// The part of a result that was appraised here.
const LOCAL: &str = "local";
