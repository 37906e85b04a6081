//! Further conditions of a reference value, on the guest and on the machine under it.

use atls_formats::snp::Report;
use atls_formats::snp::SigningKey;
use atls_reference::Digest;
use serde::Deserialize;
use serde::Serialize;

/// Conditions of one image, as makers of firmware state them in a CoRIM. A field that is left out allows everything that the rest
/// of the policy allows.
///
/// Conditions only narrow. The policy's own minimum TCB and all its other fields hold besides.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[non_exhaustive]
pub struct SnpConditions {
    /// `GUEST_SVN`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub guest_svn: Option<Level<u32>>,
    /// `POLICY`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub guest_policy: Option<Bits>,
    /// `PLATFORM_INFO`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub platform_info: Option<Bits>,
    /// The least privileged level, 0 to 3.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_vmpl: Option<u32>,
    /// The kind of key that signs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signing_key: Option<SigningKey>,
    /// `CPUID_FAM_ID`, the combined family. Reports of version 2 have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpuid_family: Option<u8>,
    /// `CPUID_MOD_ID`, the combined model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpuid_model: Option<u8>,
    /// `CPUID_STEP`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpuid_stepping: Option<u8>,
    /// `REPORTED_TCB`, 8 bytes, the most significant one (microcode) first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reported_tcb: Option<Level<Digest<8>>>,
    /// `COMMITTED_TCB`, likewise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub committed_tcb: Option<Level<Digest<8>>>,
    /// `LAUNCH_TCB`, likewise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub launch_tcb: Option<Level<Digest<8>>>,
}

impl SnpConditions {
    pub(super) fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    pub(super) fn hold(&self, report: &Report<'_>) -> bool {
        let cpuid = report.cpuid.map_or([None; 3], |cpuid| cpuid.map(Some));
        let [family, model, stepping] = cpuid;
        let bits = |stated: Option<Bits>, found| stated.is_none_or(|stated| stated.hold(found));
        let tcb = |stated: Option<Level<Digest<8>>>, found| {
            stated.is_none_or(|stated| stated.is_reached_by(found))
        };
        self.guest_svn
            .is_none_or(|stated| stated.is_met_by(report.guest_svn))
            && bits(self.guest_policy, report.policy.bits())
            && bits(self.platform_info, report.platform_info.bits())
            && self.max_vmpl.is_none_or(|highest| report.vmpl <= highest)
            && is(self.signing_key, Some(report.signing_key))
            && is(self.cpuid_family, family)
            && is(self.cpuid_model, model)
            && is(self.cpuid_stepping, stepping)
            && tcb(self.reported_tcb, report.reported_tcb)
            && tcb(self.committed_tcb, report.committed_tcb)
            && tcb(self.launch_tcb, report.launch_tcb)
    }
}

/// Some bits of a number. Value and mask have 8 bytes, the most significant one first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[allow(clippy::exhaustive_structs, reason = "a value and its mask")]
pub struct Bits {
    /// The demanded bits.
    pub value: Digest<8>,
    /// The bits that count.
    pub mask: Digest<8>,
}

impl Bits {
    fn hold(self, found: u64) -> bool {
        let mask = u64::from_be_bytes(*self.mask.as_bytes());
        found & mask == u64::from_be_bytes(*self.value.as_bytes()) & mask
    }
}

/// A demanded version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
#[allow(clippy::exhaustive_enums, reason = "as CoRIM has it")]
pub enum Level<T> {
    /// This version or a higher one; of firmware, byte for byte.
    AtLeast(T),
    /// This version alone.
    Exactly(T),
}

impl<T> Level<T> {
    /// The version itself.
    pub fn stated(&self) -> &T {
        match self {
            Self::AtLeast(stated) | Self::Exactly(stated) => stated,
        }
    }
}

impl Level<u32> {
    fn is_met_by(self, found: u32) -> bool {
        match self {
            Self::AtLeast(stated) => found >= stated,
            Self::Exactly(stated) => found == stated,
        }
    }
}

impl Level<Digest<8>> {
    /// `found` has the order of a report. Compared as one number, newer microcode would make up for older firmware.
    fn is_reached_by(self, found: [u8; 8]) -> bool {
        let mut parts = self.stated().as_bytes().iter().rev().zip(&found);
        match self {
            Self::AtLeast(_) => parts.all(|(stated, found)| found >= stated),
            Self::Exactly(_) => parts.all(|(stated, found)| found == stated),
        }
    }
}

/// A value that is not stated may be anything. A stated value must be found.
fn is<T: Copy + PartialEq>(stated: Option<T>, found: Option<T>) -> bool {
    stated.is_none() || stated == found
}
