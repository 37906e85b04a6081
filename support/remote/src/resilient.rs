//! An HTTP client with limits, retries and a circuit breaker around any other.

use std::fmt;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;
use std::time::Duration;

use atls_core::BoxFuture;
use atls_core::http::HttpClient;
use atls_core::http::HttpError;
use atls_core::http::HttpLimits;
use atls_core::http::NotSent;
use http::Method;
use http::Request;
use http::Response;
use http::StatusCode;
use tokio::sync::Semaphore;
use tokio::time::Instant;
use tracing::debug;
use tracing::warn;

use crate::breaker::Breaker;
use crate::breaker::Change;
use crate::later::later;
use crate::metrics;
use crate::metrics::OpenCircuit;
use crate::retry_after::retry_after;
use crate::settings::Settings;
use crate::stats::Circuit;
use crate::stats::Counters;
use crate::stats::Stats;

/// An [`HttpClient`] around another one, with the same rules for every service. Make one for each service.
///
/// | bound | default |
/// |---|---|
/// | deadline, from call to last byte | 8 s, or the limit of the caller if it is less |
/// | body | 256 KiB, or the limit of the caller if it is less |
/// | requests under way at once | 32 |
/// | requests that wait | 64; one more is [`NotSent::Busy`] at once |
/// | attempts | 3, of `GET`, `HEAD` and [`Repeatable`] requests only, within the one deadline |
/// | pause between them | random, up to 100 ms, 200 ms …, and as long as a `Retry-After` says, in seconds or by a date |
/// | circuit | opens after 5 failures in a row: [`NotSent::Failing`] at once, and one request after 5 s, or after the `Retry-After` of the last failure, which counts up to a minute |
///
/// Any other request is sent once: the service may have obeyed a `POST` whose answer was lost.
///
/// A failure is a connection that was not made or broke, a deadline that passed, or the status 429, 502, 503 or 504. A plain
/// 500 is none: services answer so to Evidence that they refuse, and a peer must not be able to switch off the verifier for all
/// others. An [`Incidental`] request counts for nothing.
///
/// Each request ends in one event of the target `atls_remote::resilient` with the fields `service`, `outcome` (`answered`,
/// `failed`, `not_sent`, or `abandoned` by its caller) and `status` or `error`. A change of the circuit is another event, with
/// `service` and `circuit`.
pub struct Resilient {
    name: &'static str,
    client: Arc<dyn HttpClient>,
    settings: Settings,
    permits: Semaphore,
    waiting: AtomicUsize,
    breaker: Breaker,
    /// As the numbers have it.
    open: Mutex<Option<OpenCircuit>>,
    counters: Counters,
}

/// Goes into the [`http::Extensions`] of a request that may be sent twice although its method does not say so. Its maker knows
/// that the service only computes an answer.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct Repeatable;

/// Goes into the [`http::Extensions`] of a request on which no appraisal depends, such as one that tidies up. It is sent while the circuit is
/// closed alone, and its end counts neither for nor against the service.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct Incidental;

impl Resilient {
    pub(crate) fn from_settings(
        name: &'static str,
        client: Arc<dyn HttpClient>,
        settings: Settings,
    ) -> Self {
        Self {
            name,
            client,
            permits: Semaphore::new(settings.in_flight),
            waiting: AtomicUsize::new(0),
            breaker: Breaker::new(settings.failures, settings.pause),
            open: Mutex::new(None),
            counters: Counters::default(),
            settings,
        }
    }

    /// The counts so far. Cheap: a few loads.
    pub fn stats(&self) -> Stats {
        self.counters.stats(self.breaker.circuit())
    }

    async fn bounded(
        &self,
        request: Request<Vec<u8>>,
        limits: HttpLimits,
    ) -> Result<Response<Vec<u8>>, HttpError> {
        self.counters.requests.increment();
        let deadline = limits.deadline.min(self.settings.deadline);
        let until = later(deadline);
        let max_body = limits.max_body.min(self.settings.max_body);
        let pending = Pending(Some(self));
        let result = self.queued(request, until, max_body).await;
        pending.end(&result);
        result
    }

    async fn queued(
        &self,
        request: Request<Vec<u8>>,
        until: Instant,
        max_body: usize,
    ) -> Result<Response<Vec<u8>>, HttpError> {
        let _permit = match self.permits.try_acquire() {
            Ok(permit) => permit,
            Err(_) => {
                let _place = self.place()?;
                let permit = tokio::time::timeout_at(until, self.permits.acquire());
                permit.await.ok().and_then(Result::ok).ok_or(BUSY)?
            }
        };
        // The turn came too late to send anything.
        if Instant::now() >= until {
            return Err(BUSY);
        }
        let repeatable = is_repeatable(&request);
        let attempts = if repeatable {
            self.settings.attempts
        } else {
            1
        };
        let mut result = self.attempt(request.clone(), until, max_body).await;
        for attempt in 1..attempts {
            let resume = later(self.pause(attempt).max(self.asked_for(&result)));
            if !is_passing(&result) || resume >= until {
                break;
            }
            tokio::time::sleep_until(resume).await;
            match self.attempt(request.clone(), until, max_body).await {
                // The circuit opened meanwhile: the result of the attempt before stays.
                Err(HttpError::NotSent(_)) => break,
                other => result = other,
            }
            self.counters.retries.increment();
        }
        result
    }

    async fn attempt(
        &self,
        request: Request<Vec<u8>>,
        until: Instant,
        max_body: usize,
    ) -> Result<Response<Vec<u8>>, HttpError> {
        const FAILING: HttpError = HttpError::NotSent(NotSent::Failing);
        let is_incidental = request.extensions().get::<Incidental>().is_some();
        if is_incidental && self.breaker.circuit() != Circuit::Closed {
            return Err(FAILING);
        }
        let pass = self.breaker.pass().ok_or(FAILING)?;
        let limits = HttpLimits::new(until.saturating_duration_since(Instant::now()), max_body);
        let sent = tokio::time::timeout_at(until, self.client.send(request, limits)).await;
        let result = match sent {
            Ok(Ok(response)) if response.body().len() > max_body => Err(HttpError::TooLarge),
            Ok(result) => result,
            Err(_) => Err(HttpError::TimedOut),
        };
        let change = if is_incidental {
            drop(pass);
            Change::None
        } else if counts_as_failure(&result) {
            pass.failed(self.asked_for(&result))
        } else {
            pass.succeeded()
        };
        match change {
            Change::Closed => {
                self.tell_circuit();
                debug!(service = self.name, circuit = "closed");
            }
            Change::None => {}
            Change::Opened => {
                self.tell_circuit();
                warn!(service = self.name, circuit = "open");
            }
        }
        result
    }

    /// As the circuit is by now: of two changes, whichever is told last, the last one stands.
    fn tell_circuit(&self) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        match self.breaker.circuit() {
            Circuit::Closed => *open = None,
            _ => drop(open.get_or_insert_with(|| OpenCircuit::of(self.name))),
        }
    }

    /// A place in the queue, until it is dropped.
    fn place(&self) -> Result<Place<'_>, HttpError> {
        let place = Place(&self.waiting);
        let before = self.waiting.fetch_add(1, Ordering::AcqRel);
        if before >= self.settings.queue {
            return Err(BUSY);
        }
        Ok(place)
    }

    /// A random pause up to the back-off, doubled with each attempt.
    fn pause(&self, attempt: u32) -> Duration {
        let doublings = attempt.saturating_sub(1).min(16);
        let longest = self.settings.backoff.saturating_mul(1 << doublings);
        let longest = u64::try_from(longest.as_micros()).unwrap_or(u64::MAX);
        let waited = (self.settings.jitter)().checked_rem(longest.saturating_add(1));
        Duration::from_micros(waited.unwrap_or(0))
    }

    /// The time after which the service wants the next request.
    fn asked_for(&self, result: &Result<Response<Vec<u8>>, HttpError>) -> Duration {
        match result {
            Ok(response) => retry_after(response, &*self.settings.clock),
            Err(_) => Duration::ZERO,
        }
    }

    fn report(&self, result: &Result<Response<Vec<u8>>, HttpError>) {
        let service = self.name;
        match result {
            Ok(response) if counts_as_failure(result) => {
                self.counters.failures.increment();
                let status = response.status().as_u16();
                metrics::requested(service, "failed");
                warn!(service, outcome = "failed", status);
            }
            Ok(response) => {
                let status = response.status().as_u16();
                metrics::requested(service, "answered");
                debug!(service, outcome = "answered", status);
            }
            Err(error @ HttpError::NotSent(_)) => {
                self.counters.not_sent.increment();
                metrics::requested(service, "not_sent");
                warn!(service, outcome = "not_sent", %error);
            }
            Err(error) => {
                self.counters.failures.increment();
                metrics::requested(service, "failed");
                warn!(service, outcome = "failed", %error);
            }
        }
    }
}

impl HttpClient for Resilient {
    fn send(
        &self,
        request: Request<Vec<u8>>,
        limits: HttpLimits,
    ) -> BoxFuture<'_, Result<Response<Vec<u8>>, HttpError>> {
        Box::pin(self.bounded(request, limits))
    }
}

impl fmt::Debug for Resilient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Resilient")
            .field("name", &self.name)
            .field("stats", &self.stats())
            .finish_non_exhaustive()
    }
}

/// A request that has not ended.
struct Pending<'a>(Option<&'a Resilient>);

impl Pending<'_> {
    fn end(mut self, result: &Result<Response<Vec<u8>>, HttpError>) {
        if let Some(client) = self.0.take() {
            client.report(result);
        }
    }
}

impl Drop for Pending<'_> {
    fn drop(&mut self) {
        if let Some(client) = self.0 {
            client.counters.abandoned.increment();
            metrics::requested(client.name, "abandoned");
            warn!(service = client.name, outcome = "abandoned");
        }
    }
}

struct Place<'a>(&'a AtomicUsize);

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

fn is_repeatable(request: &Request<Vec<u8>>) -> bool {
    let marked = request.extensions().get::<Repeatable>().is_some();
    marked || matches!(*request.method(), Method::GET | Method::HEAD)
}

/// Whether another attempt may succeed.
fn is_passing(result: &Result<Response<Vec<u8>>, HttpError>) -> bool {
    counts_as_failure(result) && !matches!(result, Err(HttpError::TimedOut))
}

fn counts_as_failure(result: &Result<Response<Vec<u8>>, HttpError>) -> bool {
    match result {
        Ok(response) => matches!(
            response.status(),
            StatusCode::TOO_MANY_REQUESTS
                | StatusCode::BAD_GATEWAY
                | StatusCode::SERVICE_UNAVAILABLE
                | StatusCode::GATEWAY_TIMEOUT
        ),
        Err(error) => matches!(error, HttpError::TimedOut | HttpError::Unreachable(_)),
    }
}

const BUSY: HttpError = HttpError::NotSent(NotSent::Busy);
