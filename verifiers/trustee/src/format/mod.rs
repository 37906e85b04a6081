//! Formats of Evidence: the peer's bytes go in, the value of the connection that they carry and the JSON for Trustee come out.
//! Bytes of another form are `Malformed`, and Trustee is not asked.

mod azure;
mod sample;
mod snp;
mod tdx;

use atls_core::ear::Appraisal;
use atls_core::ear::Category;
use atls_core::ear::TrustClaim;
use atls_core::ear::TrustVector;
use atls_formats::Debugging;

pub use azure::AzureVtpm;
pub use sample::SampleEvidence;
pub use snp::SnpReport;
pub use tdx::TdxQuote;

/// AR4SI `configuration`: a guest that somebody may debug, or move by a migration agent, keeps nothing secret, whatever the
/// policy of the service says.
fn appraisal_of(debugging: Debugging) -> Appraisal {
    let value = match debugging {
        Debugging::Allowed => 96,
        Debugging::Denied => 2,
    };
    Appraisal::new(TrustVector::new().with(Category::Configuration, TrustClaim::new(value)))
}
