//! CBOR of any kind, within limits, with the names of claims that are known.

use atls_core::bounded::CborLimits;
use atls_core::limits::MAX_TOKEN_VALUES;
use ciborium::Value;

use super::claims::Names;
use super::tree::Node;

/// One value and nothing after it, of bounded size and nesting.
pub(super) fn decode(bytes: &[u8]) -> Option<Value> {
    LIMITS.read(bytes).ok()
}

/// A value with all that it holds. `names` are those of the map's claims.
// Recursion is bounded by `LIMITS`, which built the value.
pub(super) fn tree(name: &str, value: &Value, names: Names) -> Node {
    match value {
        Value::Array(elements) => {
            let children = elements.iter().enumerate();
            let children =
                children.map(|(index, element)| tree(&index.to_string(), element, names));
            Node::branch(name).with_all(children)
        }
        Value::Map(entries) => {
            let children = entries.iter().map(|(key, value)| claim(key, value, names));
            Node::branch(name).with_all(children)
        }
        Value::Tag(number, inner) => {
            Node::branch(name).with(tree(&format!("tag {number}"), inner, names))
        }
        scalar => leaf(name, scalar),
    }
}

fn claim(key: &Value, value: &Value, names: Names) -> Node {
    let Some((name, inner)) = names.of(key) else {
        return tree(&shown(key), value, names);
    };
    let node = tree(&format!("{name} ({})", shown(key)), value, inner);
    match names.meaning(name, value) {
        Some(meaning) => node.meaning(meaning),
        None => node,
    }
}

fn leaf(name: &str, value: &Value) -> Node {
    match value {
        Value::Bytes(bytes) => Node::bytes(name, bytes),
        other => Node::leaf(name, shown(other)),
    }
}

/// A scalar as diagnostic notation (RFC 8949 §8) writes it, without the quotes of text.
pub(super) fn shown(value: &Value) -> String {
    match value {
        Value::Bool(is) => is.to_string(),
        Value::Bytes(bytes) => format!("h'{}'", crate::report::hex(bytes)),
        Value::Float(number) => number.to_string(),
        Value::Integer(number) => i128::from(*number).to_string(),
        Value::Null => "null".to_owned(),
        Value::Text(text) => text.clone(),
        _ => "…".to_owned(),
    }
}

/// The value of an integer key.
pub(super) fn get(entries: &[(Value, Value)], key: i128) -> Option<&Value> {
    let is_key = |found: &Value| found.as_integer().map(i128::from) == Some(key);
    entries
        .iter()
        .find(|(found, _)| is_key(found))
        .map(|(_, value)| value)
}

/// The value of a text key.
pub(super) fn get_text<'a>(entries: &'a [(Value, Value)], key: &str) -> Option<&'a Value> {
    let mut entries = entries.iter();
    entries
        .find(|(found, _)| found.as_text() == Some(key))
        .map(|(_, value)| value)
}

const LIMITS: CborLimits = CborLimits {
    items: MAX_TOKEN_VALUES,
    nesting: 24,
};
