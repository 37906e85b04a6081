//! Any text as a policy file: what is read is a policy that knows something.
#![no_main]

use atls_nitro::NitroPolicy;
use atls_reference::from_json;
use atls_reference::from_toml;
use atls_snp::SnpPolicy;
use atls_tdx::TdxPolicy;

atls_fuzz::target!(|text: &str| {
    for policy in [from_toml::<TdxPolicy>(text), from_json(text)] {
        assert!(policy.is_err() || policy.is_ok_and(|policy| !policy.images.is_empty()));
    }
    for policy in [from_toml::<SnpPolicy>(text), from_json(text)] {
        assert!(policy.is_err() || policy.is_ok_and(|policy| !policy.images.is_empty()));
    }
    for policy in [from_toml::<NitroPolicy>(text), from_json(text)] {
        assert!(policy.is_err() || policy.is_ok_and(|policy| !policy.images.is_empty()));
    }
});
