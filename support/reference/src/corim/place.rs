//! Where in a CoRIM.

use std::fmt;

/// Counted from 0, as the document has them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Place {
    /// Which of `tags`.
    pub tag: usize,
    /// Which of its `reference-triples`.
    pub triple: Option<usize>,
    /// Which of the triple's measurements.
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

/// For the text of an error.
pub(super) fn of(place: Option<&Place>) -> String {
    place.map_or_else(String::new, |place| format!(", {place}"))
}
