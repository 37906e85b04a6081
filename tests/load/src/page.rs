//! Everything that docs/performance.md shows, measured in one run.

use std::error::Error;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use serde::Deserialize;
use serde::Serialize;

use crate::appraisal;
use crate::appraisal::Cost;
use crate::figures::Figures;
use crate::handler;
use crate::handler::Handled;
use crate::memory;
use crate::memory::IdleMemory;
use crate::pair::Pair;
use crate::requests::Open;
use crate::run::Load;
use crate::run::Pace;
use crate::run::Progress;
use crate::service::BOTH_ATTEST;
use crate::service::Batches;
use crate::service::Carries;
use crate::service::Device;
use crate::service::Kind;
use crate::service::SERVER_ATTESTS;
use crate::service::Service;
use crate::service::USUAL_EVIDENCE;

/// The figures of one run.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Page {
    pub(crate) machine: String,
    /// One at a time, and sixteen.
    pub(crate) setup: Vec<Setup>,
    pub(crate) devices: Vec<(Device, Figures)>,
    /// By bytes of Evidence. The first is plain TLS.
    pub(crate) sizes: Vec<(usize, Figures)>,
    pub(crate) requests: Vec<Requested>,
    pub(crate) handler: Handled,
    pub(crate) memory: Vec<Idle>,
    pub(crate) appraisal: Vec<Cost>,
}

/// Connections of all kinds, so many at a time.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Setup {
    pub(crate) at_once: usize,
    pub(crate) kinds: Vec<(Kind, Figures)>,
    /// Another implementation: plain TLS, and attested.
    pub(crate) other: Option<(Figures, Figures)>,
}

/// Requests over open connections of one kind.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Requested {
    pub(crate) carries: Carries,
    pub(crate) kind: Kind,
    pub(crate) figures: Figures,
}

/// Idle connections of one kind.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Idle {
    pub(crate) kind: Kind,
    pub(crate) held: Vec<IdleMemory>,
}

impl Page {
    pub(crate) fn requests_of(&self, carries: Carries, kind: Kind) -> Option<&Figures> {
        let mut rows = self.requests.iter();
        let found = rows.find(|row| row.carries == carries && row.kind == kind);
        found.map(|row| &row.figures)
    }

    pub(crate) fn idle(&self, kind: Kind) -> Option<&[IdleMemory]> {
        let found = self.memory.iter().find(|row| row.kind == kind);
        found.map(|row| row.held.as_slice())
    }
}

impl Setup {
    pub(crate) fn of(&self, wanted: Kind) -> Option<&Figures> {
        let found = self.kinds.iter().find(|(kind, _)| *kind == wanted);
        found.map(|(_, figures)| figures)
    }
}

/// How long a run is.
#[derive(Clone, Debug)]
pub(crate) struct Effort {
    pub(crate) round: Duration,
    pub(crate) rounds: usize,
    pub(crate) device: Duration,
    pub(crate) idle: Vec<usize>,
    pub(crate) appraisals: usize,
    pub(crate) requests: u32,
}

impl Effort {
    /// Less than ten minutes.
    pub(crate) fn whole() -> Self {
        Self {
            round: Duration::from_millis(1200),
            rounds: 5,
            device: Duration::from_secs(6),
            idle: vec![100, 300, 1000, 3000, 10_000],
            appraisals: 301,
            requests: 1_000_000,
        }
    }

    /// Shows that everything runs.
    pub(crate) fn quick() -> Self {
        Self {
            round: Duration::from_millis(100),
            rounds: 1,
            device: Duration::from_millis(300),
            idle: vec![20, 100],
            appraisals: 3,
            requests: 1000,
        }
    }
}

/// Measures all of it. `other` is a program that measures another implementation; see [`of_other`].
pub(crate) fn measure(effort: &Effort, other: Option<&Path>) -> Result<Page, Box<dyn Error>> {
    let appraisal = match appraisal::folder() {
        Some(folder) => {
            say("appraisal of genuine Evidence");
            appraisal::measure(&folder, effort.appraisals)?
        }
        None => {
            say("no genuine Evidence: ATLS_VECTORS names no folder");
            Vec::new()
        }
    };
    Ok(Page {
        machine: machine(),
        setup: vec![setup(effort, other, 1)?, setup(effort, other, 16)?],
        devices: devices(effort)?,
        sizes: sizes(effort)?,
        requests: requests(effort)?,
        handler: handler::measure(effort.requests)?,
        memory: idle(effort)?,
        appraisal,
    })
}

fn setup(effort: &Effort, other: Option<&Path>, at_once: usize) -> Result<Setup, Box<dyn Error>> {
    say(&format!("connections of all kinds, {at_once} at a time"));
    let load = Load::at_once(at_once, effort.round);
    let mut pairs = Vec::new();
    for kind in Kind::ALL {
        pairs.push((kind, Pair::start(Service::of(kind))?, Vec::new()));
    }
    let (mut other_plain, mut other_attested) = (Vec::new(), Vec::new());
    // One round that does not count.
    for (_, pair, _) in &mut pairs {
        Load::at_once(at_once, effort.round / 4).run(pair)?;
    }
    for _ in 0..effort.rounds {
        for (_, pair, rounds) in &mut pairs {
            rounds.push(load.run(pair)?);
        }
        if let Some(program) = other {
            other_plain.push(of_other(program, "plain", &load, at_once)?);
            other_attested.push(of_other(program, "attested", &load, at_once)?);
        }
    }
    let kinds = pairs
        .into_iter()
        .map(|(kind, _, rounds)| (kind, Figures::median(&rounds)));
    Ok(Setup {
        at_once,
        kinds: kinds.collect(),
        other: other.map(|_| {
            let attested = Figures::median(&other_attested);
            (Figures::median(&other_plain), attested)
        }),
    })
}

/// Runs `PROGRAM plain|attested AT_ONCE MILLISECONDS`, which prints one line of JSON with the fields of [`Figures`].
fn of_other(
    program: &Path,
    kind: &str,
    load: &Load,
    at_once: usize,
) -> Result<Figures, Box<dyn Error>> {
    let ran = Command::new(program)
        .arg(kind)
        .arg(at_once.to_string())
        .arg(load.time.as_millis().to_string())
        .output()?;
    if !ran.status.success() {
        return Err(String::from_utf8_lossy(&ran.stderr).into());
    }
    Ok(serde_json::from_slice(&ran.stdout)?)
}

fn devices(effort: &Effort) -> Result<Vec<(Device, Figures)>, Box<dyn Error>> {
    let mut rows = Vec::new();
    for milliseconds in [39, 140, 300, 1000] {
        for batches in [Batches::No, Batches::Yes] {
            let device = Device::Serial(milliseconds, batches);
            say(&format!(
                "a device of {milliseconds} ms, batches: {batches:?}"
            ));
            let mut pair = Pair::start(Service {
                device,
                evidence: USUAL_EVIDENCE,
                ..Service::of(SERVER_ATTESTS)
            })?;
            let wait = device.wait().unwrap_or_default();
            let load = Load {
                pace: match batches {
                    // The device is never idle, and no queue overflows.
                    Batches::No => Pace::AtOnce(4),
                    Batches::Yes => Pace::PerSecond(BATCHED_RATE),
                },
                warm: wait * 3,
                time: effort.device.max(wait * 4),
                progress: Progress::Hidden,
            };
            rows.push((device, load.run(&mut pair)?));
        }
    }
    Ok(rows)
}

fn sizes(effort: &Effort) -> Result<Vec<(usize, Figures)>, Box<dyn Error>> {
    say("Evidence of 1 to 60 kB");
    let mut pairs = vec![(0, Pair::start(Service::of(Kind::Plain))?, Vec::new())];
    for evidence in [1000, 4000, 16_000, 32_000, 60_000] {
        let service = Service {
            evidence,
            ..Service::of(SERVER_ATTESTS)
        };
        pairs.push((evidence, Pair::start(service)?, Vec::new()));
    }
    for _ in 0..effort.rounds {
        for (_, pair, rounds) in &mut pairs {
            rounds.push(Load::at_once(16, effort.round).run(pair)?);
        }
    }
    let rows = pairs
        .into_iter()
        .map(|(evidence, _, rounds)| (evidence, Figures::median(&rounds)));
    Ok(rows.collect())
}

fn requests(effort: &Effort) -> Result<Vec<Requested>, Box<dyn Error>> {
    say("requests over open connections");
    let mut open = Vec::new();
    for carries in [Carries::Http1, Carries::Http2] {
        for kind in [Kind::Plain, Kind::PlainServed, SERVER_ATTESTS, BOTH_ATTEST] {
            let service = Service {
                carries,
                ..Service::of(kind)
            };
            let open_now = Open::new(Pair::start(service)?)?;
            open.push((service, open_now, Vec::new()));
        }
    }
    for (_, open, _) in &mut open {
        open.round(effort.round / 4)?;
    }
    // Differences are small here: shorter rounds, and more of them.
    for _ in 0..effort.rounds * 3 {
        for (_, open, rounds) in &mut open {
            rounds.push(open.round(effort.round / 3)?);
        }
    }
    let rows = open.into_iter().map(|(service, _, rounds)| Requested {
        carries: service.carries,
        kind: service.kind,
        figures: Figures::median(&rounds),
    });
    Ok(rows.collect())
}

fn idle(effort: &Effort) -> Result<Vec<Idle>, Box<dyn Error>> {
    let mut rows = Vec::new();
    for kind in [Kind::Plain, Kind::MutualTls, SERVER_ATTESTS, BOTH_ATTEST] {
        say(&format!("idle connections, {kind}"));
        let held = memory::measure(Service::of(kind), &effort.idle)?;
        rows.push(Idle { kind, held });
    }
    Ok(rows)
}

fn machine() -> String {
    let cpus = std::thread::available_parallelism().map_or(0, usize::from);
    let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = info
        .lines()
        .find_map(|line| line.strip_prefix("model name")?.split_once(": "))
        .map_or("unknown processor", |(_, model)| model);
    format!("{cpus} × {model}")
}

fn say(what: &str) {
    eprintln!("measuring {what}");
}

/// Connections each second that are asked of a server whose device makes batches.
const BATCHED_RATE: u32 = 1100;
