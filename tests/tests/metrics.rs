//! The numbers of connections, as docs/operations.md documents them.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::collections::BTreeSet;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;
use std::time::Duration;

use adversary::Link;
use atls_tower::ServerAcceptor;
use atls_tower::ServerTerms;
use end_to_end::World;
use end_to_end::reqwest_client;
use metrics_exporter_prometheus::PrometheusBuilder;
use metrics_exporter_prometheus::PrometheusHandle;
use rustls::sign::SingleCertAndKey;
use tokio::net::TcpStream;

/// A recorder of this thread, on which a test's runtime runs everything.
struct Recorded {
    handle: PrometheusHandle,
    _guard: metrics::LocalRecorderGuard<'static>,
    /// The next expiry is of the process, so the tests take turns.
    _turn: MutexGuard<'static, ()>,
}

static TURNS: Mutex<()> = Mutex::new(());

impl Recorded {
    fn begin() -> Self {
        let turn = TURNS.lock().unwrap_or_else(PoisonError::into_inner);
        let recorder = PrometheusBuilder::new().build_recorder();
        let handle = recorder.handle();
        // For the life of the test.
        let recorder = Box::leak(Box::new(recorder));
        Self {
            handle,
            _guard: metrics::set_default_local_recorder(recorder),
            _turn: turn,
        }
    }

    /// The value of the one series of this name that has all of these labels; 0 where there is none.
    fn value(&self, name: &str, labels: &[&str]) -> f64 {
        let text = self.handle.render();
        let series = text.lines().filter(|line| {
            let rest = line.strip_prefix(name);
            rest.is_some_and(|rest| rest.starts_with([' ', '{']))
                && labels.iter().all(|label| line.contains(label))
        });
        let values: Vec<f64> = series
            .map(|line| line.rsplit_once(' ').unwrap().1.parse().unwrap())
            .collect();
        assert!(values.len() <= 1, "{name} {labels:?}: {text}");
        values.first().copied().unwrap_or(0.0)
    }
}

const ATTESTED: [&str; 2] = [r#"outcome="attested""#, r#"binding="connection""#];
const SERVER: &str = r#"side="server""#;
const CLIENT: &str = r#"side="client""#;

#[tokio::test]
async fn a_connection_counts_once_at_each_end_and_is_gone_when_it_is_closed() {
    let recorded = Recorded::begin();
    let world = World::new();
    let terms = ServerTerms::new()
        .attester(world.server_device.clone())
        .require_peer(world.about_clients());
    let mut server = world.serve(terms).await;
    let client = reqwest_client(&world.mutual());
    for _ in 0..2 {
        let response = client.get(server.url("/")).send().await.unwrap();
        response.text().await.unwrap();
    }
    for side in [SERVER, CLIENT] {
        let labels = [side, ATTESTED[0], ATTESTED[1], r#"reason="none""#];
        assert_eq!(recorded.value("atls_connections_total", &labels), 1.0);
        let count = recorded.value("atls_attestation_valid_seconds_count", &[side]);
        assert_eq!(count, 1.0);
    }
    assert_eq!(recorded.value("atls_connections", &[SERVER]), 1.0);
    let expires = recorded.value("atls_next_expiry_timestamp_seconds", &[SERVER]);
    assert!(expires > 1_800_000_000.0, "{expires}");
    assert!(recorded.value("atls_work_limit", &[r#"work="appraisal""#]) >= 1.0);
    for stage in ["handshake", "exchange", "attestation", "appraisal"] {
        let stage = format!("stage=\"{stage}\"");
        assert!(recorded.value("atls_stage_seconds_count", &[&stage]) >= 1.0);
    }
    drop(client);
    server.stop();
    (&mut server.task).await.unwrap().unwrap();
    assert_eq!(recorded.value("atls_connections", &[SERVER]), 0.0);
    assert_eq!(recorded.value("atls_pending_connections", &[]), 0.0);
    let expires = recorded.value("atls_next_expiry_timestamp_seconds", &[SERVER]);
    assert_eq!(expires, 0.0);
}

#[tokio::test]
async fn a_refusal_counts_by_its_reason_and_whose_fault_it_is() {
    let recorded = Recorded::begin();
    let world = World::new();
    let server = world.serve_attested().await;
    // Knows another device than the server's.
    let attested = world.client().require_peer(world.about_clients());
    let client = reqwest_client(&attested.build().unwrap());
    client.get(server.url("/")).send().await.unwrap_err();
    let labels = [
        CLIENT,
        r#"outcome="refused""#,
        r#"fault="peer""#,
        r#"reason="unknown_key""#,
    ];
    assert_eq!(recorded.value("atls_connections_total", &labels), 1.0);
}

#[tokio::test]
async fn a_client_that_speaks_no_tls_counts_as_a_failure() {
    let recorded = Recorded::begin();
    let world = World::new();
    let server = world.serve_attested().await;
    let mut socket = TcpStream::connect(server.address).await.unwrap();
    let plain = b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n";
    tokio::io::AsyncWriteExt::write_all(&mut socket, plain)
        .await
        .unwrap();
    let mut rest = Vec::new();
    let _ = tokio::io::AsyncReadExt::read_to_end(&mut socket, &mut rest).await;
    let labels = [SERVER, r#"outcome="failed""#, r#"reason="tls""#];
    assert_eq!(recorded.value("atls_connections_total", &labels), 1.0);
}

#[tokio::test]
async fn an_answered_challenge_of_acme_counts_as_one_and_as_no_failure() {
    let recorded = Recorded::begin();
    let world = World::new();
    let challenges = Arc::new(SingleCertAndKey::from(world.stolen_key()));
    let terms = ServerTerms::new().attester(world.server_device.clone());
    let server = world.serve(terms.tls_alpn_01(challenges)).await;
    let socket = TcpStream::connect(server.address).await.unwrap();
    let tls = Arc::new(world.client_tls(&["acme-tls/1"]));
    let mut link = Link::connect(tls, socket, None).await.unwrap();
    link.drain().await;
    let labels = [
        SERVER,
        r#"outcome="challenge""#,
        r#"reason="acme_challenge""#,
    ];
    assert_eq!(recorded.value("atls_connections_total", &labels), 1.0);
    assert_eq!(recorded.value("atls_connections_total", &[SERVER]), 1.0);
    assert_eq!(recorded.value("atls_connections", &[SERVER]), 0.0);
}

#[tokio::test]
async fn a_request_that_a_route_refuses_counts_by_its_problem() {
    let recorded = Recorded::begin();
    let world = World::new();
    let server = world.serve_attested().await;
    let client = reqwest_client(&world.demanding());
    let refused = client.get(server.url("/attested")).send().await.unwrap();
    assert_eq!(refused.status(), 403);
    let labels = [r#"problem="attestation-required""#];
    assert_eq!(recorded.value("atls_requests_refused_total", &labels), 1.0);
}

#[tokio::test]
async fn a_recall_counts_once() {
    let recorded = Recorded::begin();
    let world = World::new();
    let terms = ServerTerms::new().attester(world.server_device.clone());
    let acceptor = ServerAcceptor::new(world.server_tls(), terms).unwrap();
    acceptor.recall(Duration::from_secs(1));
    assert_eq!(recorded.value("atls_recalls_total", &[]), 1.0);
}

#[test]
fn each_metric_of_the_code_is_on_the_page_and_each_of_the_page_in_the_code() {
    let page = read("docs/operations.md");
    let rows = page
        .lines()
        .filter_map(|line| line.strip_prefix("| `atls_"));
    let documented: BTreeSet<_> = rows
        .map(|row| format!("atls_{}", row.split('`').next().unwrap()))
        .collect();
    let mut used = BTreeSet::new();
    for folder in [
        "atls-tower/src",
        "atls-axum/src",
        "support/remote/src",
        "support/collateral/src",
    ] {
        for file in files(&root().join(folder)) {
            let source = std::fs::read_to_string(file).unwrap();
            // Other names of this form are those of claims.
            if ["counter!(", "gauge!(", "histogram!("]
                .iter()
                .any(|it| source.contains(it))
            {
                used.extend(names(&source, '"'));
            }
        }
    }
    assert_eq!(used, documented);
}

#[test]
fn each_reason_of_the_code_is_on_the_page_and_each_of_the_page_in_the_code() {
    let page = read("docs/operations.md");
    let (_, table) = page.split_once("| reason | look at |").unwrap();
    let (table, _) = table.split_once("\n\n").unwrap();
    let first = table.lines().filter_map(|row| row.split('|').nth(1));
    let documented: BTreeSet<_> = first
        .flat_map(|cell| cell.split('`').skip(1).step_by(2))
        // A label beside a reason.
        .filter(|word| !word.contains('='))
        .map(str::to_owned)
        .collect();
    let mut used = BTreeSet::new();
    for folder in ["atls-core/src", "atls-tower/src"] {
        for file in files(&root().join(folder)) {
            let source = std::fs::read_to_string(file).unwrap();
            for body in source.split("fn reason(&self) -> &'static str {").skip(1) {
                let (body, _) = body.split_once("\n    }\n").unwrap();
                let words = body.split('"').skip(1).step_by(2);
                used.extend(words.map(str::to_owned));
            }
        }
    }
    assert_eq!(used, documented);
}

#[test]
fn the_dashboard_shows_every_metric_and_no_other() {
    let page = read("docs/operations.md");
    let rows = page.lines().filter(|line| line.starts_with("| `atls_"));
    let documented: BTreeSet<_> = rows.flat_map(|row| names(row, '`')).collect();
    let dashboard: serde_json::Value =
        serde_json::from_str(&read("docs/operations/grafana.json")).unwrap();
    let mut shown = BTreeSet::new();
    for panel in dashboard["panels"].as_array().unwrap() {
        for target in panel["targets"].as_array().unwrap() {
            let expression = target["expr"].as_str().unwrap();
            let words = expression.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
            let metrics = words.filter(|word| word.starts_with("atls_"));
            shown.extend(metrics.map(|word| word.trim_end_matches("_bucket").to_owned()));
        }
    }
    assert_eq!(shown, documented);
}

/// The names of metrics between such quotes.
fn names(text: &str, quote: char) -> Vec<String> {
    let quoted = text.split(quote).skip(1).step_by(2);
    let names = quoted.filter(|name| {
        name.starts_with("atls_") && name.chars().all(|c| c.is_ascii_lowercase() || c == '_')
    });
    // A target of tracing has the name of a crate.
    let names = names.filter(|name| !["atls_remote", "atls_tower", "atls_axum"].contains(name));
    names.map(str::to_owned).collect()
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => found.extend(files(&path)),
            false => found.push(path),
        }
    }
    found
}

fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap()
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}
