//! The parts that Intel rates, as a program reads them.

use std::fmt;

use atls_core::pki_types::UnixTime;

use crate::policy::TcbStatus;

/// A part of the platform that Intel gives TCB levels of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum TcbPart {
    /// Processor, microcode, firmware and Provisioning Certification Enclave. For a TD, as it was launched.
    Platform,
    /// The Quoting Enclave.
    QuotingEnclave,
    /// The platform with the TDX module that runs the TD now; in bodies of TDX 1.5.
    RunningPlatform,
    /// The TDX module that runs the TD now; in bodies of TDX 1.5.
    RunningTdxModule,
    /// The TDX module that launched the TD.
    TdxModule,
}

impl fmt::Display for TcbPart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Platform => "platform",
            Self::QuotingEnclave => "quoting enclave",
            Self::RunningPlatform => "platform that runs the TD now",
            Self::RunningTdxModule => "TDX module that runs the TD now",
            Self::TdxModule => "TDX module",
        })
    }
}

/// The level that Intel gives one part of the platform.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PartTcb {
    /// The part.
    pub part: TcbPart,
    /// The status in Intel's document; [`TcbStatus::Unrecognised`] where no level fits.
    pub status: TcbStatus,
    /// `tcbDate` of the level: it deals with the issues that Intel published before. Absent where no level fits.
    pub tcb_date: Option<UnixTime>,
    /// Intel's security advisories that apply to the level.
    pub advisories: Vec<String>,
    /// The best level, where the part falls short of it.
    pub update: Option<TcbUpdate>,
}

/// A level that a part of the platform falls short of.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TcbUpdate {
    /// The status that the part would then have.
    pub status: TcbStatus,
    /// `tcbDate` of that level.
    pub tcb_date: UnixTime,
    /// The components that are below it, at least one.
    pub shortfalls: Vec<SvnShortfall>,
}

/// A component whose security version number is below that of a level.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SvnShortfall {
    /// The component.
    pub component: SvnComponent,
    /// Intel's name for it, such as `BIOS: Early Microcode Update`, where Intel's document has one.
    pub name: Option<String>,
    /// The component's number.
    pub has: u16,
    /// The number that the level needs.
    pub needs: u16,
}

/// A component with a security version number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum SvnComponent {
    /// `PCESVN`: the Provisioning Certification Enclave.
    Pce,
    /// `ISVSVN` of the Quoting Enclave.
    QuotingEnclave,
    /// An SGX TCB component, 1 to 16, as PCK certificates number them.
    Sgx(u8),
    /// A TDX TCB component, 1 to 16.
    Tdx(u8),
    /// `ISVSVN` of the TDX module: its minor version, the first byte of `TEE_TCB_SVN`.
    TdxModule,
}

impl fmt::Display for SvnComponent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pce => f.write_str("PCE SVN"),
            Self::QuotingEnclave => f.write_str("QE ISVSVN"),
            Self::Sgx(index) => write!(f, "SGX TCB component {index}"),
            Self::Tdx(index) => write!(f, "TDX TCB component {index}"),
            Self::TdxModule => f.write_str("TDX module minor version"),
        }
    }
}

/// `SGX TCB component 1 (BIOS: Early Microcode Update) is 3, needs 4`
impl fmt::Display for SvnShortfall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.component)?;
        if let Some(name) = &self.name {
            write!(f, " ({})", name.escape_default())?;
        }
        write!(f, " is {}, needs {}", self.has, self.needs)
    }
}
