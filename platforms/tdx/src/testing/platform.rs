//! The fields of a forged platform.

use std::fmt;

use super::authority;
use super::error::ForgeError;
use super::key::Key;
use crate::policy::TcbStatus;
use crate::time::DAY;

/// A platform with keys and certificates of its own. Change a field, then make quotes and collateral.
#[allow(
    clippy::exhaustive_structs,
    reason = "a test sets it up field by field"
)]
pub struct ForgedPlatform {
    /// The time at which everything is issued, in seconds since the epoch.
    pub now: u64,
    /// The days for which documents and revocation lists serve.
    pub days: u64,
    /// The days for which the PCK certificate is valid.
    pub pck_days: u64,
    /// FMSPC.
    pub fmspc: [u8; 6],
    /// PPID.
    pub ppid: [u8; 16],
    /// Each component of `CPUSVN`, and the SVN of the PCE.
    pub svn: u8,
    /// `ISVSVN` of the Quoting Enclave.
    pub qe_svn: u16,
    /// `MRSIGNER` of the Quoting Enclave; the QE Identity demands [`QE_SIGNER`].
    pub qe_signer: [u8; 32],
    /// `ATTRIBUTES` of the Quoting Enclave.
    pub qe_attributes: [u8; 16],
    /// Levels of the platform, best first.
    pub platform_levels: Vec<ForgedLevel>,
    /// Levels of the TDX module `TDX_01`, best first.
    pub module_levels: Vec<ForgedLevel>,
    /// Levels of the Quoting Enclave, best first.
    pub qe_levels: Vec<ForgedLevel>,
    /// The number in the TCB Info.
    pub tcb_evaluation_data_number: u32,
    /// The number in the QE Identity.
    pub qe_evaluation_data_number: u32,
    /// In the PCK certificate.
    pub dynamic_platform: bool,
    /// In the PCK certificate.
    pub cached_keys: bool,
    /// In the PCK certificate.
    pub smt: bool,
    /// Whether the PCK certificate has the three flags before, which it has not where a single package is its own platform.
    pub states_flags: bool,
    /// The certificates that the revocation lists name.
    pub revoked: Vec<ForgedCertificate>,
    pub(super) keys: Keys,
    root: Vec<u8>,
}

/// One TCB level.
#[derive(Clone, Debug)]
#[allow(
    clippy::exhaustive_structs,
    reason = "a test sets it up field by field"
)]
pub struct ForgedLevel {
    /// The least SVN of every component.
    pub svn: u8,
    /// The status of the level.
    pub status: TcbStatus,
    /// `tcbDate`, in seconds since the epoch.
    pub date: u64,
    /// `advisoryIDs`.
    pub advisories: Vec<String>,
}

/// A certificate that can be revoked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(clippy::exhaustive_enums, reason = "there are no others")]
pub enum ForgedCertificate {
    /// The platform's own.
    Pck,
    /// The issuer of the platform's.
    PckIssuer,
    /// The signer of TCB Info and QE Identity.
    TcbSigner,
}

pub(super) struct Keys {
    pub(super) root: Key,
    pub(super) issuer: Key,
    pub(super) signer: Key,
    pub(super) pck: Key,
    pub(super) attestation: Key,
}

impl ForgedPlatform {
    /// A platform that is up to date.
    ///
    /// # Errors
    /// [`ForgeError`] where the system has no randomness.
    pub fn new(now: u64) -> Result<Self, ForgeError> {
        let level = |svn| ForgedLevel {
            svn,
            status: TcbStatus::UpToDate,
            date: now.saturating_sub(100 * DAY),
            advisories: Vec::new(),
        };
        let keys = Keys {
            root: Key::generate()?,
            issuer: Key::generate()?,
            signer: Key::generate()?,
            pck: Key::generate()?,
            attestation: Key::generate()?,
        };
        Ok(Self {
            now,
            days: 30,
            pck_days: 7 * 365,
            fmspc: [0x90, 0xc0, 0x6f, 0, 0, 0],
            ppid: *b"forged processor",
            svn: 5,
            qe_svn: 4,
            qe_signer: QE_SIGNER,
            qe_attributes: 0x11_u128.to_le_bytes(),
            platform_levels: vec![level(5)],
            module_levels: vec![level(4)],
            qe_levels: vec![level(4)],
            tcb_evaluation_data_number: 20,
            qe_evaluation_data_number: 20,
            dynamic_platform: true,
            cached_keys: true,
            smt: true,
            states_flags: true,
            revoked: Vec::new(),
            root: authority::root(&keys.root)?,
            keys,
        })
    }

    /// The root that everything leads to, in DER.
    pub fn root(&self) -> Vec<u8> {
        self.root.clone()
    }
}

impl fmt::Debug for ForgedPlatform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ForgedPlatform").finish_non_exhaustive()
    }
}

/// `MRSIGNER` of the Quoting Enclave that the QE Identity knows.
pub const QE_SIGNER: [u8; 32] = *b"who signs forged quoting enclave";
