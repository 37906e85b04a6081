//! `atls policy new`.

use std::time::Duration;

use atls_core::pki_types::UnixTime;
use atls_nitro::testing::ForgedNitro as Forger;
use atls_snp::CertTable;
use atls_snp::Product;
use atls_snp::SnpEvidence;

use super::TD;
use super::serve_td;
use super::support::World;
use super::td_platform;

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

/// It says 0xffffffff for its level (SEV-SNP firmware ABI, table of the report).
#[test]
fn no_policy_is_made_of_a_report_that_the_host_asked_for() {
    let world = World::new();
    let guest = atls_snp::testing::ForgedSnp::new(Product::Turin).unwrap();
    let mut report = guest.evidence(&[7; 64]).report().to_vec();
    report[0x30..0x34].fill(0xff);
    let evidence = SnpEvidence::new(report, CertTable::new());
    world.write("report", evidence.encode().unwrap());
    let new = [
        "policy",
        "new",
        "--from",
        "report",
        "--dangerous-unverified",
    ];
    let ran = world.atls(&new).ends_with(2);
    assert_eq!(ran.out(), "");
}

/// No TD measures as zero.
#[test]
fn no_policy_is_made_that_no_command_takes() {
    let world = World::new();
    let platform = td_platform(&world);
    let mut report = platform.td_report();
    report.mrtd = [0; 48].into();
    world.write("quote", platform.tdx_quote(&report, &[7; 64]).unwrap());
    let new = ["policy", "new", "--from", "quote", "--dangerous-unverified"];
    let ran = world.atls(&new).ends_with(2);
    assert_eq!(ran.out(), "");
    assert!(ran.error().contains("mrtd"), "{}", ran.error());
}

/// A flag that was off is a demand, and one that was on is told.
#[test]
fn what_a_platform_did_not_have_is_not_accepted() {
    let world = World::new();
    let now = super::support::now();
    let mut platform = atls_tdx::testing::ForgedPlatform::new(now).unwrap();
    world.trust_td(&platform);
    let report = platform.td_report();
    let mut quote_with = |[dynamic_platform, cached_keys, smt]: [bool; 3]| {
        platform.dynamic_platform = dynamic_platform;
        platform.cached_keys = cached_keys;
        platform.smt = smt;
        platform.tdx_quote(&report, &[7; 64]).unwrap()
    };
    world.write("quote", quote_with([false; 3]));
    let new = [&["policy", "new", "--from", "quote"], &TD[..]].concat();
    let policy = world.atls(&new).ends_with(0).out();
    world.write("policy.toml", &policy);
    let explain = ["policy", "explain", "policy.toml", "quote"];
    let explain = [&explain[..], &TD].concat();
    world.atls(&explain).ends_with(0);
    for (flags, setting) in [
        ([true, false, false], "allow-dynamic-platform"),
        ([false, true, false], "allow-cached-keys"),
        ([false, false, true], "allow-smt"),
    ] {
        let pinned = format!("\n{setting} = false\n");
        assert!(policy.contains(&pinned), "{policy}");
        world.write("quote", quote_with(flags));
        world.atls(&explain).ends_with(3);
        let told = world.atls(&new).ends_with(0).out();
        assert!(!told.contains(&pinned), "{told}");
        let open = format!("as was seen; {setting} = false refuses it.");
        assert!(told.contains(&open), "{told}");
    }
}

/// A report under the key of a provider is of a machine of that provider; one under that of a chip may be of anybody's.
#[test]
fn a_policy_of_a_report_under_the_providers_key_accepts_none_under_that_of_a_chip() {
    let world = World::new();
    let provider = atls_snp::testing::ForgedSnp::with_vlek(Product::Turin).unwrap();
    let chip = atls_snp::testing::ForgedSnp::new(Product::Turin).unwrap();
    world.write("ark.der", provider.ark.certificate());
    world.write("crl.der", provider.crl.encode());
    let trust = [
        "--dangerous-root",
        "snp/Turin=ark.der",
        "--crl",
        "vlek/Turin=crl.der",
        "--crl",
        "vcek/Turin=crl.der",
    ];
    let new = ["policy", "new", "--from", "evidence", "-o", "policy.toml"];
    let explain = ["policy", "explain", "policy.toml", "evidence"];
    let explain = [&explain[..], &trust].concat();
    world.write("evidence", provider.evidence(&[7; 64]).encode().unwrap());
    world.atls(&[&new[..], &trust].concat()).ends_with(0);
    world.atls(&explain).ends_with(0);
    world.write("evidence", chip.evidence(&[7; 64]).encode().unwrap());
    let told = world.atls(&explain).ends_with(3).out();
    assert!(told.contains("differs in conditions"), "{told}");
}
