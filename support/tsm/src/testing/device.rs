//! The forged device and its answers.

use std::io;

/// The answer of a forged device.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[allow(clippy::exhaustive_structs, reason = "a test makes one field by field")]
pub struct Forged {
    /// The report.
    pub outblob: Vec<u8>,
    /// The additions of the host.
    pub auxblob: Vec<u8>,
}

/// Makes an answer of `inblob` and privilege level, or fails with an error number of the operating system.
pub(super) trait Device: Send + Sync {
    fn answer(&self, inblob: &[u8], privilege_level: u8) -> Result<Forged, i32>;
}

impl<F: Fn(&[u8], u8) -> Result<Forged, i32> + Send + Sync> Device for F {
    fn answer(&self, inblob: &[u8], privilege_level: u8) -> Result<Forged, i32> {
        self(inblob, privilege_level)
    }
}

pub(super) fn os_error(errno: i32) -> io::Error {
    io::Error::from_raw_os_error(errno)
}
