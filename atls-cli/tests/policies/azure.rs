//! The tables `[azure]` and `[composition]`, with a forged VM of Azure.

use atls_reference::CompositionTable;
use atls_tower::Blocking;
use axum::Router;
use axum::routing::get;
use end_to_end::azure::ForgedAzure;
use end_to_end::azure::ForgedProcessor;
use serde_json::Value;
use serde_json::json;

use super::support::Ran;
use super::support::World;

#[test]
fn a_vm_is_accepted_by_the_tables_of_its_parts() {
    let world = World::new();
    let (url, policy) = (serve(&world), policy(&ForgedAzure::snp()));
    world.write("policy.json", policy.to_string());
    let told = world
        .atls(&["policy", "check", "policy.json"])
        .ends_with(0)
        .out();
    assert!(told.contains("[azure] accepts any VM"), "{told}");
    let told = ask(&world, &url).ends_with(0).error();
    for line in [
        "(cpu)",
        "AMD SEV-SNP",
        "VM of Azure",
        "TPM 2.0",
        "(runtime-data)",
        "(tpm)",
        "secure-boot",
        "sha256.pcr4",
        "user-data",
        "launch-tcb",
    ] {
        assert!(told.contains(line), "{line}: {told}");
    }
}

#[test]
fn each_table_of_a_vm_is_applied() {
    let world = World::new();
    let url = serve(&world);
    let right = policy(&ForgedAzure::snp());
    let other_vm = json!(["00000000-774E-4290-8E7A-535F3B672AEE"]);
    let cases: [(&str, Value, &str); 4] = [
        (
            "/azure/vm-unique-ids",
            other_vm,
            "azure.vm-unique-id failed",
        ),
        (
            "/snp/image/0/measurement",
            json!("ab".repeat(48)),
            "snp.image failed",
        ),
        ("/tpm/image/0/pcr/4", json!("ab".repeat(32)), "pcr4 failed"),
        ("/composition", only("application/eat+cwt"), "item"),
    ];
    for (place, value, why) in cases {
        let mut policy = right.clone();
        let (parent, name) = place.rsplit_once('/').unwrap();
        policy.pointer_mut(parent).unwrap()[name] = value;
        world.write("policy.json", policy.to_string());
        let ran = ask(&world, &url).ends_with(3);
        assert!(ran.error().contains(why), "{place}: {}", ran.error());
    }
}

#[test]
fn a_composition_holds_for_other_platforms_too() {
    let world = World::new();
    let url = world.attested(
        world.device("device"),
        Router::new().route("/", get(async || "hello")),
    );
    let ask = |media_type: &str| {
        let policy = json!({ "version": 1, "composition": only(media_type) });
        world.write("policy.json", policy.to_string());
        let trust = ["--policy", "policy.json", "--ca", "ca.pem"];
        world.atls(&[&["get", &url, "--trust-sim", "device.key"], &trust[..]].concat())
    };
    ask("application/eat+cwt; eat_profile=\"tag:psacertified.org,2023:psa#tfm\"").ends_with(0);
    ask("application/vnd.atls.nitro-document").ends_with(3);
}

#[test]
fn tables_that_would_not_be_applied_are_told() {
    let world = World::new();
    let right = policy(&ForgedAzure::snp());
    let without = |table: &str| {
        let mut policy = right.clone();
        policy.as_object_mut().unwrap().remove(table);
        policy
    };
    let mut with_keys = right.clone();
    with_keys["tpm-keys"] = json!({ "ak": [] });
    let cases = [
        (without("snp"), "[snp] or [tdx]"),
        (without("tpm"), "[tpm]"),
        (with_keys, "[tpm-keys]"),
    ];
    for (policy, why) in cases {
        world.write("policy.json", policy.to_string());
        for command in [
            &["policy", "check", "policy.json"][..],
            &["get", "https://localhost:1/", "--policy", "policy.json"],
        ] {
            let ran = world.atls(command).ends_with(1);
            assert!(ran.error().contains(why), "{why}: {}", ran.error());
        }
    }
}

#[test]
fn a_recorded_vm_is_explained_item_by_item() {
    let world = World::new();
    let vm = ForgedAzure::snp();
    let mut policy = policy(&vm);
    policy["composition"] = only("application/eat+cwt");
    world.write("policy.json", policy.to_string());
    write_evidence(&world, &vm);
    let explain = [
        &["policy", "explain", "policy.json", "evidence"][..],
        &ROOTS,
    ]
    .concat();
    let told = world.atls(&explain).ends_with(0).out();
    for line in [
        "snp.image passed",
        "azure.secure-boot passed",
        "tpm.sha256.pcr4 passed",
        "vm-unique-ids: seen 26F8BC30",
        "[composition] was not looked at",
    ] {
        assert!(told.contains(line), "{line}: {told}");
    }
    let json = world.atls(&[&explain[..], &["--json"]].concat()).json();
    assert!(json["tables_not_looked_at"]["composition"].is_string());
    assert!(json["tables_not_looked_at"]["tpm"].is_null());
    assert_eq!(json["items"].as_array().unwrap().len(), 3);
}

#[test]
fn a_part_alone_is_refused() {
    let world = World::new();
    let vm = ForgedAzure::snp();
    world.write("policy.json", policy(&vm).to_string());
    write_evidence(&world, &vm);
    world.write("hcl", vm.hcl_report());
    let explain = [&["policy", "explain", "policy.json", "hcl"][..], &ROOTS].concat();
    world.atls(&explain).ends_with(3);
    let ForgedProcessor::Snp(snp) = vm.processor else {
        panic!("it is of SEV-SNP");
    };
    let url = world.attested(
        snp.attester()
            .map(|device| Blocking::spawn(device).unwrap())
            .unwrap(),
        Router::new(),
    );
    let ran = ask(&world, &url).ends_with(2);
    assert_eq!(ran.out(), "");
}

#[test]
fn the_reports_of_a_vm_are_shown() {
    let world = World::new();
    let vm = ForgedAzure::snp();
    write_evidence(&world, &vm);
    world.write("hcl", vm.hcl_report());
    let told = world.atls(&["inspect", "hcl"]).ends_with(0).out();
    for line in [
        "HCL report",
        "SEV-SNP attestation report",
        "HCLAkPub",
        "secure boot is on",
    ] {
        assert!(told.contains(line), "{line}: {told}");
    }
    let told = world.atls(&["inspect", "evidence"]).ends_with(0).out();
    for line in [
        "tag:atls,2026:azure-cvm",
        "record runtime-data",
        "TPM Evidence",
    ] {
        assert!(told.contains(line), "{line}: {told}");
    }
    let tdx = ForgedAzure::tdx(super::support::now());
    world.write("hcl", tdx.hcl_report());
    let told = world.atls(&["inspect", "hcl"]).ends_with(0).out();
    assert!(told.contains("TDREPORT") && told.contains("MRTD"), "{told}");
}

/// The policy of exactly this VM.
fn policy(vm: &ForgedAzure) -> Value {
    let ForgedProcessor::Snp(snp) = &vm.processor else {
        panic!("it is of SEV-SNP");
    };
    json!({
        "version": 1,
        "azure": {},
        "snp": snp.policy(),
        "tpm": { "image": [atls_tpm::testing::ForgedTpm::image()] },
    })
}

fn only(media_type: &str) -> Value {
    let table = json!({ "item": [{ "media-type": media_type }] });
    let _: CompositionTable = serde_json::from_value(table.clone()).unwrap();
    table
}

/// A server on a VM whose root and revocation list are in files.
fn serve(world: &World) -> String {
    let vm = ForgedAzure::snp();
    write_evidence(world, &vm);
    let app = Router::new().route("/", get(async || "hello"));
    world.attested(Blocking::spawn(vm).unwrap(), app)
}

fn write_evidence(world: &World, vm: &ForgedAzure) {
    let cmw = vm.evidence(&[7; 32]).into_cmw().unwrap();
    world.write("evidence", cmw.encode().unwrap());
    if let ForgedProcessor::Snp(snp) = &vm.processor {
        world.write("ark.der", snp.ark.certificate());
        world.write("crl.der", snp.crl.encode());
    }
}

fn ask(world: &World, url: &str) -> Ran {
    let get = ["get", url, "--policy", "policy.json", "--ca", "ca.pem"];
    world.atls(&[&get[..], &ROOTS].concat())
}

const ROOTS: [&str; 4] = [
    "--dangerous-root",
    "snp/Milan=ark.der",
    "--crl",
    "vcek/Milan=crl.der",
];
