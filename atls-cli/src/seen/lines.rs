//! Lines of a policy file.

use std::fmt::Display;
use std::fmt::Write;

pub(super) fn named(text: &mut String, name: &str) {
    line(text, "For people: results and logs call it so.");
    pin(text, "name", &string(name));
}

/// Any text as a string of TOML. Its basic strings take the escapes of JSON, and want one more.
pub(crate) fn string(value: &str) -> String {
    let quoted = serde_json::Value::from(value).to_string();
    quoted.replace('\u{7f}', "\\u007f")
}

pub(crate) fn line(text: &mut String, comment: &str) {
    // A `String` takes all.
    let _ = writeln!(text, "# {comment}");
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
