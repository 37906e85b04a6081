//! The output of commands, whole, as a user sees it. `ATLS_BLESS=1` writes the files in `tests/snapshots` anew; look at what changed.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod proxies;
mod support;

use std::io::BufRead;
use std::io::BufReader;
use std::path::Path;
use std::process::Command;
use std::process::Stdio;

use atls_formats::tpm::HashAlgorithm;
use atls_formats::tpm::TcgLogWriter;
use atls_snp::Product;
use axum::Router;
use axum::routing::get;
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use proxies::Proxy;
use support::Ran;
use support::World;
use support::enclave_image;
use support::steady::steady;

#[test]
fn get_shows_what_was_attested_as_a_table() {
    let world = World::new();
    let app = Router::new().route("/", get(async || "hello\n"));
    let url = world.attested(world.device("device"), app);
    let trust = ["--ca", "ca.pem", "--trust-sim", "device.key"];
    let ran = world.atls(&[&["get", &url, "-i"], &trust[..]].concat());
    is_as_before("get", &ran);
    let ran = world.atls(&[&["get", &url, "-v", "--http", "1.1"], &trust[..]].concat());
    is_as_before("get-verbose", &ran);
    let ran = world.atls(&[&["get", &url, "--json"], &trust[..]].concat());
    is_as_before("get-json", &ran);
    // Its key alone is used.
    world.device("other");
    let trust = ["--ca", "ca.pem", "--trust-sim", "other.key"];
    is_as_before(
        "get-refused",
        &world.atls(&[&["get", &url], &trust[..]].concat()),
    );
}

#[test]
fn inspect_shows_a_tree() {
    let world = World::new();
    world.write("result.jwt", result());
    is_as_before("inspect-result", &world.atls(&["inspect", "result.jwt"]));
    is_as_before(
        "inspect-result-json",
        &world.atls(&["inspect", "result.jwt", "--json"]),
    );
    let log = TcgLogWriter::new(HashAlgorithm::Sha256)
        .measured(0, 8, b"F\0W\x001\0\0\0")
        .measured(4, 0x8000_0007, b"Calling EFI Application from Boot Option")
        .event(4, 0x8000_0003, &[7; 32], b"");
    world.write("log", log.bytes());
    is_as_before("inspect-log", &world.atls(&["inspect", "log"]));
    world.write("policy.toml", POLICY);
    is_as_before("inspect-policy", &world.atls(&["inspect", "policy.toml"]));
    world.write("garbage", [1, 2, 3]);
    is_as_before("inspect-garbage", &world.atls(&["inspect", "garbage"]));
}

#[test]
fn policies_are_checked_aloud() {
    let world = World::new();
    world.write("policy.toml", POLICY);
    is_as_before(
        "policy-check",
        &world.atls(&["policy", "check", "policy.toml"]),
    );
    world.write("wrong.toml", POLICY.replace("pcr0", "pcr99"));
    is_as_before(
        "policy-check-wrong",
        &world.atls(&["policy", "check", "wrong.toml"]),
    );
}

#[test]
fn a_policy_is_explained_claim_by_claim() {
    let world = World::new();
    let platform = atls_snp::testing::ForgedSnp::new(Product::Turin).unwrap();
    world.write("evidence", platform.evidence(&[7; 64]).encode().unwrap());
    world.write("ark.der", platform.ark.certificate());
    world.write("crl.der", platform.crl.encode());
    let policy = serde_json::json!({ "version": 1, "snp": platform.policy() });
    world.write("policy.json", policy.to_string());
    let explain = ["policy", "explain", "policy.json", "evidence"];
    let roots = ["--dangerous-root", "snp/Turin=ark.der"];
    let trust = [&roots[..], &["--crl", "vcek/Turin=crl.der"]].concat();
    let ran = world.atls(&[&explain[..], &trust].concat());
    is_as_before("policy-explain", &ran);
    let ran = world.atls(&[&explain[..], &trust, &["--json"]].concat());
    is_as_before("policy-explain-json", &ran);
    let tcb = [&["tcb", "evidence", "--policy", "policy.json"], &trust[..]].concat();
    is_as_before("tcb", &world.atls(&tcb));
    is_as_before("tcb-json", &world.atls(&[&tcb[..], &["--json"]].concat()));
}

#[test]
fn an_image_is_measured_step_by_step() {
    let world = World::new();
    world.write("image.eif", enclave_image());
    let measure = ["policy", "measure", "nitro", "image.eif"];
    is_as_before("policy-measure", &world.atls(&measure));
    world.write("policy.toml", POLICY);
    let check = [
        &measure[..],
        &["--name", "payments", "--check", "policy.toml"],
    ]
    .concat();
    is_as_before("policy-measure-check", &world.atls(&check));
}

#[test]
fn a_proxy_says_in_json_where_it_listens_or_why_not() {
    let world = World::new();
    world.device("device");
    let arguments = [
        "proxy",
        "--json",
        "--listen",
        "127.0.0.1:0",
        "--to",
        "https://localhost:1/",
    ];
    let trust = ["--ca", "ca.pem", "--trust-sim"];
    let wrong = [&arguments[..], &trust, &["absent"]].concat();
    is_as_before("proxy-json-wrong", &world.atls(&wrong));
    let right = [&arguments[..], &trust, &["device.key"]].concat();
    let mut command = world.command(&right);
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut out = BufReader::new(child.stdout.take().unwrap());
    let mut said = String::new();
    while !said.ends_with("\n}\n") && out.read_line(&mut said).unwrap() > 0 {}
    let kill = Command::new("kill").arg(child.id().to_string()).status();
    assert!(kill.unwrap().success());
    let mut output = child.wait_with_output().unwrap();
    output.stdout = said.into_bytes();
    is_as_before("proxy-json", &Ran(output));
}

#[test]
fn a_proxy_says_what_it_does_line_by_line() {
    let world = World::new();
    let behind = world.plain(Router::new().route("/", get(async || "hello")));
    world.device_key();
    world.identity(&world.authority);
    let upstream = format!("http://{behind}");
    let identity = ["--cert", "chain.pem", "--key", "key.pem"];
    let arguments = [
        &["--listen", "127.0.0.1:0", "--upstream", &upstream][..],
        &["--attester", "sim=own.pem"],
        &identity,
        &["--admin", "127.0.0.1:0", "--probes", "127.0.0.1:0"],
    ];
    let mut proxy = Proxy::start(&world, &arguments.concat());
    proxy.signal("HUP");
    proxy.reads(": read again what=");
    world.write("chain.pem", "nothing");
    proxy.signal("HUP");
    proxy.reads("not read again");
    proxy.signal("TERM");
    proxy.ended();
    lines_are_as_before("proxy-lines", &proxy);
}

#[test]
fn a_proxy_says_why_a_server_is_refused() {
    let world = World::new();
    let url = world.attested(world.device("device"), Router::new());
    // Its key alone is used.
    world.device("other");
    let ordinary = world.ordinary();
    let (_socket, port) = support::nobody();
    let absent = format!("https://localhost:{port}");
    for (name, to) in [
        ("unknown-key", url),
        ("ordinary", ordinary),
        ("absent", absent),
    ] {
        let trust = ["--ca", "ca.pem", "--trust-sim", "other.key"];
        let arguments = [&["--listen", "127.0.0.1:0", "--to", &to], &trust[..]];
        let mut proxy = Proxy::start(&world, &arguments.concat());
        let client = world.block_on(async {
            use tokio::io::AsyncReadExt;
            use tokio::io::AsyncWriteExt;
            let stream = tokio::net::TcpStream::connect(proxy.address()).await;
            let mut stream = stream.unwrap();
            let request = b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
            stream.write_all(request).await.unwrap();
            let mut answer = String::new();
            stream.read_to_string(&mut answer).await.unwrap();
            answer
        });
        is_as_it_was(
            &format!("proxy-answer-{name}"),
            &steady(&client.replace('\r', "")),
        );
        proxy.signal("TERM");
        proxy.ended();
        lines_are_as_before(&format!("proxy-lines-{name}"), &proxy);
    }
}

/// Compares with the file of this name, times and random values apart.
#[track_caller]
fn is_as_before(name: &str, ran: &Ran) {
    let shown = format!(
        "exit code {}\n--- standard output\n{}--- standard error\n{}",
        ran.code(),
        steady(&ran.out()),
        steady(&ran.error()),
    );
    is_as_it_was(name, &shown);
}

#[track_caller]
fn lines_are_as_before(name: &str, proxy: &Proxy) {
    is_as_it_was(name, &steady(&proxy.said()));
}

#[track_caller]
fn is_as_it_was(name: &str, shown: &str) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/snapshots");
    let path = folder.join(format!("{name}.txt"));
    if std::env::var_os("ATLS_BLESS").is_some() {
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(&path, shown).unwrap();
    }
    let before = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(shown, before, "{name}");
}

/// An EAR that nobody signed.
fn result() -> String {
    let claims = serde_json::json!({
        "eat_profile": "tag:ietf.org,2026:rats/ear#04",
        "iat": 1_800_000_000,
        "exp": 1_800_000_300,
        "ear_verifier_id": { "developer": "example.com", "build": "1" },
        "submods": { "cpu": {
            "ear_status": "warning",
            "ear_trustworthiness_vector": { "hardware": 2, "executables": 33, "configuration": 97 },
        } },
    });
    let encode = |part: &str| BASE64_URL_SAFE_NO_PAD.encode(part);
    let header = encode(r#"{"alg":"ES256"}"#);
    format!(
        "{header}.{}.{}",
        encode(&claims.to_string()),
        encode("signature")
    )
}

const POLICY: &str = "version = 1\n\n[nitro]\nmax-age-seconds = 300\n\n[[nitro.image]]\nname = \"payments\"\npcr0 = \"010101010101010101010101010101010101010101010101010101010101010101010101010101010101010101010101\"\n";
