//! Lines of a policy file.

use std::fmt::Display;
use std::fmt::Write;

pub(crate) fn named(text: &mut String, name: &str) {
    line(text, "For people: results and logs call it so.");
    // TOML's basic strings take the escapes of JSON.
    pin(text, "name", &serde_json::Value::from(name).to_string());
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
