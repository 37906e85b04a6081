//! Formats of Evidence that Veraison has schemes for, as `EvidenceFormat<VeraisonService>`. The service is given the same bytes as
//! nonce that the Evidence carries.

mod cbor;
mod cca;
mod psa;
mod snp;

use atls_core::ear::Appraisal;
use atls_core::ear::Category;
use atls_core::ear::TrustClaim;
use atls_core::ear::TrustVector;

pub use cca::CcaToken;
pub use psa::PsaToken;
pub use snp::SevSnpReport;

/// AR4SI `configuration`: nothing to object to, or contraindicated.
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

/// `psa-security-lifecycle` and `cca-platform-lifecycle` (RFC 9783 §4.3.1): `secured` is 0x3000 to 0x30ff, and nothing else
/// is without some debugging.
fn lifecycle(code: u16) -> Appraisal {
    configuration(match code {
        0x3000..=0x30ff => Configuration::Acceptable,
        _ => Configuration::Insecure,
    })
}
