//! Policy files: reference values of all platforms.

use atls_reference::Format;
use atls_reference::tables;

use super::found::Found;
use super::json;
use super::tree::Node;

/// A file of reference values in TOML or JSON, whether or not each of its tables is right.
pub(super) fn read(text: &str) -> Option<Found> {
    let format = match text.trim_start().starts_with('{') {
        true => Format::Json,
        false => Format::Toml,
    };
    let named = tables(text, format).ok()?;
    let value = match format {
        Format::Json => json::decode(text.as_bytes())?,
        _ => toml::from_str(text).ok()?,
    };
    let tree = json::tree("policy file", &value).unsigned();
    let says = match named.is_empty() {
        true => "it accepts nobody".to_owned(),
        false => format!(
            "for {}; `atls policy check` says whether it is right",
            named.join(", ")
        ),
    };
    Some(Found::of(Node::meaning(tree, says)))
}
