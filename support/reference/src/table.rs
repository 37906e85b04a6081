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

    /// Refuses values that the types allow and no policy can have: above all a table without a reference value, which must
    /// never read as success.
    ///
    /// # Errors
    /// [`FieldProblem`]: the field, by which an error finds its line in a file, the problem, and its cure.
    fn check(&self) -> Result<(), FieldProblem>;

    /// Makes a table of a CoRIM alone, for [`Sourced::of_corim`](crate::Sourced::of_corim), which keeps its end. Each setting that a CoRIM cannot express is as strict as it can be. The default refuses
    /// every CoRIM.
    ///
    /// # Errors
    /// [`CorimProblem`]: a value is missing, unknown or not supported.
    fn from_corim(corim: &Corim) -> Result<Self, CorimProblem> {
        let _ = corim;
        Err(CorimProblem::new(NOT_FROM_CORIM))
    }

    /// Adds the reference values of a CoRIM of a known profile to the table, for [`Sourced::adding`](crate::Sourced::adding). The default refuses every CoRIM.
    ///
    /// An implementation refuses values that it does not look at: see
    /// [`Measurement::says_only`](crate::corim::Measurement::says_only). A CoRIM without a usable value is an error.
    ///
    /// # Errors
    /// As [`from_corim`](Self::from_corim). Discard the table then.
    fn add_corim(&mut self, corim: &Corim) -> Result<(), CorimProblem> {
        let _ = corim;
        Err(CorimProblem::new(NOT_FROM_CORIM))
    }
}

impl Corim {
    /// The table that a platform makes of the CoRIM, **which does not know when the CoRIM ends**: in force by [`Live::fixed`](crate::Live::fixed) it
    /// would be used for ever. [`Sourced::of_corim`](crate::Sourced::of_corim) keeps the end.
    ///
    /// # Errors
    /// [`ReferenceError::Corim`] where the platform cannot use the CoRIM, [`ReferenceError::Meaning`] where it refuses the
    /// table.
    pub fn dangerous_table_without_end<T: Table>(&self) -> Result<T, ReferenceError> {
        match T::from_corim(self) {
            Ok(table) => checked(table),
            Err(problem) => Err(ReferenceError::corim(T::NAME, problem)),
        }
    }

    /// This table with the reference values of the CoRIM added, for policies that say more than a CoRIM can, such as which
    /// firmware is new enough. **It does not know when the CoRIM ends**; [`Sourced::adding`](crate::Sourced::adding) keeps that.
    ///
    /// # Errors
    /// As [`dangerous_table_without_end`](Self::dangerous_table_without_end).
    pub fn dangerous_added_without_end<T: Table>(&self, mut table: T) -> Result<T, ReferenceError> {
        match table.add_corim(self) {
            Ok(()) => checked(table),
            Err(problem) => Err(ReferenceError::corim(T::NAME, problem)),
        }
    }
}

/// A table that comes from no file.
pub(crate) fn checked<T: Table>(table: T) -> Result<T, ReferenceError> {
    match table.check() {
        Ok(()) => Ok(table),
        Err(found) => Err(ReferenceError::meaning(T::NAME, found, (0, 0))),
    }
}

const NOT_FROM_CORIM: &str =
    "this platform takes no reference values from a CoRIM; write them into a file";
