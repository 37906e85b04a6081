//! What is demanded of the platform: fields that both tables have.

use std::fmt;

use atls_reference::Digest;
use serde::Deserialize;
use serde::Deserializer;
use serde::Serialize;
use serde::Serializer;
use serde::de;

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

/// Which of Intel's security advisories may apply to the platform.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(clippy::exhaustive_enums, reason = "all or some: there is no third")]
pub enum Advisories {
    /// `"any-known"`: whatever Intel lists for a level whose status is accepted.
    AnyKnown,
    /// These, such as `["INTEL-SA-00615"]`; with none, no advisory may apply.
    Only(Vec<String>),
}

impl Advisories {
    pub(crate) fn accept(&self, advisories: &[String]) -> bool {
        match self {
            Self::AnyKnown => true,
            Self::Only(known) => advisories.iter().all(|advisory| known.contains(advisory)),
        }
    }
}

impl Advisories {
    /// The accepted ones; `None` for all.
    pub(crate) fn named(&self) -> Option<&[String]> {
        match self {
            Self::AnyKnown => None,
            Self::Only(known) => Some(known),
        }
    }

    /// Those that are not accepted, in one text; `None` where there is none.
    pub(crate) fn unaccepted(&self, advisories: &[String]) -> Option<String> {
        let known = self.named()?;
        let others = advisories
            .iter()
            .filter(|advisory| !known.contains(advisory));
        let others: Vec<&str> = others.map(String::as_str).collect();
        (!others.is_empty()).then(|| others.join(", "))
    }
}

impl Serialize for Advisories {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::AnyKnown => serializer.serialize_str(ANY_KNOWN),
            Self::Only(known) => known.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Advisories {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AdvisoriesVisitor)
    }
}

struct AdvisoriesVisitor;

impl<'de> de::Visitor<'de> for AdvisoriesVisitor {
    type Value = Advisories;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a list of advisories, or `{ANY_KNOWN}`")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Advisories, E> {
        if text == ANY_KNOWN {
            Ok(Advisories::AnyKnown)
        } else {
            Err(E::invalid_value(de::Unexpected::Str(text), &self))
        }
    }

    fn visit_seq<A: de::SeqAccess<'de>>(self, mut seq: A) -> Result<Advisories, A::Error> {
        let mut known = Vec::new();
        while let Some(advisory) = seq.next_element()? {
            known.push(advisory);
        }
        Ok(Advisories::Only(known))
    }
}

/// What is demanded of the platform under the TD or enclave, borrowed from a table.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TcbPolicy<'a> {
    pub(crate) accept_tcb: &'a [TcbStatus],
    pub(crate) accept_advisories: &'a Advisories,
    pub(crate) out_of_date_grace_days: Option<u32>,
    pub(crate) collateral_grace_days: u32,
    pub(crate) min_tcb_evaluation_data_number: u32,
    pub(crate) allow_dynamic_platform: bool,
    pub(crate) allow_cached_keys: bool,
    pub(crate) allow_smt: bool,
    pub(crate) ppid: Option<&'a [Digest<16>]>,
}

impl TcbPolicy<'_> {
    pub(super) fn check(&self) -> Result<(), String> {
        let accepts = |status| self.accept_tcb.contains(&status);
        if self.accept_tcb.is_empty() {
            return Err(
                "accept-tcb is empty, so no platform could be accepted; name at least UpToDate"
                    .to_owned(),
            );
        }
        if accepts(TcbStatus::Revoked) || accepts(TcbStatus::Unrecognised) {
            return Err("accept-tcb names a status that cannot be accepted; remove it".to_owned());
        }
        if self.ppid.is_some_and(<[_]>::is_empty) {
            return Err(
                "ppid is empty, so no platform could be accepted; leave it out for all of Intel's"
                    .to_owned(),
            );
        }
        let out_of_date = self.accept_tcb.iter().any(|status| status.is_out_of_date());
        if out_of_date && self.out_of_date_grace_days.is_none() {
            return Err(
                "accept-tcb names a status that is out of date; say for how long after the date \
                 of its level by out-of-date-grace-days"
                    .to_owned(),
            );
        }
        if self.collateral_grace_days > MAX_COLLATERAL_GRACE {
            return Err(format!(
                "collateral-grace-days is above {MAX_COLLATERAL_GRACE}"
            ));
        }
        Ok(())
    }
}

const ANY_KNOWN: &str = "any-known";

/// Days. Intel issues collateral anew about once a day, for thirty days.
const MAX_COLLATERAL_GRACE: u32 = 30;

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
