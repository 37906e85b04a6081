//! From ready to stopped: systemd, probes, metrics, drain.

use std::os::unix::net::UnixDatagram;
use std::process::Command;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::routing::get;

use crate::kit::TRUST;
use crate::kit::echo;
use crate::kit::fetch;
use crate::kit::forward;
use crate::kit::reverse;
use crate::kit::sent;
use crate::proxies::Proxy;
use crate::support::World;

#[test]
fn requests_under_way_finish_when_it_stops() {
    let world = World::new();
    let (started, waits) = std::sync::mpsc::channel();
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

#[test]
fn nobody_holds_a_port_for_probes_open() {
    let world = World::new();
    let behind = world.plain(echo());
    let ports = ["--probes", "127.0.0.1:0"];
    let proxy = reverse(&world, &format!("http://{behind}"), &ports);
    let silent = b"GET /healthz HTTP/1.1\r\nHost: x\r\n";
    let held = sent(proxy.told("probes at http://"), silent);
    let ended = world.block_on(async { tokio::time::timeout(PATIENCE, held).await });
    assert!(ended.is_ok(), "it is held open");
}

#[test]
fn systemd_hands_over_the_socket_and_hears_when_it_is_ready() {
    let world = World::new();
    let behind = world.plain(echo());
    world.device_key();
    world.identity(&world.authority);
    let socket = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = socket.local_addr().unwrap().port();
    let notify = UnixDatagram::bind(world.path("notify")).unwrap();
    let upstream = format!("http://{behind}");
    let script = "exec 3<&0 </dev/null; LISTEN_PID=$$ LISTEN_FDS=1 exec \"$0\" \"$@\"";
    let mut command = Command::new("sh");
    command
        .current_dir(world.path(""))
        .args([
            "-c",
            script,
            env!("CARGO_BIN_EXE_atls"),
            "proxy",
            "--listen",
            "systemd",
        ])
        .args([
            "--upstream",
            &upstream,
            "--attester",
            "sim=own.pem",
            "--cert",
            "chain.pem",
            "--key",
            "key.pem",
        ])
        .env("NOTIFY_SOCKET", world.path("notify"))
        .stdin(std::os::fd::OwnedFd::from(socket));
    let proxy = Proxy::run(command);
    let mut said = [0; 100];
    let length = notify.recv(&mut said).unwrap();
    assert!(said[..length].starts_with(b"READY=1"));
    let url = format!("https://localhost:{port}/");
    world
        .atls(&[&["get", &url], &TRUST[..]].concat())
        .ends_with(0);
    drop(proxy);
}

/// More than it takes, and less than the time to drain.
const PATIENCE: Duration = Duration::from_secs(15);
