//! What can be wrong with a file of reference values.

use std::io;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;

use crate::corim::CorimProblem;
use crate::problem::FieldProblem;
use crate::syntax::SyntaxError;
use crate::syntax::of_field;
use crate::syntax::place;

/// A file of reference values cannot be used.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReferenceError {
    /// There is no file at this path. Create it, or correct the path.
    #[error(
        "there is no file of reference values at {}; create it, or correct the path \
         (a relative one starts at the working directory of the process)",
        .0.display()
    )]
    Absent(PathBuf),
    /// A CoRIM of which the platform makes no reference values. Correct the CoRIM, or write a table.
    #[error("table [{table}]: {problem}")]
    Corim {
        /// The platform's table.
        table: &'static str,
        /// The platform's objection.
        problem: CorimProblem,
    },
    /// The file cannot be read: permissions, or it is no text in UTF-8.
    #[error("file of reference values {} cannot be read; it must be UTF-8 and readable by this process", .path.display())]
    Io {
        /// Its path, as the application gave it.
        path: PathBuf,
        /// What the system says.
        source: Arc<io::Error>,
    },
    /// The table is there, and what it says cannot be a policy.
    #[error("{}table [{table}]: {}{problem}", place(*.line, *.column), of_field(.field))]
    Meaning {
        /// The platform's table.
        table: &'static str,
        /// Counted from 1; 0 where the table is of no file.
        line: usize,
        /// Counted from 1, in characters for TOML and in bytes for JSON; 0 where the table is of no file.
        column: usize,
        /// The way to the field within the table, such as `image[2].measurement`; empty where it is about the whole.
        field: String,
        /// What is wrong, and what to do.
        problem: String,
    },
    /// No table for this platform. Without one nothing could be accepted, so it is not guessed.
    #[error("file has no table [{0}]; add it, for without one nothing could be accepted")]
    Missing(&'static str),
    /// Not TOML or JSON, a field that is unknown or missing, or a value of the wrong form.
    #[error(transparent)]
    Syntax(#[from] SyntaxError),
    /// More than [`MAX_FILE`](crate::MAX_FILE) bytes; or a TOML file with more than
    /// [`MAX_TOML_MARKS`](crate::MAX_TOML_MARKS) characters that are neither letters nor digits. Divide
    /// it by platform, or write it in JSON.
    #[error(
        "file of reference values is larger than 4 MiB, or its TOML has too many values; divide it by platform"
    )]
    TooLarge,
    /// A table that the application does not use, as a misspelt one is: nothing would ever read it. Correct its name,
    /// or remove it.
    #[error("file has a table [{table}]; those in use are: {}", .used.join(", "))]
    UnknownTable {
        /// As the file has it.
        table: String,
        /// The names that there may be.
        used: Vec<String>,
    },
    /// Another version of the format than 1.
    #[error("file has version {0} of the format; this build reads version 1")]
    Version(u64),
}

impl ReferenceError {
    /// Of a file that cannot be opened or read.
    pub(crate) fn unreadable(path: &Path, error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::NotFound => Self::Absent(path.to_owned()),
            _ => Self::Io {
                path: path.to_owned(),
                source: Arc::new(error),
            },
        }
    }

    pub(crate) fn corim(table: &'static str, problem: CorimProblem) -> Self {
        Self::Corim { table, problem }
    }

    /// What a platform objects to, at this line and column of a file.
    pub(crate) fn meaning(
        table: &'static str,
        found: FieldProblem,
        (line, column): (usize, usize),
    ) -> Self {
        Self::Meaning {
            table,
            line,
            column,
            field: found.field,
            problem: found.problem,
        }
    }
}
