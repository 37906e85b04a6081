//! The trustworthiness vector of a result (AR4SI §2.3).

use atls_core::ear::Category;
use atls_core::ear::TrustClaim;
use atls_core::ear::TrustVector;

/// A machine that others can see into is never affirmed: a policy that allows it gets a warning, and must accept that too.
pub(crate) fn runtime_opaque(visible: bool, allowed: bool) -> i8 {
    match (visible, allowed) {
        (false, _) => APPROVED,
        (true, true) => UNSAFE,
        (true, false) => CONTRAINDICATED,
    }
}

/// The values of the claims that checks are about.
pub(crate) struct Values {
    pub(crate) identity: i8,
    pub(crate) configuration: i8,
    pub(crate) executables: i8,
    pub(crate) hardware: i8,
    pub(crate) runtime: i8,
}

/// All eight claims; nothing is claimed in a category that no check is about.
pub(crate) fn vector(values: &Values) -> TrustVector {
    [
        (Category::InstanceIdentity, values.identity),
        (Category::Configuration, values.configuration),
        (Category::Executables, values.executables),
        (Category::FileSystem, NO_CLAIM),
        (Category::Hardware, values.hardware),
        (Category::RuntimeOpaque, values.runtime),
        (Category::StorageOpaque, NO_CLAIM),
        (Category::SourcedData, NO_CLAIM),
    ]
    .into_iter()
    .fold(TrustVector::new(), |vector, (category, value)| {
        vector.with(category, TrustClaim::new(value))
    })
}

// AR4SI §2.3.4, by category.
pub(crate) const NO_CLAIM: i8 = 0;
pub(crate) const APPROVED: i8 = 2;
pub(crate) const APPROVED_RUNTIME: i8 = 2;
pub(crate) const APPROVED_BOOT: i8 = 3;
pub(crate) const UNSAFE: i8 = 32;
pub(crate) const UNRECOGNISED_EXECUTABLES: i8 = 33;
pub(crate) const CONTRAINDICATED: i8 = 96;
pub(crate) const UNRECOGNISED_HARDWARE: i8 = 97;
pub(crate) const UNRECOGNISED_INSTANCE: i8 = 97;
