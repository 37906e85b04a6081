//! Errors of the table `[azure]`, with line and field.
#![allow(
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

use atls_azure::AzurePolicy;
use atls_reference::ReferenceError;
use atls_reference::from_toml;

#[test]
fn an_empty_table_asks_for_secure_boot_alone() {
    let policy: AzurePolicy = from_toml("version = 1\n[azure]").unwrap();
    assert_eq!(policy, AzurePolicy::default());
    assert!(!policy.allow_insecure_boot);
}

#[test]
fn a_mistake_is_named_with_its_line_and_its_field() {
    for (text, line, field) in [
        ("vm-unique-ids = []", 3, "azure.vm-unique-ids"),
        (
            "vm-unique-ids = [\"26F8BC30-774E-4290-8E7A-535F3B672AEE\",\n  \"26F8BC30774E42908E7A535F3B672AEE\"]",
            4,
            "azure.vm-unique-ids[1]",
        ),
        (
            "\nvm-unique-ids = [\"26F8BC30-774E-4290-8E7A-535F3B672AEG\"]",
            4,
            "azure.vm-unique-ids[0]",
        ),
        ("user-data = \"00\"", 3, "azure.user-data"),
        ("allow-insecure-boot = 1", 3, "azure.allow-insecure-boot"),
        ("secure-boot = true", 3, "azure.secure-boot"),
    ] {
        let text = format!("version = 1\n[azure]\n{text}\n");
        let error = from_toml::<AzurePolicy>(&text).unwrap_err();
        let (found_line, found_field) = match &error {
            ReferenceError::Meaning { line, field, .. } => (*line, format!("azure.{field}")),
            ReferenceError::Syntax(error) => (error.line, error.field.clone()),
            other => panic!("{other}"),
        };
        assert_eq!((found_line, found_field.as_str()), (line, field), "{error}");
    }
}
