//! What the tests of the binary share: files, servers on loopback, and the binary itself.
#![allow(
    dead_code,
    unreachable_pub,
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test fails by panicking, and each uses some of this"
)]

pub mod steady;

use std::io::Write;
use std::net::SocketAddr;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;
use std::process::Output;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering;

use atls_axum::AttestedListener;
use atls_core::Attester;
use atls_formats::dcap::TdReport;
use atls_formats::dcap::Tee;
use atls_sim::SimAttester;
use atls_tdx::TdxAttester;
use atls_tdx::testing::ForgedPlatform;
use atls_tower::Blocking;
use atls_tower::ServerAcceptor;
use atls_tower::ServerTerms;
use atls_tsm::Provider;
use atls_tsm::Tsm;
use atls_tsm::testing::FakeConfigFs;
use atls_tsm::testing::Forged;
use axum::Router;
use demo::Authority;
use rustls::ServerConfig;
use serde_json::Value;
use tokio::net::TcpSocket;

/// A folder of files, an authority, and servers whose certificates it issued.
pub struct World {
    pub authority: Authority,
    folder: PathBuf,
    runtime: tokio::runtime::Runtime,
}

impl World {
    pub fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("atls-cli-{}-{number}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&folder).unwrap();
        let authority = Authority::new().unwrap();
        std::fs::write(folder.join("ca.pem"), authority.pem()).unwrap();
        Self {
            authority,
            folder,
            runtime: tokio::runtime::Runtime::new().unwrap(),
        }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    pub fn write(&self, name: &str, contents: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        std::fs::write(&path, contents).unwrap();
        path
    }

    pub fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.runtime.spawn(task);
    }

    pub fn block_on<F: Future>(&self, future: F) -> F::Output {
        self.runtime.block_on(future)
    }

    /// A simulated device; verifiers know it by the file `NAME.key`.
    pub fn device(&self, name: &str) -> SimAttester {
        let device = SimAttester::generate().unwrap();
        self.write(&format!("{name}.key"), device.trust_anchor().public_key());
        device
    }

    /// Writes root and collateral of a forged platform to `root.der` and `collateral`.
    pub fn trust_td(&self, platform: &ForgedPlatform) {
        self.write("root.der", platform.root());
        let collateral = platform.collateral(Tee::Tdx).unwrap();
        self.write("collateral", collateral.encode().unwrap());
    }

    /// A TD of a forged platform.
    pub fn td(&self, platform: &Arc<ForgedPlatform>, report: TdReport) -> Blocking {
        self.trust_td(platform);
        let platform = platform.clone();
        let device = FakeConfigFs::new(Provider::TdxGuest, move |inblob| Forged {
            outblob: platform
                .tdx_quote(&report, inblob.try_into().unwrap())
                .unwrap(),
            auxblob: Vec::new(),
        });
        let device = TdxAttester::over(Tsm::over(device)).unwrap().unwrap();
        Blocking::spawn(device).unwrap()
    }

    /// An attested server, by the terms and TLS of the test.
    pub fn serve(&self, tls: ServerConfig, terms: ServerTerms, app: Router) -> String {
        let acceptor = ServerAcceptor::new(tls, terms).unwrap();
        let listener = self.block_on(AttestedListener::bind("127.0.0.1:0", acceptor));
        let listener = listener.unwrap();
        let port = listener.local_addr().port();
        self.runtime.spawn(async move {
            atls_axum::serve(listener, app).await.unwrap();
        });
        format!("https://localhost:{port}")
    }

    /// A server that this device attests.
    pub fn attested(&self, device: impl Attester + 'static, app: Router) -> String {
        let terms = ServerTerms::new().attester(Arc::new(device));
        self.serve(self.authority.server().unwrap(), terms, app)
    }

    /// A server that answers in TLS and knows nothing of attestation.
    pub fn ordinary(&self) -> String {
        let tls = self.authority.server().unwrap();
        let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(tls));
        let listener = self.block_on(tokio::net::TcpListener::bind("127.0.0.1:0"));
        let listener = listener.unwrap();
        let port = listener.local_addr().unwrap().port();
        self.runtime.spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                if let Ok(mut stream) = acceptor.accept(socket).await {
                    use tokio::io::AsyncWriteExt;
                    let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
                    let _ = stream.shutdown().await;
                }
            }
        });
        format!("https://localhost:{port}")
    }

    /// Runs the binary in the folder of the files.
    pub fn atls(&self, arguments: &[&str]) -> Ran {
        self.atls_with_input(arguments, b"")
    }

    pub fn atls_with_input(&self, arguments: &[&str], input: &[u8]) -> Ran {
        let mut child = self
            .command(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdin = child.stdin.take().unwrap();
        let input = input.to_vec();
        let writer = std::thread::spawn(move || {
            // The program need not read all of it.
            let _ = stdin.write_all(&input);
        });
        let ran = Ran(child.wait_with_output().unwrap());
        writer.join().unwrap();
        ran
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_atls"));
        command.args(arguments).current_dir(&self.folder);
        command
    }
}

impl Drop for World {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// What a run of the binary left.
#[derive(Debug)]
pub struct Ran(pub Output);

impl Ran {
    pub fn code(&self) -> i32 {
        self.0.status.code().expect("it was not killed")
    }

    pub fn out(&self) -> String {
        String::from_utf8(self.0.stdout.clone()).unwrap()
    }

    pub fn error(&self) -> String {
        String::from_utf8(self.0.stderr.clone()).unwrap()
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.0.stdout).expect("JSON")
    }

    /// Fails the test unless it ended with this exit code.
    #[track_caller]
    pub fn ends_with(self, code: i32) -> Self {
        assert_eq!(self.code(), code, "{}\n{}", self.out(), self.error());
        self
    }
}

/// An image file of a Nitro enclave: kernel, command line, two ramdisks.
pub fn enclave_image() -> Vec<u8> {
    let mut image = b".eif".to_vec();
    image.resize(548, 0);
    for (kind, content) in [
        (1_u16, &b"kernel"[..]),
        (2, b"quiet"),
        (3, b"boot"),
        (3, b"app"),
    ] {
        let length = u64::try_from(content.len()).unwrap().to_be_bytes();
        image.extend([&kind.to_be_bytes()[..], &[0, 0], &length, content].concat());
    }
    image
}

/// A port of loopback at which nobody listens, and nobody else does while the socket lives.
pub fn nobody() -> (TcpSocket, u16) {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
    let port = socket.local_addr().unwrap().port();
    (socket, port)
}

/// The time of this machine, in seconds since the epoch.
pub fn now() -> u64 {
    use rustls::time_provider::DefaultTimeProvider;
    use rustls::time_provider::TimeProvider;
    DefaultTimeProvider.current_time().unwrap().as_secs()
}

/// The folder of genuine samples.
pub fn vectors() -> Option<PathBuf> {
    test_support::vectors()
}

/// The text of a file of this repository.
pub fn page(name: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    std::fs::read_to_string(root.join(name)).unwrap()
}
