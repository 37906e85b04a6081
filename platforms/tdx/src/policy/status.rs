//! TCB statuses: Intel's rating of a platform.

use std::fmt;

use serde::Deserialize;
use serde::Serialize;

/// Intel's rating of a platform, spelled as in its TCB Info and its Quote Verification Library; from the best to the worst.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum TcbStatus {
    /// Nothing is to be done.
    UpToDate,
    /// Software in the TD or enclave must be hardened against what the platform does not mitigate.
    SWHardeningNeeded,
    /// The platform's configuration may expose it.
    ConfigurationNeeded,
    /// Software must be hardened, and the configuration may expose the platform.
    ConfigurationAndSWHardeningNeeded,
    /// The TDX module was updated under the running TD, which was launched by one that is out of date.
    TDRelaunchAdvised,
    /// As `TDRelaunchAdvised`, and the configuration may expose the platform.
    TDRelaunchAdvisedConfigurationNeeded,
    /// Firmware or microcode is older than Intel's current level.
    OutOfDate,
    /// As `OutOfDate`, and the configuration may expose the platform.
    OutOfDateConfigurationNeeded,
    /// Intel withdrew its trust in the platform's keys. No policy can accept it.
    Revoked,
    /// None of Intel's levels fits: an unknown platform or TDX module. No policy can accept it.
    Unrecognised,
}

impl TcbStatus {
    /// As the library of DCAP says it. Not a `From`, which would make that library a part of the public names.
    pub(crate) fn from_library(status: dcap_qvl::TcbStatus) -> Self {
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

    /// The status of a platform with this one and another: the worse of both, and both where one status says so.
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

    /// The status with that of a TDX module or Quoting Enclave. As in Intel's verifier, a component that is not up to date is out
    /// of date, whatever its document calls it.
    pub(crate) fn with_component(self, component: Self) -> Self {
        match component {
            Self::UpToDate => self,
            other => self.beside(Self::OutOfDate).beside(other),
        }
    }

    /// The status of a TD that was launched with this one, and whose TDX module was updated since: a new launch may be enough.
    /// The update may as well bring an older module.
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
