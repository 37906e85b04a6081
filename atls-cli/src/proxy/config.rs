//! A file of arguments.

use std::path::Path;

use serde_json::Value;

use crate::failure::Failure;
use crate::source;

/// The arguments of a TOML file: `listen = "…"` is `--listen …`, `true` is a flag, and a list repeats its argument.
///
/// # Errors
/// A usage failure with the place in the file.
pub(crate) fn arguments(path: &Path) -> Result<Vec<String>, Failure> {
    let text = source::read_text(path, MAX_CONFIG)?;
    let shown = path.display();
    let table: Value = toml::from_str(&text)
        .map_err(|error| Failure::usage(format!("{shown}: it is no TOML")).because(&error))?;
    let mut arguments = Vec::new();
    for (name, value) in table.as_object().into_iter().flatten() {
        if name == "config" {
            return Err(Failure::usage(format!(
                "{shown}: a file names no other file"
            )));
        }
        add(name, value, &mut arguments)
            .map_err(|wrong| Failure::usage(format!("{shown}: {name}: {wrong}")))?;
    }
    Ok(arguments)
}

fn add(name: &str, value: &Value, arguments: &mut Vec<String>) -> Result<(), &'static str> {
    match value {
        Value::Bool(true) => arguments.push(format!("--{name}")),
        Value::Bool(false) => {}
        Value::Number(number) => arguments.push(format!("--{name}={number}")),
        Value::String(text) => arguments.push(format!("--{name}={text}")),
        Value::Array(values) => {
            for value in values {
                match value {
                    Value::String(text) => arguments.push(format!("--{name}={text}")),
                    _ => return Err("a list holds texts"),
                }
            }
        }
        _ => return Err("it is a text, a number, true or false, or a list of texts"),
    }
    Ok(())
}

/// Bytes. A file has some twenty lines.
const MAX_CONFIG: usize = 64 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_of_value_becomes_its_arguments() {
        let value = serde_json::json!({ "ca": ["a", "b"], "drain": 5, "listen": "x", "offline": true, "q": false });
        let mut arguments = Vec::new();
        for (name, value) in value.as_object().unwrap() {
            add(name, value, &mut arguments).unwrap();
        }
        let expected = ["--ca=a", "--ca=b", "--drain=5", "--listen=x", "--offline"];
        assert_eq!(arguments, expected);
    }

    #[test]
    fn a_table_is_no_argument() {
        assert!(add("tls", &serde_json::json!({}), &mut Vec::new()).is_err());
    }
}
