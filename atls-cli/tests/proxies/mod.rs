//! A proxy that runs as a process of its own, and what it needs.
#![allow(
    dead_code,
    unreachable_pub,
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

use std::io::BufRead;
use std::io::BufReader;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Child;
use std::process::Command;
use std::process::Stdio;
use std::sync::mpsc;
use std::time::Duration;
use std::time::Instant;

use atls_sim::SimAttester;
use axum::Router;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use demo::Authority;

use crate::support::World;

/// For a line that never comes, and a proxy that never ends.
const PATIENCE: Duration = Duration::from_secs(60);

/// It is killed when this is dropped.
pub struct Proxy {
    child: Child,
    lines: mpsc::Receiver<String>,
    said: Vec<String>,
}

impl Proxy {
    pub fn start(world: &World, arguments: &[&str]) -> Self {
        Self::run(world.command(&[&["proxy"], arguments].concat()))
    }

    /// Returns once it says where it listens.
    pub fn run(mut command: Command) -> Self {
        let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        let (sender, lines) = mpsc::channel();
        std::thread::spawn(move || {
            for line in stderr.lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        let mut proxy = Self {
            child,
            lines,
            said: Vec::new(),
        };
        proxy.reads("listening on ");
        proxy
    }

    /// Waits for a line with this in it.
    pub fn reads(&mut self, wanted: &str) {
        loop {
            let line = self.lines.recv_timeout(PATIENCE);
            let line = line.unwrap_or_else(|why| {
                panic!("no line with {wanted:?}: {why}; it said {:#?}", self.said)
            });
            let is_wanted = line.contains(wanted);
            self.said.push(line);
            if is_wanted {
                return;
            }
        }
    }

    /// All that it said until now.
    pub fn said(&self) -> String {
        self.said.join("\n") + "\n"
    }

    /// The address after these words.
    pub fn told(&self, before: &str) -> SocketAddr {
        let mut said = self.said.iter();
        let found = said.find_map(|line| line.split_once(before));
        found.unwrap().1.parse().unwrap()
    }

    pub fn address(&self) -> SocketAddr {
        let mut said = self.said.iter();
        let found = said.find_map(|line| line.strip_prefix("listening on "));
        found.unwrap().split_once("://").unwrap().1.parse().unwrap()
    }

    pub fn url(&self, path: &str) -> String {
        format!("https://localhost:{}{path}", self.address().port())
    }

    pub fn signal(&self, name: &str) {
        let kill = Command::new("kill")
            .args(["-s", name, &self.child.id().to_string()])
            .status();
        assert!(kill.unwrap().success());
    }

    /// Tells whether it ended by itself, and says no more, within this time.
    pub fn ends_within(&mut self, patience: Duration) -> bool {
        let start = Instant::now();
        loop {
            let left = patience.saturating_sub(start.elapsed());
            match self.lines.recv_timeout(left) {
                Ok(line) => self.said.push(line),
                Err(gone) => return gone == mpsc::RecvTimeoutError::Disconnected,
            }
        }
    }

    /// Its exit code, once it ended.
    pub fn ended(&mut self) -> Option<i32> {
        assert!(self.ends_within(PATIENCE), "it said {:#?}", self.said);
        self.child.wait().unwrap().code()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl World {
    /// A plain HTTP server.
    pub fn plain(&self, app: Router) -> SocketAddr {
        let listener = self.block_on(tokio::net::TcpListener::bind("127.0.0.1:0"));
        let listener = listener.unwrap();
        let address = listener.local_addr().unwrap();
        self.spawn(async move { axum::serve(listener, app).await.unwrap() });
        address
    }

    /// The same on a Unix socket.
    pub fn plain_at(&self, path: &Path, app: Router) {
        let listener = self.block_on(async { tokio::net::UnixListener::bind(path).unwrap() });
        self.spawn(async move { axum::serve(listener, app).await.unwrap() });
    }

    /// The key of a simulated device in `own.pem`, by which `device.key` knows it.
    pub fn device_key(&self) {
        let key = rcgen::KeyPair::generate().unwrap();
        self.write("own.pem", key.serialize_pem());
        let device = SimAttester::from_pkcs8(&key.serialize_der()).unwrap();
        self.write("device.key", device.trust_anchor().public_key());
    }

    /// A certificate in `chain.pem`, and its key in `key.pem`.
    pub fn identity(&self, authority: &Authority) {
        let issued = authority.issue().unwrap();
        let chain: String = issued
            .chain
            .iter()
            .map(|der| pem("CERTIFICATE", der))
            .collect();
        self.write("chain.pem", chain);
        self.write("key.pem", pem("PRIVATE KEY", issued.key.secret_der()));
    }
}

pub fn pem(label: &str, der: &[u8]) -> String {
    let body = BASE64_STANDARD.encode(der);
    format!("-----BEGIN {label}-----\n{body}\n-----END {label}-----\n")
}
