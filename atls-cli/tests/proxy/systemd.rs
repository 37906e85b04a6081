//! Sockets from systemd, and what systemd hears.

use std::net::SocketAddr;
use std::net::TcpListener;
use std::net::TcpStream;
use std::net::UdpSocket;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixDatagram;
use std::os::unix::net::UnixListener;
use std::process::Command;
use std::time::Duration;

use crate::kit::TRUST;
use crate::kit::echo;
use crate::proxies::Proxy;
use crate::support::World;

#[test]
fn systemd_hands_over_the_socket_and_hears_each_step() {
    let world = World::new();
    let upstream = prepared(&world);
    let socket = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = socket.local_addr().unwrap().port();
    let systemd = Systemd::new(&world);
    let mut command = activated(&world, &upstream, "$$", 1, socket.into());
    command.args(["--drain", "7"]);
    command.env("NOTIFY_SOCKET", world.path("notify"));
    let mut proxy = Proxy::run(command);
    assert_eq!(systemd.hears("READY"), ["READY=1", "STATUS=serves"]);
    let url = format!("https://localhost:{port}/");
    let get = [&["get", &url], &TRUST[..]].concat();
    world.atls(&get).ends_with(0);

    proxy.signal("HUP");
    let reloading = systemd.hears("RELOADING");
    assert_eq!(reloading[0], "RELOADING=1");
    let at = reloading[1].strip_prefix("MONOTONIC_USEC=").unwrap();
    assert!(at.parse::<u64>().is_ok(), "{at}");
    assert_eq!(systemd.hears("READY"), ["READY=1", "STATUS=serves"]);

    world.write("chain.pem", "nothing");
    proxy.signal("HUP");
    systemd.hears("RELOADING");
    let old = "STATUS=serves by what was read before: see its log";
    assert_eq!(systemd.hears("READY"), ["READY=1", old]);

    proxy.signal("TERM");
    let stopping = systemd.hears("STOPPING");
    // The time to drain, and ten seconds.
    assert_eq!(stopping[2], "EXTEND_TIMEOUT_USEC=17000000");
    assert_eq!(proxy.ended(), Some(0));
}

#[test]
fn a_watchdog_hears_that_it_is_alive() {
    let world = World::new();
    let upstream = prepared(&world);
    let systemd = Systemd::new(&world);
    let socket = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut command = activated(&world, &upstream, "$$", 1, socket.into());
    command.env("NOTIFY_SOCKET", world.path("notify"));
    command.env("WATCHDOG_USEC", "200000");
    let _proxy = Proxy::run(command);
    systemd.hears("READY");
    for _ in 0..3 {
        assert_eq!(systemd.hears("WATCHDOG"), ["WATCHDOG=1"]);
    }
}

#[test]
fn anything_but_one_listening_socket_is_refused() {
    let world = World::new();
    let upstream = prepared(&world);
    let listening = || TcpListener::bind("127.0.0.1:0").unwrap();
    let file = std::fs::File::open("/dev/null").unwrap();
    let unix = UnixListener::bind(world.path("other.sock")).unwrap();
    let accepts = listening();
    let one = TcpStream::connect(accepts.local_addr().unwrap()).unwrap();
    let udp = UdpSocket::bind(SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
    let cases: [(&str, u32, OwnedFd, &str); 7] = [
        ("$$", 1, file.into(), "is not a socket"),
        ("$$", 1, udp.into(), "is not a valid tcp socket"),
        ("$$", 1, unix.into(), "is not a valid tcp socket"),
        ("$$", 1, one.into(), "a socket that does not listen"),
        ("$$", 2, listening().into(), "2 sockets, and one is served"),
        ("$$", 0, listening().into(), "no socket"),
        ("1", 1, listening().into(), "no socket"),
    ];
    for (pid, number, descriptor, told) in cases {
        let ran = activated(&world, &upstream, pid, number, descriptor)
            .output()
            .unwrap();
        let error = String::from_utf8(ran.stderr).unwrap();
        assert_eq!(ran.status.code(), Some(1), "{told}: {error}");
        assert!(error.contains(told), "{told}: {error}");
    }
}

/// The service behind, and the files of the proxy.
fn prepared(world: &World) -> String {
    world.device_key();
    world.identity(&world.authority);
    format!("http://{}", world.plain(echo()))
}

/// The proxy with this descriptor as the first that systemd handed over, to the process `pid`.
fn activated(
    world: &World,
    upstream: &str,
    pid: &str,
    number: u32,
    descriptor: OwnedFd,
) -> Command {
    let script = format!(
        "exec 3<&0 4<&0 </dev/null; LISTEN_PID={pid} LISTEN_FDS={number} exec \"$0\" \"$@\""
    );
    let mut command = Command::new("sh");
    let listen = ["--listen", "systemd", "--upstream", upstream];
    let identity = ["--cert", "chain.pem", "--key", "key.pem"];
    command
        .current_dir(world.path(""))
        .args(["-c", &script, env!("CARGO_BIN_EXE_atls"), "proxy"])
        .args([&listen[..], &["--attester", "sim=own.pem"], &identity].concat())
        .stdin(descriptor);
    command
}

/// The other end of `NOTIFY_SOCKET`.
struct Systemd(UnixDatagram);

impl Systemd {
    fn new(world: &World) -> Self {
        let socket = UnixDatagram::bind(world.path("notify")).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        Self(socket)
    }

    /// The next message, which must begin with this.
    #[track_caller]
    fn hears(&self, start: &str) -> Vec<String> {
        let mut said = [0; 1000];
        let length = self.0.recv(&mut said).unwrap();
        let said = String::from_utf8(said[..length].to_vec()).unwrap();
        assert!(said.starts_with(start), "{start}: {said}");
        said.lines().map(str::to_owned).collect()
    }
}

const PATIENCE: Duration = Duration::from_secs(60);
