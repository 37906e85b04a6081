//! Reads bytes as a consistent document, and that as a [`Corim`].

use std::time::Duration;

use atls_core::pki_types::UnixTime;
use corim::Validate;
use corim::ValidationError;
use corim::cbor::value::Value;
use corim::document;
use corim::document::TimeCheck;
use corim::document::ValidatedDocument;
use corim::document::ValidationContext;
use corim::profile::ProfileRegistry;
use corim::types::comid::ComidTag;
use corim::types::corim::ConciseTagChoice;
use corim::types::signed::NumericDate;
use corim::types::tags::TAG_COMID;
use corim::types::tags::TAG_SIGNED_CORIM;

use super::document::Corim;
use super::error::CorimError;
use super::error::malformed;
use super::error::undecodable;
use super::error::unsupported;
use super::place::Place;
use super::triples;
use super::triples::Found;
use super::value::decode;
use super::value::get;
use super::value::items;
use super::value::limits;

/// Checks that the document is whole, within the limits, and valid at this time. Verifies no signature.
pub(super) fn validate(bytes: &[u8], now: UnixTime) -> Result<ValidatedDocument, CorimError> {
    let now = i64::try_from(now.as_secs()).map_err(|_| CorimError::Expired)?;
    // Each platform knows its own profile.
    let profiles = ProfileRegistry::new();
    let context = ValidationContext::new(TimeCheck::At(now), &profiles).with_limits(limits());
    document::validate(bytes, &context).map_err(|error| invalid(bytes, &error))
}

/// The reference values of the document.
pub(super) fn read(document: &ValidatedDocument) -> Result<Corim, CorimError> {
    let map = &document.payload().corim;
    let mut found = Found::default();
    if map.dependent_rims.is_some() {
        found.left_out.push("dependent-rims".to_owned());
    }
    for (number, tag) in map.tags.iter().enumerate() {
        let place = Place::tag(number);
        match tag {
            ConciseTagChoice::Comid(bytes) => {
                triples::read(bytes, place, &mut found)?;
            }
            ConciseTagChoice::Coswid(_) => found.left_out.push(format!("{place}: a CoSWID")),
            // A CoTL says which of the other tags are active.
            ConciseTagChoice::Cotl(_) => return Err(unsupported(place, "a list of tags (CoTL)")),
            _ => return Err(unsupported(place, "a tag of unknown kind")),
        }
    }
    if found.references.is_empty() && found.attest_keys.is_empty() {
        return Err(CorimError::NoReferences);
    }
    Ok(Corim {
        id: map.id.to_string(),
        profile: map.profile.as_ref().map(ToString::to_string),
        expires_at: expires_at(document),
        references: found.references,
        attest_keys: found.attest_keys,
        left_out: found.left_out,
    })
}

fn invalid(bytes: &[u8], error: &ValidationError) -> CorimError {
    match error {
        ValidationError::Expired => CorimError::Expired,
        ValidationError::NotYetValid => CorimError::NotYetValid,
        ValidationError::PayloadTooLarge { .. } => CorimError::TooLarge,
        ValidationError::Decode(error) => undecodable(culprit(bytes), error),
        other => malformed(culprit(bytes), other),
    }
}

/// The first malformed tag, if there is one. The parser does not name it.
fn culprit(bytes: &[u8]) -> Option<Place> {
    let mut value: Value = decode(bytes).ok()?;
    loop {
        value = match value {
            Value::Tag(TAG_SIGNED_CORIM, parts) => match items(Some(&parts)).nth(2)? {
                Value::Bytes(payload) => decode(payload).ok()?,
                _ => return None,
            },
            Value::Tag(_, inner) => *inner,
            Value::Map(_) => break,
            _ => return None,
        };
    }
    let wrong = |tag: &Value| match tag {
        Value::Tag(TAG_COMID, bytes) => match &**bytes {
            Value::Bytes(bytes) => {
                decode::<ComidTag>(bytes).map_or(true, |comid| comid.valid().is_err())
            }
            _ => true,
        },
        _ => false,
    };
    items(get(&value, 1)).position(wrong).map(Place::tag)
}

fn expires_at(document: &ValidatedDocument) -> Option<UnixTime> {
    let own = document.payload().corim.rim_validity.as_ref();
    let header = document.envelope().map(|envelope| envelope.protected());
    let meta = header.and_then(|header| header.corim_meta.as_ref());
    let meta = meta.and_then(|meta| meta.signature_validity.as_ref());
    let ends = [own, meta].into_iter().flatten();
    // `not-after` is the last valid second, and `exp` the first invalid one.
    let ends = ends.map(|validity| validity.not_after.epoch_secs().saturating_add(1));
    let claims = header.and_then(|header| header.cwt_claims.as_ref());
    let exp = match claims.and_then(|claims| claims.exp) {
        Some(NumericDate::Int(seconds)) => Some(seconds),
        Some(NumericDate::Float(seconds)) => whole(seconds),
        _ => None,
    };
    let end = ends.chain(exp).min()?;
    let end = Duration::from_secs(u64::try_from(end).unwrap_or(0));
    Some(UnixTime::since_unix_epoch(end))
}

fn whole(seconds: f64) -> Option<i64> {
    let duration = Duration::try_from_secs_f64(seconds).ok()?;
    i64::try_from(duration.as_secs()).ok()
}
