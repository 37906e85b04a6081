//! A table together with the places of its entries.

use crate::corim::Corim;
use crate::ends::Ends;
use crate::error::ReferenceError;
use crate::file;
use crate::format::Format;
use crate::places::Places;
use crate::table::Table;
use crate::table::checked;

/// A table, and the places of its entries: lines of a file, triples of CoRIMs. [`Live::of`](crate::Live::of) and
/// [`Live::replace_by`](crate::Live::replace_by) take it, so that refusals name the place of the rule, and nothing is
/// accepted by a CoRIM that has ended.
///
/// ```
/// # use atls_reference::{Format, Live, ReferenceError, Sourced, Table, corim::Corim};
/// # fn example<T: Table>(own: &str, published: &Corim) -> Result<Live<T>, ReferenceError> {
/// // Demands of your own, and the measurements that a maker publishes.
/// let policy = Sourced::of_text("policy.toml", own, Format::Toml)?;
/// let policy = policy.adding("firmware.corim", published)?;
/// Ok(Live::of(policy))
/// # }
/// ```
pub struct Sourced<T> {
    pub(crate) table: T,
    pub(crate) places: Vec<Places>,
    pub(crate) ends: Ends,
}

impl<T: Table> Sourced<T> {
    /// A table that names no place, such as one that code made.
    ///
    /// # Errors
    /// [`ReferenceError::Meaning`] as [`Table::check`] says.
    pub fn new(table: T) -> Result<Self, ReferenceError> {
        Ok(Self {
            table: checked(table)?,
            places: Vec::new(),
            ends: Ends::default(),
        })
    }

    /// The table of a text that was read already; `file` is its name for people.
    ///
    /// # Errors
    /// [`ReferenceError`]
    pub fn of_text(
        file: impl Into<String>,
        text: impl Into<String>,
        format: Format,
    ) -> Result<Self, ReferenceError> {
        let text = text.into();
        Ok(Self {
            table: file::from_text(&text, format)?,
            places: vec![Places::of_text(file.into(), text, format, T::NAME)],
            ends: Ends::default(),
        })
    }

    /// The table of a CoRIM alone; `file` is its name for people.
    ///
    /// # Errors
    /// As [`Corim::dangerous_table_without_end`].
    pub fn of_corim(file: impl Into<String>, corim: &Corim) -> Result<Self, ReferenceError> {
        Ok(Self::new(corim.dangerous_table_without_end()?)?.said_by(file, corim))
    }

    /// Adds the reference values of a CoRIM.
    ///
    /// # Errors
    /// As [`Corim::dangerous_added_without_end`].
    pub fn adding(self, file: impl Into<String>, corim: &Corim) -> Result<Self, ReferenceError> {
        let added = Self {
            table: corim.dangerous_added_without_end(self.table)?,
            places: self.places,
            ends: self.ends,
        };
        Ok(added.said_by(file, corim))
    }

    /// Names the places of a CoRIM whose values are in the table already, as where a platform makes one table of two documents.
    #[must_use]
    pub fn said_by(mut self, file: impl Into<String>, corim: &Corim) -> Self {
        self.places.push(Places::of_corim(file.into(), corim));
        self.ends = self.ends.with(corim);
        self
    }
}

impl<T> std::fmt::Debug for Sourced<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sourced")
            .field("places", &self.places)
            .finish_non_exhaustive()
    }
}
