//! Whole attested HTTPS requests for each hardware platform: a forged device behind the real attester, the real verifier
//! with the forger's root. One that is answered, and those that are refused. Of TPMs there is a real one in software, `swtpm`.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

#[cfg(unix)]
mod azure;
mod cca;
#[cfg(unix)]
mod composite;
mod nitro;
mod psa;
mod sgx;
mod snp;
mod support;
mod tdx;
#[cfg(unix)]
mod tpm;
