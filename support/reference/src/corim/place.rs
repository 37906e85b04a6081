//! The place of a value in a CoRIM.

use std::fmt;

/// A place, by numbers counted from 0 in the order of the document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Place {
    /// The number in `tags`.
    pub tag: usize,
    /// The number in the `reference-triples` of the tag.
    pub triple: Option<usize>,
    /// The number among the measurements of the triple.
    pub measurement: Option<usize>,
}

impl Place {
    pub(super) fn tag(tag: usize) -> Self {
        Self {
            tag,
            triple: None,
            measurement: None,
        }
    }

    pub(super) fn triple(self, triple: usize) -> Self {
        Self {
            triple: Some(triple),
            ..self
        }
    }

    pub(super) fn measurement(self, measurement: usize) -> Self {
        Self {
            measurement: Some(measurement),
            ..self
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "tag {}", self.tag)?;
        if let Some(triple) = self.triple {
            write!(f, ", reference triple {triple}")?;
        }
        if let Some(measurement) = self.measurement {
            write!(f, ", measurement {measurement}")?;
        }
        Ok(())
    }
}

/// The part of an error's text.
pub(super) fn of(place: Option<&Place>) -> String {
    place.map_or_else(String::new, |place| format!(", {place}"))
}
