//! A **fake** of configfs-tsm for tests: it behaves as the kernel does, and the test forges its reports.
//!
//! It replaces the device alone, below the real attesters, so all code above the file system is the real one. A Verifier with
//! the vendor's roots refuses its reports.

mod device;
mod entry;

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;

use device::Device;
use device::os_error;
use entry::FakeEntry;

use crate::error::EEXIST;
use crate::error::EINVAL;
use crate::error::ENOENT;
use crate::error::ENXIO;
use crate::fs::Attribute;
use crate::fs::TsmFs;
use crate::report::Provider;

pub use device::Forged;

/// An in-memory configfs-tsm that behaves like the kernel's, over a device that a closure forges.
///
/// - `mkdir` makes the attributes, or gives `ENXIO` without provider and `EEXIST` for a name that is there;
/// - `inblob` takes 1 to 64 bytes in one write; each write adds 1 to `generation`;
/// - `outblob` before `inblob`, or after one of another length than the device takes, gives `EINVAL`;
/// - the report is made when it is read first, and again after a write;
/// - `privlevel` takes 0 to 3.
pub struct FakeConfigFs {
    provider: String,
    device: Box<dyn Device>,
    state: Mutex<State>,
}

impl FakeConfigFs {
    /// A fake with this provider, over a device that makes its answer from `inblob`.
    pub fn new(
        provider: Provider,
        device: impl Fn(&[u8]) -> Forged + Send + Sync + 'static,
    ) -> Self {
        Self::failing(provider, move |inblob, _| Ok(device(inblob)))
    }

    /// A fake over a device that also gets the privilege level, and may fail with an error number, such as 16 for `EBUSY`.
    pub fn failing(
        provider: Provider,
        device: impl Fn(&[u8], u8) -> Result<Forged, i32> + Send + Sync + 'static,
    ) -> Self {
        Self {
            provider: provider.name().to_owned(),
            device: Box::new(device),
            state: Mutex::default(),
        }
    }

    /// Gives its provider an unknown name.
    #[must_use]
    pub fn with_provider_name(mut self, name: &str) -> Self {
        name.clone_into(&mut self.provider);
        self
    }

    /// Removes the driver: `mkdir` gives `ENXIO`.
    #[must_use]
    pub fn without_provider(mut self) -> Self {
        self.provider.clear();
        self
    }

    /// Writes another `inblob` of 64 bytes between our write and our reading of `outblob`, the next `times` times.
    pub fn inject_races(&self, times: usize) {
        self.state().races = times;
    }

    /// Fails the next `times` operations of any kind with this error number.
    pub fn inject_errors(&self, errno: i32, times: usize) {
        self.state().errors = (errno, times);
    }

    /// Fails every operation on this attribute with this error number.
    pub fn fail_at(&self, attribute: Attribute, errno: i32) {
        self.state().fail_at = Some((attribute, errno));
    }

    /// The number of entries now: zero unless a report is being made.
    pub fn entries(&self) -> usize {
        self.state().entries.len()
    }

    /// The number of entries that were ever made.
    pub fn made(&self) -> usize {
        self.state().made
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn begin(&self, attribute: Attribute) -> io::Result<MutexGuard<'_, State>> {
        let mut state = self.state();
        let (errno, left) = state.errors;
        if let Some(left) = left.checked_sub(1) {
            state.errors = (errno, left);
            return Err(os_error(errno));
        }
        match state.fail_at {
            Some((failing, errno)) if failing == attribute => Err(os_error(errno)),
            _ => Ok(state),
        }
    }
}

impl TsmFs for FakeConfigFs {
    fn make(&self, entry: &str) -> io::Result<()> {
        let mut state = self.begin(Attribute::Entry)?;
        if self.provider.is_empty() {
            return Err(os_error(ENXIO));
        }
        if state.entries.contains_key(entry) {
            return Err(os_error(EEXIST));
        }
        state.entries.insert(entry.to_owned(), FakeEntry::default());
        state.made = state.made.saturating_add(1);
        Ok(())
    }

    fn remove(&self, entry: &str) -> io::Result<()> {
        let removed = self.state().entries.remove(entry);
        removed.map(drop).ok_or_else(|| os_error(ENOENT))
    }

    fn write(&self, entry: &str, attribute: Attribute, value: &[u8]) -> io::Result<()> {
        let mut state = self.begin(attribute)?;
        let entry = state.entry(entry)?;
        match attribute {
            Attribute::InBlob => entry.write_inblob(value),
            Attribute::PrivLevel => entry.write_privilege_level(value),
            _ => Err(os_error(EINVAL)),
        }
    }

    fn read(&self, entry: &str, attribute: Attribute, limit: usize) -> io::Result<Vec<u8>> {
        let mut state = self.begin(attribute)?;
        if attribute == Attribute::OutBlob
            && let Some(left) = state.races.checked_sub(1)
        {
            state.races = left;
            state.entry(entry)?.write_inblob(&[0xee; 64])?;
        }
        let entry = state.entry(entry)?;
        let mut value = match attribute {
            Attribute::AuxBlob => entry.answer(&self.provider, &*self.device)?.auxblob,
            Attribute::Generation => format!("{}\n", entry.generation()).into_bytes(),
            Attribute::OutBlob => entry.answer(&self.provider, &*self.device)?.outblob,
            Attribute::Provider => format!("{}\n", self.provider).into_bytes(),
            _ => return Err(os_error(EINVAL)),
        };
        value.truncate(limit.saturating_add(1));
        Ok(value)
    }
}

impl fmt::Debug for FakeConfigFs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FakeConfigFs")
            .field("provider", &self.provider)
            .finish_non_exhaustive()
    }
}

#[derive(Default)]
struct State {
    entries: BTreeMap<String, FakeEntry>,
    made: usize,
    races: usize,
    errors: (i32, usize),
    fail_at: Option<(Attribute, i32)>,
}

impl State {
    fn entry(&mut self, name: &str) -> io::Result<&mut FakeEntry> {
        self.entries.get_mut(name).ok_or_else(|| os_error(ENOENT))
    }
}
