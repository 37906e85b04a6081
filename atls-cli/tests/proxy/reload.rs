//! Files that are read again while it runs.

use std::net::SocketAddr;
use std::os::unix::fs::symlink;
use std::sync::Arc;

use axum::Router;
use axum::routing::get;
use demo::Authority;

use crate::kit::TRUST;
use crate::kit::echo;
use crate::kit::fetch;
use crate::kit::reverse;
use crate::proxies::Proxy;
use crate::support;
use crate::support::World;

#[test]
fn a_new_certificate_is_taken_at_sighup_and_a_wrong_one_is_not() {
    let world = World::new();
    let behind = world.plain(echo());
    let mut proxy = reverse(&world, &format!("http://{behind}"), &[]);
    world
        .atls(&[&["get", &proxy.url("/")], &TRUST[..]].concat())
        .ends_with(0);
    let other = Authority::new().unwrap();
    world.write("other.pem", other.pem());
    world.identity(&other);
    proxy.signal("HUP");
    proxy.reads(": read again what=");
    world
        .atls(&[
            "get",
            &proxy.url("/"),
            "--ca",
            "other.pem",
            "--trust-sim",
            "device.key",
        ])
        .ends_with(0);
    world.write("chain.pem", "nothing");
    proxy.signal("HUP");
    proxy.reads("the old one stays in force");
    world
        .atls(&[
            "get",
            &proxy.url("/"),
            "--ca",
            "other.pem",
            "--trust-sim",
            "device.key",
        ])
        .ends_with(0);
}

#[test]
fn a_new_policy_is_taken_at_sighup_and_without() {
    for signal in [Some("HUP"), None] {
        takes_a_new_policy(signal);
    }
}

fn takes_a_new_policy(signal: Option<&str>) {
    let world = World::new();
    let platform = Arc::new(atls_tdx::testing::ForgedPlatform::new(support::now()).unwrap());
    let report = platform.td_report();
    let device = world.td(&platform, report.clone());
    let url = world.attested(device, Router::new().route("/", get(async || "hello")));
    world.write("quote", platform.tdx_quote(&report, &[7; 64]).unwrap());
    let trust = [
        "--dangerous-root",
        "tdx=root.der",
        "--collateral",
        "collateral",
    ];
    let new = [
        &["policy", "new", "--from", "quote", "-o", "right.toml"],
        &trust[..],
    ]
    .concat();
    world.atls(&new).ends_with(0);
    let right = std::fs::read_to_string(world.path("right.toml")).unwrap();
    let rtmr2 = right
        .lines()
        .find(|line| line.starts_with("rtmr2"))
        .unwrap();
    let other = format!("rtmr2 = \"{}\"", "ab".repeat(48));
    world.write("policy.toml", right.replace(rtmr2, &other));
    let arguments = [
        &[
            "--listen",
            "127.0.0.1:0",
            "--to",
            &url,
            "--ca",
            "ca.pem",
            "--policy",
            "policy.toml",
            "--look",
            "1",
        ],
        &trust[..],
    ];
    let mut proxy = Proxy::start(&world, &arguments.concat());
    let (head, body) = world.block_on(fetch(proxy.address(), "/"));
    assert_eq!(head.status, 502);
    assert!(body.contains("\"code\":\"refused\""), "{body}");
    world.write("policy.toml", &right);
    if let Some(signal) = signal {
        proxy.signal(signal);
    }
    proxy.reads(": read again what=");
    let (head, _) = world.block_on(fetch(proxy.address(), "/"));
    assert_eq!(head.status, 200);
    assert_eq!(head.headers["atls-image"], "as seen");
}

#[test]
fn a_changed_certificate_is_taken_without_a_signal() {
    let world = World::new();
    let behind = world.plain(echo());
    let mut proxy = reverse(&world, &format!("http://{behind}"), &["--look", "1"]);
    let other = Authority::new().unwrap();
    world.write("other.pem", other.pem());
    world.identity(&other);
    proxy.reads(": read again what=");
    let trust = ["--ca", "other.pem", "--trust-sim", "device.key"];
    let url = proxy.url("/");
    let get = [&["get", &url], &trust[..]].concat();
    world.atls(&get).ends_with(0);
}

/// As Kubernetes replaces what it mounts: the files are links through `..data`, which is changed to another folder.
#[test]
fn a_certificate_behind_a_link_that_changes_is_taken_without_a_signal() {
    let world = World::new();
    let behind = world.plain(echo());
    world.device_key();
    let other = Authority::new().unwrap();
    world.write("other.pem", other.pem());
    for (folder, authority) in [("1", &world.authority), ("2", &other)] {
        std::fs::create_dir(world.path(folder)).unwrap();
        world.identity(authority);
        for name in ["chain.pem", "key.pem"] {
            std::fs::rename(world.path(name), world.path(&format!("{folder}/{name}"))).unwrap();
        }
    }
    symlink("1", world.path("..data")).unwrap();
    let upstream = format!("http://{behind}");
    let arguments = [
        &["--listen", "127.0.0.1:0", "--upstream", &upstream][..],
        &["--cert", "..data/chain.pem", "--key", "..data/key.pem"],
        &["--attester", "sim=own.pem", "--look", "1"],
    ];
    let mut proxy = Proxy::start(&world, &arguments.concat());
    symlink("2", world.path("..new")).unwrap();
    std::fs::rename(world.path("..new"), world.path("..data")).unwrap();
    proxy.reads(": read again what=");
    let url = proxy.url("/");
    let trust = ["--ca", "other.pem", "--trust-sim", "device.key"];
    world
        .atls(&[&["get", &url], &trust[..]].concat())
        .ends_with(0);
}

#[test]
fn a_changed_configuration_is_taken_at_sighup_and_without() {
    for signal in [Some("HUP"), None] {
        let world = World::new();
        let (one, other) = (named(&world, "one"), named(&world, "other"));
        let mut proxy = configured(&world, one);
        let ask = |proxy: &Proxy| {
            let url = proxy.url("/");
            let get = [&["get", &url], &TRUST[..]].concat();
            world.atls(&get).ends_with(0).out()
        };
        assert_eq!(ask(&proxy), "one");
        world.write("proxy.toml", configuration("127.0.0.1:0", other));
        if let Some(signal) = signal {
            proxy.signal(signal);
        }
        proxy.reads(": read again what=");
        assert_eq!(ask(&proxy), "other", "{signal:?}");
    }
}

#[test]
fn a_configuration_says_anew_how_often_it_is_looked_at() {
    let world = World::new();
    let (one, other) = (named(&world, "one"), named(&world, "other"));
    let often = configuration("127.0.0.1:0", one);
    configured(&world, one);
    world.write("proxy.toml", often.replace("look = 1", "look = 3600"));
    let mut proxy = Proxy::start(&world, &["--config", "proxy.toml"]);
    world.write("proxy.toml", often);
    proxy.signal("HUP");
    proxy.reads(": read again what=\"arguments\"");
    world.write("proxy.toml", configuration("127.0.0.1:0", other));
    proxy.reads(": read again what=\"arguments\"");
}

#[test]
fn a_configuration_that_is_wrong_or_cannot_change_is_not_taken() {
    let world = World::new();
    let (one, other) = (named(&world, "one"), named(&world, "other"));
    let mut proxy = configured(&world, one);
    let wrong = [
        "lisen = 1\n".to_owned(),
        "no TOML".to_owned(),
        configuration("127.0.0.1:1", other),
        configuration("127.0.0.1:0", other).replace("chain.pem", "absent.pem"),
    ];
    for text in wrong {
        world.write("proxy.toml", &text);
        proxy.signal("HUP");
        proxy.reads("the old one stays in force");
        let url = proxy.url("/");
        let get = [&["get", &url], &TRUST[..]].concat();
        assert_eq!(world.atls(&get).ends_with(0).out(), "one", "{text}");
    }
}

#[test]
fn a_configuration_that_could_not_be_taken_is_tried_again_at_sighup() {
    let world = World::new();
    let (one, other) = (named(&world, "one"), named(&world, "other"));
    let mut proxy = configured(&world, one);
    let later = configuration("127.0.0.1:0", other).replace("chain.pem", "later.pem");
    world.write("proxy.toml", later);
    proxy.signal("HUP");
    proxy.reads("the old one stays in force");
    std::fs::copy(world.path("chain.pem"), world.path("later.pem")).unwrap();
    proxy.signal("HUP");
    proxy.reads(": read again what=\"arguments\"");
    let url = proxy.url("/");
    let get = [&["get", &url], &TRUST[..]].concat();
    assert_eq!(world.atls(&get).ends_with(0).out(), "other");
}

#[test]
fn a_new_key_for_results_is_published_when_it_is_taken() {
    let world = World::new();
    for name in ["one.pem", "other.pem"] {
        let key = rcgen::KeyPair::generate().unwrap();
        world.write(name, key.serialize_pem());
    }
    world.device("client");
    world.device_key();
    world.identity(&world.authority);
    let upstream = named(&world, "one");
    let stating = |key: &str| {
        let configuration = configuration("127.0.0.1:0", upstream);
        format!(
            "{configuration}clients = \"ask\"\ntrust-sim = \"client.key\"\nadmin = \"127.0.0.1:0\"\n\
             ear-key = \"{key}\"\near-audience = \"orders\"\n"
        )
    };
    world.write("proxy.toml", stating("one.pem"));
    let mut proxy = Proxy::start(&world, &["--config", "proxy.toml"]);
    let admin = proxy.told("admin at http://");
    let keys = || world.block_on(fetch(admin, "/keys")).1;
    let old = keys();
    world.write("proxy.toml", stating("other.pem"));
    proxy.signal("HUP");
    proxy.reads(": read again what=");
    assert_ne!(keys(), old);
}

#[test]
fn a_key_for_results_that_is_replaced_is_published_when_it_is_read_again() {
    let world = World::new();
    let key = || rcgen::KeyPair::generate().unwrap().serialize_pem();
    world.write("ear.pem", key());
    let upstream = format!("http://{}", named(&world, "one"));
    world.device("client");
    let stating = ["--ear-key", "ear.pem", "--ear-audience", "orders"];
    let clients = ["--clients", "ask", "--trust-sim", "client.key"];
    let more = [&stating[..], &clients, &["--admin", "127.0.0.1:0"]].concat();
    let mut proxy = reverse(&world, &upstream, &more);
    let admin = proxy.told("admin at http://");
    let keys = || world.block_on(fetch(admin, "/keys")).1;
    let old = keys();
    world.write("ear.pem", "nothing");
    proxy.signal("HUP");
    proxy.reads("the old one stays in force");
    assert_eq!(keys(), old);
    world.write("ear.pem", key());
    proxy.signal("HUP");
    proxy.reads(": read again what=\"key of results\"");
    // It answers again when all that was to be read is in force.
    proxy.signal("HUP");
    proxy.reads(": read again what=\"key of results\"");
    assert_ne!(keys(), old);
}

/// A service that answers with this name.
fn named(world: &World, name: &'static str) -> SocketAddr {
    world.plain(Router::new().fallback(async move || name))
}

fn configured(world: &World, upstream: SocketAddr) -> Proxy {
    world.device_key();
    world.identity(&world.authority);
    world.write("proxy.toml", configuration("127.0.0.1:0", upstream));
    Proxy::start(world, &["--config", "proxy.toml"])
}

fn configuration(listen: &str, upstream: SocketAddr) -> String {
    format!(
        "listen = \"{listen}\"\nupstream = \"http://{upstream}\"\nattester = \"sim=own.pem\"\n\
         cert = \"chain.pem\"\nkey = \"key.pem\"\nlook = 1\ndrain = 1\n"
    )
}
