//! The line and column of a field in a file.

use std::fmt;

use serde::de;
use serde::de::DeserializeSeed;
use serde::de::Deserializer;
use serde::de::Error;
use serde::de::IgnoredAny;
use serde::de::MapAccess;
use serde::de::SeqAccess;

use crate::format::Format;
use crate::syntax::SyntaxError;

/// Line and column of a field in a file that was read before, counted from 1. A field that the file leaves out has those of its
/// parent; zeros mean that the parser knows no place.
pub(crate) fn position(text: &str, format: Format, field: &str) -> (usize, usize) {
    let steps: Vec<Step<'_>> = steps(field);
    let way = Way(&steps, format);
    let stopped = match format {
        Format::Json => {
            let mut parser = serde_json::Deserializer::from_str(text);
            let stopped = way.deserialize(&mut parser).err();
            stopped.map(|error| SyntaxError::of_json(String::new(), &error))
        }
        Format::Toml => {
            let Ok(parser) = toml::Deserializer::parse(text) else {
                return (0, 0);
            };
            let stopped = way.deserialize(parser).err();
            stopped.map(|error| SyntaxError::of_toml(text, String::new(), &error))
        }
    };
    stopped.map_or((0, 0), |error| (error.line, error.column))
}

/// `image[2].name` is the key `image`, the element 2, the key `name`.
fn steps(field: &str) -> Vec<Step<'_>> {
    let keys = field.split('.').filter(|part| !part.is_empty());
    keys.flat_map(|part| {
        let mut parts = part.split('[');
        let key = parts.next().map(Step::Key);
        let index = |part: &str| part.trim_end_matches(']').parse().ok().map(Step::Index);
        key.into_iter()
            .chain(parts.filter_map(index))
            .collect::<Vec<_>>()
    })
    .collect()
}

#[derive(Clone, Copy)]
enum Step<'a> {
    Index(usize),
    Key(&'a str),
}

/// Follows the steps through a file and then fails on purpose: the place of an error is the one place that the parsers of both
/// formats give.
struct Way<'a>(&'a [Step<'a>], Format);

impl<'de> DeserializeSeed<'de> for Way<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        match self.0.split_first() {
            None => match self.1 {
                Format::Json => Err(D::Error::custom("here")),
                // Before its value is read, an element of an array has the place of the array.
                Format::Toml => deserializer.deserialize_any(Nothing),
            },
            Some((Step::Key(key), rest)) => {
                deserializer.deserialize_map(Keys(key, Way(rest, self.1)))
            }
            Some((Step::Index(index), rest)) => {
                deserializer.deserialize_seq(Elements(*index, Way(rest, self.1)))
            }
        }
    }
}

/// Takes no value, so that every one is an error, at its place.
struct Nothing;

impl de::Visitor<'_> for Nothing {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("nothing")
    }
}

struct Keys<'a>(&'a str, Way<'a>);

impl<'de> de::Visitor<'de> for Keys<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a table")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<String>()? {
            if key == self.0 {
                return map.next_value_seed(self.1);
            }
            map.next_value::<IgnoredAny>()?;
        }
        Err(A::Error::custom("not there"))
    }
}

struct Elements<'a>(usize, Way<'a>);

impl<'de> de::Visitor<'de> for Elements<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<(), A::Error> {
        for _ in 0..self.0 {
            if elements.next_element::<IgnoredAny>()?.is_none() {
                break;
            }
        }
        elements.next_element_seed(self.1)?;
        Err(A::Error::custom("not there"))
    }
}
