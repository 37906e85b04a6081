//! The keys by which collateral is fetched and kept.

use atls_formats::dcap::Tee;

use crate::platform::Platform;

/// Lower-case letters, digits and `/` only.
pub(super) fn key(platform: &Platform) -> String {
    let tee = tee_name(platform.tee);
    let fmspc = atls_reference::Digest::from(platform.fmspc);
    format!("{tee}/{fmspc}/{}", platform.ca.name())
}

/// Behind a key: Intel's early issue.
pub(super) const EARLY: &str = "/early";

pub(super) fn tee_name(tee: Tee) -> &'static str {
    match tee {
        Tee::Sgx => "sgx",
        Tee::Tdx => "tdx",
    }
}
