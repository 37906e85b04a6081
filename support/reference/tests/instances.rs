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
    for (rest, expected) in [
        (
            r#"kind = "snp.chip_id"
               id = "0000000000""#,
            "all zero",
        ),
        (
            r#"kind = "snp.chip_id"
               id = """#,
            "empty",
        ),
        (
            r#"kind = "snp.chip_id"
               id = "0g""#,
            "hexadecimal",
        ),
        (
            r#"kind = "snp.chip_id"
               id = "012""#,
            "hexadecimal",
        ),
        (
            r#"kind = "snp.chip_id"
               id = "01"
               text = "x""#,
            "either id",
        ),
        (r#"kind = "snp.chip_id""#, "either id"),
        (
            r#"kind = "snp.chipid"
               id = "01""#,
            "unknown kind",
        ),
    ] {
        let error = from_toml::<Instances>(&table(rest)).unwrap_err();
        let text = error.to_string();
        assert!(text.contains(expected), "{text}");
        assert!(text.starts_with("line "), "{text}");
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
