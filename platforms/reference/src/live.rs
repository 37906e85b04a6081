//! A table that can be replaced while connections are served.

use std::fmt;
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::PoisonError;
use std::sync::RwLock;

use crate::file;
use crate::file::ReferenceError;
use crate::file::Table;

/// The table in force. Verifiers read it anew for each appraisal.
pub struct Live<T> {
    path: Option<PathBuf>,
    current: RwLock<Arc<T>>,
}

impl<T: Table> Live<T> {
    /// A table that stays as it is until [`replace`](Self::replace).
    ///
    /// # Errors
    /// [`ReferenceError::Meaning`] as [`Table::check`] says.
    pub fn fixed(table: T) -> Result<Self, ReferenceError> {
        Self::with(None, checked(table)?)
    }

    /// The table of a file: JSON where its name ends in `.json`, otherwise TOML.
    ///
    /// # Errors
    /// [`ReferenceError`]
    pub fn open(path: impl Into<PathBuf>) -> Result<Self, ReferenceError> {
        let path = path.into();
        let table = read(&path)?;
        Self::with(Some(path), table)
    }

    /// Puts another table in force.
    ///
    /// # Errors
    /// [`ReferenceError::Meaning`]; the old one then stays in force.
    pub fn replace(&self, table: T) -> Result<(), ReferenceError> {
        let table = Arc::new(checked(table)?);
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = table;
        Ok(())
    }

    /// Reads the file again, and puts it in force. Without a file there is nothing to do.
    ///
    /// # Errors
    /// [`ReferenceError`]; the old table then stays in force.
    pub fn reload(&self) -> Result<(), ReferenceError> {
        match &self.path {
            Some(path) => self.replace(read(path)?),
            None => Ok(()),
        }
    }

    /// The table in force now.
    pub fn current(&self) -> Arc<T> {
        let current = self.current.read().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(&current)
    }

    fn with(path: Option<PathBuf>, table: T) -> Result<Self, ReferenceError> {
        Ok(Self {
            path,
            current: RwLock::new(Arc::new(table)),
        })
    }
}

impl<T> fmt::Debug for Live<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Live")
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}

fn checked<T: Table>(table: T) -> Result<T, ReferenceError> {
    match table.check() {
        Ok(()) => Ok(table),
        Err(problem) => Err(ReferenceError::Meaning {
            table: T::NAME,
            problem,
        }),
    }
}

fn read<T: Table>(path: &PathBuf) -> Result<T, ReferenceError> {
    let text = fs::read_to_string(path).map_err(|error| ReferenceError::Io(Arc::new(error)))?;
    if path
        .extension()
        .is_some_and(|extension| extension == "json")
    {
        file::from_json(&text)
    } else {
        file::from_toml(&text)
    }
}
