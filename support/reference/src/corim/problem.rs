//! The reason why a platform makes no reference values of a CoRIM.

use std::fmt;

use super::place::Place;

/// A platform's objection to a well-formed CoRIM.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CorimProblem {
    /// The triple or measurement; `None` for the document as a whole.
    pub place: Option<Place>,
    /// The problem, and what to do, in words for the maker of the CoRIM.
    pub problem: String,
}

impl CorimProblem {
    /// An objection to the document as a whole.
    pub fn new(problem: impl Into<String>) -> Self {
        Self {
            place: None,
            problem: problem.into(),
        }
    }

    /// Adds the place, unless there is one.
    #[must_use]
    pub fn at(mut self, place: Place) -> Self {
        self.place.get_or_insert(place);
        self
    }
}

/// An objection to the document as a whole.
impl From<String> for CorimProblem {
    fn from(problem: String) -> Self {
        Self::new(problem)
    }
}

/// An objection to the document as a whole.
impl From<&str> for CorimProblem {
    fn from(problem: &str) -> Self {
        Self::new(problem)
    }
}

impl fmt::Display for CorimProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(place) = &self.place {
            write!(f, "{place}: ")?;
        }
        f.write_str(&self.problem)
    }
}

impl std::error::Error for CorimProblem {}
