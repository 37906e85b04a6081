//! Policies that are read again while a proxy runs.

use atls_reference::Live;
use atls_reference::ReferenceError;
use atls_reference::Table;

/// A policy of any platform.
pub(crate) trait Reload: Send + Sync {
    /// Reads its file again. Where that is wrong the old policy stays in force.
    fn reload(&self) -> Result<(), ReferenceError>;

    /// The same, if the file changed.
    fn reload_if_changed(&self) -> Result<bool, ReferenceError>;
}

impl<T: Table> Reload for Live<T> {
    fn reload(&self) -> Result<(), ReferenceError> {
        Self::reload(self)
    }

    fn reload_if_changed(&self) -> Result<bool, ReferenceError> {
        Self::reload_if_changed(self)
    }
}
