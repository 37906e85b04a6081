//! The forged device and its answers.

use std::io;

/// What a forged device answers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[allow(clippy::exhaustive_structs, reason = "a test makes one field by field")]
pub struct Forged {
    /// The report.
    pub outblob: Vec<u8>,
    /// What the host sends along.
    pub auxblob: Vec<u8>,
}

/// From `inblob` and privilege level to the answer, or an error number of the operating system.
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
