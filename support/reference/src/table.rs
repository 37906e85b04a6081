//! The policy of one platform, as its crate defines it.

use serde::de::DeserializeOwned;

use crate::corim::Corim;
use crate::corim::CorimProblem;
use crate::error::ReferenceError;
use crate::problem::FieldProblem;

/// The policy of one platform: a `serde` type that denies unknown fields and whose required fields have no default.
pub trait Table: DeserializeOwned + Send + Sync + 'static {
    /// The name of its table: `tdx`, `snp`, `nitro`.
    const NAME: &'static str;

    /// Refuses a meaning that the types allow and no policy can have: above all a table without a reference value, which must never
    /// read as success.
    ///
    /// # Errors
    /// [`FieldProblem`]: the field, which gives an error its line in a file; what is wrong with it, and what to do.
    fn check(&self) -> Result<(), FieldProblem>;

    /// Makes the table of a CoRIM alone, everything that a CoRIM does not say being as strict as it can be. By default no
    /// table is made of any.
    ///
    /// # Errors
    /// [`CorimProblem`]: a value is missing, unknown or not supported.
    fn from_corim(corim: &Corim) -> Result<Self, CorimProblem> {
        let _ = corim;
        Err(CorimProblem::new(NOT_FROM_CORIM))
    }

    /// Adds the reference values of a CoRIM whose profile the platform knows to those of the table. By default none are.
    ///
    /// An implementation refuses what it does not look at: see
    /// [`Measurement::says_only`](crate::corim::Measurement::says_only). A CoRIM of which it can use nothing is an error.
    ///
    /// # Errors
    /// As [`from_corim`](Self::from_corim). The table is then not to be used.
    fn add_corim(&mut self, corim: &Corim) -> Result<(), CorimProblem> {
        let _ = corim;
        Err(CorimProblem::new(NOT_FROM_CORIM))
    }
}

impl Corim {
    /// One platform's table, as that makes it.
    ///
    /// # Errors
    /// [`ReferenceError::Corim`] where the platform cannot use the CoRIM, [`ReferenceError::Meaning`] where it refuses the table.
    pub fn table<T: Table>(&self) -> Result<T, ReferenceError> {
        match T::from_corim(self) {
            Ok(table) => checked(table),
            Err(problem) => Err(ReferenceError::corim(T::NAME, problem)),
        }
    }

    /// This table, with the reference values of the CoRIM added: for policies that say more than a CoRIM can, such as which
    /// firmware is new enough.
    ///
    /// # Errors
    /// [`ReferenceError::Corim`] where the platform cannot use the CoRIM, [`ReferenceError::Meaning`] where it refuses the table.
    pub fn added_to<T: Table>(&self, mut table: T) -> Result<T, ReferenceError> {
        match table.add_corim(self) {
            Ok(()) => checked(table),
            Err(problem) => Err(ReferenceError::corim(T::NAME, problem)),
        }
    }
}

/// A table that is of no file.
pub(crate) fn checked<T: Table>(table: T) -> Result<T, ReferenceError> {
    match table.check() {
        Ok(()) => Ok(table),
        Err(found) => Err(ReferenceError::meaning(T::NAME, found, (0, 0))),
    }
}

const NOT_FROM_CORIM: &str =
    "this platform takes no reference values from a CoRIM; write them into a file";
