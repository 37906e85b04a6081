//! A log of the kernel or of systemd.

use std::fs::File;
use std::io::Read;
use std::path::PathBuf;

use crate::error::TpmError;

/// A file of the kernel that is read anew for each quote.
#[derive(Clone, Debug)]
pub(crate) struct LogFile(pub(crate) PathBuf);

impl LogFile {
    /// All of it, up to what fits beside a quote.
    pub(crate) fn read(&self) -> Result<Vec<u8>, TpmError> {
        let failed = |error: std::io::Error| self.failed(&error.kind().to_string());
        // Files of the kernel say a length of zero; so as much is read as there is.
        let file = File::open(&self.0).map_err(failed)?;
        let mut log = Vec::new();
        file.take(MAX_LOG.saturating_add(1))
            .read_to_end(&mut log)
            .map_err(failed)?;
        match u64::try_from(log.len()) {
            Ok(..=MAX_LOG) => Ok(log),
            _ => {
                Err(self
                    .failed("is larger than fits beside a quote; leave it out, and pin registers"))
            }
        }
    }

    fn failed(&self, what: &str) -> TpmError {
        TpmError::Log(format!("{}: {what}", self.0.display()))
    }
}

/// Bytes. A CMW has 65,529, and a quote with all registers of all banks takes up to 4,500 of them.
const MAX_LOG: u64 = 60_000;
