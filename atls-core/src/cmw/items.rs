//! The messages of a wrapper in a row.

use super::form::Form;
use super::item::Item;
use super::item::Type;

/// Every record and tag of `form`, in the order of the wire, each with the labels on the way to it.
// Recursion is bounded by MAX_CMW_DEPTH, which every form satisfies.
pub(super) fn collect<'a>(form: &'a Form, path: &str, items: &mut Vec<Item<'a>>) {
    match form {
        Form::Collection(collection) => {
            for (label, member) in &collection.members {
                let step = label.as_step();
                let path = if path.is_empty() {
                    step
                } else {
                    format!("{path}/{step}")
                };
                collect(member, &path, items);
            }
        }
        Form::Record(record) => items.push(Item {
            label: path.to_owned(),
            kind: record.kind.clone(),
            value: &record.value,
            indicator: record.indicator,
        }),
        Form::Tag(tag) => items.push(Item {
            label: path.to_owned(),
            kind: Type::ContentFormat(tag.content_format),
            value: &tag.value,
            indicator: None,
        }),
    }
}
