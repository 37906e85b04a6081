//! Logs that the attester sends along.

use std::path::PathBuf;

use crate::attester::TpmAttester;
use crate::log_file::LogFile;

impl TpmAttester {
    /// Sends the firmware's event log along, usually `/sys/kernel/security/tpm0/binary_bios_measurements`.
    #[must_use]
    pub fn with_tcg_log(mut self, file: impl Into<PathBuf>) -> Self {
        self.tcg_log = Some(LogFile(file.into()));
        self
    }

    /// Sends the log of what systemd measured along, usually `/run/log/systemd/tpm2-measure.log`. systemd extends a register first and
    /// writes its record then; a quote between both is not explained by it.
    #[must_use]
    pub fn with_systemd_log(mut self, file: impl Into<PathBuf>) -> Self {
        self.systemd_log = Some(LogFile(file.into()));
        self
    }

    /// Sends IMA's measurement list along, usually `/sys/kernel/security/ima/binary_runtime_measurements`. It grows while the machine runs; where
    /// it is larger than 60,000 bytes, there is no Evidence.
    #[must_use]
    pub fn with_ima_log(mut self, file: impl Into<PathBuf>) -> Self {
        self.ima_log = Some(LogFile(file.into()));
        self
    }
}
