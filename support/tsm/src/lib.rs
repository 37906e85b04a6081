//! Linux configfs-tsm: one kernel interface to the attestation of Intel TDX, AMD SEV-SNP and Arm CCA guests.
//!
//! A request goes in, with the 64 bytes to attest, and the signed report comes out; on failure there is a [`TsmError`]. Since
//! Linux 6.7 a guest asks for a report by files in `/sys/kernel/config/tsm/report` (kernel document
//! `Documentation/ABI/testing/configfs-tsm-report`): make a directory, write the 64 bytes to attest into `inblob`, read the
//! signed report from `outblob` and the additions of the host from `auxblob`, check by `generation` that nobody wrote in
//! between, remove the directory.
//!
//! ```no_run
//! use atls_tsm::Provider;
//! use atls_tsm::Tsm;
//! use atls_tsm::TsmRequest;
//!
//! let tsm = Tsm::new();
//! let report = tsm.report(&TsmRequest::new(Provider::SevGuest, &[0x5a; 64]))?;
//! println!("{} bytes of report", report.outblob.len());
//! # Ok::<(), atls_tsm::TsmError>(())
//! ```
//!
//! This crate leaves out the device files `/dev/sev-guest` and `/dev/tdx_guest`, which need `ioctl` and so `unsafe` (see the
//! [README](https://crates.io/crates/atls-tsm)), and SVSM service reports (`service_provider`, `manifestblob`). It gives the report as the device made it; a
//! Verifier decides whether it is genuine.
//!
//! [The guide] says what a guest needs.
//!
#![doc = concat!("[The guide]: ", env!("CARGO_PKG_REPOSITORY"), "/blob/v", env!("CARGO_PKG_VERSION"), "/docs/platforms/tsm.md")]
#![forbid(unsafe_code)]

pub mod testing;

mod entry;
mod error;
mod fs;
mod report;

pub use error::TsmError;
pub use fs::Attribute;
pub use fs::ConfigFs;
pub use fs::TsmFs;
pub use report::Provider;
pub use report::Tsm;
pub use report::TsmReport;
pub use report::TsmRequest;
