//! Reference values and appraisal policy: the tables `[tdx]` and `[sgx]`.

mod advisories;
mod corim;
mod demands;
mod enclave;
mod image;
mod pin;
mod sgx;
mod status;
mod tdx;

pub use advisories::Advisories;
pub use enclave::SgxEnclave;
pub use image::TdxImage;
pub use pin::Pin;
pub use sgx::SgxPolicy;
pub use status::TcbStatus;
pub use tdx::TdxPolicy;

pub(crate) use demands::PlatformDemands;
