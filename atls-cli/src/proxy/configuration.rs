//! The arguments of a running proxy, whose file may change.

use std::ffi::OsString;
use std::path::PathBuf;

use super::options::ProxyOptions;
use super::watched::Watched;
use crate::failure::Failure;

/// The arguments, as they were last read.
pub(super) struct Configuration {
    words: Vec<OsString>,
    read: ReadArguments,
    file: Watched,
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
    /// The arguments that `read` gives, whose file may be `file`.
    pub(super) fn new(
        file: Option<PathBuf>,
        read: ReadArguments,
    ) -> Result<(Self, ProxyOptions), Failure> {
        let file = Watched::new(file);
        let (words, options) = read()?;
        let configuration = Self {
            words,
            read,
            file,
            fixed: fixed(&options),
        };
        Ok((configuration, options))
    }

    /// The arguments, if they are others than those in force.
    ///
    /// # Errors
    /// A usage failure if they are wrong, or change what a running proxy cannot.
    pub(super) fn read_again(&mut self) -> Result<Option<Changed>, Failure> {
        // What is wrong is told once, and not at each look.
        self.file.dismiss();
        let ((words, options), stamps) = self.file.read(self.read)?;
        self.file.took(stamps);
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
        self.file.have_changed()
    }
}

fn fixed(options: &ProxyOptions) -> Fixed {
    (options.listen.clone(), [options.admin, options.probes])
}
