//! Policies that `new` made: they accept the Evidence that they were made of, and each line of them is a demand.

use atls_cca::CcaKeys;
use atls_cca::PsaKeys;
use atls_cca::testing::ForgedCca;
use atls_cca::testing::ForgedPsa;
use atls_formats::tpm::HashAlgorithm;
use atls_snp::Product;
use atls_tpm::TpmKeys;
use atls_tpm::testing::ForgedTpm;
use end_to_end::azure::ForgedAzure;
use end_to_end::azure::ForgedProcessor;
use serde_json::json;

use super::TD;
use super::support;
use super::support::World;
use super::td_platform;

#[test]
fn a_policy_of_a_tpm_is_of_its_registers_and_its_key() {
    let world = World::new();
    let tpm = whole_tpm();
    world.write("evidence", tpm.evidence(&[7; 32]).encode().unwrap());
    write_tpm_keys(&world, &tpm);
    let made = made_of(&world, &["--attestation-keys", "keys.json"], &[]);
    for line in [
        "secure-boot = true",
        "safe-clock = true",
        "min-firmware = \"0007000200030000\"",
        "# max-restarts = 0",
        "unmeasured = [1, 2, 3, 5, 6, 8, 9, 10, 11, 12, 13, 14, 15, 17, 18, 19]",
        "[[tpm-keys.ak]]",
        "vouched-for = true",
    ] {
        assert!(made.contains(line), "{line}: {made}");
    }
    // Name of the image aside: firmware, three registers, the key.
    assert_eq!(each_line_is_a_demand(&world, &made, &[]), 5);

    let mut other = whole_tpm();
    other.log = ForgedTpm::log().measured(12, 0xd, b"quiet init=/bin/sh");
    write_tpm_keys(&world, &other);
    world.write("evidence", other.evidence(&[7; 32]).encode().unwrap());
    world.write("policy.toml", under_keys_of(&made, &other));
    let ran = world.atls(&EXPLAIN).ends_with(3);
    assert!(
        ran.out().contains("tpm.sha256.pcr12 failed"),
        "{}",
        ran.out()
    );
}

#[test]
fn a_key_of_a_tpm_that_nobody_named_makes_no_policy() {
    let world = World::new();
    let tpm = whole_tpm();
    world.write("evidence", tpm.evidence(&[7; 32]).encode().unwrap());
    let new = ["policy", "new", "--from", "evidence"];
    let ran = world.atls(&new).ends_with(1);
    assert!(
        ran.error().contains("--attestation-keys"),
        "{}",
        ran.error()
    );
    write_tpm_keys(&world, &ForgedTpm::new());
    let other = [&new[..], &["--attestation-keys", "keys.json"]].concat();
    let ran = world.atls(&other).ends_with(1);
    assert!(
        ran.error().contains("does not have the key"),
        "{}",
        ran.error()
    );
    let unverified = [&new[..], &["--dangerous-unverified"]].concat();
    let policy = world.atls(&unverified).ends_with(0).out();
    assert!(
        policy.contains("# The key that came. NOBODY FOUND OUT"),
        "{policy}"
    );
    world.write("policy.toml", policy);
    world.atls(&EXPLAIN).ends_with(0);
    let mut forged = tpm.evidence(&[7; 32]);
    forged.signature[10] ^= 1;
    world.write("evidence", forged.encode().unwrap());
    world.atls(&EXPLAIN).ends_with(2);
}

#[test]
fn a_tpm_that_measured_no_boot_loader_makes_no_policy() {
    let world = World::new();
    let mut tpm = ForgedTpm::new();
    tpm.quoting(HashAlgorithm::Sha256, &[0, 7, 9]);
    world.write("evidence", tpm.evidence(&[7; 32]).encode().unwrap());
    write_tpm_keys(&world, &tpm);
    let new = [
        "policy",
        "new",
        "--from",
        "evidence",
        "--attestation-keys",
        "keys.json",
    ];
    let ran = world.atls(&new).ends_with(2);
    assert!(ran.error().contains("boot loader (4)"), "{}", ran.error());
}

#[test]
fn a_policy_of_a_realm_is_of_its_platform_and_its_key() {
    let world = World::new();
    let forged = ForgedCca::new();
    world.write("evidence", forged.token(&[7; 64]));
    let keys = CcaKeys::new(vec![
        forged.trusted("rack 7"),
        ForgedCca::new().trusted("rack 8"),
    ]);
    let mut keys = json!({ "version": 1, "cca-keys": keys });
    keys["cca-keys"]["cpak"][1]["instance-id"] = ("01".to_owned() + &"22".repeat(32)).into();
    world.write("keys.json", keys.to_string());
    let made = made_of(&world, &["--attestation-keys", "keys.json"], &[]);
    assert!(
        made.contains("rack 7") && !made.contains("rack 8"),
        "{made}"
    );
    // Implementation and instance, also of the key; configuration; kind, measurement, signer and version of two components; RIM, RPV, four REMs.
    assert_eq!(each_line_is_a_demand(&world, &made, &[]), 18);
    let new = [
        "policy",
        "new",
        "--from",
        "evidence",
        "--dangerous-unverified",
    ];
    let ran = world.atls(&new).ends_with(1);
    assert!(ran.error().contains("[cca-keys]"), "{}", ran.error());
}

#[test]
fn a_policy_of_a_device_is_of_its_firmware_and_its_key() {
    let world = World::new();
    let forged = ForgedPsa::new();
    world.write("evidence", forged.token(&[7; 32]));
    let keys = PsaKeys::new(vec![forged.trusted("meter \"9\"\u{7f}")]);
    world.write(
        "keys.json",
        json!({ "version": 1, "psa-keys": keys }).to_string(),
    );
    let made = made_of(&world, &["--attestation-keys", "keys.json"], &[]);
    assert_eq!(each_line_is_a_demand(&world, &made, &[]), 9);
    let told = world.atls(&["policy", "check", "policy.toml"]).out();
    assert!(told.contains("[psa] accepts as seen"), "{told}");
}

#[test]
fn a_policy_of_a_vm_is_of_all_its_parts() {
    let world = World::new();
    let vm = ForgedAzure::snp();
    let ForgedProcessor::Snp(snp) = &vm.processor else {
        panic!("it is of SEV-SNP");
    };
    world.write("ark.der", snp.ark.certificate());
    world.write("crl.der", snp.crl.encode());
    let roots = [
        "--dangerous-root",
        "snp/Milan=ark.der",
        "--crl",
        "vcek/Milan=crl.der",
    ];
    let tdx = ForgedAzure::tdx(support::now());
    let ForgedProcessor::Tdx(platform) = &tdx.processor else {
        panic!("it is of TDX");
    };
    world.trust_td(platform);
    for (vm, trust, demands) in [(&vm, &roots, 16), (&tdx, &TD, 11)] {
        let cmw = vm.evidence(&[7; 32]).into_cmw().unwrap();
        world.write("evidence", cmw.encode().unwrap());
        let made = made_of(&world, &[], trust);
        for line in [
            "[azure]",
            "name = \"paravisor of as seen\"",
            "[tpm.image.pcr]",
        ] {
            assert!(made.contains(line), "{line}: {made}");
        }
        assert_eq!(each_line_is_a_demand(&world, &made, trust), demands);
    }
}

#[test]
fn each_line_of_the_other_platforms_is_a_demand() {
    let world = World::new();
    let platform = td_platform(&world);
    let quote = platform.tdx_quote(&platform.td_report(), &[7; 64]);
    world.write("evidence", quote.unwrap());
    let made = made_of(&world, &[], &TD);
    // MRTD, MRSEAM and four RTMRs.
    assert_eq!(each_line_is_a_demand(&world, &made, &TD), 6);

    let snp = atls_snp::testing::ForgedSnp::new(Product::Turin).unwrap();
    world.write("evidence", snp.evidence(&[7; 64]).encode().unwrap());
    world.write("ark.der", snp.ark.certificate());
    world.write("crl.der", snp.crl.encode());
    let trust = [
        "--dangerous-root",
        "snp/Turin=ark.der",
        "--crl",
        "vcek/Turin=crl.der",
    ];
    let made = made_of(&world, &[], &trust);
    assert_eq!(each_line_is_a_demand(&world, &made, &trust), 11);
}

/// Makes a policy of `evidence` as `policy.toml`, which is right and accepts it.
pub(crate) fn made_of(world: &World, keys: &[&str], trust: &[&str]) -> String {
    let _ = std::fs::remove_file(world.path("policy.toml"));
    let new = ["policy", "new", "--from", "evidence", "-o", "policy.toml"];
    let ran = world.atls(&[&new[..], keys, trust].concat()).ends_with(0);
    assert_eq!(ran.error(), "", "nothing to warn of");
    world.atls(&["policy", "check", "policy.toml"]).ends_with(0);
    world.atls(&[&EXPLAIN[..], trust].concat()).ends_with(0);
    let made = std::fs::read_to_string(world.path("policy.toml")).unwrap();
    is_explained(&made);
    made
}

/// Every line that is a demand has a comment before it, and that has no other demand between.
fn is_explained(policy: &str) {
    let mut explained = false;
    for line in policy.lines() {
        match line {
            "version = 1" => {}
            line if line.starts_with('#') => explained = true,
            line if line.contains(" = ") => assert!(explained, "{line}: {policy}"),
            _ => explained = false,
        }
    }
}

/// Alters the value of each line in turn, of those that have a value of the Evidence. None is accepted then. How many they are.
pub(crate) fn each_line_is_a_demand(world: &World, policy: &str, trust: &[&str]) -> usize {
    let mut demands = 0;
    for (number, line) in policy.lines().enumerate() {
        let Some(altered) = altered(line) else {
            continue;
        };
        let lines = policy.lines().enumerate();
        let lines = lines.map(|(at, line)| if at == number { altered.as_str() } else { line });
        world.write("policy.toml", lines.collect::<Vec<_>>().join("\n"));
        let ran = world.atls(&[&EXPLAIN[..], trust].concat());
        assert!([1, 2, 3].contains(&ran.code()), "{altered}: {}", ran.out());
        demands += 1;
    }
    world.write("policy.toml", policy);
    demands
}

/// The same line with another value: of digits the last one, of words all, of a least version one more.
fn altered(line: &str) -> Option<String> {
    let (key, value) = line.split_once(" = ")?;
    let is_setting = ["name", "bank", "accept-", "require-", "ek-", "ak-"]
        .iter()
        .any(|start| key.starts_with(start));
    if line.starts_with('#') || is_setting || line.contains("BEGIN") {
        return None;
    }
    if let Some((before, rest)) = value
        .rsplit_once('"')
        .filter(|(before, _)| before.len() > 1)
    {
        let last = before.chars().last()?;
        let other = match last {
            'f' | 'F' => '0',
            '9' => 'a',
            digit if digit.is_ascii_hexdigit() => char::from_u32(u32::from(digit) + 1)?,
            _ => 'x',
        };
        let before = before.strip_suffix(last)?;
        return Some(format!("{key} = {before}{other}\"{rest}"));
    }
    let (before, after) = value.split_at(value.find(" }")?);
    let digits = before.len() - before.trim_end_matches(|c: char| c.is_ascii_digit()).len();
    let (before, number) = before.split_at(before.len() - digits);
    let more = number.parse::<u8>().ok()?.checked_add(1)?;
    Some(format!("{key} = {before}{more}{after}"))
}

/// Quotes all registers.
fn whole_tpm() -> ForgedTpm {
    let mut tpm = ForgedTpm::new();
    tpm.quoting(HashAlgorithm::Sha256, &(0..24).collect::<Vec<_>>());
    tpm
}

fn write_tpm_keys(world: &World, tpm: &ForgedTpm) {
    let keys = TpmKeys::new(vec![tpm.trusted("web-1")]);
    world.write(
        "keys.json",
        json!({ "version": 1, "tpm-keys": keys }).to_string(),
    );
}

/// The policy with another key in its table of keys.
fn under_keys_of(policy: &str, tpm: &ForgedTpm) -> String {
    let public = json!(tpm.trusted("web-1"))["public"]
        .as_str()
        .unwrap()
        .to_owned();
    let lines = policy
        .lines()
        .map(|line| match line.starts_with("public = ") {
            true => format!("public = \"{public}\""),
            false => line.to_owned(),
        });
    lines.collect::<Vec<_>>().join("\n")
}

pub(crate) const EXPLAIN: [&str; 4] = ["policy", "explain", "policy.toml", "evidence"];
