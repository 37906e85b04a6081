//! Formats of Evidence: the peer's bytes go in, the value of the connection that they carry and the JSON for Trustee come out.
//! Bytes of another form are `Malformed`, and Trustee is not asked.

mod azure;
mod sample;
mod snp;
mod tdx;

pub use azure::AzureVtpm;
pub use sample::SampleEvidence;
pub use snp::SnpReport;
pub use tdx::TdxQuote;
