//! Any bytes as a CoRIM, signed by nobody or by a known maker, and what the platforms make of it: never a table that knows nothing.
#![no_main]

use std::sync::OnceLock;

use atls_cca::CcaKeys;
use atls_cca::CcaPolicy;
use atls_cca::PsaKeys;
use atls_cca::PsaPolicy;
use atls_core::ear::VerificationKeys;
use atls_fuzz::sign;
use atls_nitro::NitroPolicy;
use atls_reference::Table;
use atls_reference::corim;
use atls_reference::corim::Corim;
use atls_snp::SnpPolicy;
use atls_tdx::SgxPolicy;
use atls_tdx::TdxPolicy;
use atls_tpm::TpmPolicy;
use test_support::at;
use test_support::supported;

atls_fuzz::target!(|bytes: &[u8]| {
    static KEYS: OnceLock<VerificationKeys> = OnceLock::new();
    let keys = KEYS.get_or_init(sign::keys);
    let signed = |bytes: &[u8]| corim::signed(bytes, keys, &supported(), at(NOW));
    assert!(signed(bytes).is_err(), "nobody signed it");
    let unsigned = corim::unsigned(bytes, at(NOW));
    // A signature changes nothing of what a document says.
    if let Ok(signed) = signed(&sign::corim(bytes)) {
        assert_eq!(unsigned.as_ref().ok(), Some(&signed));
    }
    if let Ok(corim) = unsigned {
        tables(&corim);
    }
});

fn tables(corim: &Corim) {
    check::<CcaKeys>(corim, |table| !table.keys.is_empty());
    check::<NitroPolicy>(corim, |table| !table.images.is_empty());
    check::<PsaKeys>(corim, |table| !table.keys.is_empty());
    check::<PsaPolicy>(corim, |table| !table.devices.is_empty());
    check::<SgxPolicy>(corim, |table| !table.enclaves.is_empty());
    check::<SnpPolicy>(corim, |table| !table.images.is_empty());
    check::<TdxPolicy>(corim, |table| !table.images.is_empty());
    check::<TpmPolicy>(corim, |table| !table.images.is_empty());
    // It wants two documents, of platforms and of realms: one that is read as both would say what it does not.
    assert!(CcaPolicy::dangerous_from_corims_without_end(corim, corim).is_err());
    let nothing = CcaPolicy::new(Vec::new(), Vec::new());
    assert!(corim.dangerous_added_without_end(nothing).is_err());
}

fn check<T: Table>(corim: &Corim, knows_something: impl Fn(&T) -> bool) {
    if let Ok(table) = corim.dangerous_table_without_end::<T>() {
        assert!(knows_something(&table), "{}", T::NAME);
    }
}

const NOW: u64 = 1_795_000_000;
