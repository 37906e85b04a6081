//! The arguments of a running proxy, whose file may change.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::SystemTime;

use super::options::ProxyOptions;
use crate::failure::Failure;

/// The arguments, as they were last read.
pub(super) struct Configuration {
    words: Vec<OsString>,
    read: ReadArguments,
    file: Option<PathBuf>,
    written: Option<SystemTime>,
    /// The arguments that a running proxy cannot change.
    fixed: Fixed,
}

/// Arguments that are not in force yet.
pub(super) struct Changed {
    words: Vec<OsString>,
    pub(super) options: ProxyOptions,
}

/// Reads the arguments of the command line, with those that the file has now.
// An alias, as clippy finds the type hard to read in place.
pub(crate) type ReadArguments = fn() -> Result<(Vec<OsString>, ProxyOptions), Failure>;

type Fixed = (String, [Option<std::net::SocketAddr>; 2]);

impl Configuration {
    pub(super) fn new(options: &ProxyOptions, read: ReadArguments) -> Result<Self, Failure> {
        let file = options.config.clone();
        Ok(Self {
            written: written(file.as_ref()),
            file,
            words: read()?.0,
            read,
            fixed: fixed(options),
        })
    }

    /// The arguments, if they are others than those in force.
    ///
    /// # Errors
    /// A usage failure if they are wrong, or change what a running proxy cannot.
    pub(super) fn read_again(&mut self) -> Result<Option<Changed>, Failure> {
        self.written = written(self.file.as_ref());
        let (words, options) = (self.read)()?;
        if words == self.words {
            return Ok(None);
        }
        if fixed(&options) != self.fixed {
            return Err(Failure::usage(
                "listen, admin and probes stay as they are until a restart",
            ));
        }
        Ok(Some(Changed { words, options }))
    }

    /// These are in force. Until then each reading finds them changed, so that what could not be taken is tried again.
    pub(super) fn took(&mut self, changed: Changed) {
        self.words = changed.words;
    }

    pub(super) fn is_changed(&self) -> bool {
        self.written != written(self.file.as_ref())
    }
}

fn fixed(options: &ProxyOptions) -> Fixed {
    (options.listen.clone(), [options.admin, options.probes])
}

fn written(file: Option<&PathBuf>) -> Option<SystemTime> {
    let about = std::fs::metadata(file?).ok()?;
    about.modified().ok()
}
