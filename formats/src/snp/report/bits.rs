//! The bit fields of a report.

use std::fmt;

use serde::Deserialize;
use serde::Serialize;

use crate::Debugging;
use crate::snp::CertificateKind;

/// `POLICY`: the permissions and demands of the guest's owner, fixed at launch and enforced by the firmware (AMD document 56860
/// §4.3).
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct GuestPolicy(u64);

impl GuestPolicy {
    /// Reads the bits. `None` unless bit 17 is one and bits 26 to 63 are zero.
    pub fn decode(bits: u64) -> Option<Self> {
        let reserved = bits & !Self::KNOWN;
        (reserved == 0 && bits & Self::ALWAYS_ONE != 0).then_some(Self(bits))
    }

    /// All of them.
    pub fn bits(self) -> u64 {
        self.0
    }

    /// The least version of the SNP ABI under which the guest runs: major, minor.
    pub fn abi(self) -> (u8, u8) {
        let [minor, major, ..] = self.0.to_le_bytes();
        (major, minor)
    }

    /// Bit 16: simultaneous multithreading is allowed.
    pub fn allows_smt(self) -> bool {
        self.has(16)
    }

    /// Bit 18: a migration agent may be associated, and can then move the guest and read it.
    pub fn allows_migration_agent(self) -> bool {
        self.has(18)
    }

    /// Bit 19: the host may read and change the guest by debug commands. **Nothing in it is confidential.**
    pub fn allows_debug(self) -> bool {
        self.has(19)
    }

    /// Whether somebody outside of the guest may look into it: by bit 19, or by bit 18, because a migration agent takes the guest
    /// with its memory anywhere.
    pub fn debugging(self) -> Debugging {
        if self.allows_debug() || self.allows_migration_agent() {
            Debugging::Allowed
        } else {
            Debugging::Denied
        }
    }

    /// Bit 20: the guest runs on one socket only.
    pub fn requires_single_socket(self) -> bool {
        self.has(20)
    }

    /// Bit 21: CXL devices or memory may be there.
    pub fn allows_cxl(self) -> bool {
        self.has(21)
    }

    /// Bit 22: memory is encrypted with AES-256-XTS. Otherwise it is AES-128-XEX.
    pub fn requires_aes_256_xts(self) -> bool {
        self.has(22)
    }

    /// Bit 23: running average power limit, a side channel, must be off.
    pub fn requires_no_rapl(self) -> bool {
        self.has(23)
    }

    /// Bit 24: the host must not see the ciphertext of DRAM.
    pub fn requires_ciphertext_hiding(self) -> bool {
        self.has(24)
    }

    /// Bit 25: pages of the guest must not be moved or swapped.
    pub fn requires_no_page_swap(self) -> bool {
        self.has(25)
    }

    fn has(self, bit: u32) -> bool {
        has(self.0, bit)
    }

    const ALWAYS_ONE: u64 = 1 << 17;

    /// The bits that AMD defines.
    pub const KNOWN: u64 = (1 << 26) - 1;
}

impl fmt::Debug for GuestPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "GuestPolicy({:#x})", self.0)
    }
}

/// `PLATFORM_INFO`: the setup of the machine (AMD document 56860, attestation report). Bits that AMD defines later are kept and
/// mean nothing.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct PlatformInfo(u64);

impl PlatformInfo {
    /// The bits that AMD defines.
    pub const KNOWN: u64 = 0xff;

    /// From all of them.
    pub fn new(bits: u64) -> Self {
        Self(bits)
    }

    /// All of them.
    pub fn bits(self) -> u64 {
        self.0
    }

    /// Bit 0: simultaneous multithreading is on.
    pub fn smt_enabled(self) -> bool {
        has(self.0, 0)
    }

    /// Bit 1: all memory is encrypted, the host's too (TSME).
    pub fn tsme_enabled(self) -> bool {
        has(self.0, 1)
    }

    /// Bit 2: memory has ECC.
    pub fn ecc_enabled(self) -> bool {
        has(self.0, 2)
    }

    /// Bit 3: running average power limit is off.
    pub fn rapl_disabled(self) -> bool {
        has(self.0, 3)
    }

    /// Bit 4: the host does not see the ciphertext of DRAM.
    pub fn ciphertext_hiding_enabled(self) -> bool {
        has(self.0, 4)
    }

    /// Bit 5: since the last reset no aliased memory was found (against BadRAM, AMD-SB-3015).
    pub fn alias_check_complete(self) -> bool {
        has(self.0, 5)
    }

    /// Bit 7: trusted I/O is on.
    pub fn tio_enabled(self) -> bool {
        has(self.0, 7)
    }
}

impl fmt::Debug for PlatformInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PlatformInfo({:#x})", self.0)
    }
}

/// The kind of key that signed a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
#[allow(
    clippy::exhaustive_enums,
    reason = "a new one has to be handled wherever kinds are distinguished"
)]
pub enum SigningKey {
    /// The chip's own key, derived from its secret and the versions of the firmware.
    Vcek,
    /// A key that AMD gives to a cloud provider for its machines, and renews each year. It names no chip.
    Vlek,
}

impl SigningKey {
    /// The kind of its certificate in a table.
    pub fn certificate(self) -> CertificateKind {
        match self {
            Self::Vcek => CertificateKind::Vcek,
            Self::Vlek => CertificateKind::Vlek,
        }
    }

    /// The name in AMD's addresses.
    pub fn path(self) -> &'static str {
        match self {
            Self::Vcek => "vcek",
            Self::Vlek => "vlek",
        }
    }
}

impl fmt::Display for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Vcek => "VCEK",
            Self::Vlek => "VLEK",
        })
    }
}

fn has(bits: u64, bit: u32) -> bool {
    bits.checked_shr(bit).is_some_and(|bits| bits & 1 == 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reserved_bits_of_a_policy_are_refused() {
        assert!(GuestPolicy::decode(0x3_0000).is_some());
        assert!(GuestPolicy::decode(0x1_0000).is_none(), "bit 17");
        for bit in 0..64 {
            let decoded = GuestPolicy::decode(0x2_0000 | 1 << bit);
            assert_eq!(decoded.is_some(), bit < 26, "{bit}");
        }
    }

    #[test]
    #[allow(clippy::type_complexity, reason = "tables of bits and getters")]
    fn each_bit_has_its_meaning() {
        let only = |bit: u32| GuestPolicy::decode(0x2_0000 | 1 << bit).unwrap();
        let guest: [(u32, fn(GuestPolicy) -> bool); 9] = [
            (16, GuestPolicy::allows_smt),
            (18, GuestPolicy::allows_migration_agent),
            (19, GuestPolicy::allows_debug),
            (20, GuestPolicy::requires_single_socket),
            (21, GuestPolicy::allows_cxl),
            (22, GuestPolicy::requires_aes_256_xts),
            (23, GuestPolicy::requires_no_rapl),
            (24, GuestPolicy::requires_ciphertext_hiding),
            (25, GuestPolicy::requires_no_page_swap),
        ];
        for (bit, says) in guest {
            for other in 0..26 {
                assert_eq!(says(only(other)), other == bit, "{bit} {other}");
            }
        }
        assert_eq!(GuestPolicy::decode(0x2_011f).unwrap().abi(), (1, 0x1f));
        let platform: [(u32, fn(PlatformInfo) -> bool); 7] = [
            (0, PlatformInfo::smt_enabled),
            (1, PlatformInfo::tsme_enabled),
            (2, PlatformInfo::ecc_enabled),
            (3, PlatformInfo::rapl_disabled),
            (4, PlatformInfo::ciphertext_hiding_enabled),
            (5, PlatformInfo::alias_check_complete),
            (7, PlatformInfo::tio_enabled),
        ];
        for (bit, says) in platform {
            for other in 0..64 {
                assert_eq!(says(PlatformInfo::new(1 << other)), other == bit);
            }
        }
    }
}
