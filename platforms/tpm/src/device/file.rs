//! `/dev/tpmrm0`: the kernel's resource manager.

use std::fs::File;
use std::fs::OpenOptions;
use std::io;
use std::io::Read;
use std::io::Write;
use std::path::Path;

use super::MAX_MESSAGE;
use super::TpmDevice;

/// A TPM behind its device file. The kernel waits for the TPM, and gives up after its own times: up to five minutes for a key that is made.
#[derive(Debug)]
pub struct TpmFile(File);

impl TpmFile {
    /// The file that the kernel's resource manager is at.
    pub const RESOURCE_MANAGER: &str = "/dev/tpmrm0";

    /// Opens a device file. `None` where there is none.
    ///
    /// # Errors
    /// Where it is there and cannot be opened, such as by lack of rights: members of the group `tss` have them.
    pub fn open(path: impl AsRef<Path>) -> io::Result<Option<Self>> {
        let file = OpenOptions::new().read(true).write(true).open(path);
        match file {
            Ok(file) => Ok(Some(Self(file))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }
}

impl TpmDevice for TpmFile {
    fn transact(&mut self, command: &[u8]) -> io::Result<Vec<u8>> {
        // The driver takes a command in one write, and gives its response in one read.
        let written = self.0.write(command)?;
        if written != command.len() {
            return Err(io::ErrorKind::WriteZero.into());
        }
        let mut response = vec![0; MAX_MESSAGE];
        let length = self.0.read(&mut response)?;
        response.truncate(length);
        Ok(response)
    }
}
