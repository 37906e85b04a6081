//! The objection of a platform to a field of its table.

use std::fmt;

/// An objection to a table whose fields each have the right form.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FieldProblem {
    /// The path to the field within the table, such as `image[2].measurement`; empty for the whole table.
    pub field: String,
    /// The problem and its cure, in words for the author of the file.
    pub problem: String,
}

impl FieldProblem {
    /// An objection to a field of the table.
    pub fn new(field: impl Into<String>, problem: impl Into<String>) -> Self {
        Self {
            field: field.into(),
            problem: problem.into(),
        }
    }

    /// Puts the field into an outer one: `name` within `image[2]` is `image[2].name`.
    #[must_use]
    pub fn within(mut self, outer: &str) -> Self {
        self.field = match self.field.is_empty() {
            true => outer.to_owned(),
            false => format!("{outer}.{}", self.field),
        };
        self
    }

    /// With the name that the file gives to the entry at fault, such as an image's.
    #[must_use]
    pub fn about(mut self, name: &str) -> Self {
        self.problem = format!("{name:?}: {}", self.problem);
        self
    }
}

/// An objection to the whole table.
impl From<String> for FieldProblem {
    fn from(problem: String) -> Self {
        Self::new("", problem)
    }
}

impl fmt::Display for FieldProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.field.is_empty() {
            write!(f, "{}: ", self.field)?;
        }
        f.write_str(&self.problem)
    }
}

impl std::error::Error for FieldProblem {}
