//! The numbers of connections. docs/operations.md documents names, units and labels.
//!
//! No label has a value that a peer chooses. An application installs a recorder, or all of this does nothing.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::Duration;

use atls_core::Binding;
use atls_core::Fault;
use atls_core::PeerAttestation;
use atls_core::combine::CacheUse;
use atls_core::exchange::batch::Batches;
use atls_core::session::Side;
use metrics::Gauge;
use metrics::counter;
use metrics::gauge;
use metrics::histogram;
use tokio::time::Instant;

use crate::error::Error;
use crate::stage::Stage;
use crate::unfinished::Unfinished;
use crate::weaker::Mode;

/// A connection that HTTP may begin on.
pub(crate) fn succeeded(side: Side, mode: Mode, peer: Option<&PeerAttestation>) {
    let outcome = match peer {
        Some(_) => "attested",
        None => "unattested",
    };
    connection(Connection {
        side,
        mode,
        outcome,
        binding: peer.map(|peer| peer.binding()),
        fault: None,
        reason: "none",
    });
    if let Some(peer) = peer {
        let valid_for = peer.valid_for(peer.appraised_at());
        histogram!("atls_attestation_valid_seconds", "side" => side_name(side))
            .record(valid_for.as_secs_f64());
    }
}

/// A connection that was closed.
pub(crate) fn failed(side: Side, mode: Mode, error: &Error) {
    let outcome = match error.refusal() {
        Some(_) => "refused",
        None if error.is_acme_challenge() => "challenge",
        None => "failed",
    };
    connection(Connection {
        side,
        mode,
        outcome,
        binding: None,
        fault: Some(error.fault()),
        reason: error.reason(),
    });
}

/// A connection that ended without an outcome.
pub(crate) fn unfinished(side: Side, mode: Mode, end: Unfinished) {
    let (outcome, fault) = match end {
        Unfinished::Abandoned => ("abandoned", None),
        Unfinished::Panicked => ("failed", Some(Fault::Local)),
    };
    connection(Connection {
        side,
        mode,
        outcome,
        binding: None,
        fault,
        reason: end.reason(),
    });
}

/// The labels of one connection.
#[derive(Clone, Copy)]
struct Connection {
    side: Side,
    mode: Mode,
    outcome: &'static str,
    binding: Option<Binding>,
    fault: Option<Fault>,
    reason: &'static str,
}

fn connection(of: Connection) {
    counter!(
        "atls_connections_total",
        "side" => side_name(of.side),
        "mode" => mode_name(of.mode),
        "outcome" => of.outcome,
        "binding" => of.binding.map_or("none", binding_name),
        "fault" => of.fault.map_or("none", fault_name),
        "reason" => of.reason,
    )
    .increment(1);
}

/// The time that a stage took, whether it succeeded or not.
pub(crate) fn stage(stage: Stage, took: Duration) {
    histogram!("atls_stage_seconds", "stage" => stage.name()).record(took.as_secs_f64());
}

/// A stage that is measured for as long as this lives, however it ends.
pub(crate) struct Timed {
    stage: Stage,
    began: Instant,
}

impl Timed {
    pub(crate) fn begin(stage: Stage) -> Self {
        Self {
            stage,
            began: Instant::now(),
        }
    }
}

impl Drop for Timed {
    fn drop(&mut self) {
        stage(self.stage, self.began.elapsed());
    }
}

/// A request that a layer answered itself.
pub(crate) fn request_refused(code: &'static str) {
    counter!("atls_requests_refused_total", "problem" => code).increment(1);
}

/// A server took its connections back.
pub(crate) fn recalled() {
    counter!("atls_recalls_total").increment(1);
}

/// Counts the callers of a [`Cached`](atls_core::combine::Cached) verifier under this name, as `atls_cache_appraisals_total`.
///
/// ```
/// # use atls_core::combine::Cached;
/// # use atls_sim::{SimAttester, SimVerifier};
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let verifier = SimVerifier::new(SimAttester::generate()?.trust_anchor());
/// let verifier = Cached::new(verifier).with_observer(atls_tower::cache_metrics("sim"));
/// # drop(verifier);
/// # Ok(())
/// # }
/// ```
pub fn cache_metrics(verifier: &'static str) -> impl Fn(CacheUse) + Send + Sync + 'static {
    move |used| {
        let result = match used {
            CacheUse::Appraised => "appraised",
            CacheUse::Shared => "shared",
            CacheUse::UsedAgain => "used_again",
        };
        counter!("atls_cache_appraisals_total", "verifier" => verifier, "result" => result)
            .increment(1);
    }
}

/// The device of a batcher has worked.
pub(crate) fn device_worked(size: usize, took: Duration, outcome: &'static str) {
    let size = u32::try_from(size).unwrap_or(u32::MAX);
    histogram!("atls_batch_connections").record(f64::from(size));
    histogram!("atls_batch_device_seconds", "outcome" => outcome).record(took.as_secs_f64());
}

/// A connection found its line before a batcher's device full.
pub(crate) fn line_is_full(line: Batches) {
    counter!("atls_batch_refused_total", "line" => line_name(line)).increment(1);
}

/// The work of this end for a connection.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Work {
    Appraisal,
    Attestation,
}

impl Work {
    fn name(self) -> &'static str {
        match self {
            Self::Appraisal => "appraisal",
            Self::Attestation => "attestation",
        }
    }
}

/// Counts in a gauge for as long as it lives.
pub(crate) struct Counted(Gauge);

impl Counted {
    fn new(gauge: Gauge) -> Self {
        gauge.increment(1.0);
        Self(gauge)
    }

    /// A connection that waits for a turn at `work` of this end.
    pub(crate) fn waits(work: Work) -> Self {
        Self::new(gauge!("atls_work_waiting", "work" => work.name()))
    }

    /// A connection for which this end does `work`.
    pub(crate) fn is_worked_for(work: Work) -> Self {
        Self::new(gauge!("atls_work_in_progress", "work" => work.name()))
    }

    /// A connection that waits in a line before a batcher's device.
    pub(crate) fn waits_for_device(line: Batches) -> Self {
        Self::new(gauge!("atls_batch_waiting", "line" => line_name(line)))
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.decrement(1.0);
    }
}

/// A limit for as long as it holds. Those of all acceptors and batchers of the process add up, as what they limit does.
pub(crate) struct Limit {
    gauge: Gauge,
    value: f64,
}

impl Limit {
    fn new(gauge: Gauge, limit: usize) -> Self {
        let value = f64::from(u32::try_from(limit).unwrap_or(u32::MAX));
        gauge.increment(value);
        Self { gauge, value }
    }

    /// The most connections for which this end does `work` at once.
    pub(crate) fn of_work(work: Work, limit: usize) -> Self {
        Self::new(gauge!("atls_work_limit", "work" => work.name()), limit)
    }

    /// The most connections that wait in a line before a batcher's device.
    pub(crate) fn of_line(line: Batches, limit: usize) -> Self {
        let gauge = gauge!("atls_batch_waiting_limit", "line" => line_name(line));
        Self::new(gauge, limit)
    }
}

impl Drop for Limit {
    fn drop(&mut self) {
        self.gauge.decrement(self.value);
    }
}

impl fmt::Debug for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Limit").field(&self.value).finish()
    }
}

/// A connection past its exchange, for as long as it lives.
#[derive(Debug)]
pub(crate) struct LiveConnection {
    side: Side,
    binding: Option<Binding>,
    /// Seconds since the epoch.
    expires_at: Option<u64>,
}

impl LiveConnection {
    /// `binding` is that of the peer's attestation, if it has one.
    pub(crate) fn new(side: Side, binding: Option<Binding>, expires_at: Option<u64>) -> Self {
        live(side, binding).increment(1.0);
        if let Some(expires_at) = expires_at {
            expiries(side, |known| {
                let number = known.entry(expires_at).or_default();
                *number = number.saturating_add(1);
            });
        }
        Self {
            side,
            binding,
            expires_at,
        }
    }
}

impl Drop for LiveConnection {
    fn drop(&mut self) {
        live(self.side, self.binding).decrement(1.0);
        let Some(expires_at) = self.expires_at else {
            return;
        };
        expiries(self.side, |known| {
            if let Some(number) = known.get_mut(&expires_at) {
                *number = number.saturating_sub(1);
                if *number == 0 {
                    known.remove(&expires_at);
                }
            }
        });
    }
}

fn live(side: Side, binding: Option<Binding>) -> Gauge {
    let binding = binding.map_or("none", binding_name);
    gauge!("atls_connections", "side" => side_name(side), "binding" => binding)
}

/// Live connections by the second in which they expire. Gauges are of the process, and so is this.
static EXPIRIES: [Mutex<BTreeMap<u64, u64>>; 2] =
    [Mutex::new(BTreeMap::new()), Mutex::new(BTreeMap::new())];

fn expiries(side: Side, change: impl FnOnce(&mut BTreeMap<u64, u64>)) {
    let [client, server] = &EXPIRIES;
    let known = match side {
        Side::Client => client,
        Side::Server => server,
    };
    let mut known = known.lock().unwrap_or_else(PoisonError::into_inner);
    change(&mut known);
    let next = known.keys().next().copied().unwrap_or(0);
    // Seconds since the epoch have 31 bits in this century; an `f64` holds 53 of them.
    let next = f64::from(u32::try_from(next).unwrap_or(u32::MAX));
    gauge!("atls_next_expiry_timestamp_seconds", "side" => side_name(side)).set(next);
}

pub(crate) fn side_name(side: Side) -> &'static str {
    match side {
        Side::Client => "client",
        Side::Server => "server",
    }
}

fn line_name(line: Batches) -> &'static str {
    match line {
        Batches::No => "single",
        Batches::Yes => "batch",
    }
}

fn fault_name(fault: Fault) -> &'static str {
    match fault {
        Fault::Local => "local",
        Fault::Peer => "peer",
        Fault::Verifier => "verifier",
    }
}

fn mode_name(mode: Mode) -> &'static str {
    match mode {
        Mode::AfterHandshake => "after_handshake",
        Mode::InCertificate => "in_certificate",
        Mode::InHandshake => "in_handshake",
    }
}

fn binding_name(binding: Binding) -> &'static str {
    match binding {
        Binding::Connection => "connection",
        Binding::Handshake => "handshake",
        Binding::Key => "key",
    }
}
