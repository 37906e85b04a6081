//! Tokens of any content, with good signatures: what lies behind the check of a signature is a parser too.

use std::sync::OnceLock;

use atls_core::ear::VerificationKeys;
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use ciborium::Value;
use coset::CborSerializable;
use coset::CoseSign1Builder;
use coset::HeaderBuilder;
use coset::TaggedCborSerializable;
use coset::iana::Algorithm;
use ring::rand::SystemRandom;
use ring::signature::ECDSA_P256_SHA256_FIXED_SIGNING;
use ring::signature::EcdsaKeyPair;
use ring::signature::KeyPair;

/// A compact JWS over these claims, which need not be JSON.
pub fn jwt(claims: &[u8]) -> String {
    jwt_by(key(), claims)
}

/// The same, by a key that nobody trusts.
pub fn jwt_of_nobody(claims: &[u8]) -> String {
    jwt_by(key_of_nobody(), claims)
}

fn jwt_by(key: &EcdsaKeyPair, claims: &[u8]) -> String {
    let header = BASE64_URL_SAFE_NO_PAD.encode(br#"{"alg":"ES256"}"#);
    let message = format!("{header}.{}", BASE64_URL_SAFE_NO_PAD.encode(claims));
    let signature = BASE64_URL_SAFE_NO_PAD.encode(sign(key, message.as_bytes()));
    format!("{message}.{signature}")
}

/// A COSE_Sign1 over these claims, which need not be CBOR.
pub fn cwt(claims: &[u8]) -> Vec<u8> {
    cwt_by(key(), claims)
}

/// The same, by a key that nobody trusts.
pub fn cwt_of_nobody(claims: &[u8]) -> Vec<u8> {
    cwt_by(key_of_nobody(), claims)
}

fn cwt_by(key: &EcdsaKeyPair, claims: &[u8]) -> Vec<u8> {
    let header = HeaderBuilder::new().algorithm(Algorithm::ES256).build();
    CoseSign1Builder::new()
        .protected(header)
        .payload(claims.to_vec())
        .create_signature(b"", |message| sign(key, message))
        .build()
        .to_vec()
        .expect("encodes")
}

/// A signed CoRIM over this document, which need not be one.
pub fn corim(document: &[u8]) -> Vec<u8> {
    let maker = (Value::from(ISSUER), Value::from("maker"));
    let header = HeaderBuilder::new()
        .algorithm(Algorithm::ES256)
        .content_type("application/rim+cbor".to_owned())
        .value(CWT_CLAIMS, Value::Map(vec![maker]))
        .build();
    CoseSign1Builder::new()
        .protected(header)
        .payload(document.to_vec())
        .create_signature(b"", |message| sign(key(), message))
        .build()
        .to_tagged_vec()
        .expect("encodes")
}

/// The keys under which these tokens verify.
pub fn keys() -> VerificationKeys {
    let point = key().public_key().as_ref();
    let encode = |bytes: &[u8]| BASE64_URL_SAFE_NO_PAD.encode(bytes);
    let (x, y) = (encode(&point[1..33]), encode(&point[33..]));
    let jwk = format!(r#"{{"kty":"EC","crv":"P-256","x":"{x}","y":"{y}"}}"#);
    VerificationKeys::from_jwk(&jwk).expect("a key")
}

fn sign(key: &EcdsaKeyPair, message: &[u8]) -> Vec<u8> {
    let signature = key.sign(&SystemRandom::new(), message);
    signature.expect("a signature").as_ref().to_vec()
}

fn key() -> &'static EcdsaKeyPair {
    static KEY: OnceLock<EcdsaKeyPair> = OnceLock::new();
    KEY.get_or_init(made)
}

fn key_of_nobody() -> &'static EcdsaKeyPair {
    static KEY: OnceLock<EcdsaKeyPair> = OnceLock::new();
    KEY.get_or_init(made)
}

fn made() -> EcdsaKeyPair {
    let random = SystemRandom::new();
    let algorithm = &ECDSA_P256_SHA256_FIXED_SIGNING;
    let pkcs8 = EcdsaKeyPair::generate_pkcs8(algorithm, &random).expect("a key");
    EcdsaKeyPair::from_pkcs8(algorithm, pkcs8.as_ref(), &random).expect("a key")
}

/// RFC 9597 §2.
const CWT_CLAIMS: i64 = 15;

/// RFC 8392 §3.1.1.
const ISSUER: u64 = 1;
