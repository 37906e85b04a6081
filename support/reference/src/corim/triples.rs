//! Reads the triples of a CoMID as [`Reference`]s and loses nothing that narrows their meaning.

use corim::DecodeError;
use corim::cbor::value::Value;
use corim::types::comid::ComidTag;
use corim::types::common;
use corim::types::environment::EnvironmentMap;
use corim::types::triples::ReferenceTriple;
use corim::types::triples::TriplesMap;

use super::error::CorimError;
use super::error::malformed;
use super::error::undecodable;
use super::error::unsupported;
use super::measurement;
use super::place::Place;
use super::types::Environment;
use super::types::Id;
use super::types::Reference;
use super::value::decode;
use super::value::get;
use super::value::items;

/// Adds the reference triples of one CoMID, and the names of its unread parts.
pub(super) fn read(
    bytes: &[u8],
    place: Place,
    references: &mut Vec<Reference>,
    left_out: &mut Vec<String>,
) -> Result<(), CorimError> {
    let undecodable = |error: DecodeError| undecodable(Some(place), &error);
    let comid: ComidTag = decode(bytes).map_err(undecodable)?;
    // The typed form drops unknown entries; the plain value keeps them.
    let whole: Value = decode(bytes).map_err(undecodable)?;
    let links = comid.linked_tags.iter().flatten();
    if links.into_iter().any(|link| link.tag_rel != SUPPLEMENTS) {
        return Err(unsupported(place, "a tag that replaces another"));
    }
    others(&comid.triples, |name| {
        left_out.push(format!("{place}: {name}"));
    });
    let typed = comid.triples.reference_triples.unwrap_or_default();
    let raw = get(&whole, 4).and_then(|triples| get(triples, 0));
    for (number, (triple, raw)) in pairs(&typed, raw, place)?.enumerate() {
        references.push(reference(triple, raw, place.triple(number))?);
    }
    Ok(())
}

fn reference(triple: &ReferenceTriple, raw: &Value, place: Place) -> Result<Reference, CorimError> {
    let mut raw = items(Some(raw));
    let raw_environment = raw.next();
    only(raw_environment, &[0, 1, 2], place, "environment")?;
    if let Some(raw_class) = raw_environment.and_then(|raw| get(raw, 0)) {
        only(Some(raw_class), &[0, 1, 2, 3, 4], place, "class")?;
    }
    let mut measurements = Vec::new();
    for (number, (typed, raw)) in pairs(triple.measurements(), raw.next(), place)?.enumerate() {
        let place = place.measurement(number);
        only(Some(raw), &[0, 1, 2], place, "measurement")?;
        measurements.push(measurement::read(typed, get(raw, 1), place)?);
    }
    Ok(Reference {
        place,
        environment: environment(triple.environment(), place)?,
        measurements,
    })
}

/// Each typed item beside its plain value. Their number is compared here, not left to the parser.
fn pairs<'a, T>(
    typed: &'a [T],
    raw: Option<&'a Value>,
    place: Place,
) -> Result<impl Iterator<Item = (&'a T, &'a Value)>, CorimError> {
    if typed.len() != items(raw).count() {
        return Err(malformed(Some(place), &"lists differ in length"));
    }
    Ok(typed.iter().zip(items(raw)))
}

/// Names the triples that could only add accepted values.
fn others(triples: &TriplesMap, mut left_out: impl FnMut(&str)) {
    for (there, name) in [
        (triples.endorsed_triples.is_some(), "endorsed-triples"),
        (triples.identity_triples.is_some(), "identity-triples"),
        (triples.attest_key_triples.is_some(), "attest-key-triples"),
        (triples.dependency_triples.is_some(), "dependency-triples"),
        (triples.membership_triples.is_some(), "membership-triples"),
        (triples.coswid_triples.is_some(), "coswid-triples"),
        (
            triples.conditional_endorsement_series.is_some(),
            "conditional-endorsement-series-triples",
        ),
        (
            triples.conditional_endorsement.is_some(),
            "conditional-endorsement-triples",
        ),
    ] {
        if there {
            left_out(name);
        }
    }
}

fn environment(map: &EnvironmentMap, place: Place) -> Result<Environment, CorimError> {
    let class = map.class.clone().unwrap_or_default();
    let class_id = match class.class_id {
        None => None,
        Some(common::ClassIdChoice::Bytes(bytes)) => Some(Id::Bytes(bytes)),
        Some(common::ClassIdChoice::Oid(oid)) => Some(Id::Oid(oid)),
        Some(common::ClassIdChoice::Uuid(uuid)) => Some(Id::Uuid(uuid)),
        Some(_) => return Err(unsupported(place, "a class-id of this kind")),
    };
    let instance = match map.instance.clone() {
        None => None,
        Some(common::InstanceIdChoice::Bytes(bytes)) => Some(Id::Bytes(bytes)),
        Some(common::InstanceIdChoice::Ueid(ueid)) => Some(Id::Ueid(ueid)),
        Some(common::InstanceIdChoice::Uuid(uuid)) => Some(Id::Uuid(uuid)),
        Some(_) => return Err(unsupported(place, "an instance-id of this kind")),
    };
    let group = match map.group.clone() {
        None => None,
        Some(common::GroupIdChoice::Bytes(bytes)) => Some(Id::Bytes(bytes)),
        Some(common::GroupIdChoice::Uuid(uuid)) => Some(Id::Uuid(uuid)),
        Some(_) => return Err(unsupported(place, "a group-id of this kind")),
    };
    Ok(Environment {
        class_id,
        vendor: class.vendor,
        model: class.model,
        layer: class.layer,
        index: class.index,
        instance,
        group,
    })
}

/// Refuses unknown keys: their values may narrow the meaning.
fn only(map: Option<&Value>, known: &[i128], place: Place, name: &str) -> Result<(), CorimError> {
    let Some(Value::Map(entries)) = map else {
        return Err(malformed(
            Some(place),
            &format_args!("its {name} is no map"),
        ));
    };
    let is_known = |key: &Value| known.iter().any(|known| *key == Value::Integer(*known));
    if entries.iter().all(|(key, _)| is_known(key)) {
        return Ok(());
    }
    Err(unsupported(
        place,
        format!("an unknown entry of its {name}"),
    ))
}

/// `$tag-rel-type-choice`.
const SUPPLEMENTS: i64 = 0;
