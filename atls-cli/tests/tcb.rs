//! `atls tcb`, as a user runs it, on forged platforms; and CONNECT proxies.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod support;

use std::sync::Arc;
use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering;

use atls_formats::dcap::Tee;
use atls_snp::Product;
use atls_tdx::TcbStatus;
use atls_tdx::testing::ForgedLevel;
use atls_tdx::testing::ForgedPlatform;
use axum::Router;
use axum::routing::get;
use tokio::io::AsyncBufReadExt;
use tokio::io::AsyncWriteExt;
use tokio::io::BufReader;
use tokio::net::TcpListener;
use tokio::net::TcpStream;

use support::World;

const TD: [&str; 4] = [
    "--dangerous-root",
    "tdx=root.der",
    "--collateral",
    "collateral",
];

#[test]
fn a_platform_that_is_up_to_date_needs_nothing() {
    let world = World::new();
    let platform = Arc::new(ForgedPlatform::new(support::now()).unwrap());
    let device = world.td(&platform, platform.td_report());
    let url = world.attested(device, Router::new().route("/", get(async || "hello")));
    write_quote(&world, &platform);
    let of_file: &[&str] = &["tcb", "quote"];
    for from in [of_file, &["tcb", &url, "--ca", "ca.pem"]] {
        let ran = world.atls(&[from, &TD[..]].concat()).ends_with(0);
        assert!(ran.out().contains("Intel, UpToDate"), "{}", ran.out());
        assert!(ran.out().contains("nothing to do"), "{}", ran.out());
    }
}

#[test]
fn a_platform_that_is_behind_is_told_with_what_it_needs() {
    let world = World::new();
    let mut platform = ForgedPlatform::new(support::now()).unwrap();
    make_old(&mut platform);
    world.trust_td(&platform);
    write_quote(&world, &platform);
    let ran = world
        .atls(&[&["tcb", "quote"], &TD[..]].concat())
        .ends_with(3);
    for line in [
        "Intel, OutOfDate",
        "to be UpToDate of ",
        "is 5, needs 6",
        "update it",
    ] {
        assert!(ran.out().contains(line), "{line}: {}", ran.out());
    }
}

#[test]
fn what_the_next_issue_refuses_is_told_before() {
    let world = World::new();
    let mut platform = ForgedPlatform::new(support::now()).unwrap();
    world.trust_td(&platform);
    make_old(&mut platform);
    platform.tcb_evaluation_data_number += 1;
    platform.qe_evaluation_data_number += 1;
    let early = platform.collateral(Tee::Tdx).unwrap();
    world.write("early", early.encode().unwrap());
    write_quote(&world, &platform);
    let tcb = [&["tcb", "quote", "--early", "early", "--json"], &TD[..]].concat();
    let told = world.atls(&tcb).ends_with(3).json();
    assert_eq!(told["current"], false);
    assert_eq!(told["platforms"][0]["status"], "UpToDate");
    assert_eq!(told["platforms"][0]["next"]["status"], "OutOfDate");
}

#[test]
fn firmware_of_amd_is_judged_by_the_policy() {
    let world = World::new();
    let platform = atls_snp::testing::ForgedSnp::new(Product::Turin).unwrap();
    world.write("evidence", platform.evidence(&[7; 64]).encode().unwrap());
    world.write("ark.der", platform.ark.certificate());
    world.write("crl.der", platform.crl.encode());
    let trust = [
        "--dangerous-root",
        "snp/Turin=ark.der",
        "--crl",
        "vcek/Turin=crl.der",
    ];
    let ran = world
        .atls(&[&["tcb", "evidence"], &trust[..]].concat())
        .ends_with(1);
    assert!(ran.out().contains("AMD SEV-SNP, Turin"), "{}", ran.out());
    assert!(ran.out().contains("not judged"), "{}", ran.out());
    assert!(ran.error().contains("--policy FILE"), "{}", ran.error());
    let new = [
        &["policy", "new", "--from", "evidence", "-o", "policy.toml"],
        &trust[..],
    ]
    .concat();
    world.atls(&new).ends_with(0);
    let judged = [&["tcb", "evidence", "--policy", "policy.toml"], &trust[..]].concat();
    let ran = world.atls(&judged).ends_with(0);
    assert!(ran.out().contains("nothing to do"), "{}", ran.out());
    let policy = std::fs::read_to_string(world.path("policy.toml")).unwrap();
    let newer = "[snp.next-minimum-tcb.turin]\nfrom = \"2090-01-31\"\n\
                 reported = { fmc = 255, bootloader = 255, tee = 255, snp = 255, microcode = 255 }\n";
    world.write("next.toml", format!("{policy}\n{newer}"));
    let next = [&["tcb", "evidence", "--policy", "next.toml"], &trust[..]].concat();
    let ran = world.atls(&next).ends_with(3);
    assert!(ran.out().contains("next"), "{}", ran.out());
    // A policy that says nothing of the product accepts no version of it.
    let of_milan = policy.replace("minimum-tcb.turin", "minimum-tcb.milan");
    let of_milan = of_milan
        .lines()
        .map(|line| match line.split_once("fmc = ") {
            Some((before, after)) => format!("{before}{}\n", after.split_once(", ").unwrap().1),
            None => format!("{line}\n"),
        });
    world.write("other.toml", of_milan.collect::<String>());
    let other = [&["tcb", "evidence", "--policy", "other.toml"], &trust[..]].concat();
    let ran = world.atls(&other).ends_with(3);
    assert!(ran.out().contains("snp.product failed"), "{}", ran.out());
    assert!(!ran.out().contains("nothing to do"), "{}", ran.out());
}

#[test]
fn evidence_without_versions_is_told_as_such() {
    let world = World::new();
    let mut device = world.device("device");
    let cmw = test_support::Connection::new().attest(&mut device).unwrap();
    world.write("token", cmw.items()[0].value());
    let ran = world.atls(&["tcb", "token"]).ends_with(1);
    assert!(
        ran.error().contains("no platform in it has versions"),
        "{}",
        ran.error()
    );
}

#[test]
fn a_server_is_reached_through_the_proxy_that_is_named_and_no_other() {
    let world = World::new();
    let url = world.attested(
        world.device("device"),
        Router::new().route("/", get(async || "hello")),
    );
    let asked = Arc::new(AtomicU32::new(0));
    let proxy = connect_proxy(&world, asked.clone());
    let trust = ["get", &url, "--ca", "ca.pem", "--trust-sim", "device.key"];
    let asks = |more: &[&str]| {
        let mut command = world.command(&[&trust[..], more].concat());
        command
            .env("HTTPS_PROXY", &proxy)
            .env_remove("NO_PROXY")
            .env_remove("no_proxy");
        let ran = support::Ran(command.output().unwrap()).ends_with(0);
        assert_eq!(ran.out(), "hello");
        asked.load(Ordering::Relaxed)
    };
    assert_eq!(asks(&[]), 0, "the environment alone changes nothing");
    assert_eq!(asks(&["--connect-proxy", &proxy]), 1);
    assert_eq!(asks(&["--connect-proxy", "env"]), 2);
    for wrong in ["https://127.0.0.1:1", "http://user:secret@[::1"] {
        let mut refused = world.command(&[&trust[..], &["--connect-proxy", "env"]].concat());
        refused.env("HTTPS_PROXY", wrong).env_remove("NO_PROXY");
        let told = support::Ran(refused.output().unwrap()).ends_with(1).error();
        assert!(told.contains("HTTPS_PROXY"), "{told}");
        assert!(!told.contains("secret"), "{told}");
    }
    world
        .atls(&[&trust[..], &["--connect-proxy", "socks5://a:1"]].concat())
        .ends_with(1);
}

/// The platform falls short of what is UpToDate now.
fn make_old(platform: &mut ForgedPlatform) {
    let old = &mut platform.platform_levels[0];
    old.status = TcbStatus::OutOfDate;
    let best = ForgedLevel {
        svn: 6,
        status: TcbStatus::UpToDate,
        date: old.date,
        advisories: Vec::new(),
    };
    platform.platform_levels.insert(0, best);
}

fn write_quote(world: &World, platform: &ForgedPlatform) {
    let quote = platform.tdx_quote(&platform.td_report(), &[7; 64]);
    world.write("quote", quote.unwrap());
}

/// Counts the tunnels that it makes.
fn connect_proxy(world: &World, asked: Arc<AtomicU32>) -> String {
    let listener = world.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
    let address = listener.local_addr().unwrap();
    world.spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            asked.fetch_add(1, Ordering::Relaxed);
            tokio::spawn(tunnel(stream));
        }
    });
    format!("http://{address}")
}

async fn tunnel(stream: TcpStream) {
    let mut stream = BufReader::new(stream);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        assert_ne!(stream.read_line(&mut head).await.unwrap(), 0);
    }
    let to = head
        .strip_prefix("CONNECT ")
        .unwrap()
        .split_whitespace()
        .next()
        .unwrap();
    let mut to = TcpStream::connect(to).await.unwrap();
    stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
    // Either end may break off.
    let _ = tokio::io::copy_bidirectional(&mut stream, &mut to).await;
}
