//! What files say, replaced as a whole while the proxy runs.

use std::path::PathBuf;
use std::sync::PoisonError;
use std::sync::RwLock;

use super::watched::Watched;
use super::watched::When;
use crate::failure::Failure;

/// What was last read of some files. Where they are wrong the old stays.
pub(super) struct Reread<T> {
    read: Box<dyn Fn() -> Result<T, Failure> + Send + Sync>,
    now: RwLock<T>,
    watched: Watched,
}

impl<T: Clone> Reread<T> {
    /// `read` reads these files, and is called for the first time.
    pub(super) fn open(
        files: impl IntoIterator<Item = PathBuf>,
        read: impl Fn() -> Result<T, Failure> + Send + Sync + 'static,
    ) -> Result<Self, Failure> {
        let watched = Watched::new(files);
        Ok(Self {
            now: RwLock::new(read()?),
            read: Box::new(read),
            watched,
        })
    }

    /// Tells whether they were read.
    pub(super) fn reload(&self, when: When) -> Result<bool, Failure> {
        if !self.watched.are_due(when) {
            return Ok(false);
        }
        let (fresh, stamps) = self.watched.read(&self.read)?;
        *self.now.write().unwrap_or_else(PoisonError::into_inner) = fresh;
        self.watched.took(stamps);
        Ok(true)
    }

    pub(super) fn now(&self) -> T {
        let now = self.now.read().unwrap_or_else(PoisonError::into_inner);
        now.clone()
    }
}
