//! Any bytes as a CoRIM, and what the platforms make of it: never a policy that knows nothing.
#![no_main]

use std::time::Duration;

use atls_core::pki_types::UnixTime;
use atls_nitro::NitroPolicy;
use atls_reference::corim;
use atls_snp::SnpPolicy;
use atls_tdx::SgxPolicy;
use atls_tdx::TdxPolicy;

atls_fuzz::target!(|bytes: &[u8]| {
    let now = UnixTime::since_unix_epoch(Duration::from_secs(1_795_000_000));
    let Ok(corim) = corim::unsigned(bytes, now) else {
        return;
    };
    if let Ok(policy) = corim.table::<TdxPolicy>() {
        assert!(!policy.images.is_empty());
    }
    if let Ok(policy) = corim.table::<SgxPolicy>() {
        assert!(!policy.enclaves.is_empty());
    }
    if let Ok(policy) = corim.table::<SnpPolicy>() {
        assert!(!policy.images.is_empty());
    }
    if let Ok(policy) = corim.table::<NitroPolicy>() {
        assert!(!policy.images.is_empty());
    }
});
