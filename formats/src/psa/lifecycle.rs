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
