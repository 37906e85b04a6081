//! Errors of the kernel interface, by error number.

use std::io;

use atls_core::AttestError;

use crate::fs::Attribute;

/// There is no report. Each error is the fault of this machine, never of a peer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TsmError {
    /// `EBUSY`: the device works for another program (a TDX quote is in flight), or the generation is about to wrap around. Try
    /// again later.
    #[error("attestation device is busy with another request; try again later")]
    Busy,
    /// `EACCES` or `EPERM`: only root may make entries. Run with that right, or give the directory another owner.
    #[error(
        "no permission for /sys/kernel/config/tsm/report; run as root, or give that directory another owner"
    )]
    Denied,
    /// `EIO`: the host or the secure processor refused, or its answer was wrong. Ask the operator of the host.
    #[error("host or secure processor refused to make the report (EIO); ask whoever runs the host")]
    Hypercall,
    /// `EINTR`, again and again. Try again.
    #[error("request for the report was interrupted by signals again and again")]
    Interrupted,
    /// `EINVAL`: a length or privilege level that this device refuses, or `outblob` before `inblob`. Change the request.
    #[error(
        "configfs-tsm refuses the value of {0}; the device may not take that length or privilege level"
    )]
    Invalid(Attribute),
    /// Another error number of the operating system, or none. Look into the log of the kernel.
    #[error("configfs-tsm failed at {attribute} with error number {errno:?}")]
    Io {
        /// The attribute.
        attribute: Attribute,
        /// The number, where there is one.
        errno: Option<i32>,
    },
    /// An attribute is empty, or is no text or number where it has to be. Look for another program that writes there.
    #[error("configfs-tsm has an unreadable {0}")]
    Malformed(Attribute),
    /// There is no configfs-tsm: the kernel is before 6.7 or built without `CONFIG_TSM_REPORTS`, or configfs is not mounted.
    #[error(
        "no configfs-tsm on this machine; it takes Linux 6.7, CONFIG_TSM_REPORTS and a mounted configfs"
    )]
    NoConfigFs,
    /// `ENXIO`: configfs-tsm has no driver for a device. Load it.
    #[error(
        "configfs-tsm has no provider; load the driver, tdx_guest or sev-guest, in a confidential guest"
    )]
    NoProvider,
    /// The entry belongs to another device than the requested one; its name, cut to 32 characters. Use that platform's
    /// attester.
    #[error("configfs-tsm belongs to the provider {0:?}; use that platform's attester")]
    OtherProvider(String),
    /// Another program wrote into the entry each time, so the report may be about another value than ours. Keep others out of
    /// it.
    #[error(
        "configfs-tsm entry was written to by another program each time; keep others out of it"
    )]
    Raced,
    /// `ETIMEDOUT`: the host made no quote in time. Look at its quote generation service.
    #[error(
        "attestation device did not answer in time; for TDX look at the host's quote generation service"
    )]
    TimedOut,
    /// `EFBIG`, or more than the limit of this crate.
    #[error("configfs-tsm has a {0} that is larger than its limit")]
    TooLarge(Attribute),
}

impl TsmError {
    /// The meaning of an error of the file system at this attribute.
    pub(crate) fn at(attribute: Attribute, error: &io::Error) -> Self {
        match error.raw_os_error() {
            Some(EACCES | EPERM) => Self::Denied,
            Some(EBUSY) => Self::Busy,
            Some(EFBIG) => Self::TooLarge(attribute),
            Some(EINTR) => Self::Interrupted,
            Some(EINVAL) => Self::Invalid(attribute),
            Some(EIO) => Self::Hypercall,
            Some(ENXIO) => Self::NoProvider,
            Some(ETIMEDOUT) => Self::TimedOut,
            // Entries are made in this directory. A missing attribute is another error.
            Some(ENOENT) if attribute == Attribute::Entry => Self::NoConfigFs,
            errno => Self::Io { attribute, errno },
        }
    }
}

impl From<TsmError> for AttestError {
    fn from(error: TsmError) -> Self {
        match error {
            TsmError::Busy => Self::Busy,
            TsmError::TimedOut => Self::TimedOut,
            other => Self::Device(other.to_string()),
        }
    }
}

// Linux error numbers (asm-generic), the same on x86-64 and AArch64.
pub(crate) const EPERM: i32 = 1;
pub(crate) const ENOENT: i32 = 2;
pub(crate) const EINTR: i32 = 4;
pub(crate) const EIO: i32 = 5;
pub(crate) const ENXIO: i32 = 6;
pub(crate) const EACCES: i32 = 13;
pub(crate) const EBUSY: i32 = 16;
pub(crate) const EEXIST: i32 = 17;
pub(crate) const EINVAL: i32 = 22;
pub(crate) const EFBIG: i32 = 27;
pub(crate) const ETIMEDOUT: i32 = 110;
