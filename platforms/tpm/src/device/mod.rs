//! The ways to a TPM: one command in, one response out.

mod file;
mod swtpm;

use std::io;

pub use file::TpmFile;
pub use swtpm::Swtpm;
pub use swtpm::SwtpmControl;

/// A TPM, or a resource manager before it. It gets one command at a time.
pub trait TpmDevice: Send {
    /// Takes a command of up to 4096 bytes, whole, and gives the response, whole.
    ///
    /// # Errors
    /// Where there was no response; [`io::ErrorKind::TimedOut`] where there was none by the deadline. A response that says what is wrong is
    /// a response. After an error the next call begins anew: a response that comes late is never taken for one to a later command.
    fn transact(&mut self, command: &[u8]) -> io::Result<Vec<u8>>;
}

impl<T: TpmDevice + ?Sized> TpmDevice for Box<T> {
    fn transact(&mut self, command: &[u8]) -> io::Result<Vec<u8>> {
        (**self).transact(command)
    }
}

/// Bytes of a command or a response: the buffer of the kernel.
pub(crate) const MAX_MESSAGE: usize = 4096;
