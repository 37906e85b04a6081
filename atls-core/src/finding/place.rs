//! The place of a policy's rule.

use std::fmt;
use std::sync::Arc;

use super::bounded;

/// The place of a policy's rule: a file, and a line or another position in it.
///
/// ```
/// # use atls_core::finding::Place;
/// assert_eq!(Place::at_line("policy.toml", 12).to_string(), "policy.toml, line 12");
/// // Binary files have no lines.
/// let place = Place::at_position("firmware.corim", "tag 0, reference triple 3");
/// assert_eq!(place.to_string(), "firmware.corim, tag 0, reference triple 3");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    file: Arc<str>,
    within: Within,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Within {
    /// Counted from 1; 0 if it is unknown.
    Line(usize),
    Position(Arc<str>),
}

impl Place {
    /// A line of a file. Lines count from 1; 0 stands for an unknown line.
    pub fn at_line(file: impl fmt::Display, line: usize) -> Self {
        Self {
            file: bounded(file).into(),
            within: Within::Line(line),
        }
    }

    /// A position in a file that has no lines, in words.
    pub fn at_position(file: impl fmt::Display, position: impl fmt::Display) -> Self {
        Self {
            file: bounded(file).into(),
            within: Within::Position(bounded(position).into()),
        }
    }

    /// The file's name, as the application gave it.
    pub fn file(&self) -> &str {
        &self.file
    }

    /// The line, counted from 1; 0 if it is unknown, or the file has none.
    pub fn line(&self) -> usize {
        match self.within {
            Within::Line(line) => line,
            Within::Position(_) => 0,
        }
    }

    /// The position in a file that has no lines.
    pub fn position(&self) -> Option<&str> {
        match &self.within {
            Within::Line(_) => None,
            Within::Position(position) => Some(position),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.within {
            Within::Line(0) => f.write_str(&self.file),
            Within::Line(line) => write!(f, "{}, line {line}", self.file),
            Within::Position(position) => write!(f, "{}, {position}", self.file),
        }
    }
}

/// As texts end with it: in parentheses, and nothing where there is none.
pub(crate) struct AtEnd<'a>(pub(crate) Option<&'a Place>);

impl fmt::Display for AtEnd<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(place) => write!(f, " ({place})"),
            None => Ok(()),
        }
    }
}
