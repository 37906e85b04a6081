//! A verifier service that signs any claims, and the claims of most tests.

use std::time::Duration;

use atls_core::ear::Check;
use atls_core::ear::Ear;
use atls_core::ear::EarError;
use atls_core::ear::ExpectedNonce;
use atls_core::ear::VerificationKeys;
use atls_core::ear::jwt;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa;
use aws_lc_rs::signature;
use aws_lc_rs::signature::EcdsaKeyPair;
use aws_lc_rs::signature::Ed25519KeyPair;
use aws_lc_rs::signature::KeyPair;
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use ciborium::Value as Cbor;
use coset::TaggedCborSerializable;
use coset::iana::Algorithm;
use rustls::crypto::CryptoProvider;
use serde_json::Value;
use serde_json::json;
use test_support::at;

pub const NONCE: &[u8] = b"this nonce has thirty-two bytes.";

pub fn check(now: u64, nonce: ExpectedNonce<'_>) -> Check<'_> {
    Check::new(at(now), Duration::from_secs(3600), nonce)
}

pub fn decode(token: &str, keys: &VerificationKeys, check: &Check<'_>) -> Result<Ear, EarError> {
    decode_with(
        &rustls::crypto::ring::default_provider(),
        token,
        keys,
        check,
    )
}

pub fn decode_with(
    provider: &CryptoProvider,
    token: &str,
    keys: &VerificationKeys,
    check: &Check<'_>,
) -> Result<Ear, EarError> {
    jwt::decode(
        token,
        keys,
        &provider.signature_verification_algorithms,
        check,
    )
}

pub fn underscored() -> Value {
    json!({
        "eat_profile": "tag:ietf.org,2026:rats/ear#04",
        "iat": 1_000_000,
        "eat_nonce": BASE64_URL_SAFE_NO_PAD.encode(NONCE),
        "ear_verifier_id": { "developer": "us", "build": "1" },
        "submods": { "a": {
            "ear_status": "warning",
            "ear_trustworthiness_vector": { "hardware": 2, "executables": 33 },
            "ear_appraisal_policy_ids": ["p"],
        } },
        "unknown": { "to be": "ignored" },
    })
}

pub fn dotted() -> Value {
    json!({
        "eat_profile": "tag:github.com,2023:veraison/ear",
        "iat": 1_000_000,
        "eat_nonce": BASE64_URL_SAFE.encode(NONCE),
        "ear.verifier-id": { "developer": "us", "build": "1" },
        "submods": { "a": { "ear.status": "warning", "ear.appraisal-policy-id": "p" } },
    })
}

pub fn underscored_cbor() -> Cbor {
    let vector = cbor_map(vec![(4.into(), 2.into()), (2.into(), 33.into())]);
    let part = cbor_map(vec![
        (1000.into(), 32.into()),
        (1001.into(), vector),
        (1003.into(), Cbor::Array(vec!["p".into()])),
    ]);
    cbor_map(vec![
        (265.into(), "tag:ietf.org,2026:rats/ear#04".into()),
        (6.into(), 1_000_000.into()),
        (10.into(), Cbor::Bytes(NONCE.to_vec())),
        (
            1004.into(),
            cbor_map(vec![(0.into(), "us".into()), (1.into(), "1".into())]),
        ),
        (266.into(), cbor_map(vec![("a".into(), part)])),
        ((-70_000).into(), Cbor::Null),
    ])
}

pub fn cbor_map(entries: Vec<(Cbor, Cbor)>) -> Cbor {
    Cbor::Map(entries)
}

pub fn replaced(map: Cbor, key: i32, value: Cbor) -> Cbor {
    let mut entries = map.into_map().unwrap();
    entries.retain(|(known, _)| *known != key.into());
    entries.push((key.into(), value));
    Cbor::Map(entries)
}

pub fn with(mut claims: Value, name: &str, value: impl Into<Value>) -> Value {
    claims[name] = value.into();
    claims
}

pub type Sign = dyn Fn(&[u8]) -> Vec<u8>;

/// A verifier service that signs any claims.
pub struct Issuer {
    pub algorithm: &'static str,
    pub cose: Algorithm,
    pub jwk: Value,
    pub sign: Box<Sign>,
}

impl Issuer {
    pub fn es256() -> Self {
        Self::ecdsa(
            "ES256",
            Algorithm::ES256,
            "P-256",
            &signature::ECDSA_P256_SHA256_FIXED_SIGNING,
        )
    }

    pub fn es384() -> Self {
        Self::ecdsa(
            "ES384",
            Algorithm::ES384,
            "P-384",
            &signature::ECDSA_P384_SHA384_FIXED_SIGNING,
        )
    }

    pub fn ecdsa(
        algorithm: &'static str,
        cose: Algorithm,
        curve: &str,
        kind: &'static signature::EcdsaSigningAlgorithm,
    ) -> Self {
        let key = EcdsaKeyPair::generate(kind).unwrap();
        let point = &key.public_key().as_ref()[1..];
        let (x, y) = point.split_at(point.len() / 2);
        let jwk = json!({ "kty": "EC", "crv": curve, "x": BASE64_URL_SAFE_NO_PAD.encode(x), "y": BASE64_URL_SAFE_NO_PAD.encode(y) });
        let sign = move |message: &[u8]| {
            key.sign(&SystemRandom::new(), message)
                .unwrap()
                .as_ref()
                .to_vec()
        };
        Self {
            algorithm,
            cose,
            jwk,
            sign: Box::new(sign),
        }
    }

    pub fn ed25519() -> Self {
        let key = Ed25519KeyPair::generate().unwrap();
        let x = BASE64_URL_SAFE_NO_PAD.encode(key.public_key());
        let jwk = json!({ "kty": "OKP", "crv": "Ed25519", "x": x });
        let sign = move |message: &[u8]| key.sign(message).as_ref().to_vec();
        Self {
            algorithm: "EdDSA",
            cose: Algorithm::EdDSA,
            jwk,
            sign: Box::new(sign),
        }
    }

    pub fn rsa(algorithm: &'static str) -> Self {
        let (cose, encoding): (_, &'static dyn signature::RsaEncoding) = match algorithm {
            "PS256" => (Algorithm::PS256, &signature::RSA_PSS_SHA256),
            "PS384" => (Algorithm::PS384, &signature::RSA_PSS_SHA384),
            _ => (Algorithm::RS256, &signature::RSA_PKCS1_SHA256),
        };
        let key = rsa::KeyPair::generate(rsa::KeySize::Rsa2048).unwrap();
        // RSAPublicKey of 2048 bits: headers of 9 bytes, the modulus, a header of 2, the exponent 65537.
        let der = key.public_key().as_ref();
        let (n, e) = (&der[9..265], &der[267..]);
        let (n, e) = (
            BASE64_URL_SAFE_NO_PAD.encode(n),
            BASE64_URL_SAFE_NO_PAD.encode(e),
        );
        let jwk = json!({ "kty": "RSA", "alg": algorithm, "n": n, "e": e });
        let sign = move |message: &[u8]| {
            let mut signature = vec![0; key.public_modulus_len()];
            key.sign(encoding, &SystemRandom::new(), message, &mut signature)
                .unwrap();
            signature
        };
        Self {
            algorithm,
            cose,
            jwk,
            sign: Box::new(sign),
        }
    }

    pub fn keys(&self) -> VerificationKeys {
        VerificationKeys::from_jwk(&self.jwk.to_string()).unwrap()
    }

    pub fn jwt(&self, claims: &Value) -> String {
        self.jwt_with(&json!({ "alg": self.algorithm, "typ": "JWT" }), claims)
    }

    pub fn jwt_with(&self, header: &Value, claims: &Value) -> String {
        self.jwt_of(&header.to_string(), &claims.to_string())
    }

    /// For JSON that no value can hold.
    pub fn jwt_of(&self, header: &str, claims: &str) -> String {
        let part = |text: &str| BASE64_URL_SAFE_NO_PAD.encode(text);
        let message = format!("{}.{}", part(header), part(claims));
        let signature = BASE64_URL_SAFE_NO_PAD.encode((self.sign)(message.as_bytes()));
        format!("{message}.{signature}")
    }

    pub fn cwt(&self, claims: &Cbor) -> Vec<u8> {
        let protected = coset::HeaderBuilder::new().algorithm(self.cose).build();
        self.cwt_with(protected, coset::Header::default(), claims)
    }

    pub fn cwt_with(
        &self,
        protected: coset::Header,
        unprotected: coset::Header,
        claims: &Cbor,
    ) -> Vec<u8> {
        let mut payload = Vec::new();
        ciborium::into_writer(claims, &mut payload).unwrap();
        coset::CoseSign1Builder::new()
            .protected(protected)
            .unprotected(unprotected)
            .payload(payload)
            .create_signature(b"", &self.sign)
            .build()
            .to_tagged_vec()
            .unwrap()
    }

    pub fn read_ear(&self, claims: &Value) -> Result<Ear, EarError> {
        decode(
            &self.jwt(claims),
            &self.keys(),
            &check(1_000_000, ExpectedNonce::Echoed(NONCE)),
        )
    }
}
