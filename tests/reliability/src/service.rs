//! The process of the server: a router behind `atls_axum::serve`, as applications have one.
//!
//! It reads a [`Setup`] as a line of JSON from its standard input, answers with its port, and then answers each [`Order`] with a
//! [`Sample`]. SIGTERM ends it gracefully, with a last sample. It ends with its standard input.

use std::io;
use std::io::BufRead;
use std::io::Write;
use std::sync::Arc;
use std::time::Duration;
use std::time::Instant;

use atls_axum::AttestedListener;
use atls_core::RelyingParty;
use atls_core::StandardPolicy;
use atls_sim::SimAttester;
use atls_sim::SimVerifier;
use atls_tower::ConnectionLimits;
use atls_tower::ServerAcceptor;
use atls_tower::ServerTerms;
use axum::BoxError;
use serde::Deserialize;
use serde::Serialize;
use tokio::net::TcpListener;
use tokio::runtime::Handle;
use tokio::runtime::Runtime;
use tokio::signal::unix::SignalKind;

use crate::keys::Device;
use crate::keys::Keys;
use crate::limits::Limits;
use crate::router::Admitted;
use crate::router::router;
use crate::runtime;
use crate::sample;
use crate::sample::Sample;

#[derive(Serialize, Deserialize)]
pub(crate) struct Setup {
    pub(crate) keys: Keys,
    /// The machine that the server runs on.
    pub(crate) device: Device,
    pub(crate) limits: Limits,
    /// 0 for any.
    pub(crate) port: u16,
}

/// What a running server is told.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) enum Order {
    Sample,
    /// Another certificate and another policy; connections of old are recalled within so long.
    Replace(Clients, Duration),
    /// No more open files than now and so many.
    MoreFiles(u64),
}

/// The clients that a policy accepts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Clients {
    Current,
    CurrentAndFormer,
}

pub(crate) fn serve() -> Result<(), BoxError> {
    rlimit::increase_nofile_limit(u64::MAX)?;
    sample::watch()?;
    let mut line = String::new();
    io::stdin().lock().read_line(&mut line)?;
    let setup: Setup = serde_json::from_str(&line)?;
    let runtime = runtime()?;
    runtime.block_on(run(setup))?;
    last_sample(&runtime)
}

async fn run(setup: Setup) -> Result<(), BoxError> {
    let listener = TcpListener::bind(("127.0.0.1", setup.port)).await?;
    let port = listener.local_addr()?.port();
    let admitted = Admitted::default();
    let server = Server {
        acceptor: acceptor(&setup, Clients::CurrentAndFormer)?,
        admitted: admitted.clone(),
        handle: Handle::current(),
        replaced: 0,
        setup,
    };
    let limits = server.setup.limits;
    let mut connection = ConnectionLimits::default();
    connection.first_request = limits.first_request;
    connection.idle = limits.idle;
    connection.unread = limits.unread;
    connection.request_body = limits.request_body;
    let mut builder = AttestedListener::builder(server.acceptor.clone())
        .limits(connection)
        .pending(limits.pending);
    if let Some(most) = limits.connections {
        builder = builder.connections(most);
    }
    let listener = builder.over(listener)?;
    let mut terminated = tokio::signal::unix::signal(SignalKind::terminate())?;
    answer(&port)?;
    std::thread::spawn(move || server.obey());
    atls_axum::serve(listener, router(admitted))
        .with_graceful_shutdown(async move {
            let _ = terminated.recv().await;
        })
        .with_shutdown_deadline(limits.shutdown)
        .await?;
    Ok(())
}

/// The tasks of a server that has ended end too, or they leaked.
fn last_sample(runtime: &Runtime) -> Result<(), BoxError> {
    let ended = Instant::now();
    loop {
        let sample = Sample::now(runtime.handle())?;
        if sample.tasks == 0 || ended.elapsed() > Duration::from_secs(5) {
            return answer(&sample);
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

struct Server {
    acceptor: ServerAcceptor,
    admitted: Admitted,
    handle: Handle,
    replaced: usize,
    setup: Setup,
}

impl Server {
    fn obey(mut self) {
        let handle = self.handle.clone();
        let _in_runtime = handle.enter();
        for line in io::stdin().lock().lines() {
            let obeyed = line
                .map_err(BoxError::from)
                .and_then(|line| self.follow(serde_json::from_str(&line)?));
            if let Err(error) = obeyed {
                eprintln!("server: {error}");
                std::process::exit(1);
            }
        }
        // Whoever started it is gone.
        std::process::exit(0);
    }

    fn follow(&mut self, order: Order) -> Result<(), BoxError> {
        match order {
            Order::Sample => {}
            Order::Replace(clients, within) => self.replace(clients, within)?,
            Order::MoreFiles(more) => {
                let open = Sample::now(&self.handle)?.files as u64;
                let (_, hard) = rlimit::Resource::NOFILE.get()?;
                rlimit::Resource::NOFILE.set((open + more).min(hard), hard)?;
            }
        }
        answer(&Sample::now(&self.handle)?)
    }

    fn replace(&mut self, clients: Clients, within: Duration) -> Result<(), BoxError> {
        self.replaced += 1;
        let identity = &self.setup.keys.server[self.replaced % 2];
        let tls = identity.issued()?.server().map_err(|e| e.to_string())?;
        if clients == Clients::CurrentAndFormer {
            self.admitted.everybody();
        }
        self.acceptor
            .replace(tls, terms(&self.setup, clients)?, within)?;
        if clients == Clients::Current {
            self.admitted.no_former_after(Instant::now() + within);
        }
        Ok(())
    }
}

fn acceptor(setup: &Setup, clients: Clients) -> Result<ServerAcceptor, BoxError> {
    let [identity, _] = &setup.keys.server;
    let tls = identity.issued()?.server().map_err(|e| e.to_string())?;
    Ok(ServerAcceptor::new(tls, terms(setup, clients)?)?)
}

/// Both ends attest.
fn terms(setup: &Setup, clients: Clients) -> Result<ServerTerms, BoxError> {
    let device = SimAttester::from_pkcs8(&setup.device.0)?;
    let known = SimAttester::from_pkcs8(&setup.keys.client_device.0)?;
    let mut verifier = SimVerifier::new(known.trust_anchor());
    if clients == Clients::CurrentAndFormer {
        let former = SimAttester::from_pkcs8(&setup.keys.former_device.0)?;
        verifier = verifier.with_trust_anchor(former.trust_anchor());
    }
    let about_clients = RelyingParty::builder()
        .verifier(Arc::new(verifier))
        .standard_policy(StandardPolicy::new().dangerous_accept_simulated())
        .build()?;
    Ok(ServerTerms::new()
        .attester(Arc::new(device))
        .require_peer(Arc::new(about_clients))
        .deadline(setup.limits.deadline)
        .first_byte(setup.limits.first_byte))
}

fn answer(value: &impl Serialize) -> Result<(), BoxError> {
    let mut out = io::stdout().lock();
    serde_json::to_writer(&mut out, value)?;
    out.write_all(b"\n")?;
    Ok(out.flush()?)
}
