//! JSON without repeated names.

use std::fmt;

use serde::Deserialize;
use serde::Deserializer;
use serde::de::Error;
use serde::de::MapAccess;
use serde::de::SeqAccess;
use serde::de::Visitor;
use serde_json::Map;
use serde_json::Value;

/// A value without repeated names in its objects; others are refused. Where two claims have one name, one reader believes the first
/// and another the last (RFC 8259 §4, RFC 7519 §4).
pub(super) struct UniqueNames(pub(super) Value);

impl<'de> Deserialize<'de> for UniqueNames {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match MaybeUniqueNames::deserialize(deserializer)? {
            MaybeUniqueNames(Some(value)) => Ok(Self(value)),
            MaybeUniqueNames(None) => Err(D::Error::custom("a name is repeated")),
        }
    }
}

/// A value, or none if one of its objects repeats a name. The values beside it are still read: one bad entry of a list says
/// nothing about the others.
pub(super) struct MaybeUniqueNames(pub(super) Option<Value>);

impl<'de> Deserialize<'de> for MaybeUniqueNames {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // serde_json refuses nesting deeper than 128.
        deserializer
            .deserialize_any(MaybeUniqueNamesVisitor)
            .map(Self)
    }
}

struct MaybeUniqueNamesVisitor;

impl<'de> Visitor<'de> for MaybeUniqueNamesVisitor {
    type Value = Option<Value>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E>(self, truth: bool) -> Result<Option<Value>, E> {
        Ok(Some(Value::Bool(truth)))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Option<Value>, E> {
        Ok(Some(Value::from(number)))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Option<Value>, E> {
        Ok(Some(Value::from(number)))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Option<Value>, E> {
        Ok(Some(Value::from(number)))
    }

    fn visit_unit<E>(self) -> Result<Option<Value>, E> {
        Ok(Some(Value::Null))
    }

    fn visit_str<E>(self, text: &str) -> Result<Option<Value>, E> {
        Ok(Some(Value::from(text)))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Option<Value>, A::Error> {
        let mut array = Some(Vec::new());
        while let Some(MaybeUniqueNames(element)) = sequence.next_element()? {
            array = array.zip(element).map(|(mut array, element)| {
                array.push(element);
                array
            });
        }
        Ok(array.map(Value::Array))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Option<Value>, A::Error> {
        let mut object = Some(Map::new());
        while let Some((name, MaybeUniqueNames(value))) = map.next_entry::<String, _>()? {
            object = object.zip(value).and_then(|(mut object, value)| {
                object.insert(name, value).is_none().then_some(object)
            });
        }
        Ok(object.map(Value::Object))
    }
}
