//! From the triples of a CoMID to [`Reference`]s, losing nothing that narrows what is meant.

use std::collections::BTreeMap;

use corim::DecodeError;
use corim::cbor::value::Value;
use corim::types::comid::ComidTag;
use corim::types::common;
use corim::types::environment::EnvironmentMap;
use corim::types::measurement;
use corim::types::measurement::MeasurementMap;
use corim::types::triples::ReferenceTriple;
use corim::types::triples::TriplesMap;

use super::CorimError;
use super::Place;
use super::read::decode;
use super::read::malformed;
use super::read::undecodable;
use super::read::unsupported;
use super::types::Digest;
use super::types::Environment;
use super::types::HashAlgorithm;
use super::types::Id;
use super::types::MeasuredElement;
use super::types::Measurement;
use super::types::RawValue;
use super::types::Reference;
use super::types::RegisterId;
use super::types::Svn;
use super::types::Version;

/// Adds the reference triples of one CoMID, and the names of what else it holds.
pub(super) fn read(
    bytes: &[u8],
    place: Place,
    references: &mut Vec<Reference>,
    left_out: &mut Vec<String>,
) -> Result<(), CorimError> {
    let undecodable = |error: DecodeError| undecodable(Some(place), &error);
    let comid: ComidTag = decode(bytes).map_err(undecodable)?;
    // The typed form leaves out what it does not know; this one does not.
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
        measurements.push(measurement(typed, get(raw, 1), place)?);
    }
    Ok(Reference {
        environment: environment(triple.environment(), place)?,
        measurements,
    })
}

/// Each with its own octets. That they are as many is the reader's matter, on which nothing here shall rest.
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

/// Triples that only ever add to what is accepted.
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

fn measurement(
    map: &MeasurementMap,
    raw_values: Option<&Value>,
    place: Place,
) -> Result<Measurement, CorimError> {
    let values = &map.mval;
    let mut further = further(raw_values, place)?;
    if map.authorized_by.is_some() {
        further.push("authorized-by".to_owned());
    }
    let mut key_ids = Vec::new();
    for key in values.cryptokeys.iter().flatten() {
        match key {
            common::CryptoKey::Bytes(id) => key_ids.push(id.clone()),
            _ => further.push("cryptokeys".to_owned()),
        }
    }
    let mut registers = BTreeMap::new();
    for (id, digests) in values.integrity_registers.iter().flat_map(|map| &map.0) {
        let id = match id {
            measurement::IntegrityRegisterId::Uint(number) => RegisterId::Number(*number),
            measurement::IntegrityRegisterId::Text(name) => RegisterId::Text(name.clone()),
            _ => return Err(unsupported(place, "an integrity register of this kind")),
        };
        registers.insert(id, self::digests(digests, place)?);
    }
    Ok(Measurement {
        element: map
            .mkey
            .as_ref()
            .map(|element| measured(element, place))
            .transpose()?,
        digests: digests(values.digests.as_deref().unwrap_or_default(), place)?,
        svn: match &values.svn {
            None => None,
            Some(measurement::SvnChoice::ExactValue(svn)) => Some(Svn::Exactly(*svn)),
            Some(measurement::SvnChoice::MinValue(svn)) => Some(Svn::AtLeast(*svn)),
            Some(_) => return Err(unsupported(place, "an svn of this kind")),
        },
        name: values.name.clone(),
        version: values.version.as_ref().map(|version| Version {
            text: version.version.clone(),
            scheme: version.version_scheme,
        }),
        raw: values
            .raw_value
            .as_ref()
            .map(|value| raw_value(value, raw_values.and_then(|values| get(values, 5)), place))
            .transpose()?,
        registers,
        key_ids,
        further,
    })
}

fn measured(
    element: &common::MeasuredElement,
    place: Place,
) -> Result<MeasuredElement, CorimError> {
    Ok(match element {
        common::MeasuredElement::Oid(oid) => MeasuredElement::Oid(oid.clone()),
        common::MeasuredElement::Text(text) => MeasuredElement::Text(text.clone()),
        common::MeasuredElement::Uint(number) => MeasuredElement::Number(*number),
        common::MeasuredElement::Uuid(uuid) => MeasuredElement::Uuid(*uuid),
        _ => return Err(unsupported(place, "a measured element of this kind")),
    })
}

fn digests(digests: &[measurement::Digest], place: Place) -> Result<Vec<Digest>, CorimError> {
    let digest = |digest: &measurement::Digest| {
        let algorithm = match digest.alg().as_int() {
            Some(1) => HashAlgorithm::Sha256,
            Some(7) => HashAlgorithm::Sha384,
            Some(8) => HashAlgorithm::Sha512,
            _ => HashAlgorithm::Other(digest.alg().to_string()),
        };
        let value = digest.value().to_vec();
        match algorithm.length() {
            Some(length) if length != value.len() => {
                Err(malformed(Some(place), &"digest is of another length"))
            }
            _ => Ok(Digest { algorithm, value }),
        }
    };
    digests.iter().map(digest).collect()
}

/// The mask stands in the value (tag 563), or, as older documents have it, beside it.
fn raw_value(
    raw: &measurement::RawValueChoice,
    older_mask: Option<&Value>,
    place: Place,
) -> Result<RawValue, CorimError> {
    let (value, mask) = match (raw, older_mask) {
        (measurement::RawValueChoice::Bytes(value), None) => (value, None),
        (measurement::RawValueChoice::Bytes(value), Some(Value::Bytes(mask)))
        | (measurement::RawValueChoice::Masked { value, mask }, None) => (value, Some(mask)),
        _ => return Err(unsupported(place, "a raw value of this kind")),
    };
    if mask.is_some_and(|mask| mask.len() != value.len()) {
        let problem = "mask of a raw value is of another length";
        return Err(malformed(Some(place), &problem));
    }
    Ok(RawValue {
        value: value.clone(),
        mask: mask.cloned(),
    })
}

/// What stands in a `measurement-values-map` beside that for which [`Measurement`] has a field.
fn further(values: Option<&Value>, place: Place) -> Result<Vec<String>, CorimError> {
    let Some(Value::Map(entries)) = values else {
        return Err(malformed(Some(place), &"measurement values are no map"));
    };
    let has_raw = entries.iter().any(|(key, _)| *key == Value::Integer(4));
    let keys = entries.iter().map(|(key, _)| key);
    let keys = keys.filter(|key| !(has_raw && **key == Value::Integer(5)));
    let further = keys
        .filter(|key| !READ.iter().any(|read| **key == Value::Integer(*read)))
        .map(|key| match key {
            Value::Integer(number) => match NAMED.iter().find(|(known, _)| known == number) {
                Some((_, name)) => (*name).to_owned(),
                None => format!("value {number}"),
            },
            Value::Text(text) => format!("value \"{}\"", text.escape_debug()),
            _ => "a value of unknown kind".to_owned(),
        });
    Ok(further.collect())
}

/// Refuses keys that are not known: what they say may narrow what is meant.
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

pub(super) fn get(map: &Value, key: i128) -> Option<&Value> {
    let Value::Map(entries) = map else {
        return None;
    };
    let mut entries = entries.iter();
    entries
        .find(|(known, _)| *known == Value::Integer(key))
        .map(|(_, value)| value)
}

pub(super) fn items(list: Option<&Value>) -> impl Iterator<Item = &Value> {
    let list = match list {
        Some(Value::Array(items)) => items.as_slice(),
        _ => &[],
    };
    list.iter()
}

/// `$tag-rel-type-choice`.
const SUPPLEMENTS: i64 = 0;

/// Keys of `measurement-values-map` for which there is a field: version, svn, digests, raw-value, name, cryptokeys,
/// integrity-registers.
const READ: [i128; 7] = [0, 1, 2, 4, 11, 13, 14];

const NAMED: [(i128, &str); 7] = [
    (3, "flags"),
    (5, "raw-value-mask"),
    (6, "mac-addr"),
    (7, "ip-addr"),
    (8, "serial-number"),
    (9, "ueid"),
    (10, "uuid"),
];
