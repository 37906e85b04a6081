//! Short names for what many tests of TPMs use.
#![allow(
    clippy::unwrap_used,
    dead_code,
    unreachable_pub,
    reason = "support for several tests, which fail by panicking"
)]

use atls_core::pki_types::UnixTime;
use atls_tpm::PcrIndex;

/// Any time: quotes have none.
pub fn at() -> UnixTime {
    test_support::at(1_800_000_000)
}

pub fn pcr(index: u8) -> PcrIndex {
    PcrIndex::new(index).unwrap()
}
