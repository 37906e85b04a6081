//! Reads a `measurement-map` as a [`Measurement`].

use std::collections::BTreeMap;

use corim::cbor;
use corim::cbor::value::Value;
use corim::types::common;
use corim::types::measurement;
use corim::types::measurement::MeasurementMap;

use super::error::CorimError;
use super::error::malformed;
use super::error::unsupported;
use super::place::Place;
use super::types::Digest;
use super::types::HashAlgorithm;
use super::types::MeasuredElement;
use super::types::Measurement;
use super::types::RawValue;
use super::types::RegisterId;
use super::types::Svn;
use super::types::Version;
use super::value::get;

/// `raw_values` is its `measurement-values-map` as it stands.
pub(super) fn read(
    map: &MeasurementMap,
    raw_values: Option<&Value>,
    place: Place,
) -> Result<Measurement, CorimError> {
    let values = &map.mval;
    let OtherParts {
        extensions,
        mut further,
    } = other_parts(raw_values, place)?;
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
        extensions,
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

/// The entries of a `measurement-values-map` for which [`Measurement`] has no field: those that a profile adds under negative
/// keys, and the names of the others.
fn other_parts(values: Option<&Value>, place: Place) -> Result<OtherParts, CorimError> {
    let Some(Value::Map(entries)) = values else {
        return Err(malformed(Some(place), &"measurement values are no map"));
    };
    let has_raw = entries.iter().any(|(key, _)| *key == RAW_VALUE);
    let mut other_parts = OtherParts::default();
    for (key, value) in entries {
        let number = match key {
            Value::Integer(number) => i64::try_from(*number).ok(),
            _ => None,
        };
        match number {
            Some(number) if READ.contains(&number) => {}
            Some(OLDER_MASK) if has_raw => {}
            Some(number) if number < 0 => {
                let encoded =
                    cbor::encode(value).map_err(|error| malformed(Some(place), &error))?;
                other_parts.extensions.insert(number, encoded);
            }
            Some(number) => {
                let named = NAMED.iter().find(|(known, _)| *known == number);
                other_parts.further.push(
                    named.map_or_else(|| format!("value {number}"), |(_, name)| (*name).to_owned()),
                );
            }
            None => other_parts
                .further
                .push("a value under no number".to_owned()),
        }
    }
    Ok(other_parts)
}

#[derive(Default)]
struct OtherParts {
    extensions: BTreeMap<i64, Vec<u8>>,
    further: Vec<String>,
}

/// Keys of `measurement-values-map` with a field: version, svn, digests, raw-value, name, cryptokeys, integrity-registers.
const READ: [i64; 7] = [0, 1, 2, 4, 11, 13, 14];

const NAMED: [(i64, &str); 7] = [
    (3, "flags"),
    (5, "raw-value-mask"),
    (6, "mac-addr"),
    (7, "ip-addr"),
    (8, "serial-number"),
    (9, "ueid"),
    (10, "uuid"),
];

const RAW_VALUE: Value = Value::Integer(4);

/// `raw-value-mask`, deprecated.
const OLDER_MASK: i64 = 5;
