//! The key that a service signs results with.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use ring::rand::SystemRandom;
use ring::signature::ECDSA_P256_SHA256_FIXED_SIGNING;
use ring::signature::EcdsaKeyPair;
use ring::signature::KeyPair;
use serde_json::Value;
use serde_json::json;

/// A fresh P-256 key as JWK: public, and with its secret for the service.
pub(crate) fn generate() -> (Value, Value) {
    let random = SystemRandom::new();
    let algorithm = &ECDSA_P256_SHA256_FIXED_SIGNING;
    let pkcs8 = EcdsaKeyPair::generate_pkcs8(algorithm, &random).unwrap();
    let key = EcdsaKeyPair::from_pkcs8(algorithm, pkcs8.as_ref(), &random).unwrap();
    // PKCS #8 of RFC 5958 around RFC 5915, as ring makes it: the scalar, 32 bytes, follows 36 of headers.
    let encode = |bytes| BASE64_URL_SAFE_NO_PAD.encode(bytes);
    let (x, y) = key.public_key().as_ref()[1..].split_at(32);
    let public = json!({ "kty": "EC", "crv": "P-256", "x": encode(x), "y": encode(y) });
    let mut secret = public.clone();
    secret["d"] = encode(&pkcs8.as_ref()[36..68]).into();
    (public, secret)
}
