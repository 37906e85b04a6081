//! The table of known instances.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use atls_reference::Instances;
use atls_reference::from_toml;

#[test]
fn a_table_has_identities_in_hexadecimal_and_in_text() {
    let instances: Instances = from_toml(&table(
        r#"kind = "tdx.ppid"
           id = "000102030405060708090a0b0c0d0eFF"
           [[instances.known]]
           name = "b"
           kind = "tpm.ak"
           text = "node 7""#,
    ))
    .unwrap();
    assert_eq!(instances.names().collect::<Vec<_>>(), ["a", "b"]);
    // It identifies machines.
    assert_eq!(format!("{instances:?}"), "Instances { known: 2, .. }");
}

#[test]
fn what_is_nobodys_identity_is_an_error_of_its_line() {
    let zeros = "0".repeat(128);
    for (kind, field, value, expected) in [
        ("snp.chip_id", "id", zeros.as_str(), "all zero"),
        ("snp.chip_id", "id", "", "128 hexadecimal digits"),
        (
            "tdx.ppid",
            "id",
            "0g000102030405060708090a0b0c0d0e",
            "32 hexadecimal digits",
        ),
        ("tdx.ppid", "id", "012", "32 hexadecimal digits"),
        ("snp.report_id", "id", "01", "64 hexadecimal digits"),
        ("snp.report_id", "text", "node 7", "given by id"),
        ("nitro.module_id", "id", "01", "given by text"),
        ("nitro.module_id", "text", "", "empty"),
        ("snp.chipid", "id", "01", "unknown kind"),
    ] {
        let rest = format!("kind = \"{kind}\"\n{field} = \"{value}\"");
        let error = from_toml::<Instances>(&table(&rest)).unwrap_err();
        let text = error.to_string();
        assert!(text.contains(expected), "{text}");
        let line = if expected == "unknown kind" { 4 } else { 5 };
        assert!(text.starts_with(&format!("line {line}, ")), "{text}");
    }
    for rest in [
        "kind = \"tpm.ak\"",
        "kind = \"tdx.ppid\"\nid = \"00\"\ntext = \"x\"",
    ] {
        assert!(from_toml::<Instances>(&table(rest)).is_err());
    }
}

#[test]
fn a_table_that_knows_nobody_is_an_error() {
    let error = from_toml::<Instances>("version = 1\n[instances]\nknown = []").unwrap_err();
    assert!(error.to_string().contains("everybody would be refused"));
}

fn table(rest: &str) -> String {
    format!("version = 1\n[[instances.known]]\nname = \"a\"\n{rest}\n")
}
