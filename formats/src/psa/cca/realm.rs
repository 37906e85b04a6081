//! The claims of a realm.

use ciborium::Value;

use super::profile::CcaProfile;
use super::realm_key::KeyHash;
use super::realm_key::RealmKey;
use crate::psa::claims::Claims;
use crate::psa::component::is_digest;
use crate::psa::ecdsa::Ecdsa;
use crate::psa::error::TokenError;
use crate::psa::numbers::EAT_NONCE;
use crate::psa::numbers::EAT_PROFILE;
use crate::psa::token_writer::TokenToSign;

/// All claims of a realm token (draft-ffm-rats-cca-token §4.8), each of the size that the draft gives it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(
    clippy::exhaustive_structs,
    reason = "the claims of the format, for its writers too"
)]
pub struct CcaRealm {
    /// `eat_profile`.
    pub profile: CcaProfile,
    /// `cca-realm-challenge`.
    pub challenge: [u8; 64],
    /// `cca-realm-personalization-value` (RPV): the choice of whoever made the realm.
    pub personalization_value: [u8; 64],
    /// `cca-realm-initial-measurement` (RIM): 32, 48 or 64 bytes.
    pub initial_measurement: Vec<u8>,
    /// `cca-realm-extensible-measurements` (REM), which software in the realm extends: 32, 48 or 64 bytes each.
    pub extensible_measurements: [Vec<u8>; 4],
    /// `cca-realm-hash-algo-id`: the name of the algorithm of the measurements. Deployed tokens name one of another length, so nothing
    /// rests on it.
    pub hash_algorithm: String,
    /// `cca-realm-public-key` (RAK), which signs the token.
    pub key: RealmKey,
    /// `cca-realm-public-key-hash-algo-id`.
    pub key_hash: KeyHash,
}

impl CcaRealm {
    /// Takes the claims of a realm token.
    ///
    /// # Errors
    /// [`TokenError::Claim`]
    pub fn of(claims: &Claims) -> Result<Self, TokenError> {
        let profile = claims.optional(EAT_PROFILE, |claims, key| {
            let is_known = |name: &str| Some(name) == CcaProfile::Tag2023.realm_name();
            claims.read(key, |value| {
                is_known(value.as_text()?).then_some(CcaProfile::Tag2023)
            })
        })?;
        let profile = profile.unwrap_or(CcaProfile::First);
        let key = RealmKey::decode(claims.bytes(KEY)?);
        // The draft knows the COSE_Key alone.
        let key = key.filter(|key| profile == CcaProfile::First || key.is_cose_key());
        let measurement = |value: &Value| {
            let measurement = value.as_bytes()?;
            is_digest(measurement).then(|| measurement.clone())
        };
        Ok(Self {
            profile,
            challenge: claims.array(EAT_NONCE)?,
            personalization_value: claims.array(PERSONALIZATION_VALUE)?,
            initial_measurement: claims.read(INITIAL_MEASUREMENT, measurement)?,
            extensible_measurements: claims.read(EXTENSIBLE_MEASUREMENTS, |value| {
                let measured: Option<Vec<_>> = value.as_array()?.iter().map(measurement).collect();
                measured?.try_into().ok()
            })?,
            hash_algorithm: claims.text(HASH_ALGORITHM)?.to_owned(),
            key: key.ok_or(TokenError::Claim(KEY))?,
            key_hash: claims.read(KEY_HASH, |value| KeyHash::named(value.as_text()?))?,
        })
    }

    /// The digest of the key, which the platform token carries as its challenge.
    pub fn key_digest(&self) -> Vec<u8> {
        self.key_hash.digest(self.key.encoded())
    }

    /// A token with these claims, to be signed by this algorithm. `None` is not expected: writing to memory does not fail.
    pub fn to_sign(&self, ecdsa: Ecdsa) -> Option<TokenToSign> {
        let bytes = |bytes: &[u8]| Value::Bytes(bytes.to_vec());
        let measured = self.extensible_measurements.iter();
        let measured = measured.map(|measurement| bytes(measurement)).collect();
        let mut claims: Vec<(Value, Value)> = Vec::new();
        let profile = self.profile.realm_name();
        claims.extend(profile.map(|name| (EAT_PROFILE.into(), name.into())));
        claims.extend([
            (EAT_NONCE.into(), bytes(&self.challenge)),
            (
                PERSONALIZATION_VALUE.into(),
                bytes(&self.personalization_value),
            ),
            (INITIAL_MEASUREMENT.into(), bytes(&self.initial_measurement)),
            (EXTENSIBLE_MEASUREMENTS.into(), Value::Array(measured)),
            (HASH_ALGORITHM.into(), self.hash_algorithm.as_str().into()),
            (KEY.into(), bytes(self.key.encoded())),
            (KEY_HASH.into(), self.key_hash.name().into()),
        ]);
        TokenToSign::of(ecdsa, &Value::Map(claims))
    }
}

const PERSONALIZATION_VALUE: u16 = 44235;
const HASH_ALGORITHM: u16 = 44236;
const KEY: u16 = 44237;
const INITIAL_MEASUREMENT: u16 = 44238;
const EXTENSIBLE_MEASUREMENTS: u16 = 44239;
const KEY_HASH: u16 = 44240;
