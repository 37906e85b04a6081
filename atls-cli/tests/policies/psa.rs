//! The tables `[psa]` and `[psa-keys]`, and simulated devices, which make the same kind of token.

use atls_cca::PsaKeys;
use atls_cca::testing::ForgedPsa;
use atls_core::LocalAttester;
use atls_core::exchange::OwnedAttestRequest;
use atls_sim::SimAttester;
use atls_tower::Blocking;
use axum::Router;
use axum::routing::get;
use rcgen::KeyPair;
use rustls::crypto::ring::sign::any_ecdsa_type;
use rustls::pki_types::PrivateKeyDer;
use serde_json::Value;
use serde_json::json;

use super::support::World;

#[test]
fn a_device_is_accepted_by_its_policy_and_refused_by_another() {
    let world = World::new();
    let device = ForgedPsa::new();
    let url = serve(&world, &device);
    world.write("policy.json", policy(&device).to_string());
    let get = ["get", &url, "--policy", "policy.json", "--ca", "ca.pem"];
    let told = world.atls(&get).ends_with(0).error();
    for line in [
        "Arm PSA",
        "known as",
        "forged firmware",
        "component PRoT",
        "0x3000, secured",
        "a device",
    ] {
        assert!(told.contains(line), "{line}: {told}");
    }
    let mut other = policy(&device);
    other["psa"]["device"][0]["component"][1]["measurement"] = "ab".repeat(32).into();
    world.write("policy.json", other.to_string());
    let told = world.atls(&get).ends_with(3).error();
    assert!(told.contains("psa.component.PRoT failed"), "{told}");
    let mut other = policy(&device);
    other["psa-keys"]["iak"][0]["public"] = json!(ForgedPsa::new().trusted("x"))["public"].clone();
    world.write("policy.json", other.to_string());
    world.atls(&get).ends_with(2);
}

#[test]
fn a_policy_of_a_server_with_a_device_accepts_it() {
    let world = World::new();
    let device = ForgedPsa::new();
    let url = serve(&world, &device);
    world.write("keys.json", policy(&device).to_string());
    let new = [
        "policy",
        "new",
        "--from",
        &url,
        "--ca",
        "ca.pem",
        "-o",
        "policy.toml",
    ];
    let ran = world.atls(&new).ends_with(1);
    assert!(
        ran.error().contains("--attestation-keys"),
        "{}",
        ran.error()
    );
    world
        .atls(&[&new[..], &["--attestation-keys", "keys.json"]].concat())
        .ends_with(0);
    let get = ["get", &url, "--policy", "policy.toml", "--ca", "ca.pem"];
    world.atls(&get).ends_with(0);
}

#[test]
fn a_policy_of_a_simulated_device_has_the_key_that_was_named() {
    let world = World::new();
    let app = Router::new().route("/", get(async || "hello"));
    let url = world.attested(world.device("device"), app);
    let new = ["policy", "new", "--from", &url, "--ca", "ca.pem"];
    world.device("other");
    let other = [&new[..], &["--trust-sim", "other.key"]].concat();
    let ran = world.atls(&other).ends_with(1);
    assert!(ran.error().contains("--trust-sim"), "{}", ran.error());

    let named = ["--trust-sim", "device.key", "-o", "policy.toml"];
    let ran = world.atls(&[&new[..], &named].concat()).ends_with(0);
    let note = "--dangerous-accept-simulated accepts it";
    assert!(ran.error().contains(note), "{}", ran.error());
    let written = std::fs::read_to_string(world.path("policy.toml")).unwrap();
    assert!(written.contains("software = true"), "{written}");
    let key = r#"public = "-----BEGIN PUBLIC KEY-----\nM"#;
    assert!(written.contains(key), "{written}");
    let get = ["get", &url, "--ca", "ca.pem", "--policy", "policy.toml"];
    world.atls(&get).ends_with(3);
    let simulated = ["--dangerous-accept-simulated"];
    world.atls(&[&get[..], &simulated].concat()).ends_with(0);
}

#[test]
fn a_policy_of_recorded_evidence_of_a_simulated_device_has_its_key() {
    let world = World::new();
    world.write("token", recorded(&mut world.device("device")));
    let new = ["policy", "new", "--from", "token", "--trust-sim"];
    let ran = world
        .atls(&[&new[..], &["device.key"]].concat())
        .ends_with(0);
    assert!(
        ran.out().contains("under a key that was named"),
        "{}",
        ran.out()
    );
    world.device("other");
    world
        .atls(&[&new[..], &["other.key"]].concat())
        .ends_with(1);
}

#[test]
fn the_table_and_simulated_devices_exclude_each_other() {
    let world = World::new();
    let device = ForgedPsa::new();
    world.device("device");
    world.write("policy.json", policy(&device).to_string());
    world.write("token", device.token(&[7; 32]));
    let trust = ["--trust-sim", "device.key"];
    for command in [
        &["get", "https://localhost:1/", "--policy", "policy.json"][..],
        &["policy", "explain", "policy.json", "token"],
        &["inspect", "token", "--verify", "--policy", "policy.json"],
        &[
            "proxy",
            "--listen",
            "127.0.0.1:0",
            "--to",
            "https://localhost:1/",
            "--policy",
            "policy.json",
        ],
    ] {
        let ran = world.atls(&[command, &trust[..]].concat()).ends_with(1);
        let told = ran.error();
        assert!(
            told.contains("the same kind of token"),
            "{command:?}: {told}"
        );
        assert!(
            told.contains("--dangerous-accept-simulated"),
            "{command:?}: {told}"
        );
    }
    // Each by itself.
    world
        .atls(&["policy", "explain", "policy.json", "token"])
        .ends_with(0);
    let verify = ["inspect", "token", "--verify", "--trust-sim", "device.key"];
    world.atls(&verify).ends_with(2);
}

#[test]
fn tables_of_keys_and_of_firmware_need_each_other() {
    let world = World::new();
    let device = ForgedPsa::new();
    let whole = policy(&device);
    for (without, why) in [("psa-keys", "[psa] needs [psa-keys]"), ("psa", "")] {
        let mut part = whole.clone();
        part.as_object_mut().unwrap().remove(without);
        world.write("policy.json", part.to_string());
        let check = ["policy", "check", "policy.json"];
        match why {
            // A file of keys alone is what enrolment writes.
            "" => drop(world.atls(&check).ends_with(0)),
            why => {
                let ran = world.atls(&check).ends_with(1);
                assert!(ran.error().contains(why), "{}", ran.error());
            }
        }
    }
    let mut beside = whole.clone();
    beside.as_object_mut().unwrap().remove("psa");
    beside["nitro"] = json!({ "image": [{ "name": "x", "pcr0": "01".repeat(48) }] });
    world.write("policy.json", beside.to_string());
    let ran = world.atls(&["policy", "check", "policy.json"]).ends_with(1);
    assert!(
        ran.error().contains("[psa-keys] needs [psa]"),
        "{}",
        ran.error()
    );
}

/// Evidence about a key, which no connection has.
fn recorded(device: &mut SimAttester) -> Vec<u8> {
    let key = KeyPair::generate().unwrap().serialize_der();
    let key = any_ecdsa_type(&PrivateKeyDer::try_from(key).unwrap()).unwrap();
    let request = OwnedAttestRequest::for_key(&*key).unwrap();
    let evidence = LocalAttester::attest(device, request.as_request()).unwrap();
    evidence.encode().unwrap()
}

fn serve(world: &World, device: &ForgedPsa) -> String {
    let app = Router::new().route("/", get(async || "hello"));
    world.attested(Blocking::spawn(device.attester()).unwrap(), app)
}

fn policy(device: &ForgedPsa) -> Value {
    let keys = PsaKeys::new(vec![device.trusted("meter 9")]);
    json!({ "version": 1, "psa": device.policy(), "psa-keys": keys })
}
