//! The words after `connections`, `requests` and `memory`.

use std::error::Error;
use std::str::FromStr;
use std::time::Duration;

use crate::run::Load;
use crate::run::Pace;
use crate::run::Progress;
use crate::service::Attests;
use crate::service::Batches;
use crate::service::Carries;
use crate::service::Device;
use crate::service::Kind;
use crate::service::Mode;
use crate::service::Service;
use crate::service::USUAL_EVIDENCE;

/// What the words say.
pub(crate) struct Options {
    pub(crate) service: Service,
    pub(crate) pace: Pace,
    pub(crate) warm: Duration,
    pub(crate) time: Duration,
    /// Connections that are held.
    pub(crate) held: usize,
    pub(crate) output: Output,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Output {
    Json,
    Table,
}

impl Options {
    pub(crate) fn parse(words: &[String]) -> Result<Self, Box<dyn Error>> {
        let mut given = Given::default();
        let mut words = words.iter();
        while let Some(word) = words.next() {
            let mut value = || words.next().ok_or_else(|| format!("{word} wants a value"));
            match word.as_str() {
                "--kind" => given.kind = Some(value()?.clone()),
                "--mode" => given.mode = mode(value()?)?,
                "--device" => given.device = Some(value()?.clone()),
                "--batched" => given.batches = Batches::Yes,
                "--evidence" => given.evidence = Some(number(value()?)?),
                "--http" => given.carries = carries(value()?)?,
                "--rate" => given.pace = Pace::PerSecond(number(value()?)?),
                "--at-once" => given.pace = Pace::AtOnce(number(value()?)?),
                "--warm" => given.warm = number(value()?)?,
                "--seconds" => given.seconds = number(value()?)?,
                "--held" => given.held = number(value()?)?,
                "--json" => given.output = Output::Json,
                _ => return Err(format!("unknown: {word}").into()),
            }
        }
        given.options()
    }

    pub(crate) fn load(&self) -> Load {
        Load {
            pace: self.pace,
            warm: self.warm,
            time: self.time,
            progress: Progress::Shown,
        }
    }
}

struct Given {
    kind: Option<String>,
    mode: Mode,
    device: Option<String>,
    batches: Batches,
    evidence: Option<usize>,
    carries: Carries,
    pace: Pace,
    warm: u64,
    seconds: u64,
    held: usize,
    output: Output,
}

impl Default for Given {
    fn default() -> Self {
        Self {
            kind: None,
            mode: Mode::AfterHandshake,
            device: None,
            batches: Batches::No,
            evidence: None,
            carries: Carries::Byte,
            pace: Pace::AtOnce(16),
            warm: 1,
            seconds: 5,
            held: 1000,
            output: Output::Table,
        }
    }
}

impl Given {
    fn options(self) -> Result<Options, Box<dyn Error>> {
        let mode = self.mode;
        let kind = match self.kind.as_deref() {
            Some("plain") => Kind::Plain,
            Some("served") => Kind::PlainServed,
            Some("mutual") => Kind::MutualTls,
            None | Some("server") => Kind::Attested(mode, Attests::Server),
            Some("client") => Kind::Attested(mode, Attests::Client),
            Some("both") => Kind::Attested(mode, Attests::Both),
            Some(other) => return Err(format!("no kind of connection is called {other}").into()),
        };
        let device = match self.device.as_deref() {
            None | Some("free") => Device::Free,
            Some(milliseconds) => Device::Serial(number(milliseconds)?, self.batches),
        };
        let mut service = Service::of(kind);
        service.device = device;
        service.carries = self.carries;
        service.evidence = self.evidence.unwrap_or(USUAL_EVIDENCE);
        Ok(Options {
            service,
            pace: self.pace,
            warm: Duration::from_secs(self.warm),
            time: Duration::from_secs(self.seconds),
            held: self.held,
            output: self.output,
        })
    }
}

fn mode(word: &str) -> Result<Mode, String> {
    match word {
        "after" => Ok(Mode::AfterHandshake),
        "certificate" => Ok(Mode::InCertificate),
        "handshake" => Ok(Mode::InHandshake),
        _ => Err(format!("no mode is called {word}")),
    }
}

fn carries(word: &str) -> Result<Carries, String> {
    match word {
        "1" => Ok(Carries::Http1),
        "2" => Ok(Carries::Http2),
        _ => Err(format!("HTTP is 1 or 2, and not {word}")),
    }
}

fn number<T: FromStr>(word: &str) -> Result<T, String> {
    word.parse().map_err(|_| format!("not a number: {word}"))
}

pub(crate) const USAGE: &str = "\
usage: cargo run --release -p load -- COMMAND [OPTIONS]

  connections   opens connections, and says how many, how fast and for how much
  requests      sends requests over 16 open connections
  memory        holds idle connections, and says what each takes
  handler       what a request pays for the result of the attestation
  appraisal     genuine Evidence out of the folder in ATLS_VECTORS, default ../shared/vectors
  page          all of docs/performance.md: its tables, its plots and figures.json, in less than ten minutes
  page quick    the same with rounds too short to mean anything, under target/performance
  again         its tables and plots once more, from figures.json

options
  --kind KIND       plain, served (plain, by atls_axum::serve), mutual, server (attests), client (attests), both (attest);
                    server by default
  --mode MODE       after, handshake, certificate: when Evidence is made; after by default
  --device MS       a device that serves one request at a time, in so many milliseconds; free by default
  --batched         requests that arrive while the device works share its next Evidence
  --evidence BYTES  up to 65000; 5000 by default, 0 for no more than the value of the connection
  --http 1|2        a request over each connection, in place of a byte each way
  --rate N          so many connections each second; or
  --at-once N       as many as N clients can open one after the other; 16 by default
  --warm S          seconds that are not counted at the beginning; 1 by default
  --seconds S       seconds that are counted; 5 by default
  --held N          idle connections; 1000 by default
  --json            figures as JSON

Server and client are two processes of this machine. Its noise is in every figure: compare figures of one run, and
processor time rather than wall time.";

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(words: &str) -> Result<Options, Box<dyn Error>> {
        let words: Vec<String> = words.split_whitespace().map(str::to_owned).collect();
        Options::parse(&words)
    }

    #[test]
    fn words_say_what_is_measured() {
        let options =
            parse("--kind both --mode certificate --http 2 --device 39 --rate 7").unwrap();
        let kind = Kind::Attested(Mode::InCertificate, Attests::Both);
        assert_eq!(options.service.kind, kind);
        assert_eq!(options.service.carries, Carries::Http2);
        assert_eq!(options.service.device, Device::Serial(39, Batches::No));
        assert!(matches!(options.pace, Pace::PerSecond(7)));
    }

    #[test]
    fn an_unknown_word_is_refused() {
        for words in [
            "--kindd both",
            "--kind all",
            "--rate",
            "--rate x",
            "--http 3",
        ] {
            assert!(parse(words).is_err(), "{words}");
        }
    }
}
