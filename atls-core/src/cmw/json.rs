//! CMW in JSON.

use std::fmt;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde::Deserializer;
use serde::de::IgnoredAny;
use serde::de::MapAccess;
use serde::de::SeqAccess;
use serde::de::Visitor;
use serde_json::Value;

use super::error::CmwError;
use super::form::COLLECTION_TYPE;
use super::form::Collection;
use super::form::Form;
use super::form::Record;
use super::item::Indicator;
use super::item::Type;
use super::label::Label;
use crate::bounded;
use crate::limits::MAX_CMW_VALUES;
use crate::media_type::MediaType;

pub(super) fn decode(bytes: &[u8]) -> Result<Form, CmwError> {
    if !bounded::json(MAX_CMW_VALUES, bytes) {
        return Err(CmwError::TooMany);
    }
    // serde_json refuses bytes after the value, and nesting deeper than 128.
    let json: Json = serde_json::from_slice(bytes).map_err(|_| CmwError::Malformed)?;
    form(json)
}

pub(super) fn encode(form: &Form) -> Result<Vec<u8>, CmwError> {
    serde_json::to_vec(&to_value(form)?).map_err(|_| CmwError::Malformed)
}

// Recursion is bounded by serde_json, which built the value.
fn form(json: Json) -> Result<Form, CmwError> {
    match json {
        Json::Array(fields) => record(fields).map(Form::Record),
        Json::Object(members) => collection(members).map(Form::Collection),
        _ => Err(CmwError::Malformed),
    }
}

fn record(fields: Vec<Json>) -> Result<Record, CmwError> {
    let mut fields = fields.into_iter();
    let (Some(Json::Text(kind)), Some(Json::Text(value)), indicator, None) =
        (fields.next(), fields.next(), fields.next(), fields.next())
    else {
        return Err(CmwError::Malformed);
    };
    let indicator = match indicator {
        None => None,
        Some(Json::Integer(bits)) => {
            let bits = u32::try_from(bits).map_err(|_| CmwError::Indicator)?;
            Some(Indicator::from_bits(bits)?)
        }
        Some(_) => return Err(CmwError::Malformed),
    };
    let decoded = BASE64_URL_SAFE_NO_PAD.decode(value);
    Ok(Record {
        kind: Type::Media(MediaType::parse(&kind).map_err(|_| CmwError::MediaType)?),
        value: decoded.map_err(|_| CmwError::Malformed)?,
        indicator,
    })
}

fn collection(members: Vec<(String, Json)>) -> Result<Collection, CmwError> {
    let mut kind = None;
    let mut forms = Vec::new();
    for (label, json) in members {
        if label == COLLECTION_TYPE {
            let Json::Text(text) = json else {
                return Err(CmwError::Malformed);
            };
            if kind.replace(text).is_some() {
                return Err(CmwError::RepeatedLabel);
            }
        } else {
            forms.push((Label::Text(label), form(json)?));
        }
    }
    Collection::new(kind, forms)
}

fn to_value(form: &Form) -> Result<Value, CmwError> {
    Ok(match form {
        Form::Record(Record {
            kind: Type::Media(media_type),
            value,
            indicator,
        }) => {
            let mut fields = vec![
                Value::from(media_type.to_string()),
                Value::from(BASE64_URL_SAFE_NO_PAD.encode(value)),
            ];
            fields.extend(indicator.map(|indicator| indicator.bits().into()));
            Value::Array(fields)
        }
        Form::Collection(collection) => {
            let kind = collection.kind.as_deref();
            let kind = kind.map(|kind| Ok((COLLECTION_TYPE.to_owned(), Value::from(kind))));
            let members = collection
                .members
                .iter()
                .map(|(label, member)| match label {
                    Label::Text(text) => Ok((text.clone(), to_value(member)?)),
                    Label::Integer(_) => Err(CmwError::NotInJson),
                });
            Value::Object(kind.into_iter().chain(members).collect::<Result<_, _>>()?)
        }
        Form::Record(_) | Form::Tag(_) => return Err(CmwError::NotInJson),
    })
}

/// JSON that keeps repeated names. `serde_json::Value` would drop all but the last in silence.
enum Json {
    Array(Vec<Self>),
    Integer(u64),
    Object(Vec<(String, Self)>),
    /// A value that no CMW holds.
    Other,
    Text(String),
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(JsonVisitor)
    }
}

struct JsonVisitor;

impl<'de> Visitor<'de> for JsonVisitor {
    type Value = Json;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E>(self, _: bool) -> Result<Json, E> {
        Ok(Json::Other)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Json, E> {
        Ok(Json::Other)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Json, E> {
        Ok(Json::Other)
    }

    fn visit_u64<E>(self, integer: u64) -> Result<Json, E> {
        Ok(Json::Integer(integer))
    }

    fn visit_unit<E>(self) -> Result<Json, E> {
        Ok(Json::Other)
    }

    fn visit_str<E>(self, text: &str) -> Result<Json, E> {
        Ok(Json::Text(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Json, A::Error> {
        let mut array = Vec::new();
        while let Some(element) = sequence.next_element()? {
            if array.len() > RECORD_FIELDS {
                // One field too many is enough to refuse. The rest is read and dropped.
                while sequence.next_element::<IgnoredAny>()?.is_some() {}
                break;
            }
            array.push(element);
        }
        Ok(Json::Array(array))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Json, A::Error> {
        let mut object = Vec::new();
        while let Some(member) = map.next_entry()? {
            object.push(member);
        }
        Ok(Json::Object(object))
    }
}

/// Type, value, indicator.
const RECORD_FIELDS: usize = 3;
