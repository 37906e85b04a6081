//! What a server and its clients do under load, under hostile peers, and when one of them ends. `reliability help` tells how it is
//! used; docs/reliability.md has the outcome of a run.
#![forbid(unsafe_code)]
#![allow(
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::indexing_slicing,
    clippy::print_stderr,
    clippy::print_stdout,
    reason = "figures for a terminal"
)]

mod client;
mod crowd;
mod ends;
mod files;
mod greedy;
mod handshakes;
mod idle;
mod keys;
mod limits;
mod relay;
mod report;
mod router;
mod sample;
mod scene;
mod server;
mod service;
mod slow;
mod soak;
mod stage;

use std::process::ExitCode;
use std::time::Duration;

use axum::BoxError;
use tokio::runtime::Runtime;

use crate::limits::Effort;
use crate::report::Report;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    match run(&words) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn run(words: &[String]) -> Result<(), BoxError> {
    if words == [server::SERVE] {
        return service::serve();
    }
    let mut effort = Effort::whole();
    let mut wanted = Vec::new();
    let mut words = words.iter();
    while let Some(word) = words.next() {
        match word.as_str() {
            "--quick" => effort = Effort::quick(),
            "--seconds" => {
                let seconds = words.next().ok_or("--seconds wants a number")?;
                effort.soak = Duration::from_secs(seconds.parse()?);
            }
            "all" => wanted.extend(SCENARIOS),
            word => match SCENARIOS.iter().find(|known| **known == word) {
                Some(known) => wanted.push(known),
                None => return Err(USAGE.into()),
            },
        }
    }
    if wanted.is_empty() {
        return Err(USAGE.into());
    }
    let files = rlimit::increase_nofile_limit(u64::MAX)?;
    println!("{}, files limited to {files}", machine());
    let effort = match effort.clone().within(usize::try_from(files)?) {
        smaller if smaller != effort => {
            println!("SMALLER than wanted, for the limit of files: {smaller:?}");
            smaller
        }
        same => same,
    };
    let mut broken = Vec::new();
    for name in wanted {
        // A runtime of its own: nothing of one scenario goes on in the next.
        let report = runtime()?.block_on(scenario(name, &effort))?;
        print!("{report}");
        if !report.is_good() {
            broken.push(name);
        }
    }
    match broken[..] {
        [] => Ok(()),
        _ => Err(format!("broken: {}", broken.join(", ")).into()),
    }
}

async fn scenario(name: &str, effort: &Effort) -> Result<Report, BoxError> {
    match name {
        "idle" => idle::run(effort).await,
        "handshakes" => handshakes::run(effort).await,
        "slow" => slow::silent(effort).await,
        "half-open" => slow::half_open(effort).await,
        "files" => files::run(effort).await,
        "memory" => greedy::run(effort).await,
        "killed" => ends::killed(effort).await,
        "stopped" => ends::terminated(effort).await,
        _ => soak::run(effort).await,
    }
}

/// Two threads, on both ends.
fn runtime() -> std::io::Result<Runtime> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
}

fn machine() -> String {
    let cpus = std::thread::available_parallelism().map_or(0, usize::from);
    let info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = info
        .lines()
        .find_map(|line| line.strip_prefix("model name")?.split_once(": "))
        .map_or("unknown processor", |(_, model)| model);
    format!("{cpus} × {model}")
}

const SCENARIOS: [&str; 9] = [
    "idle",
    "handshakes",
    "slow",
    "half-open",
    "files",
    "memory",
    "killed",
    "stopped",
    "soak",
];

const USAGE: &str = "\
usage: cargo run --release -p reliability -- [--quick] [--seconds N] SCENARIO...

  idle        10,000 idle connections, twice
  handshakes  1,000 handshakes at the same moment, and 2,000
  slow        peers that stop at every stage and stay
  half-open   peers that vanish at every stage, and peers that end their direction and stay
  files       a server without file descriptors
  memory      peers that send the largest of everything, and take nothing
  killed      a server that is killed at work and started again; another machine in its place
  stopped     a server that is told to stop at work
  soak        all kinds of clients at once, for 30 minutes, while certificate and policy change
  all         all of them

  --quick     the limits of seconds, and few peers: all of it within a minute or two
  --seconds   how long the soak takes

Fails where something does not hold that must.";
