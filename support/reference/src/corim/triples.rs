//! Reads the triples of a CoMID as [`Reference`]s and loses nothing that narrows their meaning.

use corim::DecodeError;
use corim::cbor::value::Value;
use corim::types::comid::ComidTag;
use corim::types::common;
use corim::types::environment::EnvironmentMap;
use corim::types::triples::AttestKeyTriple;
use corim::types::triples::ReferenceTriple;
use corim::types::triples::TriplesMap;

use super::error::CorimError;
use super::error::malformed;
use super::error::undecodable;
use super::error::unsupported;
use super::measurement;
use super::place::Place;
use super::types::AttestKey;
use super::types::Environment;
use super::types::Id;
use super::types::Reference;
use super::value::decode;
use super::value::get;
use super::value::items;

/// The triples of all CoMIDs, and the names of their other parts.
#[derive(Default)]
pub(super) struct Found {
    pub(super) references: Vec<Reference>,
    pub(super) attest_keys: Vec<AttestKey>,
    pub(super) left_out: Vec<String>,
}

/// Adds those of one CoMID.
pub(super) fn read(bytes: &[u8], place: Place, found: &mut Found) -> Result<(), CorimError> {
    let undecodable = |error: DecodeError| undecodable(Some(place), &error);
    let comid: ComidTag = decode(bytes).map_err(undecodable)?;
    // The typed form drops unknown entries; the plain value keeps them.
    let whole: Value = decode(bytes).map_err(undecodable)?;
    let links = comid.linked_tags.iter().flatten();
    if links.into_iter().any(|link| link.tag_rel != SUPPLEMENTS) {
        return Err(unsupported(place, "a tag that replaces another"));
    }
    others(&comid.triples, |name| {
        found.left_out.push(format!("{place}: {name}"));
    });
    let typed = comid.triples.reference_triples.unwrap_or_default();
    let raw = get(&whole, 4).and_then(|triples| get(triples, 0));
    for (number, (triple, raw)) in pairs(&typed, raw, place)?.enumerate() {
        let reference = reference(triple, raw, place.triple(number))?;
        found.references.push(reference);
    }
    let typed = comid.triples.attest_key_triples.unwrap_or_default();
    let raw = get(&whole, 4).and_then(|triples| get(triples, 3));
    for (number, (triple, raw)) in pairs(&typed, raw, place)?.enumerate() {
        // Those who read reference values alone have nothing to do with it.
        let unread = |error: CorimError| AttestKey::unread(place, number, &error);
        let key = attest_key(triple, raw, place, number).unwrap_or_else(unread);
        found.attest_keys.push(key);
    }
    Ok(())
}

fn attest_key(
    triple: &AttestKeyTriple,
    raw: &Value,
    place: Place,
    number: usize,
) -> Result<AttestKey, CorimError> {
    let mut raw = items(Some(raw));
    check_environment(raw.next(), place)?;
    let (mut keys, mut further) = (Vec::new(), Vec::new());
    for key in triple.keys() {
        match key {
            common::CryptoKey::PkixBase64Key(pem) => keys.push(pem.clone()),
            _ => further.push("a key of another kind".to_owned()),
        }
    }
    // The second is the keys.
    if raw.nth(1).is_some() || triple.conditions().is_some() {
        further.push("conditions".to_owned());
    }
    Ok(AttestKey {
        place,
        number,
        environment: environment(triple.environment(), place)?,
        keys,
        further,
    })
}

fn check_environment(raw: Option<&Value>, place: Place) -> Result<(), CorimError> {
    only(raw, &[0, 1, 2], place, "environment")?;
    match raw.and_then(|raw| get(raw, 0)) {
        Some(class) => only(Some(class), &[0, 1, 2, 3, 4], place, "class"),
        None => Ok(()),
    }
}

fn reference(triple: &ReferenceTriple, raw: &Value, place: Place) -> Result<Reference, CorimError> {
    let mut raw = items(Some(raw));
    check_environment(raw.next(), place)?;
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
