//! `atls policy`, as a user runs it, with forged platforms under roots of their own.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod support;

use std::sync::Arc;
use std::time::Duration;

use atls_cca::CcaKeys;
use atls_cca::testing::ForgedCca;
use atls_core::pki_types::UnixTime;
use atls_formats::dcap::TdReport;
use atls_formats::tpm::TpmEvidence;
use atls_nitro::testing::ForgedNitro as Forger;
use atls_snp::Product;
use axum::Router;
use axum::routing::get;

use support::World;

#[test]
fn a_policy_of_a_server_accepts_that_server_and_no_other() {
    let world = World::new();
    let platform = td_platform(&world);
    let report = platform.td_report();
    let url = serve_td(&world, &platform, report.clone());
    let new = [
        &[
            "policy",
            "new",
            "--from",
            &url,
            "-o",
            "policy.toml",
            "--name",
            "web \"1\"",
            "--ca",
            "ca.pem",
        ],
        &TD[..],
    ];
    let ran = world.atls(&new.concat()).ends_with(0);
    assert_eq!(ran.error(), "");
    let ran = world.atls(&["policy", "check", "policy.toml"]).ends_with(0);
    assert!(
        ran.out().contains("[tdx] accepts web \"1\""),
        "{}",
        ran.out()
    );

    let ask = |url: &str| {
        world.atls(
            &[
                &["get", url, "--policy", "policy.toml", "--ca", "ca.pem"],
                &TD[..],
            ]
            .concat(),
        )
    };
    let ran = ask(&url).ends_with(0);
    assert!(ran.error().contains("web \"1\""), "{}", ran.error());
    let mut other = report;
    other.rtmr[2] = [9; 48].into();
    let ran = ask(&serve_td(&world, &platform, other)).ends_with(3);
    assert!(ran.error().contains("tdx.rtmr2 failed"), "{}", ran.error());
}

#[test]
fn each_line_of_a_policy_has_a_comment_before_it() {
    let world = World::new();
    let platform = td_platform(&world);
    world.write(
        "quote",
        platform.tdx_quote(&platform.td_report(), &[7; 64]).unwrap(),
    );
    let snp = atls_snp::testing::ForgedSnp::new(Product::Turin).unwrap();
    world.write("report", snp.evidence(&[7; 64]).encode().unwrap());
    let forger = Forger::new(UnixTime::since_unix_epoch(Duration::from_secs(
        1_800_000_000,
    )));
    world.write("document", forger.seal(forger.fields(None, None)));
    for from in ["quote", "report", "document"] {
        let new = ["policy", "new", "--from", from, "--dangerous-unverified"];
        let policy = world.atls(&new).ends_with(0).out();
        assert!(policy.starts_with("# NOT VERIFIED"), "{policy}");
        let is_pin = |line: &str| line.contains(" = ") && !line.starts_with('#');
        let lines: Vec<_> = policy.lines().collect();
        let is_explained = |index: usize| {
            lines[..index]
                .iter()
                .rev()
                .find(|line| !is_pin(line))
                .unwrap()
                .starts_with('#')
        };
        for (index, line) in lines.iter().enumerate() {
            let is_version = *line == "version = 1";
            assert!(
                !is_pin(line) || is_version || is_explained(index),
                "{line}: {policy}"
            );
        }
        let file = format!("{from}.toml");
        world.write(&file, &policy);
        world.atls(&["policy", "check", &file]).ends_with(0);
    }
}

#[test]
fn evidence_that_is_not_genuine_makes_no_policy() {
    let world = World::new();
    let platform = td_platform(&world);
    let quote = platform.tdx_quote(&platform.td_report(), &[7; 64]);
    world.write("quote", quote.unwrap());
    let ran = world
        .atls(&["policy", "new", "--from", "quote", "--offline"])
        .ends_with(2);
    assert!(
        ran.error().contains("--dangerous-unverified"),
        "{}",
        ran.error()
    );
    assert_eq!(ran.out(), "");
}

#[test]
fn json_has_the_policy_or_why_there_is_none() {
    let world = World::new();
    let platform = td_platform(&world);
    let quote = platform.tdx_quote(&platform.td_report(), &[7; 64]).unwrap();
    world.write("quote", &quote);
    let new = ["policy", "new", "--json", "--from"];
    let ran = world
        .atls(&[&new[..], &["quote"], &TD].concat())
        .ends_with(0);
    let text = ran.json()["policy"].as_str().unwrap().to_owned();
    world.write("policy.toml", text);
    world.atls(&["policy", "check", "policy.toml"]).ends_with(0);
    let ran = world.atls(&[&new[..], &["absent"]].concat()).ends_with(1);
    assert_eq!(ran.json()["error"]["outcome"], "usage");
    assert_eq!(ran.error(), "");
}

#[test]
fn a_policy_is_not_written_over_another_one() {
    let world = World::new();
    let platform = td_platform(&world);
    world.write(
        "quote",
        platform.tdx_quote(&platform.td_report(), &[7; 64]).unwrap(),
    );
    world.write("policy.toml", "mine");
    let new = [
        &["policy", "new", "--from", "quote", "-o", "policy.toml"],
        &TD[..],
    ]
    .concat();
    let ran = world.atls(&new).ends_with(1);
    assert!(ran.error().contains("exists"), "{}", ran.error());
    assert_eq!(std::fs::read(world.path("policy.toml")).unwrap(), b"mine");
}

#[test]
fn a_policy_of_a_report_explains_what_matched_and_what_did_not() {
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
    let new = [
        &["policy", "new", "--from", "evidence", "-o", "policy.toml"],
        &trust[..],
    ]
    .concat();
    world.atls(&new).ends_with(0);
    let explain = |policy: &str, more: &[&str]| {
        world.atls(&[&["policy", "explain", policy, "evidence"], &trust[..], more].concat())
    };
    let told = explain("policy.toml", &[]).ends_with(0).out();
    assert!(told.contains("snp.image passed"), "{told}");
    assert!(
        told.contains("accepted, if it is bound to the connection"),
        "{told}"
    );

    let policy = std::fs::read_to_string(world.path("policy.toml")).unwrap();
    let without: Vec<_> = policy
        .lines()
        .filter(|line| !line.starts_with("host-data"))
        .collect();
    world.write("loose.toml", without.join("\n"));
    let told = explain("loose.toml", &[]).ends_with(0).out();
    assert!(told.contains("host-data: seen "), "{told}");

    let measurement = policy
        .lines()
        .find(|line| line.starts_with("measurement"))
        .unwrap();
    let other = format!("measurement = \"{}\"", "ab".repeat(48));
    world.write("other.toml", policy.replace(measurement, &other));
    let ran = explain("other.toml", &["--json"]).ends_with(3);
    let told = ran.json();
    assert_eq!(told["accepted"], false);
    assert_eq!(told["items"][0]["status"], "contraindicated");
    let findings = told["items"][0]["findings"].as_array().unwrap();
    let image = findings
        .iter()
        .find(|finding| finding["check"] == "snp.image")
        .unwrap();
    assert_eq!(image["outcome"], "failed");
}

#[test]
fn explanations_of_evidence_under_another_root_are_refused() {
    let world = World::new();
    let platform = td_platform(&world);
    world.write(
        "quote",
        platform.tdx_quote(&platform.td_report(), &[7; 64]).unwrap(),
    );
    let new = [
        &["policy", "new", "--from", "quote", "-o", "policy.toml"],
        &TD[..],
    ]
    .concat();
    world.atls(&new).ends_with(0);
    let explain = [
        "policy",
        "explain",
        "policy.toml",
        "quote",
        "--collateral",
        "collateral",
    ];
    world.atls(&explain).ends_with(2);
}

#[test]
fn a_quote_of_a_tpm_is_explained_under_its_keys() {
    let Some(folder) = support::vectors() else {
        return;
    };
    let world = World::new();
    let read = |name: &str| std::fs::read(folder.join("tpm").join(name)).unwrap();
    let ak = read("swtpm-ak.tpmt");
    let public: String = ak.iter().map(|byte| format!("{byte:02x}")).collect();
    let evidence = TpmEvidence {
        ak,
        attest: read("swtpm-quote.tpms_attest"),
        pcrs: read("swtpm-pcrs.bin"),
        signature: read("swtpm-quote.tpmt_signature"),
        ..TpmEvidence::default()
    };
    world.write("evidence", evidence.encode().unwrap());
    // Nothing was measured into the registers of the sample, so it is none that a policy can name.
    let register = "ab".repeat(32);
    let policy = format!(
        "version = 1\n[[tpm.image]]\nname = \"sample\"\n[tpm.image.pcr]\n4 = \"{register}\"\n\
         [[tpm-keys.ak]]\nname = \"machine\"\npublic = \"{public}\"\nsoftware = true\n"
    );
    world.write("policy.toml", policy);
    let told = world
        .atls(&["policy", "check", "policy.toml"])
        .ends_with(0)
        .out();
    assert!(told.contains("[tpm] accepts sample"), "{told}");
    let told = world.atls(&["inspect", "evidence"]).ends_with(0).out();
    assert!(told.starts_with("TPM Evidence"), "{told}");
    let explain = ["policy", "explain", "policy.toml", "evidence"];
    let told = world.atls(&explain).ends_with(3).out();
    assert!(told.contains("tpm.sha256.pcr4 failed: seen 0000"), "{told}");
}

#[test]
fn a_token_of_a_realm_is_explained_under_its_keys() {
    let world = World::new();
    let forged = ForgedCca::new();
    world.write("evidence", forged.token(&[7; 64]));
    let keys = CcaKeys::new(vec![forged.trusted("rack 7").in_software()]);
    let policy = serde_json::json!({ "version": 1, "cca": forged.policy(), "cca-keys": keys });
    world.write("policy.json", policy.to_string());
    let told = world
        .atls(&["policy", "check", "policy.json"])
        .ends_with(0)
        .out();
    assert!(told.contains("[cca] accepts forged realm"), "{told}");
    assert!(told.contains("[cca-keys] accepts rack 7"), "{told}");
    let told = world.atls(&["inspect", "evidence"]).ends_with(0).out();
    assert!(told.contains("CCA"), "{told}");
    let explain = ["policy", "explain", "policy.json", "evidence"];
    // Simulated, and so refused.
    let told = world.atls(&explain).ends_with(3).out();
    assert!(told.contains("affirming"), "{told}");
    let mut other = forged.clone();
    other.realm.initial_measurement[0] ^= 1;
    world.write("evidence", other.token(&[7; 64]));
    let told = world.atls(&explain).ends_with(3).out();
    assert!(told.contains("cca.realm failed: seen 1b1a"), "{told}");
}

#[test]
fn a_wrong_policy_is_told_with_its_line() {
    let world = World::new();
    world.write(
        "policy.toml",
        "version = 1\n\n[tdx]\naccept-tcb = [\"UpToDate\"]\naccept-advisories = []\nimage = []\n",
    );
    let ran = world.atls(&["policy", "check", "policy.toml"]).ends_with(1);
    assert!(ran.error().contains("line 6"), "{}", ran.error());
    let ran = world
        .atls(&["policy", "check", "policy.toml", "--json"])
        .ends_with(1);
    assert_eq!(ran.json()["right"], false);
    world.write("typo.toml", "version = 1\n[tdxx]\n");
    let ran = world.atls(&["policy", "check", "typo.toml"]).ends_with(1);
    assert!(ran.error().contains("tdxx"), "{}", ran.error());
}

/// The forged platform's root and collateral, in files.
const TD: [&str; 4] = [
    "--dangerous-root",
    "tdx=root.der",
    "--collateral",
    "collateral",
];

fn td_platform(world: &World) -> Arc<atls_tdx::testing::ForgedPlatform> {
    let platform = Arc::new(atls_tdx::testing::ForgedPlatform::new(support::now()).unwrap());
    world.trust_td(&platform);
    platform
}

fn serve_td(
    world: &World,
    platform: &Arc<atls_tdx::testing::ForgedPlatform>,
    report: TdReport,
) -> String {
    let app = Router::new().route("/", get(async || "hello"));
    world.attested(world.td(platform, report), app)
}
