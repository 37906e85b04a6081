//! CMW in CBOR.

use ciborium::Value;

use super::batched::EVIDENCE;
use super::batched::Membership;
use super::batched::PROOF;
use super::error::CmwError;
use super::form::COLLECTION_TYPE;
use super::form::Collection;
use super::form::Form;
use super::form::Record;
use super::form::Tag;
use super::item::Indicator;
use super::item::Type;
use super::label::Label;
use crate::bounded::CborError;
use crate::bounded::CborLimits;
use crate::cbor;
use crate::limits::MAX_CMW_DEPTH;
use crate::limits::MAX_CMW_VALUES;
use crate::media_type::MediaType;

pub(super) fn decode(bytes: &[u8]) -> Result<Form, CmwError> {
    let value = LIMITS.read(bytes).map_err(|error| match error {
        CborError::TooMany => CmwError::TooMany,
        CborError::Malformed => CmwError::Malformed,
    })?;
    if cbor::hides_integer(bytes) {
        return Err(CmwError::Malformed);
    }
    form(value)
}

pub(super) fn encode(form: &Form) -> Result<Vec<u8>, CmwError> {
    write(&to_value(form)?)
}

/// The message of one connection of a batch.
pub(super) fn encode_with_proof(form: &Form, membership: &Membership) -> Result<Vec<u8>, CmwError> {
    let proof = Form::Record(membership.record()?);
    write(&Value::Map(vec![
        (key(&EVIDENCE), to_value(form)?),
        (key(&PROOF), to_value(&proof)?),
    ]))
}

// Recursion is bounded by LIMITS, which built the value.
fn form(value: Value) -> Result<Form, CmwError> {
    match value {
        Value::Array(fields) => record(fields).map(Form::Record),
        Value::Map(entries) => collection(entries).map(Form::Collection),
        Value::Tag(number, value) => tag(number, *value).map(Form::Tag),
        _ => Err(CmwError::Malformed),
    }
}

fn record(fields: Vec<Value>) -> Result<Record, CmwError> {
    let mut fields = fields.into_iter();
    let (Some(kind), Some(Value::Bytes(value)), indicator, None) =
        (fields.next(), fields.next(), fields.next(), fields.next())
    else {
        return Err(CmwError::Malformed);
    };
    let kind = match kind {
        Value::Text(text) => Type::Media(MediaType::parse(&text).map_err(|_| CmwError::MediaType)?),
        Value::Integer(number) => {
            Type::ContentFormat(u16::try_from(number).map_err(|_| CmwError::Malformed)?)
        }
        _ => return Err(CmwError::Malformed),
    };
    let indicator = match indicator {
        None => None,
        Some(Value::Integer(bits)) => {
            let bits = u32::try_from(bits).map_err(|_| CmwError::Indicator)?;
            Some(Indicator::from_bits(bits)?)
        }
        Some(_) => return Err(CmwError::Malformed),
    };
    Ok(Record {
        kind,
        value,
        indicator,
    })
}

fn tag(number: u64, value: Value) -> Result<Tag, CmwError> {
    let Value::Bytes(value) = value else {
        return Err(CmwError::Malformed);
    };
    Ok(Tag {
        content_format: content_format_of(number).ok_or(CmwError::TagNumber)?,
        value,
    })
}

fn collection(entries: Vec<(Value, Value)>) -> Result<Collection, CmwError> {
    let mut kind = None;
    let mut members = Vec::new();
    for (label, value) in entries {
        let label = match label {
            Value::Text(text) if text == COLLECTION_TYPE => {
                let Value::Text(value) = value else {
                    return Err(CmwError::Malformed);
                };
                if kind.replace(value).is_some() {
                    return Err(CmwError::RepeatedLabel);
                }
                continue;
            }
            Value::Text(text) => Label::Text(text),
            Value::Integer(integer) => {
                Label::Integer(i64::try_from(integer).map_err(|_| CmwError::Malformed)?)
            }
            _ => return Err(CmwError::Malformed),
        };
        members.push((label, form(value)?));
    }
    Collection::new(kind, members)
}

fn to_value(form: &Form) -> Result<Value, CmwError> {
    Ok(match form {
        Form::Record(record) => {
            let kind = match &record.kind {
                Type::ContentFormat(number) => Value::from(*number),
                Type::Media(media_type) => Value::Text(media_type.to_string()),
            };
            let mut fields = vec![kind, Value::Bytes(record.value.clone())];
            fields.extend(record.indicator.map(|indicator| indicator.bits().into()));
            Value::Array(fields)
        }
        Form::Tag(tag) => {
            let value = Value::Bytes(tag.value.clone());
            let number = tag_number_of(tag.content_format).ok_or(CmwError::TagNumber)?;
            Value::Tag(number, Box::new(value))
        }
        Form::Collection(collection) => {
            let kind = collection.kind.as_deref();
            let kind = kind.map(|kind| (Value::from(COLLECTION_TYPE), Value::from(kind)));
            let mut entries = Vec::from_iter(kind);
            for (label, member) in &collection.members {
                entries.push((key(label), to_value(member)?));
            }
            // RFC 8949 §4.2.1: by the bytes of the encoded key.
            let mut sorted = Vec::new();
            for (key, value) in entries {
                sorted.push((write(&key)?, key, value));
            }
            sorted.sort_by(|(a, ..), (b, ..)| a.cmp(b));
            Value::Map(
                sorted
                    .into_iter()
                    .map(|(_, key, value)| (key, value))
                    .collect(),
            )
        }
    })
}

fn key(label: &Label) -> Value {
    match label {
        Label::Integer(integer) => Value::from(*integer),
        Label::Text(text) => Value::Text(text.clone()),
    }
}

fn write(value: &Value) -> Result<Vec<u8>, CmwError> {
    let mut out = Vec::new();
    ciborium::into_writer(value, &mut out).map_err(|_| CmwError::Malformed)?;
    Ok(out)
}

/// RFC 9277 §4.3: `1668546817 + (ct / 255) * 256 + ct % 255`. No byte of the number is 0. The last 511 Content-Formats have no
/// tag.
fn tag_number_of(content_format: u16) -> Option<u64> {
    let (high, low) = (
        u64::from(content_format / 255),
        u64::from(content_format % 255),
    );
    let number = FIRST_TAG
        .checked_add(high.checked_mul(256)?)?
        .checked_add(low)?;
    (number <= LAST_TAG).then_some(number)
}

fn content_format_of(tag_number: u64) -> Option<u16> {
    let offset = tag_number.checked_sub(FIRST_TAG)?;
    let (high, low) = (offset / 256, offset % 256);
    if tag_number > LAST_TAG || low == 255 {
        return None;
    }
    u16::try_from(high.checked_mul(255)?.checked_add(low)?).ok()
}

/// 0x63740101: "ct", then the first Content-Format.
const FIRST_TAG: u64 = 1_668_546_817;
/// 0x6374ffff.
const LAST_TAG: u64 = 1_668_612_095;

/// A record in the deepest collection, with room to tell too deep from malformed.
const LIMITS: CborLimits = CborLimits {
    items: MAX_CMW_VALUES,
    nesting: MAX_CMW_DEPTH + 4,
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tag_numbers_are_those_of_rfc_9277() {
        assert_eq!(tag_number_of(0), Some(1_668_546_817));
        assert_eq!(tag_number_of(273), Some(1_668_547_091));
        assert_eq!(tag_number_of(64_999), Some(1_668_612_070));
        assert_eq!(tag_number_of(65_024), Some(LAST_TAG));
        assert_eq!(tag_number_of(65_025), None);
    }

    #[test]
    fn every_content_format_survives_and_nothing_else_is_one() {
        for content_format in 0..=65_024 {
            let number = tag_number_of(content_format).unwrap();
            assert_eq!(content_format_of(number), Some(content_format));
        }
        for number in [
            FIRST_TAG - 1,
            FIRST_TAG + 255,
            LAST_TAG + 1,
            LAST_TAG + 2,
            u64::MAX,
        ] {
            assert_eq!(content_format_of(number), None, "{number}");
        }
    }
}
