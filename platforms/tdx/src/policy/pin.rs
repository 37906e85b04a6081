//! Fields that the host or the owner chooses at launch.

use std::fmt;

use atls_reference::Digest;
use serde::Deserialize;
use serde::Deserializer;
use serde::Serialize;
use serde::Serializer;
use serde::de;

/// A field that the host or the owner chooses at launch. Left out, it must be zero.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(clippy::exhaustive_enums, reason = "there is no fourth")]
pub enum Pin<const N: usize> {
    /// `"any"`: nothing in the TD or enclave relies on it.
    Any,
    /// Exactly this, in hexadecimal.
    Value(Digest<N>),
    /// All zero.
    #[default]
    Zero,
}

impl<const N: usize> Pin<N> {
    pub(crate) fn accepts(&self, value: &Digest<N>) -> bool {
        match self {
            Self::Any => true,
            Self::Value(expected) => value == expected,
            Self::Zero => value.is_zero(),
        }
    }

    pub(super) fn is_zero(&self) -> bool {
        *self == Self::Zero
    }
}

impl<const N: usize> Serialize for Pin<N> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Any => serializer.serialize_str(ANY),
            Self::Value(value) => value.serialize(serializer),
            Self::Zero => Digest::from([0; N]).serialize(serializer),
        }
    }
}

impl<'de, const N: usize> Deserialize<'de> for Pin<N> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(PinVisitor)
    }
}

struct PinVisitor<const N: usize>;

impl<const N: usize> de::Visitor<'_> for PinVisitor<N> {
    type Value = Pin<N>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} hexadecimal digits, or `{ANY}`", N.saturating_mul(2))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Pin<N>, E> {
        if text == ANY {
            return Ok(Pin::Any);
        }
        match Digest::from_hex(text) {
            Some(value) if value.is_zero() => Ok(Pin::Zero),
            Some(value) => Ok(Pin::Value(value)),
            None => Err(E::invalid_value(de::Unexpected::Str(text), &self)),
        }
    }
}

const ANY: &str = "any";
