//! From ready to stopped: systemd, probes, metrics, drain.

use std::net::SocketAddr;
use std::process::Child;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::mpsc;
use std::time::Duration;

use axum::Router;
use axum::routing::get;

use crate::kit::TRUST;
use crate::kit::echo;
use crate::kit::fetch;
use crate::kit::forward;
use crate::kit::reverse;
use crate::kit::sent;
use crate::support::World;

#[test]
fn requests_under_way_finish_when_it_stops() {
    let world = World::new();
    let (started, waits) = mpsc::channel();
    let go = Arc::new(tokio::sync::Notify::new());
    let (notified, entered) = (go.clone(), started);
    let slow = get(move || {
        let (notified, entered) = (notified.clone(), entered.clone());
        async move {
            entered.send(()).unwrap();
            notified.notified().await;
            "done"
        }
    });
    let behind = world.plain(Router::new().route("/", slow));
    let mut proxy = reverse(&world, &format!("http://{behind}"), &[]);
    let child = world
        .command(&[&["get", &proxy.url("/"), "-q"], &TRUST[..]].concat())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    waits.recv().unwrap();
    proxy.signal("TERM");
    proxy.reads("requests under way finish");
    go.notify_one();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.stdout, b"done");
    assert_eq!(proxy.ended(), Some(0));
}

#[test]
fn each_proxy_ends_when_it_is_told_to() {
    let world = World::new();
    let behind = world.plain(echo());
    let mut back = reverse(&world, &format!("http://{behind}"), &[]);
    let mut front = forward(&world, &back);
    let (head, _) = world.block_on(fetch(front.address(), "/"));
    assert_eq!(head.status, 200);
    for proxy in [&mut front, &mut back] {
        proxy.signal("TERM");
        assert!(proxy.ends_within(PATIENCE), "it goes on");
    }
}

#[test]
fn health_and_metrics_have_plain_ports_of_their_own() {
    let world = World::new();
    let behind = world.plain(echo());
    let ports = ["--admin", "127.0.0.1:0", "--probes", "127.0.0.1:0"];
    let proxy = reverse(&world, &format!("http://{behind}"), &ports);
    world
        .atls(&[&["get", &proxy.url("/")], &TRUST[..]].concat())
        .ends_with(0);
    let ask = |port: &str, path| world.block_on(fetch(proxy.told(port), path));
    assert_eq!(ask("admin at http://", "/healthz").1, "serving\n");
    assert_eq!(ask("probes at http://", "/healthz").0.status, 200);
    assert_eq!(ask("probes at http://", "/metrics").0.status, 404);
    let metrics = ask("admin at http://", "/metrics").1;
    for line in [
        "atls_proxy_requests_total{code=\"2xx\"} 1\n",
        "atls_proxy_peers_total{attested=\"no\"} 1\n",
    ] {
        assert!(metrics.contains(line), "{line}: {metrics}");
    }
}

/// DNS rebinding: a page of a browser has a name that resolves to this machine.
#[test]
fn metrics_and_keys_answer_under_names_of_this_machine_alone() {
    let world = World::new();
    let behind = world.plain(echo());
    let more = ["--admin", "127.0.0.1:0", "--host", "monitor.local"];
    let proxy = reverse(&world, &format!("http://{behind}"), &more);
    let admin = proxy.told("admin at http://");
    let status = |path: &str, head: &str| {
        let request = format!("GET {path} HTTP/1.1\r\n{head}Connection: close\r\n\r\n");
        let answer = world.block_on(sent(admin, request.as_bytes()));
        answer.get(9..12).unwrap_or_default().to_owned()
    };
    for path in ["/metrics", "/keys"] {
        for (head, expected) in [
            ("Host: localhost\r\n", "200"),
            ("Host: LOCALHOST:9900\r\n", "200"),
            ("Host: 127.0.0.1:9900\r\n", "200"),
            ("Host: [::1]:9900\r\n", "200"),
            ("Host: monitor.local\r\n", "200"),
            ("Host: evil.example\r\n", "421"),
            ("Host: evil.example:9900\r\n", "421"),
            ("Host: localhost.evil.example\r\n", "421"),
            ("Host: 192.0.2.1\r\n", "421"),
            ("Host: \r\n", "421"),
            ("", "400"),
            ("Host: localhost\r\nHost: evil.example\r\n", "400"),
            ("Host: a b\r\n", "400"),
        ] {
            assert_eq!(status(path, head), expected, "{path} {head:?}");
        }
        let address = format!("http://evil.example{path}");
        assert_eq!(status(&address, "Host: localhost\r\n"), "421");
    }
    assert_eq!(status("/healthz", "Host: evil.example\r\n"), "200");
    // As some checks ask.
    let old = world.block_on(sent(admin, b"GET /healthz HTTP/1.0\r\n\r\n"));
    assert!(old.contains(" 200 "), "{old}");
}

#[test]
fn nobody_holds_a_port_for_probes_or_metrics_open() {
    let world = World::new();
    let behind = world.plain(echo());
    let ports = ["--probes", "127.0.0.1:0", "--admin", "127.0.0.1:0"];
    let proxy = reverse(&world, &format!("http://{behind}"), &ports);
    let silent = b"GET /healthz HTTP/1.1\r\nHost: x\r\n";
    let held = |port| sent(proxy.told(port), silent);
    let held = async { tokio::join!(held("probes at http://"), held("admin at http://")) };
    let ended = world.block_on(async { tokio::time::timeout(PATIENCE, held).await });
    assert!(ended.is_ok(), "one is held open");
}

#[test]
fn silent_connections_keep_no_probe_waiting() {
    let world = World::new();
    let behind = world.plain(echo());
    let ports = ["--probes", "127.0.0.1:0", "--admin", "127.0.0.1:0"];
    let proxy = reverse(&world, &format!("http://{behind}"), &ports);
    for port in ["probes at http://", "admin at http://"] {
        let address = proxy.told(port);
        let silent = || std::net::TcpStream::connect(address).unwrap();
        let _held: Vec<_> = (0..100).map(|_| silent()).collect();
        let told = async { tokio::time::timeout(PROMPT, fetch(address, "/healthz")).await };
        let told = world.block_on(told).expect("an answer");
        assert_eq!(told.0.status, 200, "{port}");
    }
}

#[test]
fn a_second_signal_to_stop_waits_for_nobody_and_sighup_is_ignored_then() {
    let world = World::new();
    let (behind, waits) = endless(&world);
    let mut proxy = reverse(&world, &format!("http://{behind}"), &[]);
    let mut child = asks(&world, &proxy.url("/"));
    waits.recv().unwrap();
    proxy.signal("TERM");
    proxy.reads("requests under way finish");
    proxy.signal("HUP");
    proxy.signal("INT");
    proxy.reads("told to stop again");
    assert_eq!(proxy.ended(), Some(0));
    assert_eq!(child.wait().unwrap().code(), Some(5));
}

#[test]
fn it_is_not_healthy_with_a_certificate_that_has_expired_nor_while_it_drains() {
    let world = World::new();
    let (behind, waits) = endless(&world);
    let admin = ["--admin", "127.0.0.1:0"];
    let mut proxy = reverse(&world, &format!("http://{behind}"), &admin);
    let admin = proxy.told("admin at http://");
    let health = || {
        let (head, body) = world.block_on(fetch(admin, "/healthz"));
        (head.status, body)
    };
    assert_eq!(health(), (200, "serving\n".to_owned()));
    let metrics = || world.block_on(fetch(admin, "/metrics")).1;
    let before = metrics();
    assert!(before.contains("atls_proxy_ready 1\n"), "{before}");
    expired(&world);
    proxy.signal("HUP");
    proxy.reads(": read again what=");
    let told = "the certificate is outside of its validity\n".to_owned();
    assert_eq!(health(), (503, told));
    let after = metrics();
    let expires = "atls_proxy_certificate_expires_timestamp_seconds 999993600\n";
    for line in ["atls_proxy_ready 0\n", expires] {
        assert!(after.contains(line), "{line}: {after}");
    }
    world.identity(&world.authority);
    proxy.signal("HUP");
    proxy.reads(": read again what=");
    assert_eq!(health().0, 200);
    let mut child = asks(&world, &proxy.url("/"));
    waits.recv().unwrap();
    proxy.signal("TERM");
    proxy.reads("requests under way finish");
    // It is told before the signal is done with.
    while health().0 == 200 {}
    assert_eq!(health(), (503, "draining\n".to_owned()));
    proxy.signal("TERM");
    child.wait().unwrap();
}

#[test]
fn the_metrics_have_those_of_the_library() {
    let world = World::new();
    let behind = world.plain(echo());
    let admin = ["--admin", "127.0.0.1:0"];
    let proxy = reverse(&world, &format!("http://{behind}"), &admin);
    let url = proxy.url("/");
    let get = [&["get", &url], &TRUST[..]].concat();
    world.atls(&get).ends_with(0);
    let metrics = fetch(proxy.told("admin at http://"), "/metrics");
    let metrics = world.block_on(metrics).1;
    for start in [
        "atls_connections_total{",
        "atls_stage_seconds_bucket{stage=\"exchange\"",
        "atls_pending_connections_limit ",
    ] {
        let has = metrics.lines().any(|line| line.starts_with(start));
        assert!(has, "{start}: {metrics}");
    }
}

/// A service that never answers, and tells when it is asked.
fn endless(world: &World) -> (SocketAddr, mpsc::Receiver<()>) {
    let (entered, waits) = mpsc::channel();
    let endless = get(move || {
        let entered = entered.clone();
        async move {
            entered.send(()).unwrap();
            std::future::pending::<&str>().await
        }
    });
    (world.plain(Router::new().route("/", endless)), waits)
}

fn asks(world: &World, url: &str) -> Child {
    world
        .command(&[&["get", url, "-q"], &TRUST[..]].concat())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// A certificate that ended in 2001, for the same name.
fn expired(world: &World) {
    let key = rcgen::KeyPair::generate().unwrap();
    let mut about = rcgen::CertificateParams::new(["localhost".to_owned()]).unwrap();
    about.not_before = rcgen::date_time_ymd(2001, 9, 1);
    about.not_after = rcgen::date_time_ymd(2001, 9, 9);
    let certificate = about.self_signed(&key).unwrap();
    world.write("chain.pem", certificate.pem());
    world.write("key.pem", key.serialize_pem());
}

/// More than it takes, and less than the time to drain.
const PATIENCE: Duration = Duration::from_secs(15);

/// Less than the time of a silent connection.
const PROMPT: Duration = Duration::from_secs(3);
