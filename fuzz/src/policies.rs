//! Policies that were written of Evidence which nobody verified.

use atls_azure::AzurePolicy;
use atls_nitro::NitroPolicy;
use atls_reference::Format;
use atls_reference::ReferenceError;
use atls_reference::Table;
use atls_reference::from_toml;
use atls_reference::tables;
use atls_snp::SnpPolicy;
use atls_tdx::SgxPolicy;
use atls_tdx::TdxPolicy;
use atls_tpm::TpmKeys;
use atls_tpm::TpmPolicy;

/// Fails unless the text is a policy of this platform, and of no other, whatever values it names: `atls policy new` reads back what it made, and
/// writes nothing that no command takes.
pub fn check(text: &str, table: &str) {
    let named = tables(text, Format::Toml);
    let mut named = named.unwrap_or_else(|error| panic!("{error}: {text}"));
    named.retain(|name| !name.ends_with("-keys"));
    match table {
        "azure" => assert!(named == ["azure", "snp", "tpm"] || named == ["azure", "tdx", "tpm"]),
        table => assert_eq!(named, [table]),
    }
    for name in named {
        match name.as_str() {
            "azure" => read::<AzurePolicy>(text),
            "nitro" => read::<NitroPolicy>(text),
            "sgx" => read::<SgxPolicy>(text),
            "snp" => read::<SnpPolicy>(text),
            "tdx" => read::<TdxPolicy>(text),
            "tpm" if table == "azure" => read::<TpmPolicy>(text),
            "tpm" => {
                read::<TpmPolicy>(text);
                read::<TpmKeys>(text);
            }
            other => panic!("no key is known of {other}"),
        }
    }
}

/// A value may be refused, and only that: it names a field.
fn read<T: Table>(text: &str) {
    if let Err(error) = from_toml::<T>(text) {
        assert!(
            matches!(error, ReferenceError::Meaning { .. }),
            "{error}: {text}"
        );
    }
}
