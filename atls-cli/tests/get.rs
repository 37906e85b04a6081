//! `atls get`, as a user runs it, against servers on loopback.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod support;

use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use atls_axum::AttestationResult;
use atls_core::RelyingParty;
use atls_core::StandardPolicy;
use atls_sim::SimAttester;
use atls_sim::SimVerifier;
use atls_sim::SoftwareComponent;
use atls_tower::ServerTerms;
use atls_tower::weaker::CertificateProfile;
use atls_tower::weaker::InCertificate;
use axum::Router;
use axum::http::HeaderMap;
use axum::http::Method;
use axum::http::Version;
use axum::routing::any;
use axum::routing::get;
use rustls::ServerConfig;
use rustls::time_provider::DefaultTimeProvider;

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
fn an_ordinary_server_is_not_attested() {
    let world = World::new();
    world.device("device");
    let ran = get_of(&world, &world.ordinary(), &[]).ends_with(2);
    assert!(ran.error().contains("not attested"), "{}", ran.error());
    assert!(
        ran.error().contains("ordinary HTTPS server"),
        "{}",
        ran.error()
    );
    assert_eq!(ran.out(), "");
}

#[test]
fn a_server_of_an_unknown_device_is_not_attested() {
    let world = World::new();
    let url = world.attested(world.device("other"), hello());
    world.device("device");
    let ran = get_of(&world, &url, &[]).ends_with(2);
    assert!(ran.error().contains("unknown key"), "{}", ran.error());
}

#[test]
fn other_software_is_refused_by_policy() {
    let world = World::new();
    let device = world.device("device");
    let device = device.with_software(vec![SoftwareComponent::new("ARoT", [7; 32])]);
    let url = world.attested(device, hello());
    let ran = get_of(&world, &url, &[]).ends_with(3);
    assert!(
        ran.error().contains("sim.software failed"),
        "{}",
        ran.error()
    );
}

#[test]
fn a_dead_port_and_an_untrusted_certificate_are_not_reached() {
    let world = World::new();
    let url = world.attested(world.device("device"), hello());
    let ran = get_of(&world, "https://localhost:1/", &[]).ends_with(5);
    assert!(ran.error().contains("not reached"), "{}", ran.error());
    let other = demo::Authority::new().unwrap();
    world.write("ca.pem", other.pem());
    let ran = get_of(&world, &url, &[]).ends_with(5);
    assert!(ran.error().contains("certificate"), "{}", ran.error());
}

#[test]
fn a_dead_verifier_is_its_own_fault() {
    let world = World::new();
    let url = world.attested(world.device("device"), hello());
    let jwk = r#"{"kty":"EC","crv":"P-256","alg":"ES256",
        "x":"usWxHK2PmfnHKwXPS54m0kTcGJ90UiglWiGahtagnv8",
        "y":"IBOL-C3BttVivg-lSreASjpkttcsz-1rb7btKLv8EX4"}"#;
    world.write("ear.jwk", jwk);
    let service = "veraison=http://127.0.0.1:1,key=ear.jwk";
    let ran = world.atls(&["get", &url, "--ca", "ca.pem", "--verifier", service]);
    let ran = ran.ends_with(4);
    assert!(
        ran.error().contains("could not be reached"),
        "{}",
        ran.error()
    );
}

#[test]
fn wrong_arguments_are_usage_and_say_what_to_write() {
    let world = World::new();
    world.device("device");
    world.write("policy.toml", "version = 1\n[tdx]\nimage = 3\n");
    world.write("empty.toml", "version = 1\n");
    world.write("no.pem", "nothing");
    let url = "https://localhost:1/";
    let cases: [(&[&str], &str); 10] = [
        (&["get"], "Usage"),
        (&["get", "localhost"], "https://HOST"),
        (&["get", "http://localhost/"], "only https"),
        (&["get", url], "--policy FILE"),
        (&["get", url, "--policy", "policy.toml"], "line 3"),
        (&["get", url, "--policy", "empty.toml"], "atls policy new"),
        (&["get", url, "--policy", "absent.toml"], "absent.toml"),
        (
            &["get", url, "--trust-sim", "device.key", "--ca", "no.pem"],
            "no certificate",
        ),
        (
            &["get", url, "--trust-sim", "device.key", "-H", "bad"],
            "Name: value",
        ),
        (
            &["get", url, "--verifier", "other=https://a"],
            "veraison, trustee",
        ),
    ];
    for (arguments, told) in cases {
        let ran = world.atls(arguments).ends_with(1);
        assert!(ran.error().contains(told), "{arguments:?}: {}", ran.error());
    }
}

#[test]
fn a_server_that_demands_it_learns_what_this_end_is() {
    let world = World::new();
    let key = rcgen::KeyPair::generate().unwrap();
    world.write("own.pem", key.serialize_pem());
    let own = SimAttester::from_pkcs8(&key.serialize_der()).unwrap();
    let clients = RelyingParty::builder()
        .verifier(Arc::new(SimVerifier::new(own.trust_anchor())))
        .standard_policy(StandardPolicy::new().dangerous_accept_simulated())
        .build()
        .unwrap();
    let terms = ServerTerms::new()
        .attester(Arc::new(world.device("device")))
        .require_peer(Arc::new(clients));
    let app = async |client: AttestationResult| format!("you are {}", client.status());
    let app = Router::new().route("/", get(app));
    let url = world.serve(world.authority.server().unwrap(), terms, app);
    let ran = get_of(&world, &url, &["--attester", "sim=own.pem"]).ends_with(0);
    assert_eq!(ran.out(), "you are affirming");
    let ran = get_of(&world, &url, &[]);
    assert_ne!(ran.code(), 0, "{}", ran.error());
    let ran = get_of(&world, &url, &["--attester", "nitro"]).ends_with(4);
    assert!(ran.error().contains("no such device"), "{}", ran.error());
}

#[test]
fn ra_tls_is_accepted_by_name_alone() {
    let world = World::new();
    let provider = demo::provider();
    let clock = Arc::new(DefaultTimeProvider);
    let profile = CertificateProfile::new(Duration::from_secs(3600)).name("localhost");
    let device = Arc::new(world.device("device"));
    let identity = InCertificate::new(device, (provider.clone(), clock), profile);
    let identity = world.block_on(identity).unwrap();
    let mut tls = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])
        .unwrap()
        .with_no_client_auth()
        .with_cert_resolver(identity);
    tls.alpn_protocols = vec![b"h2".to_vec()];
    let url = world.serve(tls, ServerTerms::plain(), hello());
    let weaker = [
        "--dangerous-any-certificate",
        "--mode",
        "dangerous-pre-handshake",
    ];
    let ran = get_of(&world, &url, &weaker).ends_with(0);
    assert!(ran.error().contains("to the key"), "{}", ran.error());
    let ran = get_of(&world, &url, &["--dangerous-any-certificate"]);
    assert_ne!(ran.code(), 0, "{}", ran.error());
}

#[test]
fn evidence_of_the_handshake_is_accepted_by_name_alone() {
    let world = World::new();
    let terms = ServerTerms::new()
        .attester(Arc::new(world.device("device")))
        .attest_in_handshake();
    let url = world.serve(world.authority.server().unwrap(), terms, hello());
    let any = "--dangerous-any-certificate";
    let weaker = [any, "--mode", "dangerous-intra-handshake"];
    let ran = get_of(&world, &url, &weaker).ends_with(0);
    assert!(ran.error().contains("to the handshake"), "{}", ran.error());
    let ran = get_of(&world, &url, &[any, "--mode", "dangerous-pre-handshake"]);
    assert_ne!(ran.code(), 0, "{}", ran.error());
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
