//! When a certificate is ordered.
//!
//! ```text
//!   ┌────────── due, or asked for ──────────┐
//!   ▼                                       │
//! order ── certificate ─▶ Current, wait for two thirds of its life, or as the server suggests
//!   │ failure                               ▲
//!   └─▶ the old one stays, wait 1, 3, 9, 27, 60, 60 … minutes
//! ```

use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::UnixTime;
use rustls::time_provider::TimeProvider;
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::certificate::Certificate;
use crate::current::Current;
use crate::error::OrderError;
use crate::issuer::Issue;

/// Keeps a service in certificates.
#[derive(Debug)]
pub struct Renewal<I> {
    issuer: Arc<I>,
    current: Arc<Current>,
    clock: Arc<dyn TimeProvider>,
    certificate: Option<Certificate>,
    /// Orders that failed since the last certificate.
    failures: u32,
    /// Certificates in a row that were renewed long before they were due by their life.
    early: u32,
    /// No order before, but those that are asked for.
    not_before: Instant,
    suggestion: Suggestion,
}

/// When the server wants the certificate renewed, and when it is asked about that again.
#[derive(Debug)]
struct Suggestion {
    /// Seconds since the epoch.
    due: Option<u64>,
    ask_at: Instant,
}

impl<I: Issue + 'static> Renewal<I> {
    /// Puts the certificates of this issuer where they are served.
    pub fn new(issuer: I, current: Arc<Current>, clock: Arc<dyn TimeProvider>) -> Self {
        // The epoch is long past, so whoever watches the end of a certificate hears that there is none.
        metrics::gauge!(EXPIRES).set(0.0);
        Self {
            issuer: Arc::new(issuer),
            current,
            clock,
            certificate: None,
            failures: 0,
            early: 0,
            not_before: Instant::now(),
            suggestion: Suggestion::none(),
        }
    }

    /// Orders until there is a certificate: the first one, or the next one when it is due, or as soon as `asked` is notified.
    pub async fn next(&mut self, asked: &Notify) -> Occasion {
        let mut occasion = Occasion::Due;
        loop {
            if self.wait(asked).await == Occasion::Asked {
                occasion = Occasion::Asked;
            }
            match self.order().await {
                Ok(certificate) => {
                    self.take(certificate);
                    return occasion;
                }
                Err(error) => self.bear(&error),
            }
        }
    }

    async fn order(&self) -> Result<Certificate, OrderError> {
        let issuer = self.issuer.clone();
        let ordered = apart(async move { issuer.issue().await }).await;
        ordered.unwrap_or_else(|| Err(OrderError::Local("the order panicked".to_owned())))
    }

    /// Asks the server. It asks nobody where there is no certificate, or orders fail.
    fn ask(&self) -> impl Future<Output = Option<(u64, Duration)>> + use<I> {
        let issuer = self.issuer.clone();
        let certificate = self.certificate.clone().filter(|_| self.failures == 0);
        let ask_at = self.suggestion.ask_at;
        async move {
            let Some(certificate) = certificate else {
                return std::future::pending().await;
            };
            tokio::time::sleep_until(ask_at).await;
            apart(async move { issuer.suggested(&certificate).await })
                .await
                .flatten()
        }
    }

    fn take(&mut self, certificate: Certificate) {
        self.current.replace(certificate.key().clone());
        self.failures = 0;
        let before = self.certificate.as_ref();
        let is_early = before.is_some_and(|it| self.now().as_secs() < it.renewal_due());
        self.early = if is_early {
            self.early.saturating_add(1)
        } else {
            0
        };
        // A server that wants each certificate renewed at once does not get an order every minute.
        self.not_before = after(backoff(self.early.saturating_add(1)));
        self.suggestion = Suggestion::none();
        let valid_for_s = certificate.valid_for(self.now()).as_secs();
        tracing::info!(valid_for_s, "new certificate");
        metrics::counter!("acme_orders_total", "outcome" => "issued").increment(1);
        // Seconds since the epoch have 31 bits in this century; an `f64` holds 53 of them.
        let end = u32::try_from(certificate.not_after()).unwrap_or(u32::MAX);
        metrics::gauge!(EXPIRES).set(f64::from(end));
        self.certificate = Some(certificate);
    }

    fn bear(&mut self, error: &OrderError) {
        self.failures = self.failures.saturating_add(1);
        let pause = backoff(self.failures);
        self.not_before = after(pause);
        let again_in_s = pause.as_secs();
        metrics::counter!("acme_orders_total", "outcome" => "failed").increment(1);
        let now = self.now();
        let left = self.certificate.as_ref().map(|it| it.valid_for(now));
        match left.unwrap_or_default().as_secs() {
            0 => tracing::error!(%error, again_in_s, "no certificate; clients cannot connect"),
            valid_for_s => {
                tracing::warn!(%error, again_in_s, valid_for_s, "no new certificate; the old one stays");
            }
        }
    }

    async fn wait(&mut self, asked: &Notify) -> Occasion {
        loop {
            let pause = self.pause();
            if pause.is_zero() {
                return Occasion::Due;
            }
            // A machine may sleep and its clock be set, so the clock is looked at again and again.
            tokio::select! {
                () = tokio::time::sleep(pause.min(LOOK)) => {}
                () = asked.notified() => return Occasion::Asked,
                suggested = self.ask() => self.suggestion = Suggestion::of(suggested),
            }
        }
    }

    /// Zero when an order is due.
    fn pause(&self) -> Duration {
        let allowed = self.not_before.saturating_duration_since(Instant::now());
        let certificate = self.certificate.as_ref().filter(|_| self.failures == 0);
        let due = certificate.map_or(0, |certificate| match self.suggestion.due {
            Some(due) => due.min(certificate.latest_renewal()),
            None => certificate.renewal_due(),
        });
        let due = Duration::from_secs(due.saturating_sub(self.now().as_secs()));
        // A server that gives certificates of seconds is not asked every second.
        due.max(allowed)
    }

    /// Without a clock nothing is valid, so a certificate is due.
    fn now(&self) -> UnixTime {
        let end = UnixTime::since_unix_epoch(Duration::from_secs(u64::MAX));
        self.clock.current_time().unwrap_or(end)
    }
}

impl Suggestion {
    /// None yet, and it is to be asked for at once.
    fn none() -> Self {
        Self {
            due: None,
            ask_at: Instant::now(),
        }
    }

    /// RFC 9773 §4.3.2: a server that has itself asked every second, or once in a year, is not to be followed.
    fn of(suggested: Option<(u64, Duration)>) -> Self {
        let again_in = suggested.map_or(ASK, |(_, again_in)| again_in.clamp(MINUTE, DAY));
        Self {
            due: suggested.map(|(due, _)| due),
            ask_at: after(again_in),
        }
    }
}

/// In a task of its own, so that a panic over something that the server sent is a failure like others. It ends with this future.
async fn apart<T: Send + 'static>(work: impl Future<Output = T> + Send + 'static) -> Option<T> {
    let mut task = JoinSet::new();
    task.spawn(work);
    task.join_next().await?.ok()
}

/// Why a certificate was ordered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Occasion {
    /// Somebody asked for it.
    Asked,
    /// It was time, or there was none.
    Due,
}

/// For failures in a row, from 1. Public servers count failures by the hour, some to five: 1, 3, 9, 27 minutes, and then an hour, are five in any.
fn backoff(failures: u32) -> Duration {
    let minutes = 3u32.saturating_pow(failures.saturating_sub(1));
    MINUTE.saturating_mul(minutes.min(60))
}

fn after(pause: Duration) -> Instant {
    let now = Instant::now();
    now.checked_add(pause).unwrap_or(now)
}

const EXPIRES: &str = "acme_certificate_expires_timestamp_seconds";

const MINUTE: Duration = Duration::from_secs(60);

const LOOK: Duration = Duration::from_secs(3600);

const DAY: Duration = Duration::from_secs(24 * 3600);

/// When a server that gave no answer is asked again.
const ASK: Duration = Duration::from_secs(6 * 3600);
