//! Errors of the parsers of TOML and JSON, with line, column and field.

use std::fmt;

/// An error of syntax and its place.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SyntaxError {
    /// Counted from 1; 0 if the parser knows no place.
    pub line: usize,
    /// Counted from 1, in characters for TOML and in bytes for JSON.
    pub column: usize,
    /// The path to the field, such as `snp.image[2].measurement`; empty for an error outside of fields.
    pub field: String,
    /// The problem.
    pub problem: String,
}

impl SyntaxError {
    pub(crate) fn of_toml(text: &str, field: String, error: &toml::de::Error) -> Self {
        let (line, column) = error
            .span()
            .map_or((0, 0), |span| position(text, span.start));
        Self {
            line,
            column,
            field,
            problem: error.message().trim_end().to_owned(),
        }
    }

    pub(crate) fn of_json(field: String, error: &serde_json::Error) -> Self {
        let (line, column) = (error.line(), error.column());
        let problem = error.to_string();
        // serde_json repeats the place in its text.
        let problem = problem
            .strip_suffix(&format!(" at line {line} column {column}"))
            .unwrap_or(&problem)
            .to_owned();
        Self {
            line,
            column,
            field,
            problem,
        }
    }
}

impl fmt::Display for SyntaxError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&place(self.line, self.column))?;
        f.write_str(&of_field(&self.field))?;
        f.write_str(&self.problem)
    }
}

impl std::error::Error for SyntaxError {}

pub(crate) fn place(line: usize, column: usize) -> String {
    match line {
        0 => String::new(),
        line => format!("line {line}, column {column}: "),
    }
}

/// The path of a field. The crate writes `.` for the whole, and `?` for a part without a name.
pub(crate) fn field_at(path: &serde_path_to_error::Path) -> String {
    let path = path.to_string();
    let known = path.trim_end_matches('?').trim_end_matches('.');
    known.to_owned()
}

pub(crate) fn of_field(field: &str) -> String {
    match field {
        "" => String::new(),
        field => format!("{field}: "),
    }
}

/// Line and column of a byte, both counted from 1.
fn position(text: &str, offset: usize) -> (usize, usize) {
    let before = text.get(..offset).unwrap_or(text);
    let line = before.matches('\n').count().saturating_add(1);
    let last = before.rsplit('\n').next().unwrap_or(before);
    (line, last.chars().count().saturating_add(1))
}
