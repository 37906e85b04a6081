//! Lines of a policy file.

use std::fmt::Display;
use std::fmt::Write;

use crate::terminal::Safe;

pub(super) fn named(text: &mut String, name: &str) {
    line(text, "For people: results and logs call it so.");
    pin(text, "name", &string(name));
}

/// Any text as a basic string of TOML. A character that controls a terminal, or the direction of text, stands as its escape: the
/// policy goes to a terminal, and a reader must see what it says.
pub(crate) fn string(value: &str) -> String {
    let mut quoted = "\"".to_owned();
    for c in value.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            // Keys in PEM have several lines.
            '\n' => quoted.push_str("\\n"),
            '\'' => quoted.push(c),
            _ if c.escape_debug().len() == 1 => quoted.push(c),
            // A `String` takes all.
            _ => drop(write!(quoted, "\\U{:08X}", u32::from(c))),
        }
    }
    quoted.push('"');
    quoted
}

/// A comment on one line, whatever is in it.
pub(crate) fn line(text: &mut String, comment: &str) {
    // A `String` takes all.
    let _ = writeln!(text, "# {}", Safe(comment));
}

pub(crate) fn pin(text: &mut String, key: &str, value: &str) {
    let _ = writeln!(text, "{key} = {value}");
}

pub(crate) fn quoted(value: impl Display) -> String {
    format!("\"{value}\"")
}

pub(super) fn list(names: &[&str]) -> String {
    let names: Vec<_> = names.iter().map(quoted).collect();
    format!("[{}]", names.join(", "))
}
