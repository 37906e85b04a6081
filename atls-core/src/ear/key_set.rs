//! A JWK set, entry by entry (RFC 7517 §5).

use std::fmt;

use serde::Deserialize;
use serde::Deserializer;
use serde::de::Error;
use serde::de::IgnoredAny;
use serde::de::MapAccess;
use serde::de::Visitor;
use serde_json::Map;
use serde_json::Value;

use super::json::MaybeUniqueNames;
use super::key_error::KeyError;

/// The entries of a set. An entry that is no object, or that repeats a name, is none. It does not cost the other entries: a
/// publisher of an unreadable key must not take away the keys of others.
pub(super) struct KeySet(pub(super) Vec<Option<Map<String, Value>>>);

impl KeySet {
    /// # Errors
    /// [`KeyError::Malformed`] for what is no JSON object with one list `keys`.
    pub(super) fn read(json: &str) -> Result<Self, KeyError> {
        serde_json::from_str(json).map_err(|_| KeyError::Malformed)
    }
}

impl<'de> Deserialize<'de> for KeySet {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(KeySetVisitor)
    }
}

struct KeySetVisitor;

impl<'de> Visitor<'de> for KeySetVisitor {
    type Value = KeySet;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JWK set")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<KeySet, A::Error> {
        let mut listed = None;
        while let Some(name) = map.next_key::<String>()? {
            if name != "keys" {
                let IgnoredAny = map.next_value()?;
                continue;
            }
            let entries: Vec<MaybeUniqueNames> = map.next_value()?;
            if listed.replace(entries).is_some() {
                return Err(A::Error::duplicate_field("keys"));
            }
        }
        let listed = listed.ok_or_else(|| A::Error::missing_field("keys"))?;
        let objects = listed.into_iter().map(|entry| match entry {
            MaybeUniqueNames(Some(Value::Object(object))) => Some(object),
            _ => None,
        });
        Ok(KeySet(objects.collect()))
    }
}
