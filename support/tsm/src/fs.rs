//! The file system underneath: the kernel's, or a fake of it.

use std::fmt;
use std::fs;
use std::fs::File;
use std::fs::OpenOptions;
use std::io;
use std::io::Read;
use std::io::Write;
use std::path::Path;
use std::path::PathBuf;

/// The operations that configfs-tsm consists of, each one system call or a few.
///
/// Errors are those of the operating system, told apart by [`io::Error::raw_os_error`].
pub trait TsmFs: Send + Sync {
    /// Makes a directory, which the kernel fills with attributes.
    ///
    /// # Errors
    /// `EEXIST` where it is there, `ENXIO` without provider, `ENOENT` without configfs-tsm.
    fn make(&self, entry: &str) -> io::Result<()>;

    /// Removes it with all its attributes.
    ///
    /// # Errors
    /// `ENOENT` where it is not there.
    fn remove(&self, entry: &str) -> io::Result<()>;

    /// Writes an attribute with a single `write`, as the kernel takes each for a new value.
    ///
    /// # Errors
    /// Of the operating system.
    fn write(&self, entry: &str, attribute: Attribute, value: &[u8]) -> io::Result<()>;

    /// Reads an attribute, at most `limit` bytes and one more, so that the caller sees what is too large.
    ///
    /// # Errors
    /// Of the operating system.
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
    /// `auxblob`: what the host sends along, such as certificates; may be empty.
    AuxBlob,
    /// The entry itself.
    Entry,
    /// `generation`: a decimal number that each write adds one to.
    Generation,
    /// `inblob`: what to attest, at most 64 bytes. Write only.
    InBlob,
    /// `outblob`: the report.
    OutBlob,
    /// `privlevel`: the privilege level (SNP: VMPL) to be stated. Write only.
    PrivLevel,
    /// `provider`: which driver it is.
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

/// The kernel's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigFs {
    base: PathBuf,
}

impl ConfigFs {
    /// Where Linux has it: `/sys/kernel/config/tsm/report`.
    pub fn new() -> Self {
        Self::at("/sys/kernel/config/tsm/report")
    }

    /// Mounted elsewhere, such as in a container.
    pub fn at(base: impl Into<PathBuf>) -> Self {
        Self { base: base.into() }
    }

    /// Where it is mounted.
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
        // Not recursively: the attributes are the kernel's, and it removes them itself.
        fs::remove_dir(self.base.join(entry))
    }

    fn write(&self, entry: &str, attribute: Attribute, value: &[u8]) -> io::Result<()> {
        let mut file = OpenOptions::new()
            .write(true)
            .open(self.path(entry, attribute))?;
        // The kernel takes a binary attribute when the file is closed, and cannot say then that it is wrong: that shows
        // in `generation` and `outblob`. Half a value is none: it is not continued by a second write.
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
