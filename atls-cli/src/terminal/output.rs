//! A stream whose reader may go away.

use std::io;
use std::io::Write;

/// Writes until its reader has gone, and drops the rest. `atls … | head -1` is no failure, and the exit code still says how the
/// command ended.
pub(crate) struct Output {
    inner: Box<dyn Write + Send>,
    gone: bool,
}

impl Output {
    pub(crate) fn new(inner: impl Write + Send + 'static) -> Self {
        Self {
            inner: Box::new(inner),
            gone: false,
        }
    }

    fn unless_gone(
        &mut self,
        write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> io::Result<()> {
        if self.gone {
            return Ok(());
        }
        match write(&mut self.inner) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                self.gone = true;
                Ok(())
            }
            other => other,
        }
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.unless_gone(|inner| inner.write_all(bytes))?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.unless_gone(|inner| inner.flush())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Closed;

    impl Write for Closed {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::BrokenPipe.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Err(io::ErrorKind::BrokenPipe.into())
        }
    }

    struct Full;

    impl Write for Full {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::StorageFull.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_reader_that_has_gone_is_no_failure() {
        let mut output = Output::new(Closed);
        assert!(output.write_all(b"more").is_ok() && output.flush().is_ok());
    }

    #[test]
    fn a_full_disk_is_a_failure() {
        let error = Output::new(Full).write_all(b"more").unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::StorageFull);
    }
}
