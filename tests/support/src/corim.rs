//! CoRIMs made and signed for a test.

use ::corim::cbor;
use ::corim::cbor::value::Value;
use ::corim::types::signed::CoseAlgorithm;
use ::corim::types::signed::CwtClaims;
use ::corim::types::signed::SignedCorimBuilder;
use atls_core::ear::VerificationKeys;
use atls_reference::corim;
use atls_reference::corim::Corim;
use atls_reference::corim::CorimError;
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use ring::rand::SystemRandom;
use ring::signature::ECDSA_P256_SHA256_FIXED_SIGNING;
use ring::signature::EcdsaKeyPair;
use ring::signature::KeyPair;

use crate::at;
use crate::supported;

/// A document with one CoMID.
#[derive(Clone)]
pub struct ForgedCorim {
    /// Of the document, and of its CoMID: a store keeps one of a name.
    pub id: String,
    pub profile: Option<Value>,
    /// The last second since the epoch at which it is valid.
    pub not_after: Option<u64>,
    /// Reference triples.
    pub triples: Vec<Value>,
    /// Attest-key triples.
    pub keys: Vec<Value>,
}

impl ForgedCorim {
    pub fn new(profile: Option<Value>, triples: Vec<Value>) -> Self {
        Self {
            id: "forged".to_owned(),
            profile,
            not_after: None,
            triples,
            keys: Vec::new(),
        }
    }

    pub fn encode(&self) -> Vec<u8> {
        let lists = [(0, &self.triples), (3, &self.keys)];
        let lists = lists.into_iter().filter(|(key, triples)| {
            // One list has to be there, if only an empty one.
            !triples.is_empty() || (*key == 0 && self.keys.is_empty())
        });
        let triples = lists.map(|(key, triples)| (integer(key), list(triples.clone())));
        let comid = map([
            (integer(1), map([(integer(0), text(&self.id))])),
            (integer(4), Value::Map(triples.collect())),
        ]);
        let mut entries = vec![
            (integer(0), text(&self.id)),
            (integer(1), list(vec![tag(506, bytes(&encode(&comid)))])),
        ];
        if let Some(profile) = &self.profile {
            entries.push((integer(3), profile.clone()));
        }
        if let Some(end) = self.not_after {
            let end = tag(1, integer(end.into()));
            entries.push((integer(4), map([(integer(1), end)])));
        }
        encode(&tag(501, Value::Map(entries)))
    }

    pub fn read(&self, now: u64) -> Result<Corim, CorimError> {
        corim::unsigned(&self.encode(), at(now))
    }

    pub fn signed(&self, signer: &Signer) -> Vec<u8> {
        let mut builder = SignedCorimBuilder::new(CoseAlgorithm::Es256, self.encode())
            .set_cwt_claims(CwtClaims::new("maker"));
        let signature = signer.sign(&builder.to_be_signed(&[]).unwrap());
        builder.build_with_signature(signature).unwrap()
    }
}

/// A maker's key: ES256, with the identifier `the-key`.
pub struct Signer {
    key: EcdsaKeyPair,
}

impl Default for Signer {
    fn default() -> Self {
        Self::new()
    }
}

impl Signer {
    pub fn new() -> Self {
        let random = SystemRandom::new();
        let algorithm = &ECDSA_P256_SHA256_FIXED_SIGNING;
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(algorithm, &random).unwrap();
        Self {
            key: EcdsaKeyPair::from_pkcs8(algorithm, pkcs8.as_ref(), &random).unwrap(),
        }
    }

    pub fn sign(&self, message: &[u8]) -> Vec<u8> {
        let signature = self.key.sign(&SystemRandom::new(), message).unwrap();
        signature.as_ref().to_vec()
    }

    /// Reads a document as a relying party that pinned this key.
    pub fn read(&self, document: &[u8], now: u64) -> Result<Corim, CorimError> {
        corim::signed(document, &self.keys(), &supported(), at(now))
    }

    pub fn keys(&self) -> VerificationKeys {
        let point = self.key.public_key().as_ref();
        let coordinate = |range| BASE64_URL_SAFE_NO_PAD.encode::<&[u8]>(&point[range]);
        let (x, y) = (coordinate(1..33), coordinate(33..65));
        let jwk = format!(r#"{{"kty":"EC","crv":"P-256","kid":"the-key","x":"{x}","y":"{y}"}}"#);
        VerificationKeys::from_jwk(&jwk).unwrap()
    }
}

/// A triple about a class.
pub fn triple<const N: usize>(class: [(Value, Value); N], measurements: Vec<Value>) -> Value {
    let environment = map([(integer(0), map(class))]);
    list(vec![environment, list(measurements)])
}

pub fn measurement<const N: usize>(element: Option<Value>, values: [(Value, Value); N]) -> Value {
    let mut entries = Vec::new();
    if let Some(element) = element {
        entries.push((integer(0), element));
    }
    entries.push((integer(1), map(values)));
    Value::Map(entries)
}

/// A digest, by the number of its algorithm.
pub fn digest(algorithm: i128, value: &[u8]) -> Value {
    list(vec![integer(algorithm), bytes(value)])
}

pub fn map<const N: usize>(entries: [(Value, Value); N]) -> Value {
    Value::Map(entries.into())
}

pub fn list(items: Vec<Value>) -> Value {
    Value::Array(items)
}

pub fn tag(number: u64, value: Value) -> Value {
    Value::Tag(number, Box::new(value))
}

pub fn integer(number: i128) -> Value {
    Value::Integer(number)
}

pub fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

pub fn bytes(bytes: &[u8]) -> Value {
    Value::Bytes(bytes.to_vec())
}

pub fn encode(value: &Value) -> Vec<u8> {
    cbor::encode(value).unwrap()
}
