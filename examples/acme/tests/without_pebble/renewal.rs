//! When a certificate is ordered, and what becomes of orders that fail.

use std::sync::Arc;
use std::sync::Mutex;
use std::time::Duration;

use acme::Certificate;
use acme::Current;
use acme::Issue;
use acme::Name;
use acme::Occasion;
use acme::OrderError;
use acme::Renewal;
use metrics_exporter_prometheus::PrometheusBuilder;
use rcgen::CertificateParams;
use rcgen::KeyPair;
use rcgen::date_time_ymd;
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::UnixTime;
use rustls::time_provider::TimeProvider;
use test_support::Log;
use tokio::sync::Notify;
use tokio::time::Instant;
use tracing_subscriber::filter::LevelFilter;

pub(crate) const DAY: u64 = 24 * 60 * 60;
/// 2027-01-01.
const BEGIN: u64 = 1_798_761_600;

/// Runs with the time of tokio, which a test lets pass in no time.
#[derive(Debug)]
pub(crate) struct Clock {
    began: Instant,
    set_ahead: Mutex<Duration>,
}

impl Clock {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self {
            began: Instant::now(),
            set_ahead: Mutex::default(),
        })
    }

    fn set_ahead(&self, by: Duration) {
        *self.set_ahead.lock().unwrap() = by;
    }
}

impl TimeProvider for Clock {
    fn current_time(&self) -> Option<UnixTime> {
        let passed = self.began.elapsed() + *self.set_ahead.lock().unwrap();
        let now = Duration::from_secs(BEGIN) + passed;
        Some(UnixTime::since_unix_epoch(now))
    }
}

/// Gives what it was told to, last first, and notes when it was asked.
#[derive(Clone)]
pub(crate) struct Script(pub(crate) Arc<Mutex<Play>>);

pub(crate) struct Play {
    answers: Vec<Result<Certificate, OrderError>>,
    asked: Vec<Instant>,
    /// Seconds after the beginning of the tests' time, the last first.
    suggestions: Vec<Option<u64>>,
    /// How often it was asked for one, and wants to be.
    pub(crate) suggested: usize,
    pub(crate) again_in: Duration,
}

impl Script {
    pub(crate) fn of<const N: usize>(mut answers: [Result<Certificate, OrderError>; N]) -> Self {
        answers.reverse();
        Self(Arc::new(Mutex::new(Play {
            answers: answers.into(),
            asked: Vec::new(),
            suggestions: Vec::new(),
            suggested: 0,
            again_in: Duration::from_secs(6 * 3600),
        })))
    }

    /// When it wants certificates renewed; the last of them stays.
    pub(crate) fn suggesting<const N: usize>(self, mut suggestions: [Option<u64>; N]) -> Self {
        suggestions.reverse();
        self.0.lock().unwrap().suggestions = suggestions.into();
        self
    }

    /// Minutes after the first time.
    pub(crate) fn asked_after(&self) -> Vec<u64> {
        let asked = &self.0.lock().unwrap().asked;
        let after = asked.iter().map(|at| at.duration_since(asked[0]));
        after.map(|after| after.as_secs() / 60).collect()
    }
}

impl Issue for Script {
    async fn issue(&self) -> Result<Certificate, OrderError> {
        let mut play = self.0.lock().unwrap();
        play.asked.push(Instant::now());
        play.answers.pop().unwrap()
    }

    async fn suggested(&self, _: &Certificate) -> Option<(u64, Duration)> {
        let mut play = self.0.lock().unwrap();
        play.suggested += 1;
        let suggested = match &play.suggestions[..] {
            [last] => *last,
            [] => None,
            _ => play.suggestions.pop().unwrap(),
        };
        suggested.map(|after| (BEGIN + after, play.again_in))
    }
}

/// Of 90 days, from this month of 2027 on.
pub(crate) fn certificate(month: u8) -> Certificate {
    valid_for(month, Duration::from_secs(90 * DAY))
}

fn valid_for(month: u8, life: Duration) -> Certificate {
    let names = ["a.example".parse::<Name>().unwrap()];
    let key = KeyPair::generate().unwrap();
    let mut parameters = CertificateParams::new(vec!["a.example".to_owned()]).unwrap();
    parameters.not_before = date_time_ymd(2027, month, 1);
    parameters.not_after = parameters.not_before + life;
    let now = u64::try_from(parameters.not_before.unix_timestamp()).unwrap();
    let now = UnixTime::since_unix_epoch(Duration::from_secs(now));
    let pem = parameters.self_signed(&key).unwrap().pem();
    let key = PrivateKeyDer::Pkcs8(key.serialize_der().into());
    let key = demo::provider().key_provider.load_private_key(key).unwrap();
    Certificate::received(&pem, key, &names, now).unwrap()
}

fn away() -> Result<Certificate, OrderError> {
    Err(OrderError::TimedOut)
}

pub(crate) fn renewal(script: &Script, clock: &Arc<Clock>) -> (Renewal<Script>, Arc<Current>) {
    let current = Arc::new(Current::default());
    let renewal = Renewal::new(script.clone(), current.clone(), clock.clone());
    (renewal, current)
}

fn is_served(current: &Current, certificate: &Certificate) -> bool {
    current.key().unwrap().cert == certificate.key().cert
}

#[tokio::test(start_paused = true)]
async fn a_certificate_is_renewed_two_thirds_into_its_life() {
    let (first, second) = (certificate(1), certificate(2));
    let script = Script::of([Ok(first.clone()), Ok(second.clone())]);
    let (mut renewal, current) = renewal(&script, &Clock::new());
    assert!(current.key().is_none());
    let never = Notify::new();
    assert_eq!(renewal.next(&never).await, Occasion::Due);
    assert!(is_served(&current, &first));
    assert_eq!(renewal.next(&never).await, Occasion::Due);
    assert!(is_served(&current, &second));
    assert_eq!(script.asked_after(), [0, 60 * DAY / 60]);
}

#[tokio::test(start_paused = true)]
async fn a_server_that_gives_certificates_of_seconds_is_asked_once_a_minute() {
    let seconds = valid_for(1, Duration::from_secs(3));
    let script = Script::of([Ok(seconds.clone()), Ok(seconds.clone()), Ok(seconds)]);
    let (mut renewal, _) = renewal(&script, &Clock::new());
    let never = Notify::new();
    for _ in 0..3 {
        renewal.next(&never).await;
    }
    assert_eq!(script.asked_after(), [0, 1, 2]);
}

/// Within any hour there are at most five orders.
#[tokio::test(start_paused = true)]
async fn orders_that_fail_are_repeated_with_longer_and_longer_pauses() {
    let answers = [
        away(),
        away(),
        away(),
        away(),
        away(),
        away(),
        Ok(certificate(1)),
    ];
    let script = Script::of(answers);
    let (mut renewal, current) = renewal(&script, &Clock::new());
    renewal.next(&Notify::new()).await;
    assert!(current.key().is_some());
    assert_eq!(script.asked_after(), [0, 1, 4, 13, 40, 100, 160]);
}

#[tokio::test(start_paused = true)]
async fn a_failure_leaves_the_old_certificate_in_service_and_is_seen() {
    let recorder = PrometheusBuilder::new().build_recorder();
    let seen = recorder.handle();
    let recording = metrics::set_default_local_recorder(&recorder);
    let first = certificate(1);
    let script = Script::of([Ok(first.clone()), away(), away(), Ok(certificate(2))]);
    let (mut renewal, current) = renewal(&script, &Clock::new());
    let never = Notify::new();
    renewal.next(&never).await;
    tokio::select! {
        biased;
        _ = renewal.next(&never) => unreachable!("the server is away for a minute and three"),
        () = tokio::time::sleep(Duration::from_secs(60 * DAY + 120)) => {}
    }
    assert!(is_served(&current, &first));
    let numbers = seen.render();
    assert!(numbers.contains(r#"acme_orders_total{outcome="issued"} 1"#));
    assert!(numbers.contains(r#"acme_orders_total{outcome="failed"} 2"#));
    let end = BEGIN + 90 * DAY;
    assert!(numbers.contains(&format!("acme_certificate_expires_timestamp_seconds {end}")));
    drop(recording);
}

/// An alert on a certificate that ends soon fires where none was ever given.
#[tokio::test(start_paused = true)]
async fn a_service_without_a_certificate_is_seen_as_one_whose_certificate_ended() {
    let recorder = PrometheusBuilder::new().build_recorder();
    let seen = recorder.handle();
    let recording = metrics::set_default_local_recorder(&recorder);
    let (mut renewal, _) = renewal(&Script::of([away()]), &Clock::new());
    let never = Notify::new();
    tokio::select! {
        biased;
        _ = renewal.next(&never) => unreachable!("the server is away for a minute"),
        () = tokio::time::sleep(Duration::from_secs(30)) => {}
    }
    let numbers = seen.render();
    assert!(
        numbers.contains("acme_certificate_expires_timestamp_seconds 0\n"),
        "{numbers}"
    );
    drop(recording);
}

#[tokio::test(start_paused = true)]
async fn an_order_that_is_asked_for_is_made_at_once_and_the_next_one_in_its_time() {
    let script = Script::of([
        Ok(certificate(1)),
        away(),
        Ok(certificate(1)),
        Ok(certificate(2)),
    ]);
    let (mut renewal, _) = renewal(&script, &Clock::new());
    let asked = Notify::new();
    renewal.next(&asked).await;
    asked.notify_one();
    // The order fails and is repeated a minute later; it was asked for all the same.
    assert_eq!(renewal.next(&asked).await, Occasion::Asked);
    assert_eq!(renewal.next(&asked).await, Occasion::Due);
    assert_eq!(script.asked_after(), [0, 0, 1, 60 * DAY / 60]);
}

#[tokio::test(start_paused = true)]
async fn each_order_is_one_event_that_tells_what_is_left_and_when_the_next_is() {
    let (log, _guard) = Log::start(LevelFilter::INFO);
    let answers = [away(), Ok(certificate(1)), away(), Ok(certificate(2))];
    let (mut renewal, _) = renewal(&Script::of(answers), &Clock::new());
    let asked = Notify::new();
    renewal.next(&asked).await;
    asked.notify_one();
    renewal.next(&asked).await;
    let lines = log.take();
    let reason = "no certificate within the deadline again_in_s=60";
    let left = 90 * DAY - 60;
    for (line, level, words) in [
        (
            0,
            "ERROR",
            format!("no certificate; clients cannot connect error={reason}"),
        ),
        (1, "INFO", format!("new certificate valid_for_s={left}")),
        (
            2,
            "WARN",
            format!("the old one stays error={reason} valid_for_s={left}"),
        ),
        (3, "INFO", "new certificate".to_owned()),
    ] {
        assert!(
            lines[line].contains(level) && lines[line].contains(&words),
            "{lines:#?}"
        );
    }
    assert_eq!(lines.len(), 4);
}

struct Panicking(Script);

impl Issue for Panicking {
    async fn issue(&self) -> Result<Certificate, OrderError> {
        match self.0.issue().await {
            Err(error) => panic!("a panic on purpose: {error}"),
            certificate => certificate,
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_order_that_panics_is_one_that_failed() {
    let script = Script::of([away(), Ok(certificate(1))]);
    let issuer = Panicking(script.clone());
    let mut renewal = Renewal::new(issuer, Arc::default(), Clock::new());
    renewal.next(&Notify::new()).await;
    assert_eq!(script.asked_after(), [0, 1]);
}

/// As after a sleep of the machine, during which its timers stood still.
#[tokio::test(start_paused = true)]
async fn a_clock_that_was_set_ahead_is_seen_within_the_hour() {
    let script = Script::of([Ok(certificate(1)), Ok(certificate(2))]);
    let clock = Clock::new();
    let (mut renewal, _) = renewal(&script, &clock);
    let never = Notify::new();
    renewal.next(&never).await;
    let setting = async {
        tokio::time::sleep(Duration::from_secs(1800)).await;
        clock.set_ahead(Duration::from_secs(60 * DAY));
    };
    tokio::join!(renewal.next(&never), setting);
    assert_eq!(script.asked_after(), [0, 60]);
}
