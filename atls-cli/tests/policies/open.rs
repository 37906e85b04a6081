//! Policies that `new` made say which values they accept beside those that were seen.

use atls_formats::tpm::HashAlgorithm;
use atls_snp::Product;
use atls_tpm::TpmKeys;
use atls_tpm::testing::ForgedTpm;
use end_to_end::azure::ForgedAzure;
use serde_json::json;

use super::support::World;

#[test]
fn a_policy_of_a_tpm_says_which_registers_it_does_not_look_at() {
    let world = World::new();
    let mut tpm = ForgedTpm::new();
    tpm.quoting(HashAlgorithm::Sha256, &[0, 4, 7, 16]);
    world.write("evidence", tpm.evidence(&[7; 32]).encode().unwrap());
    let keys = TpmKeys::new(vec![tpm.trusted("web-1")]);
    let keys = json!({ "version": 1, "tpm-keys": keys });
    world.write("keys.json", keys.to_string());
    let made = new(&world, &["--attestation-keys", "keys.json"]);
    for comment in [
        "# Not looked at: pcr 1, 2, 3, 5, 6, 8, 9, 10, 11, 12, 13, 14, 15, 17, 18, 19, not quoted",
        "# Not looked at: pcr 16 and 20 to 23;",
        "# This firmware of the TPM, or newer",
    ] {
        assert!(made.contains(comment), "{comment}: {made}");
    }
}

#[test]
fn a_policy_of_a_report_says_that_newer_firmware_is_accepted() {
    let world = World::new();
    let snp = atls_snp::testing::ForgedSnp::new(Product::Turin).unwrap();
    world.write("evidence", snp.evidence(&[7; 64]).encode().unwrap());
    let made = new(&world, &["--dangerous-unverified"]);
    for comment in [
        "# The firmware that was seen, or newer",
        "# Not looked at: which chip it is",
        "or stricter",
    ] {
        assert!(made.contains(comment), "{comment}: {made}");
    }
}

#[test]
fn a_policy_of_a_td_says_which_flags_of_platform_and_td_it_does_not_look_at() {
    let world = World::new();
    let platform = super::td_platform(&world);
    let quote = platform.tdx_quote(&platform.td_report(), &[7; 64]);
    world.write("evidence", quote.unwrap());
    let made = new(&world, &["--dangerous-unverified"]);
    for comment in [
        "# Not looked at: which platform it is (PPID)",
        "allow-smt",
        "# Not looked at: bits of TDATTRIBUTES",
    ] {
        assert!(made.contains(comment), "{comment}: {made}");
    }
}

#[test]
fn a_vm_whose_identifier_no_line_can_name_is_told() {
    let world = World::new();
    let vm = ForgedAzure::snp();
    let evidence = vm.evidence(&[7; 32]).into_cmw().unwrap().encode().unwrap();
    let id = b"26F8BC30-774E-4290-8E7A-535F3B672AEE";
    let found = evidence.windows(id.len()).position(|part| part == id);
    let mut altered = evidence.clone();
    altered[found.unwrap()] = b'z';
    world.write("evidence", altered);
    let made = new(&world, &["--dangerous-unverified"]);
    assert!(made.contains("# Not looked at: which VM it is"), "{made}");
    world.write("policy.toml", made);
    world.atls(&["policy", "check", "policy.toml"]).ends_with(0);
}

fn new(world: &World, more: &[&str]) -> String {
    let new = ["policy", "new", "--from", "evidence"];
    world.atls(&[&new[..], more].concat()).ends_with(0).out()
}
