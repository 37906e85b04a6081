//! Formats of Evidence: what the peer sends, and what Trustee takes.

mod azure;
mod sample;
mod snp;
mod tdx;

use atls_core::ear::Appraisal;
use atls_core::ear::BinaryText;
use atls_core::ear::Category;
use atls_core::ear::TrustClaim;
use atls_core::ear::TrustVector;
use atls_formats::Debugging;

pub use azure::AzureVtpm;
pub use sample::SampleEvidence;
pub use snp::SnpReport;
pub use tdx::TdxQuote;

/// What Trustee calls a TEE, and how its results spell what they found in the Evidence.
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

/// AR4SI `configuration`: a guest that may be debugged, or moved by a migration agent, keeps nothing secret, whatever the service's
/// policy says.
fn appraisal_of(debugging: Debugging) -> Appraisal {
    let value = match debugging {
        Debugging::Allowed => 96,
        Debugging::Denied => 2,
    };
    Appraisal::new(TrustVector::new().with(Category::Configuration, TrustClaim::new(value)))
}
