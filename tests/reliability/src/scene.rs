//! A server, its honest clients meanwhile, and what must hold at the end of every scenario.

use std::net::SocketAddr;
use std::time::Duration;

use axum::BoxError;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::client::Client;
use crate::client::Http;
use crate::client::Outcome;
use crate::keys::Keys;
use crate::limits::Limits;
use crate::report::Holds;
use crate::report::Report;
use crate::report::Tally;
use crate::report::bytes;
use crate::router::HONEST;
use crate::sample::Sample;
use crate::server::Server;
use crate::service::Setup;
use crate::stage::Hostile;
use crate::stage::Stage;

/// One server and everybody's keys.
pub(crate) struct Scene {
    pub(crate) keys: Keys,
    pub(crate) server: Server,
    pub(crate) limits: Limits,
    /// After its first connections, at rest.
    pub(crate) warm: Sample,
}

impl Scene {
    /// Of a server that has seen a peer at each stage, and honest ones, and is at rest again.
    pub(crate) async fn new(limits: Limits) -> Result<Self, BoxError> {
        let keys = Keys::new()?;
        let server = Server::start(&setup(&keys, limits, 0))?;
        let mut scene = Self {
            keys,
            server,
            limits,
            warm: Sample::default(),
        };
        for http in [Http::One, Http::Two] {
            scene.honest_request(http).await?;
        }
        let hostile = Hostile::new(&scene.keys, scene.address())?;
        for stage in Stage::ALL {
            hostile.stop_at(stage).await?.reset()?;
        }
        let (warm, _) = scene.server.rest(limits.longest()).await?;
        scene.warm = warm;
        Ok(scene)
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.server.address
    }

    async fn honest_request(&self, http: Http) -> Result<(), BoxError> {
        let client = Client::new(&self.keys, &self.keys.client_device, http)?;
        match client.get(self.address(), "/", HONEST).await {
            Outcome::Served => Ok(()),
            other => Err(format!("an honest client of a fresh server: {other:?}").into()),
        }
    }

    /// Nothing is left of what was done, and an honest client is served.
    pub(crate) async fn conclude(
        &mut self,
        report: &mut Report,
        allowed: usize,
    ) -> Result<(), BoxError> {
        let (rest, took) = self.server.rest(self.limits.longest()).await?;
        let kept = rest.heap.saturating_sub(self.warm.heap);
        report.figure(format!(
            "afterwards {} tasks and {} files (at the beginning {} and {}) after {:.1} s; heap {:+} B; resident {}",
            rest.tasks,
            rest.files,
            self.server.first.tasks,
            self.server.first.files,
            took.as_secs_f64(),
            rest.heap as i64 - self.warm.heap as i64,
            bytes(rest.resident),
        ));
        report.must(
            "tasks and files are gone",
            rest.is_at_rest(&self.server.first).into(),
        );
        report.must(
            format!("at most {allowed} B are kept, and {kept} are"),
            Holds::from(kept <= allowed),
        );
        report.must(
            "no handler saw a client that it must not",
            Holds::from(rest.wrongly == 0),
        );
        for http in [Http::One, Http::Two] {
            let served = self.honest_request(http).await;
            report.must(
                format!("afterwards an honest client is served: {served:?}"),
                served.is_ok().into(),
            );
        }
        Ok(())
    }
}

/// A server as it should be.
pub(crate) fn setup(keys: &Keys, limits: Limits, port: u16) -> Setup {
    Setup {
        keys: keys.clone(),
        device: keys.server_device.clone(),
        limits,
        port,
    }
}

/// Honest clients that come one after the other, each on a connection of its own.
pub(crate) struct Companions {
    stop: oneshot::Sender<()>,
    running: JoinHandle<Result<Tally, BoxError>>,
}

impl Companions {
    pub(crate) fn of(scene: &Scene, each: Duration) -> Self {
        let (stop, stopped) = oneshot::channel();
        let (keys, address) = (scene.keys.clone(), scene.address());
        Self {
            stop,
            running: tokio::spawn(come(keys, address, each, stopped)),
        }
    }

    pub(crate) async fn leave(self) -> Result<Tally, BoxError> {
        drop(self.stop);
        self.running.await?
    }
}

async fn come(
    keys: Keys,
    address: SocketAddr,
    each: Duration,
    mut stopped: oneshot::Receiver<()>,
) -> Result<Tally, BoxError> {
    let mut tally = Tally::default();
    let mut http = Http::One;
    loop {
        let client = Client::new(&keys, &keys.client_device, http)?;
        tally.note(client.get(address, "/", HONEST).await);
        drop(client);
        http = match http {
            Http::One => Http::Two,
            Http::Two => Http::One,
        };
        tokio::select! {
            _ = &mut stopped => return Ok(tally),
            () = tokio::time::sleep(each) => {}
        }
    }
}

/// Memory that a server keeps after anything: buffers of its runtime, room in its tables.
pub(crate) const KEPT: usize = 32 * 1024;
