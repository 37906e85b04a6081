//! Any text as a policy file, in TOML and in JSON: each table that is read knows something, and so do the tables of keys, of instances and of
//! compositions.
#![no_main]

use atls_azure::AzurePolicy;
use atls_cca::CcaKeys;
use atls_cca::CcaPolicy;
use atls_cca::PsaKeys;
use atls_cca::PsaPolicy;
use atls_nitro::NitroPolicy;
use atls_reference::CompositionTable;
use atls_reference::Format;
use atls_reference::Instances;
use atls_reference::Table;
use atls_reference::from_text;
use atls_reference::tables;
use atls_snp::SnpPolicy;
use atls_tdx::SgxPolicy;
use atls_tdx::TdxPolicy;
use atls_tpm::TpmKeys;
use atls_tpm::TpmPolicy;

atls_fuzz::target!(|text: &str| {
    for format in [Format::Toml, Format::Json] {
        read(text, format);
    }
});

fn read(text: &str, format: Format) {
    for name in tables(text, format).unwrap_or_default().iter().take(MOST) {
        table(text, format, name);
    }
}

fn table(text: &str, format: Format, name: &str) {
    match name {
        AzurePolicy::NAME => check::<AzurePolicy>(text, format, |table| {
            table.vm_unique_ids.as_ref() != Some(&Vec::new())
        }),
        CcaKeys::NAME => check::<CcaKeys>(text, format, |table| !table.keys.is_empty()),
        CcaPolicy::NAME => check::<CcaPolicy>(text, format, |table| {
            !table.platforms.is_empty() && !table.realms.is_empty()
        }),
        CompositionTable::NAME => {
            check::<CompositionTable>(text, format, |table| !table.items.is_empty());
        }
        Instances::NAME => check::<Instances>(text, format, |table| table.names().count() > 0),
        NitroPolicy::NAME => check::<NitroPolicy>(text, format, |table| !table.images.is_empty()),
        PsaKeys::NAME => check::<PsaKeys>(text, format, |table| !table.keys.is_empty()),
        PsaPolicy::NAME => check::<PsaPolicy>(text, format, |table| !table.devices.is_empty()),
        SgxPolicy::NAME => check::<SgxPolicy>(text, format, |table| !table.enclaves.is_empty()),
        SnpPolicy::NAME => check::<SnpPolicy>(text, format, |table| !table.images.is_empty()),
        TdxPolicy::NAME => check::<TdxPolicy>(text, format, |table| !table.images.is_empty()),
        TpmKeys::NAME => check::<TpmKeys>(text, format, |table| {
            !table.keys.is_empty() || !table.authorities.is_empty()
        }),
        TpmPolicy::NAME => check::<TpmPolicy>(text, format, |table| !table.images.is_empty()),
        _ => {}
    }
}

fn check<T: Table>(text: &str, format: Format, knows_something: impl Fn(&T) -> bool) {
    if let Ok(table) = from_text::<T>(text, format) {
        assert!(knows_something(&table), "{}", T::NAME);
    }
}

/// Tables of one text; each is read anew.
const MOST: usize = 4;
