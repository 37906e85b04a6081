//! Demands of a policy on a guest's launch and on its machine.

use std::fmt;

use atls_formats::snp::GuestPolicy;
use atls_formats::snp::PlatformInfo;
use serde::Deserialize;
use serde::Deserializer;
use serde::Serialize;
use serde::Serializer;
use serde::de;

/// A demand on the guest's own policy, which the firmware enforces (AMD document 56860 §4.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum GuestRestriction {
    /// Memory is encrypted with AES-256-XTS.
    Aes256Xts,
    /// The host sees no ciphertext of DRAM.
    CiphertextHiding,
    /// No CXL devices or memory.
    NoCxl,
    /// Pages are not moved or swapped.
    NoPageSwap,
    /// No measurement of power, a side channel.
    NoRapl,
    /// No simultaneous multithreading, a side channel.
    NoSmt,
    /// One socket only.
    SingleSocket,
}

impl GuestRestriction {
    /// The name in files, and whether a guest's policy meets the demand.
    pub(crate) fn check(self, policy: GuestPolicy) -> (&'static str, bool) {
        match self {
            Self::Aes256Xts => ("aes256-xts", policy.requires_aes_256_xts()),
            Self::CiphertextHiding => ("ciphertext-hiding", policy.requires_ciphertext_hiding()),
            Self::NoCxl => ("no-cxl", !policy.allows_cxl()),
            Self::NoPageSwap => ("no-page-swap", policy.requires_no_page_swap()),
            Self::NoRapl => ("no-rapl", policy.requires_no_rapl()),
            Self::NoSmt => ("no-smt", !policy.allows_smt()),
            Self::SingleSocket => ("single-socket", policy.requires_single_socket()),
        }
    }
}

/// A demand on the setup of the machine, as its firmware reports it (`PLATFORM_INFO`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum PlatformFeature {
    /// No aliased memory was found since the last reset: against BadRAM (AMD-SB-3015).
    AliasCheckComplete,
    /// The host sees no ciphertext of DRAM.
    CiphertextHiding,
    /// Memory with ECC.
    Ecc,
    /// Measurement of power is off.
    NoRapl,
    /// Simultaneous multithreading is off.
    NoSmt,
    /// Trusted I/O is off.
    NoTio,
    /// All memory is encrypted.
    Tsme,
}

impl PlatformFeature {
    /// The name in files, and whether a machine meets the demand.
    pub(crate) fn check(self, platform: PlatformInfo) -> (&'static str, bool) {
        match self {
            Self::AliasCheckComplete => ("alias-check-complete", platform.alias_check_complete()),
            Self::CiphertextHiding => ("ciphertext-hiding", platform.ciphertext_hiding_enabled()),
            Self::Ecc => ("ecc", platform.ecc_enabled()),
            Self::NoRapl => ("no-rapl", platform.rapl_disabled()),
            Self::NoSmt => ("no-smt", !platform.smt_enabled()),
            Self::NoTio => ("no-tio", !platform.tio_enabled()),
            Self::Tsme => ("tsme", platform.tsme_enabled()),
        }
    }
}

/// A version of the SNP ABI, in files as text: `"1.55"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(clippy::exhaustive_structs, reason = "major and minor, as AMD has it")]
pub struct AbiVersion {
    /// Before the point.
    pub major: u8,
    /// After the point.
    pub minor: u8,
}

impl AbiVersion {
    pub(crate) fn holds(self, policy: GuestPolicy) -> bool {
        let (major, minor) = policy.abi();
        Self { major, minor } >= self
    }
}

impl fmt::Display for AbiVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

impl Serialize for AbiVersion {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for AbiVersion {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let parsed = text.split_once('.').and_then(|(major, minor)| {
            let major = major.parse().ok()?;
            let minor = minor.parse().ok()?;
            Some(Self { major, minor })
        });
        let expected = &"a version such as \"1.55\"";
        parsed.ok_or_else(|| de::Error::invalid_value(de::Unexpected::Str(&text), expected))
    }
}
