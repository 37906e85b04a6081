//! A Python that has what the peer needs, and the keys of one test, which both ends read from a folder.

use std::io::BufRead;
use std::io::BufReader;
use std::io::Lines;
use std::net::Ipv4Addr;
use std::net::SocketAddr;
use std::path::Path;
use std::path::PathBuf;
use std::process::Child;
use std::process::ChildStdout;
use std::process::Command;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use atls_sim::SimAttester;
use serde_json::Value;

/// Kinds of keys, as the peer names them.
pub(crate) const KEYS: [&str; 4] = ["p256", "p384", "ed25519", "rsa"];
/// Cipher suites, as the peer names them.
pub(crate) const SUITES: [&str; 3] = ["sha256", "sha384", "chacha"];
/// For a machine that is busy: no test here is about a deadline.
pub(crate) const PATIENT: Duration = Duration::from_secs(300);

pub(crate) struct Scene {
    python: PathBuf,
    folder: PathBuf,
}

impl Scene {
    /// `None`, once it was said why, where this machine has no such Python.
    #[allow(clippy::print_stdout, reason = "a skipped test says so")]
    pub(crate) fn new(name: &str) -> Option<Self> {
        let Some(python) = python() else {
            let required = std::env::var_os("ATLS_REQUIRE_PYTHON").is_some();
            let reason = "no python3 on this machine that has pyOpenSSL and cryptography";
            assert!(!required, "{reason}");
            println!("SKIPPED: {reason}");
            return None;
        };
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("python-{name}"));
        std::fs::create_dir_all(&folder).unwrap();
        let scene = Self { python, folder };
        let keys = scene.peer("keys").arg(&scene.folder).status().unwrap();
        assert!(keys.success());
        Some(scene)
    }

    pub(crate) fn sources() -> &'static Path {
        Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/python"))
    }

    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(&self.python);
        command.env("PYTHONPATH", Self::sources());
        command.env("PYTHONDONTWRITEBYTECODE", "1");
        command
    }

    fn peer(&self, role: &str) -> Command {
        let mut command = self.command();
        command.args(["-m", "atls_peer", role]);
        command
    }

    /// Of the keys that `Scene::new` made.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    pub(crate) fn bytes(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.file(name)).unwrap()
    }

    pub(crate) fn device(&self, name: &str) -> Arc<SimAttester> {
        Arc::new(SimAttester::from_pkcs8(&self.bytes(&format!("{name}.key"))).unwrap())
    }

    /// Runs the Python client, and gives what it said of each connection. Words that begin with `@` are files of the scene.
    pub(crate) async fn client(
        &self,
        server: SocketAddr,
        key: &str,
        arguments: &str,
    ) -> Vec<Value> {
        let mut client = self.peer("client");
        client.arg(server.to_string()).arg("--ca");
        client.arg(self.file(&format!("{key}.pem")));
        client.args(self.arguments(arguments));
        let output = tokio::task::spawn_blocking(move || client.output())
            .await
            .unwrap()
            .unwrap();
        let said = String::from_utf8(output.stdout).unwrap();
        let lines = said.lines().map(|line| serde_json::from_str(line).unwrap());
        let lines: Vec<_> = lines.collect();
        assert!(
            !lines.is_empty(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        lines
    }

    /// Starts a Python client that connects again and again, for as long as the value lives.
    pub(crate) fn visitor(&self, server: SocketAddr, authority: &str, arguments: &str) -> Running {
        let mut client = self.peer("client");
        client.arg(server.to_string()).arg("--ca");
        client.arg(self.file(&format!("{authority}.pem")));
        client.args(self.arguments(arguments)).stdout(Stdio::null());
        Running(client.spawn().unwrap())
    }

    /// Starts the Python server.
    pub(crate) fn server(&self, key: &str, arguments: &str) -> Server {
        let mut server = self.peer("server");
        server.arg("127.0.0.1:0").arg("--identity");
        server.arg(self.file(key)).args(self.arguments(arguments));
        let mut process = Running(server.stdout(Stdio::piped()).spawn().unwrap());
        let output = BufReader::new(process.0.stdout.take().unwrap()).lines();
        let mut server = Server {
            _process: process,
            output,
            port: 0,
        };
        server.port = u16::try_from(server.next()["port"].as_u64().unwrap()).unwrap();
        server
    }

    fn arguments<'a>(&self, words: &'a str) -> Vec<std::ffi::OsString> {
        let word = |word: &'a str| match word.strip_prefix('@') {
            Some(file) => self.file(file).into_os_string(),
            None => word.into(),
        };
        let patient = ["--seconds".into(), PATIENT.as_secs().to_string().into()];
        words.split_whitespace().map(word).chain(patient).collect()
    }
}

/// A process that ends with this value.
pub(crate) struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// A running Python server.
pub(crate) struct Server {
    _process: Running,
    output: Lines<BufReader<ChildStdout>>,
    port: u16,
}

impl Server {
    pub(crate) fn address(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.port).into()
    }

    pub(crate) fn url(&self) -> String {
        format!("https://localhost:{}/", self.port)
    }

    /// What it says next, of one connection.
    pub(crate) fn next(&mut self) -> Value {
        serde_json::from_str(&self.output.next().unwrap().unwrap()).unwrap()
    }
}

/// Another `python3` than the system's may come first, without the packages of the system.
fn python() -> Option<PathBuf> {
    let has_packages = |python: &PathBuf| {
        let mut command = Command::new(python);
        command.args(["-c", "import OpenSSL, cryptography"]);
        command.stderr(Stdio::null());
        command.status().is_ok_and(|status| status.success())
    };
    [PathBuf::from("python3"), PathBuf::from("/usr/bin/python3")]
        .into_iter()
        .find(has_packages)
}
