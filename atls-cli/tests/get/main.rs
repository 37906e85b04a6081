//! `atls get`, as a user runs it, against servers on loopback.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod modes;
mod refusals;
#[path = "../support/mod.rs"]
mod support;

use std::process::Stdio;

use axum::Router;
use axum::http::HeaderMap;
use axum::http::Method;
use axum::http::Version;
use axum::routing::any;
use axum::routing::get;

use support::World;

const TRUST: [&str; 4] = ["--ca", "ca.pem", "--trust-sim", "device.key"];

#[test]
fn the_answer_goes_out_and_what_was_attested_is_told_beside_it() {
    let world = World::new();
    let url = world.attested(world.device("device"), hello());
    let ran = get_of(&world, &url, &[]).ends_with(0);
    assert_eq!(ran.out(), "hello");
    let told = ran.error();
    for line in [
        "attested localhost:",
        "affirming",
        "to the connection",
        "simulator",
        "software",
    ] {
        assert!(told.contains(line), "{line}: {told}");
    }
    assert!(!told.contains('\u{1b}'), "no colour in a pipe: {told}");
}

#[test]
fn either_version_of_http_is_spoken() {
    let world = World::new();
    let app = Router::new().route("/", get(async |version: Version| format!("{version:?}")));
    let url = world.attested(world.device("device"), app);
    for (http, answer) in [("1.1", "HTTP/1.1"), ("2", "HTTP/2.0"), ("any", "HTTP/2.0")] {
        let ran = get_of(&world, &url, &["--http", http]).ends_with(0);
        assert_eq!(ran.out(), answer);
    }
}

#[test]
fn method_headers_and_data_arrive() {
    let world = World::new();
    let app = any(async |method: Method, headers: HeaderMap, body: String| {
        let kind = headers["content-type"].to_str().unwrap().to_owned();
        format!("{method} {kind} {body}")
    });
    let url = world.attested(world.device("device"), Router::new().route("/", app));
    let header = ["-H", "Content-Type: text/x-note"];
    let ran = get_of(&world, &url, &[&header[..], &["-d", "now"]].concat()).ends_with(0);
    assert_eq!(ran.out(), "POST text/x-note now");
    let note = world.write("note", "later");
    let file = format!("@{}", note.display());
    let put = [&header[..], &["-X", "PUT", "-d", &file]].concat();
    assert_eq!(get_of(&world, &url, &put).out(), "PUT text/x-note later");
}

#[test]
fn an_answer_goes_into_a_file_where_one_is_named() {
    let world = World::new();
    let url = world.attested(world.device("device"), hello());
    let ran = get_of(&world, &url, &["-o", "answer", "-q"]).ends_with(0);
    assert_eq!((ran.out(), ran.error()), (String::new(), String::new()));
    assert_eq!(std::fs::read(world.path("answer")).unwrap(), b"hello");
}

#[test]
fn json_says_all_that_the_table_says() {
    let world = World::new();
    let url = world.attested(world.device("device"), hello());
    let told = get_of(&world, &url, &["--json"]).ends_with(0).json();
    assert_eq!(told["accepted"], true);
    assert_eq!(told["response"]["status"], 200);
    assert_eq!(told["response"]["body"], "hello");
    assert_eq!(told["attestation"]["status"], "affirming");
    assert_eq!(told["attestation"]["binding"], "connection");
    assert_eq!(told["attestation"]["items"][0]["simulated"], true);
    let executables = &told["attestation"]["items"][0]["submods"]["sim"]["vector"]["executables"];
    assert_eq!(executables["value"], 2, "{told:#}");
}

#[test]
fn json_says_why_a_server_was_not_accepted() {
    let world = World::new();
    let url = world.ordinary();
    world.device("device");
    let ran = get_of(&world, &url, &["--json"]).ends_with(2);
    let told = ran.json();
    assert_eq!(told["accepted"], false);
    assert_eq!(told["error"]["exit_code"], 2);
    assert_eq!(ran.error(), "");
}

#[test]
fn each_step_is_told_where_that_is_asked_for() {
    let world = World::new();
    let url = world.attested(world.device("device"), hello());
    let told = get_of(&world, &url, &["-v"]).ends_with(0).error();
    let steps = [
        "client   connects to localhost:",
        "client   verified the authenticator; value of this connection ",
        "bytes of application/eat+cwt",
        "verifier says sim is affirming",
        "client   accepts the server: affirming",
        "client   asks GET /",
        "server   answers HTTP/2.0 200 OK",
    ];
    let mut rest = &*told;
    for step in steps {
        let (_, after) = rest
            .split_once(step)
            .unwrap_or_else(|| panic!("{step}: {told}"));
        rest = after;
    }
}

#[test]
fn a_reader_that_goes_away_is_no_failure() {
    let world = World::new();
    let app = Router::new().route("/", get(async || "x".repeat(4 * 1024 * 1024)));
    let url = world.attested(world.device("device"), app);
    let arguments = [&["get", &url, "-q"][..], &TRUST].concat();
    let mut child = world
        .command(&arguments)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let ran = support::Ran(child.wait_with_output().unwrap()).ends_with(0);
    assert_eq!(ran.error(), "");
}

fn get_of(world: &World, url: &str, more: &[&str]) -> support::Ran {
    world.atls(&[&["get", url][..], &TRUST, more].concat())
}

fn hello() -> Router {
    Router::new().route("/", get(async || "hello"))
}
