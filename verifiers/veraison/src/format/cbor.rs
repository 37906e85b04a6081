//! Reading claims without trusting who wrote them.

use std::borrow::Cow;

use atls_core::AppraisalError;
use atls_core::bounded;
use atls_core::limits::MAX_HEADER_VALUES;
use ciborium::Value;
use coset::CborSerializable;
use coset::CoseSign1;
use coset::TaggedCborSerializable;

/// The claims of a COSE_Sign1 (RFC 9052) under its tag 18. Its signature covers them, and is not verified here.
pub(super) fn signed_claims(token: &[u8]) -> Result<Map<'static>, AppraisalError> {
    if !bounded::cose_sign1(MAX_HEADER_VALUES, token) {
        return Err(AppraisalError::Malformed);
    }
    let sign1 = CoseSign1::from_tagged_slice(token).map_err(|_| AppraisalError::Malformed)?;
    let payload = sign1.payload.as_deref().ok_or(AppraisalError::Malformed)?;
    Map::decode(payload)
}

/// A CBOR map in which a key that is looked for stands exactly once.
pub(super) struct Map<'a> {
    entries: Cow<'a, [(Value, Value)]>,
}

impl Map<'_> {
    pub(super) fn decode(bytes: &[u8]) -> Result<Self, AppraisalError> {
        Self::of(decode(bytes)?)
    }

    pub(super) fn of(value: Value) -> Result<Self, AppraisalError> {
        match value {
            Value::Map(entries) => Ok(Self {
                entries: Cow::Owned(entries),
            }),
            _ => Err(AppraisalError::Malformed),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// The value of a key. A key that stands twice has none: readers differ on which one counts.
    pub(super) fn get(&self, key: impl Into<Value>) -> Result<&Value, AppraisalError> {
        let key = key.into();
        let mut found = self.entries.iter().filter(|(known, _)| *known == key);
        match (found.next(), found.next()) {
            (Some((_, value)), None) => Ok(value),
            _ => Err(AppraisalError::Malformed),
        }
    }

    pub(super) fn bytes(&self, key: impl Into<Value>) -> Result<&[u8], AppraisalError> {
        let octets = self.get(key)?.as_bytes();
        octets.map(Vec::as_slice).ok_or(AppraisalError::Malformed)
    }

    pub(super) fn text(&self, key: impl Into<Value>) -> Result<&str, AppraisalError> {
        self.get(key)?.as_text().ok_or(AppraisalError::Malformed)
    }

    pub(super) fn u16(&self, key: impl Into<Value>) -> Result<u16, AppraisalError> {
        let integer = self.get(key)?.as_integer();
        let integer = integer.ok_or(AppraisalError::Malformed)?;
        u16::try_from(integer).map_err(|_| AppraisalError::Malformed)
    }
}

/// One item and nothing after it; coset's reader bounds nesting.
pub(super) fn decode(bytes: &[u8]) -> Result<Value, AppraisalError> {
    if !bounded::cbor(MAX_VALUES, bytes) {
        return Err(AppraisalError::Malformed);
    }
    Value::from_slice(bytes).map_err(|_| AppraisalError::Malformed)
}

/// Most values in a token's claims. A CCA token with 16 components of software has some 250.
const MAX_VALUES: usize = 1024;
