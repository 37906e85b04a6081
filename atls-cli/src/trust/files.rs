//! The files that arguments about trust name.

use std::path::PathBuf;

use super::crl::CrlOption;
use super::options::TrustOptions;
use super::remote::ServiceOption;
use super::root::RootOption;

impl TrustOptions {
    /// All of them, so that a change of any can be seen.
    pub(crate) fn files(&self) -> Vec<PathBuf> {
        let Self {
            policy,
            verifier,
            ca,
            appraisal,
            ..
        } = self;
        policy
            .iter()
            .chain(ca)
            .chain(&appraisal.trust_sim)
            .chain(&appraisal.collateral)
            .chain(&appraisal.early)
            .chain(appraisal.crl.iter().map(CrlOption::file))
            .chain(appraisal.dangerous_root.iter().map(RootOption::file))
            .cloned()
            .chain(verifier.iter().flat_map(ServiceOption::files))
            .collect()
    }
}
