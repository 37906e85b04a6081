//! The security lifecycle of a device.

/// `psa-security-lifecycle` and `cca-platform-lifecycle` (RFC 9783 §4.3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Lifecycle {
    /// 0x3000 to 0x30ff: secured.
    Secured,
    /// Any other: assembly, provisioning, debugging or decommissioning.
    Other(u16),
}

impl Lifecycle {
    /// The stage that the number stands for, in the words of the specifications.
    pub fn stage(self) -> &'static str {
        match self.code() {
            0x0000..=0x00ff => "unknown",
            0x1000..=0x10ff => "assembly and test",
            0x2000..=0x20ff => "provisioning of the root of trust",
            0x3000..=0x30ff => "secured",
            0x4000..=0x40ff => "debug, outside of the root of trust",
            0x5000..=0x50ff => "recoverable debug of the root of trust",
            0x6000..=0x60ff => "decommissioned",
            _ => "not defined",
        }
    }

    /// The number in the claim; 0x3000 for all that are secured.
    pub fn code(self) -> u16 {
        match self {
            Self::Secured => 0x3000,
            Self::Other(code) => code,
        }
    }
}

impl From<u16> for Lifecycle {
    fn from(code: u16) -> Self {
        match code {
            0x3000..=0x30ff => Self::Secured,
            other => Self::Other(other),
        }
    }
}
