//! Claims of the Evidence, as a service reports them in its result. A part of a result goes in, claims come out. A claim on which
//! two places disagree is absent.

use atls_core::ear::Appraisal;
use atls_core::ear::BinaryText;
use serde_json::Map;
use serde_json::Value;

use crate::printed::printed_by_name;

/// The claims of the Evidence in one part of a result, from both places for them:
///
/// * `ear.veraison.annotated-evidence`, of Veraison and until now of Trustee;
/// * `ear_attester_claims` (draft-ietf-rats-ear-04), the next place of Trustee. There the claims of the TEE are either under its
///   name, as in the older place, or under `claims` beside its name in `tee`.
///
/// A result may have both places while its service moves. They are about the same Evidence, so a claim in both must have one value.
#[derive(Clone)]
pub struct ReportedClaims<'a> {
    places: Vec<&'a Map<String, Value>>,
    /// Whether a place is no object, so that nothing in it can be compared.
    is_malformed: bool,
}

printed_by_name!(ReportedClaims<'_>, "ReportedClaims");

impl<'a> ReportedClaims<'a> {
    /// Reads that part. An empty place counts as absent.
    pub fn of(appraisal: &'a Appraisal) -> Self {
        let present: Vec<_> = PLACES
            .iter()
            .filter_map(|name| appraisal.extension(name))
            .collect();
        let places: Vec<_> = present.iter().filter_map(|it| it.as_object()).collect();
        Self {
            is_malformed: places.len() != present.len(),
            places: places.into_iter().filter(|it| !it.is_empty()).collect(),
        }
    }

    /// Whether there is a place, and every place is about this TEE.
    pub fn is_about_tee(&self, tee: &str) -> bool {
        let names = |place: &&Map<String, Value>| match place.get(TEE) {
            Some(name) => name == tee,
            None => place.contains_key(tee),
        };
        !self.is_malformed && !self.places.is_empty() && self.places.iter().all(names)
    }

    /// The bytes of a claim with that spelling. `None` if it is absent, unreadable in one place, or different in two.
    pub fn bytes(&self, name: &str, text: BinaryText) -> Option<Vec<u8>> {
        if self.is_malformed {
            return None;
        }
        let values = self.places.iter().filter_map(|place| place.get(name));
        let mut spelled = values.map(|value| value.as_str().and_then(|value| text.decode(value)));
        let bytes = spelled.next()??;
        spelled
            .all(|other| other.as_ref() == Some(&bytes))
            .then_some(bytes)
    }

    /// The value of a claim. `None` if it is absent, or different in two places.
    pub fn one(&self, name: &str) -> Option<&'a Value> {
        let mut values = self.places.iter().filter_map(|place| place.get(name));
        let value = values.next()?;
        values.all(|other| other == value).then_some(value)
    }

    /// Every value at this JSON pointer (RFC 6901), which begins with the name of the TEE for claims of a TEE.
    pub fn all(&self, pointer: &str) -> Vec<&'a Value> {
        self.places
            .iter()
            .flat_map(|place| [at(place, pointer), under_claims(place, pointer)])
            .flatten()
            .collect()
    }
}

/// The value in the layout with `tee` and `claims`.
fn under_claims<'a>(place: &'a Map<String, Value>, pointer: &str) -> Option<&'a Value> {
    let tee = place.get(TEE)?.as_str()?;
    let rest = pointer.strip_prefix('/')?.strip_prefix(tee)?;
    if !rest.starts_with('/') {
        return None;
    }
    place.get("claims")?.pointer(rest)
}

fn at<'a>(place: &'a Map<String, Value>, pointer: &str) -> Option<&'a Value> {
    let (name, rest) = match pointer.strip_prefix('/')?.split_once('/') {
        Some((name, _)) => (name, pointer.get(name.len().checked_add(1)?..)?),
        None => (pointer.strip_prefix('/')?, ""),
    };
    place.get(name)?.pointer(rest)
}

const PLACES: [&str; 2] = ["ear.veraison.annotated-evidence", "ear_attester_claims"];
const TEE: &str = "tee";
