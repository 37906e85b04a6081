//! The formats of Evidence that Veraison has schemes for, as `EvidenceFormat<VeraisonService>`. The service gets the bytes that the
//! Evidence carries as its nonce.

mod cca;
mod psa;
mod snp;

use atls_core::ear::Appraisal;
use atls_core::ear::Category;
use atls_core::ear::TrustClaim;
use atls_core::ear::TrustVector;
use atls_formats::psa::Lifecycle;

pub use cca::CcaToken;
pub use psa::PsaToken;
pub use snp::SevSnpReport;

/// AR4SI `configuration`: acceptable, or contraindicated.
fn configuration(found: Configuration) -> Appraisal {
    let value = match found {
        Configuration::Acceptable => 2,
        Configuration::Insecure => 96,
    };
    Appraisal::new(TrustVector::new().with(Category::Configuration, TrustClaim::new(value)))
}

#[derive(Clone, Copy)]
enum Configuration {
    Acceptable,
    Insecure,
}

/// Every lifecycle but `secured` leaves some debugging open.
fn lifecycle(lifecycle: Lifecycle) -> Appraisal {
    configuration(match lifecycle {
        Lifecycle::Secured => Configuration::Acceptable,
        _ => Configuration::Insecure,
    })
}
