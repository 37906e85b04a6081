//! The tables of a policy, wherever its text is from.

use std::sync::Arc;

use atls_reference::Live;
use atls_reference::Table;

use crate::failure::Failure;

/// A policy that verifiers are made of.
pub(crate) trait Tables {
    /// The names of its tables, which go together.
    fn names(&self) -> Result<Vec<String>, Failure>;

    /// Reads one of them.
    fn live<T: Table>(&self) -> Result<Arc<Live<T>>, Failure>;

    /// The same, where it is there.
    fn live_if_named<T: Table>(&self) -> Result<Option<Arc<Live<T>>>, Failure> {
        let is_there = self.names()?.iter().any(|name| name == T::NAME);
        is_there.then(|| self.live()).transpose()
    }
}
