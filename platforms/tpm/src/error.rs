//! Why a TPM did not do what it was asked.

use std::fmt;
use std::io;

use atls_core::AttestError;
use atls_formats::tpm::HashAlgorithm;
use atls_formats::tpm::TpmFormatError;

use crate::attestation_key::AttestationKeyError;

/// Why a TPM did not do what it was asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TpmError {
    /// The key at the chosen handle is not one whose quotes are trusted. Choose another handle, or remove the key.
    #[error("key is none to attest with")]
    Key(#[from] AttestationKeyError),
    /// The event log cannot be read, or is larger than what fits beside a quote.
    #[error("log {0}")]
    Log(String),
    /// Too many wrong authorisations: the TPM refuses all of the kind for a while. Wait, or clear it with `tpm2_dictionarylockout`.
    #[error(
        "TPM is locked after wrong authorisations; wait, or reset its dictionary attack counter"
    )]
    Lockout,
    /// The TPM has no registers of this bank, or not all of them. Allocate the bank in the firmware's settings, or quote another.
    #[error(
        "TPM has no registers of the bank {0} to quote; allocate it in the firmware, or quote another"
    )]
    NoBank(HashAlgorithm),
    /// The TPM has no certificate of its endorsement key. Have the attestation key put into the file of keys by whoever vouches for it.
    #[error("TPM has no certificate of an endorsement key")]
    NoEndorsementCertificate,
    /// A quote of no register, of none of a bank, or of one bank twice was asked for. Choose registers, bank by bank.
    #[error("no registers to quote: choose at least one in each bank, and each bank once")]
    NoRegisters,
    /// The TPM has no room for another key or session: others left theirs loaded. Go through the kernel's resource manager, make the key
    /// persistent, or reset a TPM in software.
    #[error("TPM has no room for another key or session; use /dev/tpmrm0, or a persistent key")]
    NoRoom,
    /// There is nothing at this index of the non-volatile memory. It is another cloud, or another kind of machine.
    #[error("TPM has nothing at index {0:#010x}")]
    NothingAt(u32),
    /// There was no response by the deadline.
    #[error("TPM did not answer in time")]
    NoResponse,
    /// Registers changed again and again while they were read and quoted.
    #[error("registers changed while they were quoted")]
    RegistersChanged,
    /// The TPM is busy, and still was after some tries.
    #[error("TPM is busy: {0}")]
    Retry(ResponseCode),
    /// The TPM says something else.
    #[error("TPM says {0}")]
    Said(ResponseCode),
    /// The driver or the socket failed.
    #[error("TPM cannot be reached: {0}")]
    Unreachable(io::ErrorKind),
    /// The response is not one to the command.
    #[error("response of the TPM is malformed")]
    Malformed,
    /// A wrong authorisation value or policy: the TPM's hierarchies have passwords that were not given.
    #[error("authorisation of the TPM failed: {0}")]
    WrongAuth(ResponseCode),
}

/// `TPM_RC` (Part 2 §6.6).
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct ResponseCode(u32);

impl ResponseCode {
    pub(crate) const SUCCESS: Self = Self(0);

    pub(crate) fn new(code: u32) -> Self {
        Self(code)
    }

    /// The code as the TPM gave it.
    pub fn get(self) -> u32 {
        self.0
    }

    /// Without the number of the handle, session or parameter that it is about (format one).
    fn kind(self) -> u32 {
        match self.0 & FORMAT_ONE {
            0 => self.0,
            _ => self.0 & KIND_OF_FORMAT_ONE,
        }
    }

    /// Whether the same command may succeed in a moment.
    pub(crate) fn is_passing(self) -> bool {
        PASSING.contains(&self.0)
    }

    /// Whether a handle means nothing to the TPM, as after a reset.
    pub(crate) fn is_unknown_handle(self) -> bool {
        // TPM_RC_REFERENCE_H0 to H6 say so of transient handles, TPM_RC_HANDLE of others.
        (0x910..=0x916).contains(&self.0) || self.kind() == RC_HANDLE
    }

    /// Of `TPM2_Startup`: whether the TPM was started already.
    #[cfg(any(test, feature = "testing"))]
    pub(crate) fn is_started_already(self) -> bool {
        self.0 == RC_INITIALIZE
    }

    /// As an error.
    pub(crate) fn error(self) -> TpmError {
        match self.0 {
            RC_LOCKOUT => return TpmError::Lockout,
            RC_OBJECT_MEMORY | RC_SESSION_MEMORY => return TpmError::NoRoom,
            code if PASSING.contains(&code) => return TpmError::Retry(self),
            _ => {}
        }
        match self.kind() {
            RC_AUTH_FAIL | RC_BAD_AUTH | RC_POLICY_FAIL | RC_AUTH_MISSING | RC_AUTH_UNAVAILABLE => {
                TpmError::WrongAuth(self)
            }
            _ => TpmError::Said(self),
        }
    }
}

impl fmt::Display for ResponseCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "response code {:#05x}", self.0)
    }
}

impl fmt::Debug for ResponseCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl From<io::Error> for TpmError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::TimedOut => Self::NoResponse,
            kind => Self::Unreachable(kind),
        }
    }
}

impl From<TpmFormatError> for TpmError {
    fn from(_: TpmFormatError) -> Self {
        Self::Malformed
    }
}

impl From<TpmError> for AttestError {
    fn from(error: TpmError) -> Self {
        match error {
            TpmError::NoResponse => Self::TimedOut,
            error => Self::Device(error.to_string()),
        }
    }
}

/// The bit that tells both formats apart.
const FORMAT_ONE: u32 = 0x080;

/// The bits that say what is wrong, and not with which handle, session or parameter.
const KIND_OF_FORMAT_ONE: u32 = 0x0bf;

/// `TPM_RC_YIELDED`, `TPM_RC_TESTING`, `TPM_RC_NV_RATE` and `TPM_RC_RETRY`.
const PASSING: [u32; 4] = [0x908, 0x90a, 0x920, 0x922];

#[cfg(any(test, feature = "testing"))]
const RC_INITIALIZE: u32 = 0x100;
const RC_AUTH_MISSING: u32 = 0x125;
const RC_AUTH_UNAVAILABLE: u32 = 0x12f;
const RC_LOCKOUT: u32 = 0x921;
const RC_OBJECT_MEMORY: u32 = 0x902;
const RC_SESSION_MEMORY: u32 = 0x903;
const RC_HANDLE: u32 = 0x08b;
const RC_AUTH_FAIL: u32 = 0x08e;
const RC_POLICY_FAIL: u32 = 0x09d;
const RC_BAD_AUTH: u32 = 0x0a2;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn response_codes_become_errors_by_what_to_do() {
        for (code, error) in [
            (0x921, TpmError::Lockout),
            (0x902, TpmError::NoRoom),
            (0x922, TpmError::Retry(ResponseCode(0x922))),
            (0x90a, TpmError::Retry(ResponseCode(0x90a))),
            (0x98e, TpmError::WrongAuth(ResponseCode(0x98e))),
            (0x9a2, TpmError::WrongAuth(ResponseCode(0x9a2))),
            (0x99d, TpmError::WrongAuth(ResponseCode(0x99d))),
            (0x1c4, TpmError::Said(ResponseCode(0x1c4))),
            (0x101, TpmError::Said(ResponseCode(0x101))),
        ] {
            assert_eq!(ResponseCode(code).error(), error, "{code:#x}");
        }
        assert!(ResponseCode(0x18b).is_unknown_handle());
        assert!(ResponseCode(0x910).is_unknown_handle());
        assert!(!ResponseCode(0x18e).is_unknown_handle());
        assert!(ResponseCode(0x100).is_started_already());
    }
}
