//! The local appraisal of a configuration: properties that Veraison's schemes overlook.

use atls_core::ear::Appraisal;
use atls_core::ear::Category;
use atls_core::ear::TrustClaim;
use atls_core::ear::TrustVector;
use atls_formats::psa::Lifecycle;

/// AR4SI `configuration`.
#[derive(Clone, Copy)]
pub(super) enum Configuration {
    Acceptable,
    Contraindicated,
}

impl From<Configuration> for Appraisal {
    fn from(configuration: Configuration) -> Self {
        let value = match configuration {
            Configuration::Acceptable => 2,
            Configuration::Contraindicated => 96,
        };
        Self::new(TrustVector::new().with(Category::Configuration, TrustClaim::new(value)))
    }
}

/// Every lifecycle but `secured` leaves some debugging open.
impl From<Lifecycle> for Configuration {
    fn from(lifecycle: Lifecycle) -> Self {
        match lifecycle {
            Lifecycle::Secured => Self::Acceptable,
            _ => Self::Contraindicated,
        }
    }
}
