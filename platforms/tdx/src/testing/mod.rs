//! A **forged** platform under a root of its own: quotes and collateral that go through the very same verifier.
//!
//! Nothing here is any use against Intel's root. A verifier accepts it only if it was made by
//! [`TdxVerifier::dangerous_with_root`](crate::TdxVerifier::dangerous_with_root) with [`ForgedPlatform::root`].
//!
//! ```
//! # use std::sync::Arc;
//! # use atls_reference::Live;
//! # use atls_tdx::testing::ForgedPlatform;
//! # use atls_tdx::{SuppliedCollateral, Tee, TdxImage, TdxPolicy, TdxVerifier};
//! let platform = ForgedPlatform::new(1_800_000_000)?;
//! let report = platform.td_report();
//! let image = TdxImage { mrtd_covers_all: true, ..TdxImage::new("forged", report.mrtd) };
//! let verifier = TdxVerifier::dangerous_with_root(
//!     platform.root(),
//!     Arc::new(Live::fixed(TdxPolicy::up_to_date(vec![image]))?),
//!     Arc::new(SuppliedCollateral::new([platform.collateral(Tee::Tdx)?])),
//! );
//! let quote = platform.tdx_quote(&report, &[0x5a; 64])?;
//! # let _ = (verifier, quote);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod authority;
mod body;
mod documents;
mod error;
mod forge;
mod key;
mod pck_extension;
mod pki;
mod platform;

pub use error::ForgeError;
pub use platform::ForgedCertificate;
pub use platform::ForgedLevel;
pub use platform::ForgedPlatform;
pub use platform::QE_SIGNER;
