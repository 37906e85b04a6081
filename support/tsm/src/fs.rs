//! The file system below: the kernel's, or a fake of it.

use std::fmt;
use std::fs;
use std::fs::File;
use std::fs::OpenOptions;
use std::io;
use std::io::Read;
use std::io::Write;
use std::path::Path;
use std::path::PathBuf;

/// The operations of configfs-tsm, each one system call or a few.
///
/// Errors are those of the operating system, distinguished by [`io::Error::raw_os_error`].
pub trait TsmFs: Send + Sync {
    /// Makes a directory, which the kernel fills with attributes.
    ///
    /// # Errors
    /// `EEXIST` for a name that exists, `ENXIO` without provider, `ENOENT` without configfs-tsm.
    fn make(&self, entry: &str) -> io::Result<()>;

    /// Removes a directory with all its attributes.
    ///
    /// # Errors
    /// `ENOENT` for a name that does not exist.
    fn remove(&self, entry: &str) -> io::Result<()>;

    /// Writes an attribute with a single `write`, because the kernel takes each for a new value.
    ///
    /// # Errors
    /// Those of the operating system.
    fn write(&self, entry: &str, attribute: Attribute, value: &[u8]) -> io::Result<()>;

    /// Reads an attribute, at most `limit` bytes and one more, by which the caller sees that it is too large.
    ///
    /// # Errors
    /// Those of the operating system.
    fn read(&self, entry: &str, attribute: Attribute, limit: usize) -> io::Result<Vec<u8>>;
}

impl<T: TsmFs + ?Sized> TsmFs for std::sync::Arc<T> {
    fn make(&self, entry: &str) -> io::Result<()> {
        (**self).make(entry)
    }

    fn remove(&self, entry: &str) -> io::Result<()> {
        (**self).remove(entry)
    }

    fn write(&self, entry: &str, attribute: Attribute, value: &[u8]) -> io::Result<()> {
        (**self).write(entry, attribute, value)
    }

    fn read(&self, entry: &str, attribute: Attribute, limit: usize) -> io::Result<Vec<u8>> {
        (**self).read(entry, attribute, limit)
    }
}

/// A file of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Attribute {
    /// `auxblob`: additions of the host, such as certificates; may be empty.
    AuxBlob,
    /// The entry itself.
    Entry,
    /// `generation`: a decimal number that grows by one with each write.
    Generation,
    /// `inblob`: the value to attest, at most 64 bytes. Write only.
    InBlob,
    /// `outblob`: the report.
    OutBlob,
    /// `privlevel`: the privilege level (SNP: VMPL) to be stated. Write only.
    PrivLevel,
    /// `provider`: the name of the driver.
    Provider,
}

impl Attribute {
    /// The name of the file.
    pub fn file_name(self) -> &'static str {
        match self {
            Self::AuxBlob => "auxblob",
            Self::Entry => ".",
            Self::Generation => "generation",
            Self::InBlob => "inblob",
            Self::OutBlob => "outblob",
            Self::PrivLevel => "privlevel",
            Self::Provider => "provider",
        }
    }
}

impl fmt::Display for Attribute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Entry => "entry",
            attribute => attribute.file_name(),
        })
    }
}

/// The configfs of the kernel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigFs {
    base: PathBuf,
}

impl ConfigFs {
    /// At its usual place: `/sys/kernel/config/tsm/report`.
    pub fn new() -> Self {
        Self::at("/sys/kernel/config/tsm/report")
    }

    /// At another place, such as in a container.
    pub fn at(base: impl Into<PathBuf>) -> Self {
        Self { base: base.into() }
    }

    /// The place.
    pub fn base(&self) -> &Path {
        &self.base
    }

    fn path(&self, entry: &str, attribute: Attribute) -> PathBuf {
        self.base.join(entry).join(attribute.file_name())
    }
}

impl Default for ConfigFs {
    fn default() -> Self {
        Self::new()
    }
}

impl TsmFs for ConfigFs {
    fn make(&self, entry: &str) -> io::Result<()> {
        fs::create_dir(self.base.join(entry))
    }

    fn remove(&self, entry: &str) -> io::Result<()> {
        // The kernel removes the attributes itself, so the removal is not recursive.
        fs::remove_dir(self.base.join(entry))
    }

    fn write(&self, entry: &str, attribute: Attribute, value: &[u8]) -> io::Result<()> {
        let mut file = OpenOptions::new()
            .write(true)
            .open(self.path(entry, attribute))?;
        // The kernel takes a binary attribute when the file is closed, and reports no error then: it shows in `generation` and
        // `outblob`. A partial write is an error, because a second write would be a new value.
        let written = file.write(value)?;
        if written == value.len() {
            file.flush()
        } else {
            Err(io::ErrorKind::WriteZero.into())
        }
    }

    fn read(&self, entry: &str, attribute: Attribute, limit: usize) -> io::Result<Vec<u8>> {
        let file = File::open(self.path(entry, attribute))?;
        let mut value = Vec::new();
        let most = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
        file.take(most).read_to_end(&mut value)?;
        Ok(value)
    }
}
