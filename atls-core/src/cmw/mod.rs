//! The RATS Conceptual Message Wrapper, RFC 9999: Evidence, Attestation Results and their like with a media type.
//!
//! ```text
//! record     = [ type, value, ? ind ]             type: media type, or (CBOR) CoAP Content-Format
//! tag        = #6.<TN>( bytes )                   CBOR only; TN from the Content-Format, RFC 9277
//! collection = { ? "__cmwc_t": uri, + label => record / tag / collection }
//! ```
//!
//! Read in CBOR or JSON, told apart by the first octet. Written in deterministic CBOR (RFC 8949 §4.2.1) by
//! [`Cmw::encode`], which is what this protocol sends, or in JSON by [`Cmw::to_json`].
//!
//! What is *not* checked: whether a value is of the type that its peer-chosen label names; that is the verifier's.

mod cbor;
mod collection;
mod item;
mod json;

pub use collection::Label;
pub use item::Indicator;
pub use item::Item;
pub use item::Type;

use std::fmt;

use crate::limits::MAX_CMW;
use crate::limits::MAX_CMW_DEPTH;
use crate::limits::MAX_CMW_ITEMS;
use crate::media_type::MediaType;
use collection::Collection;

/// A record, a tag, or a collection of them: 1 to 8 items, nested 4 deep, 65,529 octets.
#[derive(Clone, PartialEq, Eq)]
pub struct Cmw {
    form: Form,
}

impl Cmw {
    /// A record that holds Evidence (indicator 4).
    pub fn evidence(media_type: MediaType, value: Vec<u8>) -> Self {
        Self::record(Type::Media(media_type), value, Some(Indicator::EVIDENCE))
    }

    /// A record that holds Attestation Results (indicator 8), such as a passport.
    pub fn attestation_results(media_type: MediaType, value: Vec<u8>) -> Self {
        Self::record(
            Type::Media(media_type),
            value,
            Some(Indicator::ATTESTATION_RESULTS),
        )
    }

    /// Any record. Without indicator the type alone says what it is.
    pub fn record(kind: Type, value: Vec<u8>, indicator: Option<Indicator>) -> Self {
        Self {
            form: Form::Record(Record {
                kind,
                value,
                indicator,
            }),
        }
    }

    /// A tag: a CoAP Content-Format and a value, in the shortest form that CBOR has.
    pub fn tag(content_format: u16, value: Vec<u8>) -> Self {
        Self {
            form: Form::Tag(Tag {
                content_format,
                value,
            }),
        }
    }

    /// Several messages under labels. Its members must be bound to each other by the attester (RFC 9999): this
    /// crate's relying party appraises each under the same challenge.
    ///
    /// # Errors
    /// [`CmwError`] without member, with a repeated label, with a type that is neither URI nor OID, or beyond the limits.
    pub fn collection(kind: Option<String>, members: Vec<(Label, Self)>) -> Result<Self, CmwError> {
        let members = members
            .into_iter()
            .map(|(label, member)| (label, member.form))
            .collect();
        let form = Form::Collection(Collection::new(kind, members)?);
        form.check_limits()?;
        Ok(Self { form })
    }

    /// Reads CBOR or JSON, at most 65,529 octets and nothing after it. Unknown fields do not exist in CMW: what is
    /// not of the form is refused.
    ///
    /// # Errors
    /// [`CmwError`]
    pub fn decode(bytes: &[u8]) -> Result<Self, CmwError> {
        if bytes.len() > MAX_CMW {
            return Err(CmwError::TooLarge);
        }
        let form = match bytes.first() {
            Some(b'[' | b'{') => json::decode(bytes)?,
            Some(0x82 | 0x83 | 0x9f | 0xda | 0xa1..=0xbb | 0xbf) => cbor::decode(bytes)?,
            _ => return Err(CmwError::Malformed),
        };
        form.check_limits()?;
        Ok(Self { form })
    }

    /// Deterministic CBOR, at most 65,529 octets.
    ///
    /// # Errors
    /// [`CmwError::TooLarge`]
    pub fn encode(&self) -> Result<Vec<u8>, CmwError> {
        within_length(cbor::encode(&self.form)?)
    }

    /// JSON, at most 65,529 octets. JSON has neither tags nor Content-Formats, and only text for labels.
    ///
    /// # Errors
    /// [`CmwError::NotInJson`] for what only CBOR can say, [`CmwError::TooLarge`].
    pub fn to_json(&self) -> Result<Vec<u8>, CmwError> {
        within_length(json::encode(&self.form)?)
    }

    /// Every record and tag, collections flattened, in the order of the wire; never empty.
    pub fn items(&self) -> Vec<Item<'_>> {
        let mut items = Vec::new();
        self.form.collect("", &mut items);
        items
    }

    /// The `__cmwc_t` of a collection: a URI or OID that names its kind.
    pub fn collection_type(&self) -> Option<&str> {
        match &self.form {
            Form::Collection(collection) => collection.kind.as_deref(),
            Form::Record(_) | Form::Tag(_) => None,
        }
    }
}

/// Its items, without their values.
impl fmt::Debug for Cmw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Cmw").field(&self.items()).finish()
    }
}

/// Octets that are no CMW, or a CMW that cannot be written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CmwError {
    /// A `__cmwc_t` that is neither a URI nor an OID.
    #[error("type of the collection is neither a URI nor an OID")]
    CollectionType,
    /// A collection without a member.
    #[error("collection is empty")]
    Empty,
    /// The indicator is 0 or larger than 4 octets.
    #[error("indicator is out of range")]
    Indicator,
    /// Not CBOR or JSON, not the form of a CMW, or followed by something.
    #[error("not a conceptual message wrapper")]
    Malformed,
    /// A type that is no media type.
    #[error("type is no media type")]
    MediaType,
    /// A text label of more than 128 bytes.
    #[error("label is longer than 128 bytes")]
    LongLabel,
    /// A tag, Content-Format or integer label, which JSON cannot say. Use CBOR.
    #[error("message has no JSON form")]
    NotInJson,
    /// A label that stands twice in one collection.
    #[error("label is repeated")]
    RepeatedLabel,
    /// A tag number outside of those for Content-Formats (RFC 9277).
    #[error("tag stands for no content format")]
    TagNumber,
    /// Collections nested deeper than 4.
    #[error("collections are nested too deeply")]
    TooDeep,
    /// More than 65,529 octets.
    #[error("message is larger than 65,529 octets")]
    TooLarge,
    /// More than 8 items, or more values than 8 items can have.
    #[error("message has more than 8 items")]
    TooMany,
}

#[derive(Clone, PartialEq, Eq)]
enum Form {
    Collection(Collection),
    Record(Record),
    Tag(Tag),
}

#[derive(Clone, PartialEq, Eq)]
struct Record {
    kind: Type,
    value: Vec<u8>,
    indicator: Option<Indicator>,
}

#[derive(Clone, PartialEq, Eq)]
struct Tag {
    content_format: u16,
    value: Vec<u8>,
}

impl Form {
    fn check_limits(&self) -> Result<(), CmwError> {
        if self.depth() > MAX_CMW_DEPTH {
            return Err(CmwError::TooDeep);
        }
        if self.count() > MAX_CMW_ITEMS {
            return Err(CmwError::TooMany);
        }
        Ok(())
    }

    fn count(&self) -> usize {
        match self {
            Self::Collection(collection) => {
                let counts = collection.members.iter().map(|(_, member)| member.count());
                counts.fold(0, usize::saturating_add)
            }
            Self::Record(_) | Self::Tag(_) => 1,
        }
    }

    fn depth(&self) -> usize {
        match self {
            Self::Collection(collection) => {
                let members = collection.members.iter();
                let deepest = members.map(|(_, member)| member.depth()).max();
                deepest.unwrap_or(0).saturating_add(1)
            }
            Self::Record(_) | Self::Tag(_) => 0,
        }
    }

    fn collect<'a>(&'a self, path: &str, items: &mut Vec<Item<'a>>) {
        match self {
            Self::Collection(collection) => {
                for (label, member) in &collection.members {
                    let step = label.as_step();
                    let path = if path.is_empty() {
                        step
                    } else {
                        format!("{path}/{step}")
                    };
                    member.collect(&path, items);
                }
            }
            Self::Record(record) => items.push(Item::of_record(path, record)),
            Self::Tag(tag) => items.push(Item::of_tag(path, tag)),
        }
    }
}

fn within_length(bytes: Vec<u8>) -> Result<Vec<u8>, CmwError> {
    if bytes.len() > MAX_CMW {
        return Err(CmwError::TooLarge);
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests;
