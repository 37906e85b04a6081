//! The clients of a soak: honest ones, impostors, and peers that stop at every stage.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;
use std::time::Duration;

use adversary::Link;
use atls_tower::ClientConnector;
use axum::BoxError;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::AsyncReadExt;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::client;
use crate::client::Client;
use crate::client::Http;
use crate::client::Outcome;
use crate::keys::Device;
use crate::keys::Keys;
use crate::limits::Limits;
use crate::relay::Relay;
use crate::report::Tally;
use crate::router::FORMER;
use crate::router::HONEST;
use crate::router::HUGE;
use crate::router::WRONG;
use crate::scene::Scene;
use crate::stage::Hostile;
use crate::stage::Stage;

/// What came of everybody.
#[derive(Clone, Debug, Default)]
pub(crate) struct Rounds {
    pub(crate) honest: Tally,
    /// Requests of honest clients that failed and were sent once more.
    pub(crate) again: Tally,
    pub(crate) former: Tally,
    unknown: Tally,
    relayed: Tally,
    victims: Tally,
    ordinary: Tally,
    pub(crate) reset: u64,
    pub(crate) finished: u64,
    pub(crate) silent: u64,
    pub(crate) cut: u64,
}

impl Rounds {
    pub(crate) fn tallies(&self) -> [(&'static str, &Tally); 7] {
        let [unknown, relayed, victims, ordinary] = self.impostors();
        [
            ("honest clients", &self.honest),
            (
                "their requests that failed and were sent again",
                &self.again,
            ),
            ("clients that every second policy refuses", &self.former),
            unknown,
            relayed,
            victims,
            ordinary,
        ]
    }

    pub(crate) fn impostors(&self) -> [(&'static str, &Tally); 4] {
        [
            ("clients of an unknown device", &self.unknown),
            ("honest clients of somebody in between", &self.relayed),
            ("clients that attest to somebody in between", &self.victims),
            ("clients without attestation", &self.ordinary),
        ]
    }
}

/// Everybody, at work.
pub(crate) struct Crowd {
    tasks: JoinSet<Result<(), BoxError>>,
    rounds: Arc<Mutex<Rounds>>,
    relay: Relay,
}

/// What everybody knows.
#[derive(Clone)]
struct Everybody {
    keys: Keys,
    address: SocketAddr,
    relay: SocketAddr,
    limits: Limits,
    hostile: Hostile,
    rounds: Arc<Mutex<Rounds>>,
}

impl Crowd {
    pub(crate) async fn gather(scene: &Scene) -> Result<Self, BoxError> {
        let relay = Relay::start(&scene.keys, scene.address()).await?;
        let all = Everybody {
            keys: scene.keys.clone(),
            address: scene.address(),
            relay: relay.address,
            limits: scene.limits,
            hostile: Hostile::new(&scene.keys, scene.address())?,
            rounds: Arc::default(),
        };
        let mut tasks = JoinSet::new();
        for http in [Http::One, Http::Two] {
            for _ in 0..POOLED {
                tasks.spawn(all.clone().pooled(http));
            }
            tasks.spawn(all.clone().fresh(http));
            tasks.spawn(all.clone().former(http));
            tasks.spawn(all.clone().unknown(http));
            tasks.spawn(all.clone().relayed(http));
        }
        tasks.spawn(all.clone().victims());
        tasks.spawn(all.clone().ordinary());
        for stage in Stage::ALL {
            tasks.spawn(all.clone().silent(stage));
            tasks.spawn(all.clone().half_open(stage));
        }
        Ok(Self {
            tasks,
            rounds: all.rounds,
            relay,
        })
    }

    /// Ends everybody, wherever they are, and gives what came of them.
    pub(crate) async fn leave(mut self) -> Result<Rounds, BoxError> {
        // One that ended by itself did so by an error.
        if let Some(ended) = self.tasks.try_join_next() {
            ended??;
        }
        self.tasks.shutdown().await;
        drop(self.relay);
        Ok(lock(&self.rounds).clone())
    }
}

impl Everybody {
    async fn pooled(self, http: Http) -> Result<(), BoxError> {
        let client = self.client(&self.keys.client_device, http)?;
        let mut number = 0_u32;
        loop {
            number += 1;
            let path = if number.is_multiple_of(10) {
                "/large"
            } else {
                "/"
            };
            self.honest(&client, path).await;
            tokio::time::sleep(OFTEN).await;
        }
    }

    async fn fresh(self, http: Http) -> Result<(), BoxError> {
        loop {
            let client = self.client(&self.keys.client_device, http)?;
            self.honest(&client, "/").await;
            tokio::time::sleep(OFTEN).await;
        }
    }

    /// A request that was lost with its connection is sent once more, as applications do with those that may be.
    async fn honest(&self, client: &Client, path: &str) {
        let mut outcome = client.get(self.address, path, HONEST).await;
        if matches!(outcome, Outcome::Failed(_)) {
            lock(&self.rounds).again.note(outcome);
            outcome = client.get(self.address, path, HONEST).await;
        }
        lock(&self.rounds).honest.note(outcome);
    }

    async fn former(self, http: Http) -> Result<(), BoxError> {
        let client = self.client(&self.keys.former_device, http)?;
        loop {
            let outcome = client.get(self.address, "/", FORMER).await;
            lock(&self.rounds).former.note(outcome);
            tokio::time::sleep(OFTEN).await;
        }
    }

    async fn unknown(self, http: Http) -> Result<(), BoxError> {
        let client = self.client(&self.keys.unknown_device, http)?;
        loop {
            let outcome = client.get(self.address, "/", WRONG).await;
            lock(&self.rounds).unknown.note(outcome);
            tokio::time::sleep(OFTEN).await;
        }
    }

    async fn relayed(self, http: Http) -> Result<(), BoxError> {
        let client = self.client(&self.keys.client_device, http)?;
        loop {
            let outcome = client.get(self.relay, "/", WRONG).await;
            lock(&self.rounds).relayed.note(outcome);
            tokio::time::sleep(OFTEN).await;
        }
    }

    /// They ask nothing of the server, and attest to whoever is there.
    async fn victims(self) -> Result<(), BoxError> {
        let connector = client::trusting_connector(&self.keys)?;
        loop {
            let outcome = match attest_to(&connector, self.relay).await {
                Ok(answer) => answered(&answer),
                Err(error) => client::outcome_of(&*error),
            };
            lock(&self.rounds).victims.note(outcome);
            tokio::time::sleep(OFTEN).await;
        }
    }

    async fn ordinary(self) -> Result<(), BoxError> {
        let tls = Arc::new(client::tls(&self.keys, Http::One)?);
        loop {
            let outcome = match ask_without_attestation(tls.clone(), self.address).await {
                Ok(answer) => answered(&answer),
                Err(error) => client::outcome_of(&*error),
            };
            lock(&self.rounds).ordinary.note(outcome);
            tokio::time::sleep(OFTEN).await;
        }
    }

    async fn silent(self, stage: Stage) -> Result<(), BoxError> {
        let deadline = stage.deadline(&self.limits);
        loop {
            // A server that changes its policy may end it before it is there.
            let Ok(held) = self.hostile.stop_at(stage).await else {
                tokio::time::sleep(OFTEN).await;
                continue;
            };
            let mut most = deadline * 2 + SLACK;
            if stage == Stage::Answer {
                // Who takes nothing sees no end.
                tokio::time::sleep(deadline + SLACK).await;
                most = SLACK;
            }
            let cut = match tokio::time::timeout(most, held.until_closed()).await {
                Ok(taken) => taken < HUGE,
                Err(_) => false,
            };
            let mut rounds = lock(&self.rounds);
            rounds.silent += 1;
            rounds.cut += u64::from(cut);
        }
    }

    async fn half_open(self, stage: Stage) -> Result<(), BoxError> {
        let mut stays = Vec::new();
        loop {
            if let Ok(held) = self.hostile.stop_at(stage).await {
                held.reset()?;
                lock(&self.rounds).reset += 1;
            }
            tokio::time::sleep(SELDOM).await;
            if let Ok(held) = self.hostile.stop_at(stage).await {
                held.finish()?;
                lock(&self.rounds).finished += 1;
                stays.push(held);
            }
            if stays.len() > STAY {
                stays.remove(0);
            }
            tokio::time::sleep(SELDOM).await;
        }
    }

    fn client(&self, device: &Device, http: Http) -> Result<Client, BoxError> {
        Client::new(&self.keys, device, http)
    }
}

async fn attest_to(connector: &ClientConnector, at: SocketAddr) -> Result<Vec<u8>, BoxError> {
    let name = ServerName::try_from("localhost")?;
    let mut stream = connector
        .connect(name, TcpStream::connect(at).await?)
        .await?;
    stream.write_all(AS_WRONG).await?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await?;
    Ok(answer)
}

async fn ask_without_attestation(
    tls: Arc<ClientConfig>,
    at: SocketAddr,
) -> Result<Vec<u8>, BoxError> {
    let mut link = Link::connect(tls, TcpStream::connect(at).await?, None).await?;
    link.tls.write_all(AS_WRONG).await?;
    link.tls.flush().await?;
    Ok(link.drain().await)
}

fn answered(answer: &[u8]) -> Outcome {
    if answer.starts_with(b"HTTP/1.1 403") {
        return Outcome::Refused("403".to_owned());
    }
    match answer.is_empty() {
        true => Outcome::Failed("closed".to_owned()),
        false => Outcome::Served,
    }
}

fn lock(rounds: &Mutex<Rounds>) -> MutexGuard<'_, Rounds> {
    rounds.lock().unwrap_or_else(PoisonError::into_inner)
}

const AS_WRONG: &[u8] =
    b"GET / HTTP/1.1\r\nhost: localhost\r\nwho: wrong\r\nconnection: close\r\n\r\n";

/// Clients with a pool, of each version of HTTP.
const POOLED: usize = 4;
const OFTEN: Duration = Duration::from_millis(150);
const SELDOM: Duration = Duration::from_secs(1);
const SLACK: Duration = Duration::from_secs(15);
/// Half-open peers of each stage that stay.
const STAY: usize = 10;
