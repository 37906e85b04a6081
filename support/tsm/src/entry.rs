//! One entry, made for one report and removed with this value.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::hash::Hasher;
use std::io;
use std::process;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;

use crate::error::EEXIST;
use crate::error::EINTR;
use crate::error::TsmError;
use crate::fs::Attribute;
use crate::fs::TsmFs;

/// A directory of our own under configfs-tsm. Dropping it removes it, after errors too.
pub(crate) struct Entry<'a> {
    fs: &'a dyn TsmFs,
    name: String,
    writes: u64,
}

impl<'a> Entry<'a> {
    pub(crate) fn make(fs: &'a dyn TsmFs) -> Result<Self, TsmError> {
        for _ in 0..MOST_NAMES {
            let name = fresh_name();
            match uninterrupted(|| fs.make(&name)) {
                Ok(()) => {
                    return Ok(Self {
                        fs,
                        name,
                        writes: 0,
                    });
                }
                // The entry of another program, which must not be disturbed.
                Err(error) if error.raw_os_error() == Some(EEXIST) => {}
                Err(error) => return Err(TsmError::at(Attribute::Entry, &error)),
            }
        }
        Err(TsmError::Io {
            attribute: Attribute::Entry,
            errno: Some(EEXIST),
        })
    }

    pub(crate) fn write(&mut self, attribute: Attribute, value: &[u8]) -> Result<(), TsmError> {
        uninterrupted(|| self.fs.write(&self.name, attribute, value))
            .map_err(|error| TsmError::at(attribute, &error))?;
        self.writes = self.writes.saturating_add(1);
        Ok(())
    }

    /// The number of our writes to this entry.
    pub(crate) fn writes(&self) -> u64 {
        self.writes
    }

    pub(crate) fn read(&self, attribute: Attribute, limit: usize) -> Result<Vec<u8>, TsmError> {
        let value = uninterrupted(|| self.fs.read(&self.name, attribute, limit))
            .map_err(|error| TsmError::at(attribute, &error))?;
        if value.len() > limit {
            return Err(TsmError::TooLarge(attribute));
        }
        Ok(value)
    }

    /// A line of text, without the end of the line.
    pub(crate) fn read_line(&self, attribute: Attribute) -> Result<String, TsmError> {
        let value = self.read(attribute, MAX_LINE)?;
        let text = String::from_utf8(value).map_err(|_| TsmError::Malformed(attribute))?;
        let line = text.strip_suffix('\n').unwrap_or(&text);
        Ok(line.to_owned())
    }

    pub(crate) fn generation(&self) -> Result<u64, TsmError> {
        let line = self.read_line(Attribute::Generation)?;
        line.parse()
            .map_err(|_| TsmError::Malformed(Attribute::Generation))
    }
}

impl Drop for Entry<'_> {
    fn drop(&mut self) {
        // An entry that stays behind does not change the report.
        let _ = uninterrupted(|| self.fs.remove(&self.name));
    }
}

/// Repeats what a signal interrupted, a bounded number of times.
fn uninterrupted<T>(mut call: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    for _ in 1..MOST_INTERRUPTIONS {
        match call() {
            Err(error) if error.raw_os_error() == Some(EINTR) => {}
            outcome => return outcome,
        }
    }
    call()
}

/// A new name for each process, call and container: containers share one configfs and may share process numbers.
fn fresh_name() -> String {
    static CALLS: AtomicU64 = AtomicU64::new(0);
    let call = CALLS.fetch_add(1, Ordering::Relaxed);
    // The standard library seeds it from the randomness of the operating system. It keeps names apart; no security rests on it.
    let random = RandomState::new().build_hasher().finish();
    format!("atls-{}-{call}-{random:016x}", process::id())
}

const MOST_NAMES: usize = 4;

const MOST_INTERRUPTIONS: usize = 16;

/// Bytes of `provider` and `generation`.
const MAX_LINE: usize = 128;
