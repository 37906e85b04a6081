//! Names and values in two columns.

use super::Safe;
use super::Style;

/// Lines of a name and a value, under a heading.
#[derive(Debug, Default)]
pub(crate) struct Table {
    rows: Vec<(usize, String, String)>,
}

impl Table {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Adds a line whose value is text of others.
    pub(crate) fn row(&mut self, name: &str, value: &str) {
        self.painted(1, name, Safe(value).to_string());
    }

    /// Adds a line further in.
    pub(crate) fn inner(&mut self, name: &str, value: &str) {
        self.painted(2, name, Safe(value).to_string());
    }

    /// Adds a line whose value is ready for the terminal.
    pub(crate) fn painted(&mut self, depth: usize, name: &str, value: String) {
        self.rows.push((depth, Safe(name).to_string(), value));
    }

    /// The lines, with values in one column.
    pub(crate) fn lines(&self, style: Style) -> Vec<String> {
        let width = |(depth, name, _): &(usize, String, String)| {
            name.chars().count().saturating_add(depth.saturating_mul(2))
        };
        let column = self.rows.iter().map(width).max().unwrap_or(0).min(COLUMN);
        let line = |row: &(usize, String, String)| {
            let (depth, name, value) = row;
            let indent = " ".repeat(depth.saturating_mul(2));
            let gap = " ".repeat(column.saturating_sub(width(row)).saturating_add(2));
            let name = style.dim(name);
            format!("{indent}{name}{gap}{value}").trim_end().to_owned()
        };
        self.rows.iter().map(line).collect()
    }
}

/// The values stand no further right than this.
const COLUMN: usize = 40;
