//! The places of a CoRIM's entries, by the names that tables give them.

use std::collections::HashMap;

use atls_core::finding::Place;

use super::document::Corim;
use crate::shown::as_shown;

/// The triples of one document, by the names that tables give to what they make of them. A CoRIM is binary and has no lines: the position is
/// that of errors about it and of `atls inspect`, by numbers of tag, triple and measurement.
#[derive(Debug)]
pub(crate) struct Triples {
    file: String,
    /// The first of a name counts.
    positions: HashMap<String, String>,
}

impl Triples {
    pub(crate) fn of(file: String, corim: &Corim) -> Self {
        let mut positions = HashMap::new();
        let mut add = |name: &str, position: String| {
            positions.entry(as_shown(name)).or_insert(position);
        };
        for reference in corim.references() {
            for (place, measurement) in reference.placed() {
                // The name of one that has none is that of its triple.
                let place = match measurement.name {
                    Some(_) => place,
                    None => reference.place,
                };
                add(&reference.name(measurement, corim.id()), place.to_string());
            }
        }
        for key in corim.attest_keys() {
            let position = format!("{}, attest-key triple {}", key.place, key.number);
            add(&key.name(corim.id()), position);
        }
        Self { file, positions }
    }

    /// The position of the entry of this name.
    pub(crate) fn named(&self, name: &str) -> Option<Place> {
        let position = self.positions.get(name)?;
        Some(Place::at_position(&self.file, position))
    }

    /// The file alone.
    pub(crate) fn whole(&self) -> Place {
        Place::at_line(&self.file, 0)
    }
}
