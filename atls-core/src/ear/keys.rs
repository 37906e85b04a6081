//! The pinned keys of a verifier.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use jsonwebtoken::jwk::AlgorithmParameters;
use jsonwebtoken::jwk::EllipticCurve;
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::jwk::KeyOperations;
use jsonwebtoken::jwk::PublicKeyUse;
use pki_types::alg_id;
use rustls::crypto::WebPkiSupportedAlgorithms;
use serde::Deserialize;
use serde_json::Map;
use serde_json::Value;

use super::Algorithm;
use super::EarError;
use super::certificate::PublicKey;
use super::der;
use super::json::UniqueNames;
use super::key_error::KeyError;
use super::key_set::KeySet;
use super::signature::SignatureAlgorithm;
use crate::bounded;
use crate::limits::MAX_KEY_ID;
use crate::limits::MAX_KEY_SET;
use crate::limits::MAX_KEY_SET_VALUES;
use crate::limits::MAX_KEY_VALUES;
use crate::limits::MAX_KEYS;

/// The public keys under which results of one issuer are accepted, each for one algorithm.
///
/// The keys are pinned: they come from the configuration. This crate does not read the `jwk`, `jku` and `x5c` of a token.
#[derive(Clone, Debug)]
pub struct VerificationKeys {
    keys: Vec<Key>,
}

impl VerificationKeys {
    /// The key of one JWK (RFC 7517) in JSON: P-256, P-384, Ed25519, or RSA of at least 2048 bits with its `alg`. If it has
    /// `key_ops`, they must contain `verify`.
    ///
    /// # Errors
    /// [`KeyError`] for any other key.
    pub fn from_jwk(json: &str) -> Result<Self, KeyError> {
        check_size(json, MAX_KEY_VALUES)?;
        let UniqueNames(jwk) = serde_json::from_str(json).map_err(|_| KeyError::Malformed)?;
        let key = Key::from_jwk(&jwk)?;
        Ok(Self { keys: vec![key] })
    }

    /// The keys of a JWK set. Unusable keys are left out (RFC 7517 §5), since a service may publish such keys too.
    ///
    /// # Errors
    /// [`KeyError`] for a malformed set, and that of the last key where no key is usable.
    pub fn from_jwk_set(json: &str) -> Result<Self, KeyError> {
        check_size(json, MAX_KEY_SET_VALUES)?;
        let mut keys = Vec::new();
        let mut unusable = KeyError::Unsupported;
        let listed = KeySet::read(json)?.0;
        check_number(listed.len())?;
        for jwk in listed {
            let jwk = jwk.ok_or(KeyError::Malformed);
            match jwk.and_then(|jwk| Key::from_jwk(&Value::Object(jwk))) {
                Ok(key) => keys.push(key),
                Err(error) => unusable = error,
            }
        }
        if keys.is_empty() {
            return Err(unusable);
        }
        Ok(Self { keys })
    }

    /// Verifies a COSE signature (RFC 9052 §4.4), such as that of reference values. `algorithm` is the number in the *protected*
    /// header, and `message` is the encoded `Sig_structure`. A `key_id` narrows the choice of key unless it is empty; one that is
    /// no text fits no key.
    ///
    /// # Errors
    /// [`EarError::Algorithm`] for symmetric and unknown algorithms, [`EarError::UnknownKey`], [`EarError::BadSignature`].
    pub fn verify_cose(
        &self,
        algorithm: i64,
        key_id: &[u8],
        supported: &WebPkiSupportedAlgorithms,
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), EarError> {
        let algorithm = SignatureAlgorithm::by_cose(algorithm).ok_or(EarError::Algorithm)?;
        let key_id = match key_id {
            [] => None,
            id => Some(std::str::from_utf8(id).map_err(|_| EarError::UnknownKey)?),
        };
        self.verify(algorithm, key_id, supported, message, signature)
    }

    /// The keys of a JWK set as the services of clouds publish them: without `alg`, or with only a certificate in `x5c`. A key
    /// serves each of the allowed algorithms that fits it, or only the one that it names. Keys that fit none are left out.
    ///
    /// The set must come from a place that is trusted for these keys. Certificates in it are opened and not checked.
    ///
    /// # Errors
    /// [`KeyError`] for a malformed set, and that of the last key where no key is usable.
    pub fn from_jwk_set_allowing(json: &str, algorithms: &[Algorithm]) -> Result<Self, KeyError> {
        check_size(json, MAX_KEY_SET_VALUES)?;
        let mut keys = Vec::new();
        let mut unusable = KeyError::Unsupported;
        let listed = KeySet::read(json)?.0;
        check_number(listed.len())?;
        for jwk in listed {
            let Some(jwk) = jwk else {
                unusable = KeyError::Malformed;
                continue;
            };
            let fitting = algorithms.iter().map(|algorithm| allowed(&jwk, *algorithm));
            keys.extend(fitting.flatten());
        }
        if keys.is_empty() {
            return Err(unusable);
        }
        Ok(Self { keys })
    }

    /// Tells whether all of these keys are among the keys here, each under its identifier and for its algorithm.
    pub fn contains(&self, keys: &Self) -> bool {
        keys.keys.iter().all(|key| self.keys.contains(key))
    }

    /// Verifies under a pinned key for this algorithm. A key identifier narrows the choice of keys and never widens it.
    pub(super) fn verify(
        &self,
        algorithm: &SignatureAlgorithm,
        key_id: Option<&str>,
        supported: &WebPkiSupportedAlgorithms,
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), EarError> {
        let mut fitting = self
            .keys
            .iter()
            .filter(|key| key.algorithm.jose == algorithm.jose)
            .filter(|key| match (key_id, &key.id) {
                (Some(wanted), Some(id)) => wanted == id,
                _ => true,
            })
            .peekable();
        if fitting.peek().is_none() {
            return Err(EarError::UnknownKey);
        }
        if fitting.any(|key| algorithm.verifies(supported, &key.public_key, message, signature)) {
            Ok(())
        } else {
            Err(EarError::BadSignature)
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
struct Key {
    id: Option<String>,
    algorithm: &'static SignatureAlgorithm,
    /// `subjectPublicKey` of X.509.
    public_key: Vec<u8>,
}

impl Key {
    fn from_jwk(jwk: &Value) -> Result<Self, KeyError> {
        let jwk = Jwk::deserialize(jwk).map_err(|_| KeyError::Malformed)?;
        let for_signatures = matches!(
            jwk.common.public_key_use,
            None | Some(PublicKeyUse::Signature)
        );
        check_id(jwk.common.key_id.as_deref())?;
        let operations = jwk.common.key_operations.as_ref();
        let verifies = operations.is_none_or(|all| all.contains(&KeyOperations::Verify));
        if !for_signatures || !verifies {
            return Err(KeyError::Unsupported);
        }
        let stated = jwk
            .common
            .key_algorithm
            .map(|algorithm| algorithm.to_string());
        let (name, public_key) = match &jwk.algorithm {
            AlgorithmParameters::EllipticCurve(key) => {
                let (name, length) = match key.curve {
                    EllipticCurve::P256 => ("ES256", 32),
                    EllipticCurve::P384 => ("ES384", 48),
                    _ => return Err(KeyError::Unsupported),
                };
                let x = bytes(&key.x, length)?;
                let y = bytes(&key.y, length)?;
                (name.to_owned(), [vec![4], x, y].concat())
            }
            AlgorithmParameters::OctetKeyPair(key) if key.curve == EllipticCurve::Ed25519 => {
                ("EdDSA".to_owned(), bytes(&key.x, 32)?)
            }
            AlgorithmParameters::RSA(key) => {
                let name = stated.clone().ok_or(KeyError::NoAlgorithm)?;
                if !name.starts_with("RS") && !name.starts_with("PS") {
                    return Err(KeyError::Unsupported);
                }
                (name, rsa(&key.n, &key.e)?)
            }
            _ => return Err(KeyError::Unsupported),
        };
        if stated.is_some_and(|stated| stated != name) {
            return Err(KeyError::Unsupported);
        }
        Ok(Self {
            id: jwk.common.key_id,
            algorithm: SignatureAlgorithm::by_jose(&name).ok_or(KeyError::Unsupported)?,
            public_key,
        })
    }
}

/// The key for this algorithm, if it fits. It may lack fields that RFC 7518 demands.
fn allowed(jwk: &Map<String, Value>, algorithm: Algorithm) -> Option<Key> {
    let name = algorithm.name();
    if jwk.get("alg").is_some_and(|stated| stated != name) {
        return None;
    }
    if jwk.contains_key("n") || jwk.contains_key("x") {
        let mut jwk = jwk.clone();
        jwk.insert("alg".to_owned(), Value::from(name));
        return Key::from_jwk(&Value::Object(jwk)).ok();
    }
    let for_signatures = jwk.get("use").is_none_or(|stated| stated == "sig");
    let verifies = jwk.get("key_ops").is_none_or(|stated| {
        let operations = stated.as_array().map(Vec::as_slice);
        operations.is_some_and(|all| all.iter().any(|operation| operation == "verify"))
    });
    if !for_signatures || !verifies {
        return None;
    }
    let id = jwk.get("kid").and_then(Value::as_str);
    check_id(id).ok()?;
    let certificate = jwk.get("x5c")?.get(0)?.as_str()?;
    let certificate = BASE64_STANDARD.decode(certificate).ok()?;
    let public = PublicKey::of(&certificate)?;
    let algorithm = SignatureAlgorithm::by_jose(name)?;
    let is_rsa = *algorithm.key == *alg_id::RSA_ENCRYPTION;
    let too_short = is_rsa && public.rsa_bytes()? < MIN_RSA_BYTES;
    if *public.algorithm != *algorithm.key || too_short {
        return None;
    }
    Some(Key {
        id: id.map(str::to_owned),
        algorithm,
        public_key: public.key,
    })
}

fn check_size(json: &str, most_values: usize) -> Result<(), KeyError> {
    if json.len() > MAX_KEY_SET || !bounded::json(most_values, json.as_bytes()) {
        return Err(KeyError::TooLarge);
    }
    Ok(())
}

/// Bounds the number of keys. A token that does not name its key may cost a verification for each.
fn check_number(keys: usize) -> Result<(), KeyError> {
    if keys > MAX_KEYS {
        return Err(KeyError::TooLarge);
    }
    Ok(())
}

fn check_id(id: Option<&str>) -> Result<(), KeyError> {
    if id.is_some_and(|id| id.len() > MAX_KEY_ID) {
        return Err(KeyError::TooLarge);
    }
    Ok(())
}

fn rsa(modulus: &str, exponent: &str) -> Result<Vec<u8>, KeyError> {
    let decode = |text| {
        BASE64_URL_SAFE_NO_PAD
            .decode(text)
            .map_err(|_| KeyError::Malformed)
    };
    let (modulus, exponent) = (decode(modulus)?, decode(exponent)?);
    let digits = modulus.iter().skip_while(|byte| **byte == 0);
    if digits.count() < MIN_RSA_BYTES {
        return Err(KeyError::Unsupported);
    }
    der::integers(&[&modulus, &exponent]).ok_or(KeyError::Unsupported)
}

fn bytes(text: &str, length: usize) -> Result<Vec<u8>, KeyError> {
    let decoded = BASE64_URL_SAFE_NO_PAD.decode(text);
    decoded
        .ok()
        .filter(|bytes| bytes.len() == length)
        .ok_or(KeyError::Malformed)
}

/// 2048 bits.
const MIN_RSA_BYTES: usize = 256;
