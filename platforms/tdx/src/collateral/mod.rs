//! Collateral: the documents that Intel signs about platforms, and that an appraisal needs beside the quote; and its sources.

mod bundle;
mod crl;
mod evaluation;
mod fetched;
mod form;
mod key;
mod parts;
mod pcs;
mod source;
mod validity;
mod verification;

pub use bundle::Collateral;
pub use fetched::FetchedCollateral;
pub use parts::CollateralFormError;
pub use parts::CollateralParts;
pub use pcs::Pcs;
pub use source::CollateralFromPeer;
pub use source::CollateralSource;
pub use source::SuppliedCollateral;

pub(crate) use evaluation::Evaluation;
pub(crate) use form::media_type;
