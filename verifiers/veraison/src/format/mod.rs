//! The formats of Evidence that Veraison has schemes for, as `EvidenceFormat<VeraisonService>`. The service gets the bytes that the
//! Evidence carries as its nonce.

mod cca;
mod configuration;
mod origin;
mod psa;
mod snp;

pub use cca::CcaToken;
pub use psa::PsaToken;
pub use snp::SevSnpReport;
