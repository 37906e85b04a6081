//! `atls policy` on Evidence whose texts attack who reads them.

use atls_cca::PsaKeys;
use atls_cca::testing::ForgedPsa;
use serde_json::json;

use super::made::EXPLAIN;
use super::made::made_of;
use super::support::World;

#[test]
fn texts_of_evidence_neither_control_a_terminal_nor_add_lines() {
    let world = World::new();
    let mut forged = ForgedPsa::new();
    forged.device.components[0].kind = Some(HOSTILE.to_owned());
    forged.device.components[0].version = Some(HOSTILE.to_owned());
    world.write("evidence", forged.token(&[7; 32]));
    let keys = PsaKeys::new(vec![forged.trusted(HOSTILE)]);
    let keys = json!({ "version": 1, "psa-keys": keys });
    world.write("keys.json", keys.to_string());
    let trust = ["--attestation-keys", "keys.json", "--name", HOSTILE];
    let made = made_of(&world, &trust, &[]);
    let controls = |c: char| c != '\n' && (c.is_control() || c == '\u{202e}');
    assert!(!made.contains(controls), "{made:?}");
    assert!(!made.lines().any(|line| line.starts_with("injected")));
    let read: toml::Table = made.parse().unwrap();
    assert_eq!(read["psa"]["device"][0]["name"].as_str(), Some(HOSTILE));
    assert_eq!(
        read["psa"]["device"][0]["component"][0]["kind"].as_str(),
        Some(HOSTILE)
    );
    for command in [&EXPLAIN[..], &["policy", "check", "policy.toml"]] {
        let told = world.atls(command).ends_with(0).out();
        assert!(!told.contains(controls), "{told:?}");
    }
}

const HOSTILE: &str = "a\"\ninjected = \"1\" # \\\u{1b}[2J\u{9b}31m\u{202e}\u{7f}\r'";
