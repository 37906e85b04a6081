//! The places of a table's entries, for findings and refusals.

use atls_core::finding::Finding;
use atls_core::finding::Outcome;
use atls_core::finding::Place;

use crate::corim::Corim;
use crate::corim::Triples;
use crate::format::Format;
use crate::lines::Lines;

/// The places of entries in one file.
#[derive(Debug)]
pub(crate) enum Places {
    Corim(Triples),
    Text(Lines),
}

impl Places {
    /// Those of a text that was read before.
    pub(crate) fn of_text(file: String, text: String, format: Format, table: &'static str) -> Self {
        Self::Text(Lines::of(file, text, format, table))
    }

    /// Those of a CoRIM.
    pub(crate) fn of_corim(file: String, corim: &Corim) -> Self {
        Self::Corim(Triples::of(file, corim))
    }

    fn named(&self, name: &str) -> Option<Place> {
        match self {
            Self::Corim(triples) => triples.named(name),
            Self::Text(lines) => lines.named(name),
        }
    }

    fn whole(&self) -> Place {
        match self {
            Self::Corim(triples) => triples.whole(),
            Self::Text(lines) => lines.whole(),
        }
    }
}

/// Gives a finding that did not pass the place of the first value that is allowed, or that of the first table as a whole where no file has
/// such a name.
pub(crate) fn put(places: &[Places], finding: Finding) -> Finding {
    if finding.outcome() == Outcome::Passed || finding.place().is_some() {
        return finding;
    }
    let mut allowed = finding.allowed().iter();
    let named = allowed.find_map(|allowed| {
        let mut places = places.iter();
        places.find_map(|places| places.named(allowed.name()))
    });
    match named.or_else(|| places.first().map(Places::whole)) {
        Some(place) => finding.with_place_of(place),
        None => finding,
    }
}

/// The place of a field of the table. A CoRIM has none by that name.
pub(crate) fn field(places: &[Places], field: &str) -> Option<Place> {
    places.iter().find_map(|places| match places {
        Places::Text(lines) => Some(lines.field(field)),
        Places::Corim(_) => None,
    })
}
