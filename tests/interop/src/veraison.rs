//! The three services on loopback, with stores in memory.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering;

use atls_remote::Endpoint;
use atls_remote::ReqwestClient;
use atls_remote::Resilient;
use atls_veraison::VeraisonService;
use serde_json::Value;

use crate::endorsement;
use crate::process::Process;
use crate::process::free_port;
use crate::signer;

pub struct Veraison {
    /// The public key of its results, a JWK.
    pub key: String,
    verification: u16,
    provisioning: u16,
    // In the order of their end.
    services: Mutex<Vec<Process>>,
    folder: PathBuf,
}

impl Veraison {
    /// Starts it, or says that it is not there.
    pub fn start() -> Option<Self> {
        // Empty is what an installer that failed leaves.
        let named = std::env::var_os("ATLS_VERAISON").filter(|name| !name.is_empty());
        let Some(programs) = named.map(|name| std::path::absolute(name).unwrap()) else {
            let required = std::env::var_os("ATLS_REQUIRE_INTEROP").is_some();
            assert!(
                !required,
                "ATLS_VERAISON names no folder with Veraison's services"
            );
            println!("SKIPPED: ATLS_VERAISON names no folder with Veraison's services");
            return None;
        };
        let (vts, verification, provisioning) = (free_port(), free_port(), free_port());
        let (public, secret) = signer::generate();
        let folder = new_folder();
        let config = folder.join("config.yaml");
        std::fs::write(folder.join("signer.jwk"), secret.to_string()).unwrap();
        std::fs::write(&config, configuration(vts, verification, provisioning)).unwrap();
        // Dropped in this order, should one of them not start.
        let start = |name, port| Process::start(&programs.join(name), &config, port);
        let services = vec![
            start("vts-service", vts),
            start("verification-service", verification),
            start("provisioning-service", provisioning),
        ];
        Some(Self {
            key: public.to_string(),
            verification,
            provisioning,
            services: Mutex::new(services),
            folder,
        })
    }

    /// The origin of the verification service.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.verification)
    }

    /// A client of it.
    pub fn service(&self) -> VeraisonService {
        self.service_over(Arc::new(http()))
    }

    /// A client of it, over this one of HTTP.
    pub fn service_over(&self, http: Arc<dyn atls_core::http::HttpClient>) -> VeraisonService {
        let endpoint = Endpoint::dangerous_loopback(&self.url()).unwrap();
        VeraisonService::new(&endpoint, http).unwrap()
    }

    /// Hands it endorsements of a profile, as an Endorser does.
    pub async fn provision(&self, corim: &[u8], profile: &str) {
        provision(&self.provisioning_url(), corim, profile).await;
    }

    /// The origin of the provisioning service.
    pub fn provisioning_url(&self) -> String {
        format!("http://127.0.0.1:{}", self.provisioning)
    }

    /// Ends all its services at once.
    pub fn kill(&self) {
        self.services
            .lock()
            .unwrap()
            .iter_mut()
            .for_each(Process::kill);
    }

    /// Ends the one that appraises, behind the one that is asked.
    pub fn kill_trusted_services(&self) {
        self.services.lock().unwrap()[0].kill();
    }
}

impl Drop for Veraison {
    fn drop(&mut self) {
        self.kill();
        drop(std::fs::remove_dir_all(&self.folder));
    }
}

/// Hands endorsements of a profile to the provisioning service at an origin, as an Endorser does.
pub async fn provision(origin: &str, corim: &[u8], profile: &str) {
    let url = format!("{origin}/endorsement-provisioning/v1/submit");
    let content_type = format!("application/rim+cbor; profile=\"{profile}\"");
    let request = plain().build().unwrap().post(url);
    let request = request.header("content-type", content_type);
    let request = request.body(endorsement::with_untagged_profile(corim));
    let answer = request.send().await.unwrap();
    let status = answer.status();
    let body = answer.text().await.unwrap();
    // A failed submission has status 200 as well.
    let session: Value = serde_json::from_str(&body).unwrap_or_default();
    assert_eq!(session["status"], "success", "{status}: {body}");
}

/// A client of HTTP without TLS, for loopback, bounded as a program's should be.
pub fn http() -> Resilient {
    let plain = ReqwestClient::dangerous_loopback(plain()).unwrap();
    Resilient::new("veraison", Arc::new(plain))
}

/// It trusts no authority at all.
fn plain() -> reqwest::ClientBuilder {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let tls = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(rustls::RootCertStore::empty())
        .with_no_client_auth();
    reqwest::Client::builder()
        .tls_backend_preconfigured(tls)
        .no_proxy()
}

fn new_folder() -> PathBuf {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let name = format!("atls-veraison-{}-{number}", std::process::id());
    let folder = std::env::temp_dir().join(name);
    std::fs::create_dir(&folder).unwrap();
    folder
}

/// `vts` without `listen-addr` would listen on every address of the machine.
fn configuration(vts: u16, verification: u16, provisioning: u16) -> String {
    format!(
        "plugin: {{ backend: builtin, builtin: {{}} }}
store: {{ dbms: sqlite3, dsn: 'file::memory:?cache=shared' }}
po-store: {{ backend: memory }}
po-agent: {{ backend: opa }}
auth: {{ backend: none }}
ear-signer: {{ alg: ES256, key: signer.jwk }}
vts: {{ server-addr: '127.0.0.1:{vts}', listen-addr: '127.0.0.1:{vts}', tls: false }}
verification: {{ listen-addr: '127.0.0.1:{verification}', protocol: http }}
provisioning: {{ listen-addr: '127.0.0.1:{provisioning}', protocol: http }}
logging: {{ level: info }}
"
    )
}
