//! Altered tokens under good signatures.
#![allow(dead_code, unreachable_pub, reason = "each file uses a part of it")]

use atls_cca::testing::ForgedKey;
use atls_core::AppraisalError;
use atls_core::Appraised;
use atls_core::Verifier;
use atls_core::ear::Category;
use atls_core::ear::Ear;
use atls_core::pki_types::UnixTime;
use ciborium::Value;
use coset::CborSerializable;
use coset::CoseSign1;
use coset::TaggedCborSerializable;
use rustls::crypto::CryptoProvider;
use test_support::Connection;

pub type Claims = Vec<(Value, Value)>;

pub fn provider() -> CryptoProvider {
    rustls::crypto::ring::default_provider()
}

pub fn at() -> UnixTime {
    test_support::at(1_800_000_000)
}

pub fn appraise(
    connection: &Connection,
    verifier: &dyn Verifier,
    evidence: &[u8],
) -> Result<Appraised, AppraisalError> {
    connection.appraise(verifier, evidence, at())
}

/// The claims of one part of a result, by label.
pub fn vector(ear: &Ear, part: &str) -> [i8; 8] {
    let vector = ear.submod(part).unwrap().vector();
    Category::ALL.map(|category| vector.get(category).value())
}

/// The token with other claims, signed again by this key.
pub fn resealed(token: &[u8], key: &ForgedKey, change: impl FnOnce(&mut Claims)) -> Vec<u8> {
    reframed(token, key, |sign1| {
        let payload = Value::from_slice(sign1.payload.as_deref().unwrap()).unwrap();
        let mut claims = payload.into_map().unwrap();
        change(&mut claims);
        sign1.payload = Some(Value::Map(claims).to_vec().unwrap());
    })
}

/// The token in another frame, signed again by this key.
pub fn reframed(token: &[u8], key: &ForgedKey, change: impl FnOnce(&mut CoseSign1)) -> Vec<u8> {
    let mut sign1 = CoseSign1::from_tagged_slice(token).unwrap();
    change(&mut sign1);
    sign1.signature = key.sign(&sign1.tbs_data(b""));
    sign1.to_tagged_vec().unwrap()
}

pub fn replace(claims: &mut Claims, key: i32, value: Value) {
    let mut found = claims.iter_mut().filter(|(known, _)| *known == key.into());
    found.next().unwrap().1 = value;
}

pub fn bytes(bytes: &[u8]) -> Value {
    Value::Bytes(bytes.to_vec())
}
