//! Where Evidence carries the value of a connection, for verifiers that pass it on to a service.
//!
//! And which claims of it a service reports in its result. A service may echo whatever nonce it is given, so its client looks by itself. What is read here is covered by the
//! Evidence's own signature, which **is not verified here**: alone, these values prove nothing.
#![forbid(unsafe_code)]

pub mod dcap;
pub mod snp;
pub mod tsm;

mod carriage;
mod digest;
mod implementation;
mod reported;

pub use carriage::Carriage;
pub use digest::Digest;
pub use implementation::origin_of;
pub use reported::ReportedClaims;

/// Whether who runs a machine may look into it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(clippy::exhaustive_enums, reason = "there is no third")]
pub enum Debugging {
    /// It may: nothing in it is secret.
    Allowed,
    /// It may not.
    Denied,
}
