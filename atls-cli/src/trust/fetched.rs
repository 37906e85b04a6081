//! Collateral that is fetched, kept from one set of verifiers to the next.

use std::fmt;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;

use atls_snp::SnpCollateral;
use atls_tdx::CollateralSource;

use crate::failure::Failure;

/// Collateral that is fetched, for all verifiers that are made of the same arguments, one after the other: a policy that is read again does not
/// have it fetched again.
#[derive(Clone, Default)]
pub(crate) struct Fetched {
    amd: Place<dyn SnpCollateral>,
    intel: Place<dyn CollateralSource>,
}

// An alias, as clippy finds the type hard to read in place.
type Place<T> = Arc<Mutex<Option<Arc<T>>>>;

impl Fetched {
    pub(super) fn amd(
        &self,
        make: impl FnOnce() -> Result<Arc<dyn SnpCollateral>, Failure>,
    ) -> Result<Arc<dyn SnpCollateral>, Failure> {
        kept(&self.amd, make)
    }

    pub(super) fn intel(
        &self,
        make: impl FnOnce() -> Result<Arc<dyn CollateralSource>, Failure>,
    ) -> Result<Arc<dyn CollateralSource>, Failure> {
        kept(&self.intel, make)
    }
}

fn kept<T: ?Sized>(
    place: &Mutex<Option<Arc<T>>>,
    make: impl FnOnce() -> Result<Arc<T>, Failure>,
) -> Result<Arc<T>, Failure> {
    let mut place = place.lock().unwrap_or_else(PoisonError::into_inner);
    let kept = match place.take() {
        Some(kept) => kept,
        None => make()?,
    };
    Ok(place.insert(kept).clone())
}

impl fmt::Debug for Fetched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Fetched")
    }
}
