//! Trustee's words for a TEE.

use atls_core::ear::BinaryText;

/// The name of a TEE at Trustee, and the spelling of its `report_data` in results.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(
    clippy::exhaustive_structs,
    reason = "a format must decide about each of these"
)]
pub struct TeeTerms {
    /// The name of the TEE, in requests and in the annotated evidence of results.
    pub tee: &'static str,
    /// The spelling of `report_data` in results.
    pub report_data: BinaryText,
}
