//! One run: connections opened for a while, at a rate or as many as go.

use std::error::Error;
use std::io::Write;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::Duration;
use std::time::Instant;

use axum::BoxError;
use tokio::task::JoinSet;

use crate::client::Client;
use crate::figures::Figures;
use crate::pair::Pair;
use crate::usage::Usage;

/// How connections are opened.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Load {
    pub(crate) pace: Pace,
    /// Opened before, and not counted: the first ones find no batch under way.
    pub(crate) warm: Duration,
    pub(crate) time: Duration,
    pub(crate) progress: Progress,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Pace {
    /// So many clients, each of which opens its next connection when it is done with one.
    AtOnce(usize),
    /// So many connections each second, whether earlier ones are done or not.
    PerSecond(u32),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Progress {
    Hidden,
    Shown,
}

impl Load {
    /// As many as go, for a while.
    pub(crate) fn at_once(clients: usize, time: Duration) -> Self {
        Self {
            pace: Pace::AtOnce(clients),
            warm: Duration::ZERO,
            time,
            progress: Progress::Hidden,
        }
    }

    pub(crate) fn run(&self, pair: &mut Pair) -> Result<Figures, Box<dyn Error>> {
        let (client, server) = (Usage::so_far()?, pair.server.usage()?);
        let log = Arc::new(Log::new(*self));
        pair.runtime.block_on(self.open(&pair.client, &log));
        let client = Usage::so_far()?.since(&client);
        let server = pair.server.usage()?.since(&server);
        let mut kept = log.kept();
        if let Some(failure) = &kept.first_failure {
            eprintln!("{} failed, the first: {failure}", kept.failed);
        }
        let all = kept.done.max(1) as f64;
        let times = std::mem::take(&mut kept.times);
        Ok(Figures {
            failed: kept.failed,
            client_cpu: client.cpu / all,
            server_cpu: server.cpu / all,
            ..Figures::of(times, self.time)
        })
    }

    async fn open(&self, client: &Arc<Client>, log: &Arc<Log>) {
        let shown = (self.progress == Progress::Shown).then(|| tokio::spawn(show(log.clone())));
        match self.pace {
            Pace::AtOnce(clients) => self.closed(clients, client, log).await,
            Pace::PerSecond(rate) => self.at_rate(rate, client, log).await,
        }
        if let Some(shown) = shown {
            shown.abort();
            eprintln!();
        }
    }

    async fn closed(&self, clients: usize, client: &Arc<Client>, log: &Arc<Log>) {
        let mut tasks = JoinSet::new();
        for _ in 0..clients {
            let (client, log) = (client.clone(), log.clone());
            tasks.spawn(async move {
                while log.is_open() {
                    let begun = Instant::now();
                    log.note(begun, client.once().await);
                }
            });
        }
        tasks.join_all().await;
    }

    async fn at_rate(&self, rate: u32, client: &Arc<Client>, log: &Arc<Log>) {
        let mut tasks = JoinSet::new();
        let started = Instant::now();
        let mut begun = 0;
        while log.is_open() {
            let due = (started.elapsed().as_secs_f64() * f64::from(rate)) as usize;
            while begun < due {
                begun += 1;
                let (client, log) = (client.clone(), log.clone());
                tasks.spawn(async move {
                    let begun = Instant::now();
                    log.note(begun, client.once().await);
                });
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
            while tasks.try_join_next().is_some() {}
        }
        tasks.join_all().await;
    }
}

/// What became of the connections of a run.
struct Log {
    started: Instant,
    load: Load,
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    /// Of the connections that were done within the time that counts.
    times: Vec<Duration>,
    done: usize,
    failed: usize,
    first_failure: Option<String>,
}

impl Log {
    fn new(load: Load) -> Self {
        Self {
            started: Instant::now(),
            load,
            kept: Mutex::default(),
        }
    }

    fn is_open(&self) -> bool {
        self.started.elapsed() < self.load.warm + self.load.time
    }

    fn note(&self, begun: Instant, outcome: Result<(), BoxError>) {
        let took = begun.elapsed();
        let at = self.started.elapsed();
        let counts = at >= self.load.warm && at < self.load.warm + self.load.time;
        let mut kept = self.kept();
        match outcome {
            Ok(()) => {
                kept.done += 1;
                if counts {
                    kept.times.push(took);
                }
            }
            Err(error) => {
                kept.failed += 1;
                kept.first_failure.get_or_insert_with(|| chain(&*error));
            }
        }
    }

    fn kept(&self) -> std::sync::MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Says each second how far a run is.
async fn show(log: Arc<Log>) {
    let mut before = 0;
    loop {
        tokio::time::sleep(Duration::from_secs(1)).await;
        let (done, failed) = {
            let kept = log.kept();
            (kept.done, kept.failed)
        };
        let seconds = log.started.elapsed().as_secs();
        let rate = done - before;
        eprint!("\r{seconds:>4} s  {done:>8} connections, {rate:>6}/s, {failed} failed ");
        // Progress that cannot be shown does not matter.
        let _ = std::io::stderr().flush();
        before = done;
    }
}

/// An error and its sources.
fn chain(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text = format!("{text}: {error}");
        source = error.source();
    }
    text
}
