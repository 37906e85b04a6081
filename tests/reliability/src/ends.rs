//! A server that is killed, one that is replaced by another machine, and one that is told to stop.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::Duration;

use axum::BoxError;
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::client::Client;
use crate::client::Http;
use crate::keys::Keys;
use crate::limits::Effort;
use crate::report::Holds;
use crate::report::Report;
use crate::report::Tally;
use crate::router::HONEST;
use crate::router::SLOW;
use crate::scene::Scene;
use crate::scene::setup;
use crate::server::Server;
use crate::stage::Hostile;
use crate::stage::Stage;

/// Killed amid handshakes and answers, and started again.
pub(crate) async fn killed(effort: &Effort) -> Result<Report, BoxError> {
    let mut report = Report::of("a server that is killed");
    let keys = Keys::new()?;
    let mut server = Server::start(&setup(&keys, effort.limits, 0))?;
    let crowd = Crowd::of(&keys, server.address)?;
    let mut all = Tally::default();
    for _ in 0..effort.kills {
        crowd.each_served(AT_WORK).await?;
        let address = server.kill()?;
        // Requests go on against nobody, and then against the server that has come back.
        tokio::time::sleep(AWAY).await;
        all.add(crowd.so_far());
        server = Server::start(&setup(&keys, effort.limits, address.port()))?;
        crowd.each_served(1).await?;
        all.add(crowd.so_far());
    }
    report.figure(format!(
        "{} times killed and started again: {all}",
        effort.kills
    ));
    report.must(
        "some requests failed: it was at work",
        Holds::from(all.failed > 0),
    );
    report.must(
        "no answer is wrong, and nobody is refused",
        Holds::from(all.wrong + all.refused == 0),
    );

    // Another machine has taken the address, with the certificate and its key.
    let address = server.kill()?;
    crowd.so_far();
    let mut other = setup(&keys, effort.limits, address.port());
    other.device = keys.unknown_device.clone();
    let impostor = Server::start(&other)?;
    // What was in the sockets of the old one is over by the second refusal.
    crowd.each_refused(2).await?;
    crowd.so_far();
    crowd.each_refused(2).await?;
    let by_impostor = crowd.so_far();
    report.figure(format!("another machine in its place: {by_impostor}"));
    report.must(
        "another machine is refused",
        Holds::from(by_impostor.served + by_impostor.wrong == 0 && by_impostor.refused > 0),
    );
    impostor.kill()?;
    let genuine = Server::start(&setup(&keys, effort.limits, address.port()))?;
    crowd.each_served(1).await?;
    report.figure("the server is back: every client is served again by itself");
    drop(crowd);
    drop(genuine);
    Ok(report)
}

/// Clients that ask again and again, with pools and without.
struct Crowd {
    tasks: JoinSet<Result<(), BoxError>>,
    seen: Vec<Arc<Mutex<Tally>>>,
}

impl Crowd {
    fn of(keys: &Keys, address: SocketAddr) -> Result<Self, BoxError> {
        let mut crowd = Self {
            tasks: JoinSet::new(),
            seen: Vec::new(),
        };
        for index in 0..CROWD {
            let seen = Arc::new(Mutex::new(Tally::default()));
            crowd.seen.push(seen.clone());
            let keys = keys.clone();
            let http = if index % 2 == 0 { Http::One } else { Http::Two };
            let pooled = Client::new(&keys, &keys.client_device, http)?;
            crowd.tasks.spawn(async move {
                loop {
                    // Half of them make a new connection each time.
                    let client = match index % 4 {
                        0 | 1 => pooled.clone(),
                        _ => Client::new(&keys, &keys.client_device, http)?,
                    };
                    let outcome = client.get(address, "/large", HONEST).await;
                    lock(&seen).note(outcome);
                    tokio::time::sleep(BREATH).await;
                }
            });
        }
        Ok(crowd)
    }

    /// What came of their requests since it was last asked.
    fn so_far(&self) -> Tally {
        let mut all = Tally::default();
        for seen in &self.seen {
            all.add(std::mem::take(&mut *lock(seen)));
        }
        all
    }

    /// Waits until each client was served so often again.
    async fn each_served(&self, times: u64) -> Result<(), BoxError> {
        self.each(|tally| tally.served, times).await
    }

    async fn each_refused(&self, times: u64) -> Result<(), BoxError> {
        self.each(|tally| tally.refused, times).await
    }

    async fn each(&self, count: fn(&Tally) -> u64, times: u64) -> Result<(), BoxError> {
        let before: Vec<u64> = self.seen.iter().map(|seen| count(&lock(seen))).collect();
        for _ in 0..1200 {
            let done = self
                .seen
                .iter()
                .zip(&before)
                .all(|(seen, before)| count(&lock(seen)) >= before + times);
            if done {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Err(format!(
            "a client has not come to it within a minute: {}",
            self.so_far()
        )
        .into())
    }
}

/// Told to stop while it answers.
pub(crate) async fn terminated(effort: &Effort) -> Result<Report, BoxError> {
    let mut report = Report::of("a server that is told to stop");
    for stuck in [None, Some(Stage::Answer)] {
        let mut scene = Scene::new(effort.limits).await?;
        let address = scene.address();
        let mut tasks = JoinSet::new();
        for index in 0..effort.in_flight {
            let http = if index % 2 == 0 { Http::One } else { Http::Two };
            let client = Client::new(&scene.keys, &scene.keys.client_device, http)?;
            tasks.spawn(async move { client.get(address, "/slow", HONEST).await });
        }
        let hostile = Hostile::new(&scene.keys, address)?;
        let mut held = vec![hostile.stop_at(Stage::Connected).await?];
        if let Some(stage) = stuck {
            held.push(hostile.stop_at(stage).await?);
        }
        // All requests are with their handlers.
        let wanted = scene.warm.requests + effort.in_flight as u64;
        while scene.server.sample()?.requests < wanted {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let most = effort.limits.shutdown + SLOW + Duration::from_secs(30);
        let refused = refused_after(address);
        let (ended, refused) = tokio::join!(scene.server.terminate(most), refused);
        let (last, status) = ended?;
        let mut tally = Tally::default();
        while let Some(ended) = tasks.join_next().await {
            tally.note(ended?);
        }
        let with = stuck.map_or("", |_| ", one of which takes nothing");
        report.figure(format!(
            "{} requests under way{with}: {tally}; {} tasks left; {status}",
            effort.in_flight, last.tasks
        ));
        if stuck.is_none() {
            report.must("all requests under way are answered", tally.all_served());
        }
        report.must(
            "nobody gets a wrong answer",
            Holds::from(tally.wrong + tally.refused == 0),
        );
        report.must(
            "the process ends by itself, without error",
            status.success().into(),
        );
        report.must("no task is left", Holds::from(last.tasks == 0));
        report.must("new connections are refused", refused);
        drop(held);
    }
    Ok(report)
}

/// Whether connections come to be refused.
async fn refused_after(address: SocketAddr) -> Holds {
    for _ in 0..600 {
        tokio::time::sleep(Duration::from_millis(50)).await;
        if TcpStream::connect(address).await.is_err() {
            return Holds::Yes;
        }
    }
    Holds::No
}

fn lock(tally: &Mutex<Tally>) -> std::sync::MutexGuard<'_, Tally> {
    tally.lock().unwrap_or_else(PoisonError::into_inner)
}

const CROWD: usize = 16;
/// Requests of each client before the server is killed.
const AT_WORK: u64 = 3;
const AWAY: Duration = Duration::from_millis(500);
const BREATH: Duration = Duration::from_millis(20);
