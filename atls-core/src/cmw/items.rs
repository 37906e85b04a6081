//! The messages of a wrapper in a row.

use super::cbor;
use super::form::Collection;
use super::form::Form;
use super::item::Item;
use super::item::Type;
use crate::media_type::MediaType;

/// Every record and tag of `form`, in the order of the wire, each with the labels on the way to it. A collection of a type that
/// `is_whole` names stays whole.
// Recursion is bounded by MAX_CMW_DEPTH, which every form satisfies.
pub(super) fn collect<'a>(
    form: &'a Form,
    path: &str,
    is_whole: &dyn Fn(&MediaType) -> bool,
    items: &mut Vec<Item<'a>>,
) {
    match form {
        Form::Collection(collection) => {
            if let Some(item) = whole(form, collection, path, is_whole) {
                items.push(item);
                return;
            }
            for (label, member) in &collection.members {
                let step = label.as_step();
                let path = if path.is_empty() {
                    step
                } else {
                    format!("{path}/{step}")
                };
                collect(member, &path, is_whole, items);
            }
        }
        Form::Record(record) => items.push(Item {
            label: path.to_owned(),
            kind: record.kind.clone(),
            value: record.value.as_slice().into(),
            indicator: record.indicator,
        }),
        Form::Tag(tag) => items.push(Item {
            label: path.to_owned(),
            kind: Type::ContentFormat(tag.content_format),
            value: tag.value.as_slice().into(),
            indicator: None,
        }),
    }
}

/// The collection as one item: its type is its media type, its value is its encoding in CBOR. One that cannot be encoded is none;
/// its members then need verifiers of their own.
fn whole<'a>(
    form: &Form,
    collection: &Collection,
    path: &str,
    is_whole: &dyn Fn(&MediaType) -> bool,
) -> Option<Item<'a>> {
    let kind = collection.kind.as_deref()?;
    let media_type = MediaType::of_collection(kind).ok().filter(is_whole)?;
    Some(Item {
        label: path.to_owned(),
        kind: Type::Media(media_type),
        value: cbor::encode(form).ok()?.into(),
        indicator: None,
    })
}
