//! TCB statuses: how Intel judges a platform.

use std::fmt;

use serde::Deserialize;
use serde::Serialize;

/// How Intel judges a platform, as its TCB Info and its Quote Verification Library spell it; from the best to the worst.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum TcbStatus {
    /// All is as Intel wants it.
    UpToDate,
    /// Software in the TD or enclave must be hardened against what the platform does not mitigate.
    SWHardeningNeeded,
    /// The platform's configuration may expose it.
    ConfigurationNeeded,
    /// Both.
    ConfigurationAndSWHardeningNeeded,
    /// The TDX module was updated under the running TD, which was launched by one that is out of date.
    TDRelaunchAdvised,
    /// The same, and the configuration may expose it.
    TDRelaunchAdvisedConfigurationNeeded,
    /// Firmware or microcode is older than Intel's current level.
    OutOfDate,
    /// Older, and the configuration may expose it.
    OutOfDateConfigurationNeeded,
    /// The platform's keys are to be trusted no more. No policy can accept it.
    Revoked,
    /// None of Intel's levels fits: an unknown platform or TDX module. No policy can accept it.
    Unrecognised,
}

impl TcbStatus {
    /// With another status of the same platform: the worse of both, and both.
    pub(crate) fn beside(self, other: Self) -> Self {
        let worse = self.max(other);
        match (worse, self.min(other)) {
            (Self::OutOfDate, other) if other.needs_configuration() => {
                Self::OutOfDateConfigurationNeeded
            }
            (Self::TDRelaunchAdvised, other) if other.needs_configuration() => {
                Self::TDRelaunchAdvisedConfigurationNeeded
            }
            (Self::ConfigurationNeeded, Self::SWHardeningNeeded) => {
                Self::ConfigurationAndSWHardeningNeeded
            }
            _ => worse,
        }
    }

    /// With that of a TDX module or Quoting Enclave. As Intel's verifier has it, one that is not up to date is out of date,
    /// whatever its document calls it.
    pub(crate) fn with_component(self, component: Self) -> Self {
        match component {
            Self::UpToDate => self,
            other => self.beside(Self::OutOfDate).beside(other),
        }
    }

    /// Of a TD that was launched as this, once its TDX module was updated: a new launch may be all that it takes. Whoever
    /// updates the module may as well put an older one there.
    pub(crate) fn relaunched_as(self, running: Self) -> Self {
        match (self, running) {
            (Self::OutOfDate | Self::OutOfDateConfigurationNeeded, running)
                if running < Self::TDRelaunchAdvised =>
            {
                if self.needs_configuration() || running.needs_configuration() {
                    Self::TDRelaunchAdvisedConfigurationNeeded
                } else {
                    Self::TDRelaunchAdvised
                }
            }
            _ => self.beside(running),
        }
    }

    fn needs_configuration(self) -> bool {
        matches!(
            self,
            Self::ConfigurationNeeded
                | Self::ConfigurationAndSWHardeningNeeded
                | Self::OutOfDateConfigurationNeeded
                | Self::TDRelaunchAdvisedConfigurationNeeded
        )
    }

    pub(crate) fn is_out_of_date(self) -> bool {
        matches!(self, Self::OutOfDate | Self::OutOfDateConfigurationNeeded)
    }
}

impl fmt::Display for TcbStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

impl From<dcap_qvl::TcbStatus> for TcbStatus {
    fn from(status: dcap_qvl::TcbStatus) -> Self {
        use dcap_qvl::TcbStatus as Dcap;
        match status {
            Dcap::UpToDate => Self::UpToDate,
            Dcap::SWHardeningNeeded => Self::SWHardeningNeeded,
            Dcap::ConfigurationNeeded => Self::ConfigurationNeeded,
            Dcap::ConfigurationAndSWHardeningNeeded => Self::ConfigurationAndSWHardeningNeeded,
            Dcap::OutOfDate => Self::OutOfDate,
            Dcap::OutOfDateConfigurationNeeded => Self::OutOfDateConfigurationNeeded,
            Dcap::TDRelaunchAdvised => Self::TDRelaunchAdvised,
            Dcap::TDRelaunchAdvisedConfigurationNeeded => {
                Self::TDRelaunchAdvisedConfigurationNeeded
            }
            Dcap::Revoked => Self::Revoked,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::TcbStatus as Status;

    #[test]
    fn two_statuses_beside_each_other_are_the_worse_and_both() {
        for (one, other, both) in [
            (Status::UpToDate, Status::UpToDate, Status::UpToDate),
            (Status::UpToDate, Status::OutOfDate, Status::OutOfDate),
            (
                Status::ConfigurationNeeded,
                Status::OutOfDate,
                Status::OutOfDateConfigurationNeeded,
            ),
            (
                Status::SWHardeningNeeded,
                Status::ConfigurationNeeded,
                Status::ConfigurationAndSWHardeningNeeded,
            ),
            (
                Status::OutOfDateConfigurationNeeded,
                Status::TDRelaunchAdvised,
                Status::OutOfDateConfigurationNeeded,
            ),
            (
                Status::OutOfDate,
                Status::TDRelaunchAdvisedConfigurationNeeded,
                Status::OutOfDateConfigurationNeeded,
            ),
            (
                Status::TDRelaunchAdvised,
                Status::ConfigurationNeeded,
                Status::TDRelaunchAdvisedConfigurationNeeded,
            ),
            (
                Status::Revoked,
                Status::ConfigurationNeeded,
                Status::Revoked,
            ),
        ] {
            assert_eq!(one.beside(other), both);
            assert_eq!(other.beside(one), both);
        }
    }
}
