//! Errors about a file of reference values.

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
    /// The file is the one in force without its end: it may demand less, and nobody may have meant that. Write it whole, or have it taken by
    /// [`Live::reload`](crate::Live::reload).
    #[error("file of reference values {} is the one in force, cut short; write it whole, or reload it by name", .0.display())]
    CutShort(PathBuf),
    /// The file cannot be read: this process lacks the right, or the file is no UTF-8.
    #[error("file of reference values {} cannot be read; it must be UTF-8 and readable by this process", .path.display())]
    Io {
        /// The path, as the application gave it.
        path: PathBuf,
        /// The error of the operating system.
        source: Arc<io::Error>,
    },
    /// The table is there, and its values cannot be a policy. Correct the field.
    #[error("{}table [{table}]: {}{problem}", place(*.line, *.column), of_field(.field))]
    Meaning {
        /// The platform's table.
        table: &'static str,
        /// Counted from 1; 0 for a table that comes from no file.
        line: usize,
        /// Counted from 1, in characters for TOML and in bytes for JSON; 0 for a table that comes from no file.
        column: usize,
        /// The path to the field within the table, such as `image[2].measurement`; empty for the whole table.
        field: String,
        /// The problem and its cure.
        problem: String,
    },
    /// The file has no table for this platform. Add it: a missing table is never guessed.
    #[error("file has no table [{0}]; add it, for without one nothing could be accepted")]
    Missing(&'static str),
    /// The file is neither TOML nor JSON, or a field is unknown, missing or of the wrong form. Correct it.
    #[error(transparent)]
    Syntax(#[from] SyntaxError),
    /// More than [`MAX_FILE`](crate::MAX_FILE) bytes; or a TOML file with more than
    /// [`MAX_TOML_MARKS`](crate::MAX_TOML_MARKS) characters that are neither letters nor digits. Divide
    /// it by platform, or write it in JSON.
    #[error(
        "file of reference values is larger than 4 MiB, or its TOML has too many values; divide it by platform"
    )]
    TooLarge,
    /// A table that the application does not use, such as a misspelt one. Correct its name, or remove it.
    #[error("file has a table [{table}]; those in use are: {}", .used.join(", "))]
    UnknownTable {
        /// The name in the file.
        table: String,
        /// The names that the application uses.
        used: Vec<String>,
    },
    /// The format has another version than 1. Write version 1.
    #[error("file has version {0} of the format; this build reads version 1")]
    Version(u64),
}

impl ReferenceError {
    /// The error about a file that cannot be opened or read.
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

    /// The objection of a platform, at this line and column of a file.
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
