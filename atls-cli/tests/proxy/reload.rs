//! Files that are read again while it runs.

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
    proxy.reads("read again");
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
fn a_new_policy_is_taken_at_sighup() {
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
        ],
        &trust[..],
    ];
    let mut proxy = Proxy::start(&world, &arguments.concat());
    let (head, body) = world.block_on(fetch(proxy.address(), "/"));
    assert_eq!(head.status, 502);
    assert!(body.contains("\"code\":\"refused\""), "{body}");
    world.write("policy.toml", right);
    proxy.signal("HUP");
    proxy.reads("read again");
    let (head, _) = world.block_on(fetch(proxy.address(), "/"));
    assert_eq!(head.status, 200);
    assert_eq!(head.headers["atls-image"], "as seen");
}
