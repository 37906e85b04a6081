//! `atls policy explain`.

use atls_cca::CcaKeys;
use atls_cca::testing::ForgedCca;
use atls_cca::testing::ForgedPsa;
use atls_core::cmw::Cmw;
use atls_core::cmw::Indicator;
use atls_core::cmw::Label;
use atls_core::cmw::Type;
use atls_formats::dcap::COLLATERAL;
use atls_formats::dcap::EventLogWriter;
use atls_formats::dcap::TDX_EVIDENCE;
use atls_formats::dcap::TDX_QUOTE;
use atls_formats::dcap::TdxEvidence;
use atls_formats::tpm::TpmEvidence;
use atls_snp::Product;

use super::TD;
use super::support;
use super::support::World;
use super::td_platform;

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
    let mut lines = policy.lines();
    let line = lines
        .position(|line| line.starts_with("[[snp.image]]"))
        .unwrap();
    assert_eq!(image["place"], format!("other.toml, line {}", line + 1));
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
fn evidence_of_a_platform_without_a_table_is_refused() {
    let world = World::new();
    world.write(
        "policy.json",
        serde_json::json!({ "version": 1, "nitro": { "image": [{ "name": "x", "pcr0": "01".repeat(48) }] } })
            .to_string(),
    );
    let explain = ["policy", "explain", "policy.json", "evidence", "--json"];
    let snp = atls_snp::testing::ForgedSnp::new(Product::Turin).unwrap();
    let report = snp.evidence(&[7; 64]).encode().unwrap();
    let token = ForgedPsa::new().token(&[7; 32]);
    for (table, evidence) in [("[snp]", report), ("[psa]", token)] {
        world.write("evidence", evidence);
        let told = world.atls(&explain).ends_with(3).json();
        let reason = told["error"]["reason"].as_str().unwrap();
        assert!(reason.contains(table), "{reason}");
    }
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

/// A relying party refuses such a peer: no verifier is for the other item.
#[test]
fn an_item_of_a_type_that_is_not_known_is_not_passed_over() {
    let world = World::new();
    let platform = td_platform(&world);
    let quote = platform.tdx_quote(&platform.td_report(), &[7; 64]).unwrap();
    world.write("quote", &quote);
    let new = ["policy", "new", "--from", "quote", "-o", "policy.toml"];
    world.atls(&[&new[..], &TD].concat()).ends_with(0);
    let known = Cmw::evidence(TDX_QUOTE.parse().unwrap(), quote);
    let explain = |items| {
        let evidence = Cmw::collection(None, items).unwrap();
        world.write("evidence", evidence.encode().unwrap());
        world.atls(&[&["policy", "explain", "policy.toml", "evidence"], &TD[..]].concat())
    };
    explain(vec![("a".into(), known.clone())]).ends_with(0);
    let other = Cmw::tag(60_000, vec![7; 40]);
    let ran = explain(vec![("a".into(), known), ("b".into(), other)]);
    assert!(
        ran.error().contains("content format 60000"),
        "{}",
        ran.error()
    );
    assert_ne!(ran.code(), 0);
}

#[test]
fn evidence_that_its_wrapper_calls_something_else_is_refused_as_that_of_a_live_peer() {
    let (world, quote) = known_td();
    let labelled = |bits: Option<u32>| {
        let indicator = bits.map(|bits| Indicator::from_bits(bits).unwrap());
        Cmw::record(
            Type::Media(TDX_QUOTE.parse().unwrap()),
            quote.clone(),
            indicator,
        )
    };
    for bits in [None, Some(4)] {
        explain(&world, &labelled(bits), &TD).ends_with(0);
    }
    // Reference Values, Attestation Results, and Evidence beside another.
    for bits in [1, 8, 12] {
        let ran = explain(&world, &labelled(Some(bits)), &TD).ends_with(2);
        assert!(
            ran.error().contains("labelled as another"),
            "{}",
            ran.error()
        );
    }
    world.write("evidence", labelled(Some(8)).encode().unwrap());
    for command in [
        &["policy", "new", "--from", "evidence"][..],
        &["inspect", "evidence", "--verify"],
        &["tcb", "evidence"],
    ] {
        let ran = world.atls(&[command, &TD].concat()).ends_with(2);
        assert!(
            ran.error().contains("labelled as another"),
            "{}",
            ran.error()
        );
    }
}

#[test]
fn collateral_that_came_along_counts_as_that_of_a_live_peer() {
    let (world, quote) = known_td();
    let collateral = std::fs::read(world.path("collateral")).unwrap();
    let kind = Type::Media(COLLATERAL.parse().unwrap());
    let collateral = Cmw::record(kind, collateral, Some(Indicator::ENDORSEMENTS));
    let quote = Cmw::evidence(TDX_QUOTE.parse().unwrap(), quote);
    let offline = ["--dangerous-root", "tdx=root.der", "--offline"];
    let ran = explain(&world, &quote, &offline).ends_with(2);
    assert!(ran.error().contains("no collateral"), "{}", ran.error());
    let members = vec![("quote".into(), quote), ("collateral".into(), collateral)];
    let both = Cmw::collection(None, members).unwrap();
    explain(&world, &both, &offline).ends_with(0);
}

#[test]
fn a_quote_with_its_event_log_is_explained() {
    let world = World::new();
    let platform = td_platform(&world);
    let log = EventLogWriter::new().measured(2, 0xd, b"kernel");
    let mut report = platform.td_report();
    report.rtmr = log.rtmr();
    let quote = platform.tdx_quote(&report, &[7; 64]).unwrap();
    let event_log = log.bytes().to_vec();
    let evidence = TdxEvidence { quote, event_log }.encode().unwrap();
    world.write("both", &evidence);
    let new = ["policy", "new", "--from", "both", "-o", "policy.toml"];
    world.atls(&[&new[..], &TD].concat()).ends_with(0);
    let wrapped = Cmw::evidence(TDX_EVIDENCE.parse().unwrap(), evidence);
    explain(&world, &wrapped, &TD).ends_with(0);
}

/// The core takes the proof off before it divides the message.
#[test]
fn the_message_of_a_connection_of_a_batch_is_explained_without_its_proof() {
    let (world, quote) = known_td();
    let quote = Cmw::evidence(TDX_QUOTE.parse().unwrap(), quote);
    let kind = "application/vnd.atls.inclusion-proof+cbor".parse().unwrap();
    let proof = Cmw::record(Type::Media(kind), vec![0x83, 2, 0, 0x81], None);
    let at = |of_proof: i64| {
        let members = vec![
            (Label::Integer(0), quote.clone()),
            (Label::Integer(of_proof), proof.clone()),
        ];
        Cmw::collection(None, members).unwrap()
    };
    explain(&world, &at(1), &TD).ends_with(0);
    let ran = explain(&world, &at(2), &TD);
    assert!(ran.error().contains("inclusion-proof"), "{}", ran.error());
    assert_ne!(ran.code(), 0);
}

/// A quote of a forged platform, and its policy.
fn known_td() -> (World, Vec<u8>) {
    let world = World::new();
    let platform = td_platform(&world);
    let quote = platform.tdx_quote(&platform.td_report(), &[7; 64]).unwrap();
    world.write("quote", &quote);
    let new = ["policy", "new", "--from", "quote", "-o", "policy.toml"];
    world.atls(&[&new[..], &TD].concat()).ends_with(0);
    (world, quote)
}

fn explain(world: &World, evidence: &Cmw, trust: &[&str]) -> support::Ran {
    world.write("evidence", evidence.encode().unwrap());
    world.atls(&[&["policy", "explain", "policy.toml", "evidence"], trust].concat())
}
