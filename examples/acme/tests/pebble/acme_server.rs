//! Pebble, started for a test.

use std::fs::File;
use std::net::TcpListener;
use std::net::TcpStream;
use std::path::Path;
use std::path::PathBuf;
use std::process::Child;
use std::process::Command;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use atls_core::http::HttpClient;
use atls_core::http::HttpLimits;
use atls_remote::ReqwestClient;
use atls_remote::reqwest;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use http::Request;
use http::Uri;
use rustls::ClientConfig;
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use serde_json::json;

use crate::resolver::resolver;

/// Where the program is; `None` where tests are skipped.
pub(crate) fn program() -> Option<PathBuf> {
    // Empty is what an installer printed that could not install it.
    let program = std::env::var_os("ATLS_PEBBLE").filter(|program| !program.is_empty());
    if program.is_none() {
        let required = std::env::var_os("ATLS_REQUIRE_PEBBLE").is_some();
        assert!(!required, "ATLS_PEBBLE names no Pebble, and it is required");
        println!("SKIPPED: ATLS_PEBBLE names no Pebble");
    }
    program.map(PathBuf::from)
}

/// How it treats its clients. By default it validates at once and each time, and refuses some of the nonces, so that they are repeated.
#[derive(Clone, Debug)]
pub(crate) struct Manner {
    /// Of good nonces, in percent.
    pub(crate) refused_nonces: u8,
    /// Of validations that may serve another order, in percent.
    pub(crate) reused_validations: u8,
    pub(crate) validates: bool,
    /// The identifier and the key, in base64url, without which nobody gets an account.
    pub(crate) external: Option<(&'static str, &'static str)>,
}

impl Manner {
    /// Refuses no nonce. An order gives up where its nonces are refused again and again, and nobody repeats those that a test makes itself.
    pub(crate) fn patient() -> Self {
        Self {
            refused_nonces: 0,
            ..Self::default()
        }
    }
}

impl Default for Manner {
    fn default() -> Self {
        Self {
            refused_nonces: 5,
            reused_validations: 0,
            validates: true,
            external: None,
        }
    }
}

/// A running one, which knows nobody yet.
pub(crate) struct AcmeServer {
    child: Child,
    program: PathBuf,
    folder: PathBuf,
    ports: Ports,
    pub(crate) manner: Manner,
    http: Arc<ReqwestClient>,
}

#[derive(Clone, Copy)]
struct Ports {
    acme: u16,
    management: u16,
    dns: u16,
}

impl AcmeServer {
    /// Validates names at this port of this machine, except for `blocked.test`, which it refuses.
    pub(crate) async fn start_with(manner: Manner, program: PathBuf, tls_port: u16) -> Self {
        let dns = resolver().await;
        let folder = std::env::temp_dir().join(format!("atls-pebble-{}-{dns}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let own = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
        let at = |name: &str| folder.join(name);
        std::fs::write(at("own.pem"), own.cert.pem()).unwrap();
        std::fs::write(at("own.key"), own.signing_key.serialize_pem()).unwrap();
        let mut config = json!({"pebble": {
            "certificate": at("own.pem"),
            "privateKey": at("own.key"),
            "httpPort": 1,
            "tlsPort": tls_port,
            "domainBlocklist": ["blocked.test"],
            "keyAlgorithm": "ecdsa",
            "profiles": {"default": {"description": "a day", "validityPeriod": 86_400}},
        }});
        if let Some((id, key)) = manner.external {
            config["pebble"]["externalAccountBindingRequired"] = true.into();
            config["pebble"]["externalAccountMACKeys"] = json!({ id: key });
        }
        // Others may take a port that was free a moment ago.
        let started = (0..20).find_map(|_| {
            let ports = Ports {
                acme: free_port(),
                management: free_port(),
                dns,
            };
            let address = |port| format!("127.0.0.1:{port}");
            config["pebble"]["listenAddress"] = address(ports.acme).into();
            config["pebble"]["managementListenAddress"] = address(ports.management).into();
            std::fs::write(at("config.json"), config.to_string()).unwrap();
            Some((ports, spawn(&program, &folder, ports, &manner)?))
        });
        let (ports, child) = started.expect("no port stays free");

        let mut roots = RootCertStore::empty();
        roots.add(own.cert.der().clone()).unwrap();
        let tls = ClientConfig::builder_with_provider(demo::provider())
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let builder = reqwest::Client::builder().tls_backend_preconfigured(tls);
        Self {
            child,
            program,
            folder,
            ports,
            manner,
            http: Arc::new(ReqwestClient::build(builder).unwrap()),
        }
    }

    /// At once, as a crash would. It keeps nothing.
    pub(crate) fn kill(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }

    pub(crate) fn start_anew(&mut self) {
        self.kill();
        let child = spawn(&self.program, &self.folder, self.ports, &self.manner);
        self.child = child.expect("its ports are taken");
    }

    pub(crate) fn http(&self) -> Arc<ReqwestClient> {
        self.http.clone()
    }

    pub(crate) fn directory(&self) -> Uri {
        let url = format!("https://localhost:{}/dir", self.ports.acme);
        url.parse().unwrap()
    }

    /// The root of the certificates that it gives.
    pub(crate) async fn roots(&self) -> RootCertStore {
        let pem = self
            .manage(Request::get(self.management("/roots/0")), "")
            .await;
        demo::roots_of(&pem).unwrap()
    }

    /// Has it say this to whoever asks when the certificate is to be renewed.
    pub(crate) async fn say_about_renewal(&self, certificate: &CertificateDer<'_>, says: &str) {
        let base64 = BASE64_STANDARD.encode(certificate);
        let pem = format!("-----BEGIN CERTIFICATE-----\n{base64}\n-----END CERTIFICATE-----\n");
        let told = json!({ "Certificate": pem, "ARIResponse": says }).to_string();
        let request = Request::post(self.management("/set-renewal-info/"));
        // It answers nobody without a name.
        let request = request.header("user-agent", "atls-test");
        self.manage(request, &told).await;
    }

    fn management(&self, path: &str) -> String {
        format!("https://localhost:{}{path}", self.ports.management)
    }

    async fn manage(&self, request: http::request::Builder, body: &str) -> String {
        let request = request.body(body.as_bytes().to_vec()).unwrap();
        let limits = HttpLimits::new(Duration::from_secs(20), 100_000);
        let response = self.http.send(request, limits).await.unwrap();
        let status = response.status();
        let said = String::from_utf8(response.into_body()).unwrap();
        assert_eq!(status, 200, "{said}");
        said
    }
}

impl Drop for AcmeServer {
    fn drop(&mut self) {
        self.kill();
        drop(std::fs::remove_dir_all(&self.folder));
    }
}

/// Starts it, and waits until its ports are open. `None` where others took them.
fn spawn(program: &PathBuf, folder: &Path, ports: Ports, manner: &Manner) -> Option<Child> {
    let log = folder.join("log");
    let output = File::create(&log).unwrap();
    let mut command = Command::new(program);
    if !manner.validates {
        command.env("PEBBLE_VA_ALWAYS_VALID", "1");
    }
    let mut child = command
        .arg("-config")
        .arg(folder.join("config.json"))
        .arg("-dnsserver")
        .arg(format!("127.0.0.1:{}", ports.dns))
        // Validates without a pause of its own.
        .env("PEBBLE_VA_NOSLEEP", "1")
        .env("PEBBLE_AUTHZREUSE", manner.reused_validations.to_string())
        .env("PEBBLE_WFE_NONCEREJECT", manner.refused_nonces.to_string())
        .stdin(Stdio::null())
        .stdout(output.try_clone().unwrap())
        .stderr(output)
        .spawn()
        .unwrap_or_else(|error| panic!("{}: {error}", program.display()));
    for _ in 0..1500 {
        let mut all = [ports.acme, ports.management].into_iter();
        let is_open = all.all(|port| TcpStream::connect(("127.0.0.1", port)).is_ok());
        let has_ended = child.try_wait().unwrap().is_some();
        if has_ended {
            break;
        }
        if is_open {
            return Some(child);
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    let said = std::fs::read_to_string(log).unwrap_or_default();
    if said.contains("address already in use") {
        return None;
    }
    panic!("Pebble did not start:\n{said}");
}

/// A port of loopback that was free a moment ago.
fn free_port() -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    listener.local_addr().unwrap().port()
}
