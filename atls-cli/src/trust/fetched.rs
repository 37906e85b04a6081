//! Collateral that is fetched, kept from one set of verifiers to the next.

use std::convert::Infallible;
use std::fmt;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;

use atls_core::BoxFuture;
use atls_snp::SnpCollateral;
use atls_tdx::CollateralSource;

use crate::failure::Failure;

/// Collateral that is fetched, for all verifiers that are made of the same arguments, one after the other: a policy that is read again does not
/// have it fetched again.
#[derive(Clone, Default)]
pub(crate) struct Fetched {
    amd: Place<dyn SnpCollateral>,
    intel: Place<dyn CollateralSource>,
    renewals: Arc<Mutex<Vec<BoxFuture<'static, Infallible>>>>,
}

/// A source that was made, and what renews its collateral for as long as it is polled.
pub(super) struct Made<T: ?Sized> {
    pub(super) source: Arc<T>,
    pub(super) renewal: BoxFuture<'static, Infallible>,
}

// An alias, as clippy finds the type hard to read in place.
type Place<T> = Arc<Mutex<Option<Arc<T>>>>;

impl Fetched {
    pub(super) fn amd(
        &self,
        make: impl FnOnce() -> Result<Made<dyn SnpCollateral>, Failure>,
    ) -> Result<Arc<dyn SnpCollateral>, Failure> {
        self.kept(&self.amd, make)
    }

    pub(super) fn intel(
        &self,
        make: impl FnOnce() -> Result<Made<dyn CollateralSource>, Failure>,
    ) -> Result<Arc<dyn CollateralSource>, Failure> {
        self.kept(&self.intel, make)
    }

    /// What is to run beside a service: one for each source that was made since the last call.
    pub(crate) fn renewals(&self) -> Vec<BoxFuture<'static, Infallible>> {
        std::mem::take(&mut *lock(&self.renewals))
    }

    fn kept<T: ?Sized>(
        &self,
        place: &Mutex<Option<Arc<T>>>,
        make: impl FnOnce() -> Result<Made<T>, Failure>,
    ) -> Result<Arc<T>, Failure> {
        let mut place = lock(place);
        if let Some(kept) = &*place {
            return Ok(kept.clone());
        }
        let Made { source, renewal } = make()?;
        lock(&self.renewals).push(renewal);
        Ok(place.insert(source).clone())
    }

    #[cfg(test)]
    pub(crate) fn renewing(renewal: BoxFuture<'static, Infallible>) -> Self {
        let fetched = Self::default();
        lock(&fetched.renewals).push(renewal);
        fetched
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl fmt::Debug for Fetched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Fetched")
    }
}
