//! Results that a service signs itself, read again by those that they are stated to.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

use std::time::Duration;

use atls_core::ear::Appraisal;
use atls_core::ear::Category;
use atls_core::ear::Check;
use atls_core::ear::Ear;
use atls_core::ear::EarError;
use atls_core::ear::EarSigner;
use atls_core::ear::EncodeError;
use atls_core::ear::ExpectedNonce;
use atls_core::ear::KeyError;
use atls_core::ear::Statement;
use atls_core::ear::Tier;
use atls_core::ear::TrustClaim;
use atls_core::ear::TrustVector;
use atls_core::ear::VerificationKeys;
use atls_core::ear::VerifierId;
use atls_core::ear::cwt;
use atls_core::ear::jwt;
use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::encoding::Pkcs8V1Der;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa;
use aws_lc_rs::signature;
use aws_lc_rs::signature::EcdsaKeyPair;
use aws_lc_rs::signature::Ed25519KeyPair;
use aws_lc_rs::signature::KeyPair;
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use proptest::prelude::*;
use rustls::crypto::CryptoProvider;
use rustls::crypto::WebPkiSupportedAlgorithms;
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::PrivatePkcs8KeyDer;
use serde_json::Value;
use serde_json::json;
use test_support::at;

const NOW: u64 = 1_000_000;
const NONCE: &[u8] = b"sixteen bytes ..";

#[test]
fn a_statement_is_read_as_it_was_stated_in_both_forms_by_every_kind_of_key() {
    for provider in [
        rustls::crypto::ring::default_provider(),
        rustls::crypto::aws_lc_rs::default_provider(),
    ] {
        for algorithm in KINDS {
            let key = Key::of(&provider, algorithm);
            let ear = ear();
            let statement = stated(&ear);
            let check = check().with_issuer("proxy").with_audience("backend");
            let token = jwt::encode(&statement, &key.signer).unwrap();
            let read = jwt::decode(&token, &key.keys, &key.supported, &check).unwrap();
            assert_is_restated(&read);
            let token = cwt::encode(&statement, &key.signer).unwrap();
            let read = cwt::decode(&token, &key.keys, &key.supported, &check).unwrap();
            assert_is_restated(&read);
        }
    }
}

fn assert_is_restated(read: &Ear) {
    let part = read.submod("platform").unwrap();
    assert_eq!(read.profile(), "tag:ietf.org,2026:rats/ear#04");
    assert_eq!(read.status(), Tier::Warning);
    assert_eq!(part.vector(), &vector());
    assert_eq!(part.policy_ids(), ["p1", "p2"]);
    assert_eq!(
        part.extension("image"),
        Some(&json!({ "name": ["a", 1, null, true, 0.5] }))
    );
    assert_eq!(read.issued_at(), at(NOW));
    assert_eq!(read.expires_at(), Some(at(NOW + 60)));
    assert_eq!(read.nonce(), Some(NONCE));
    assert_eq!(read.issuer(), Some("proxy"));
    assert_eq!(read.verifier(), &VerifierId::new("us", "1"));
}

#[test]
fn a_statement_is_refused_by_another_audience_and_after_its_end() {
    let key = Key::of(&rustls::crypto::ring::default_provider(), "ES256");
    let ear = ear();
    let statement = stated(&ear);
    let own = check().with_audience("backend");
    let cases = [
        (own.clone(), None),
        (own.clone().with_audience("other"), Some(EarError::Audience)),
        (own.clone().with_audience("back"), Some(EarError::Audience)),
        (own.clone().with_issuer("other"), Some(EarError::Issuer)),
        (
            Check {
                now: at(NOW + 60),
                ..own.clone()
            },
            Some(EarError::Expired),
        ),
        (
            Check {
                now: at(NOW + 30),
                max_age: Duration::from_secs(30),
                ..own
            },
            Some(EarError::Expired),
        ),
    ];
    for (check, expected) in cases {
        let token = jwt::encode(&statement, &key.signer).unwrap();
        let read = jwt::decode(&token, &key.keys, &key.supported, &check);
        assert_eq!(read.err(), expected, "{check:?}");
        let token = cwt::encode(&statement, &key.signer).unwrap();
        let read = cwt::decode(&token, &key.keys, &key.supported, &check);
        assert_eq!(read.err(), expected, "{check:?}");
    }
}

#[test]
fn an_audience_among_several_is_met_and_none_is_not() {
    let key = Key::of(&rustls::crypto::ring::default_provider(), "ES256");
    let ear = ear();
    let check = check().with_audience("backend");
    for (audience, expected) in [
        (json!(["other", "backend"]), None),
        (json!(["other"]), Some(EarError::Audience)),
        (json!([]), Some(EarError::Audience)),
        (json!({ "backend": "backend" }), Some(EarError::Audience)),
        (Value::Null, Some(EarError::Audience)),
    ] {
        let token = resigned(&stated(&ear), &key, |claims| {
            claims["aud"] = audience.clone()
        });
        let read = jwt::decode(&token, &key.keys, &key.supported, &check);
        assert_eq!(read.err(), expected, "{audience}");
    }
}

#[test]
fn every_flipped_byte_of_a_statement_is_refused() {
    let key = Key::of(&rustls::crypto::ring::default_provider(), "ES256");
    let ear = ear();
    let check = check().with_audience("backend");
    let token = cwt::encode(&stated(&ear), &key.signer).unwrap();
    for index in 0..token.len() {
        let mut altered = token.clone();
        altered[index] ^= 1;
        assert!(
            cwt::decode(&altered, &key.keys, &key.supported, &check).is_err(),
            "{index}"
        );
        assert!(cwt::decode(&token[..index], &key.keys, &key.supported, &check).is_err());
    }
}

#[test]
fn a_key_identifier_chooses_the_key() {
    let provider = rustls::crypto::ring::default_provider();
    let mut key = Key::of(&provider, "ES256");
    key.signer = key.signer.with_key_id("another");
    let ear = ear();
    let token = jwt::encode(&stated(&ear), &key.signer).unwrap();
    let read = jwt::decode(&token, &key.keys, &key.supported, &check());
    assert_eq!(read, Err(EarError::UnknownKey));
    let token = cwt::encode(&stated(&ear), &key.signer).unwrap();
    let read = cwt::decode(&token, &key.keys, &key.supported, &check());
    assert_eq!(read, Err(EarError::UnknownKey));
}

#[test]
fn readers_pin_the_key_that_the_signer_names() {
    for provider in [
        rustls::crypto::ring::default_provider(),
        rustls::crypto::aws_lc_rs::default_provider(),
    ] {
        for algorithm in ["ES256", "ES384", "EdDSA"] {
            let key = Key::of(&provider, algorithm);
            let jwk = key.signer.public_jwk().unwrap().to_string();
            let keys = VerificationKeys::from_jwk(&jwk).unwrap();
            let ear = ear();
            let token = jwt::encode(&stated(&ear), &key.signer).unwrap();
            assert!(jwt::decode(&token, &keys, &key.supported, &check()).is_ok());
        }
    }
}

#[test]
fn a_claim_of_the_platform_cannot_take_the_place_of_one_of_the_profile() {
    let key = Key::of(&rustls::crypto::ring::default_provider(), "ES256");
    let bad = Appraisal::new(TrustVector::new().with(Category::Hardware, TrustClaim::new(97)));
    let bad = bad
        .with_extension("ear_status", json!("affirming"))
        .with_extension("ear_trustworthiness_vector", json!({ "hardware": 2 }))
        .with_extension("ear_appraisal_policy_ids", json!(["mine"]))
        .with_extension("eat_nonce", json!("AAAAAAAAAAA"));
    let ear = Ear::local(VerifierId::new("us", "1"), at(NOW), "platform", bad);
    let token = jwt::encode(&stated(&ear), &key.signer).unwrap();
    let read = jwt::decode(&token, &key.keys, &key.supported, &check()).unwrap();
    let part = read.submod("platform").unwrap();
    assert_eq!(part.status(), Tier::Contraindicated);
    assert_eq!(part.vector().get(Category::Hardware), TrustClaim::new(97));
    assert_eq!((part.policy_ids().len(), part.nonce()), (0, None));
}

#[test]
fn a_nonce_that_no_reader_accepts_is_not_signed() {
    let key = Key::of(&rustls::crypto::ring::default_provider(), "ES256");
    let ear = ear();
    for length in [0, 7, 65] {
        let nonce = vec![1; length];
        let statement = Statement {
            nonce: &nonce,
            ..stated(&ear)
        };
        assert_eq!(
            jwt::encode(&statement, &key.signer),
            Err(EncodeError::Nonce)
        );
        assert_eq!(
            cwt::encode(&statement, &key.signer),
            Err(EncodeError::Nonce)
        );
    }
}

#[test]
fn a_result_that_no_reader_accepts_for_its_size_is_not_signed() {
    let key = Key::of(&rustls::crypto::ring::default_provider(), "ES256");
    let part = Appraisal::new(vector()).with_extension("log", json!("x".repeat(64 * 1024)));
    let ear = Ear::local(VerifierId::new("us", "1"), at(NOW), "platform", part);
    let statement = stated(&ear);
    assert_eq!(
        jwt::encode(&statement, &key.signer),
        Err(EncodeError::TooLarge)
    );
    assert_eq!(
        cwt::encode(&statement, &key.signer),
        Err(EncodeError::TooLarge)
    );
}

#[test]
fn a_key_of_another_kind_signs_no_results() {
    let provider = rustls::crypto::aws_lc_rs::default_provider();
    let pair = EcdsaKeyPair::generate(&signature::ECDSA_P521_SHA512_FIXED_SIGNING).unwrap();
    let pkcs8 = pair.to_pkcs8v1().unwrap();
    let key = provider
        .key_provider
        .load_private_key(pkcs8_of(pkcs8.as_ref()))
        .unwrap();
    assert_eq!(EarSigner::new(&*key).err(), Some(KeyError::Unsupported));
}

proptest! {
    #[test]
    fn what_is_stated_is_what_is_read(
        claims in proptest::collection::vec(any::<i8>(), 8),
        name in "\\PC{0,20}",
        text in "\\PC{0,20}",
        nonce in proptest::collection::vec(any::<u8>(), 8..=64),
    ) {
        let key = Key::of(&rustls::crypto::ring::default_provider(), "EdDSA");
        let all = Category::ALL.into_iter().zip(claims);
        let vector = all.fold(TrustVector::new(), |vector, (category, value)| {
            vector.with(category, TrustClaim::new(value))
        });
        let part = Appraisal::new(vector.clone()).with_policy_id(text.clone());
        let ear = Ear::local(VerifierId::new("us", text), at(NOW), &name, part);
        let statement = Statement { nonce: &nonce, ..stated(&ear) };
        let json = jwt::encode(&statement, &key.signer).unwrap();
        let json = jwt::decode(&json, &key.keys, &key.supported, &check()).unwrap();
        let cbor = cwt::encode(&statement, &key.signer).unwrap();
        let cbor = cwt::decode(&cbor, &key.keys, &key.supported, &check()).unwrap();
        prop_assert_eq!(&json, &cbor);
        prop_assert_eq!(json.submod(&name).unwrap().vector(), &vector);
        prop_assert_eq!(json.nonce().unwrap(), &nonce[..]);
    }
}

/// A token of the same header with other claims, signed by the same key.
fn resigned(statement: &Statement<'_>, key: &Key, change: impl Fn(&mut Value)) -> String {
    let token = jwt::encode(statement, &key.signer).unwrap();
    let (header, rest) = token.split_once('.').unwrap();
    let (claims, _) = rest.split_once('.').unwrap();
    let claims = BASE64_URL_SAFE_NO_PAD.decode(claims).unwrap();
    let mut claims: Value = serde_json::from_slice(&claims).unwrap();
    change(&mut claims);
    let message = format!(
        "{header}.{}",
        BASE64_URL_SAFE_NO_PAD.encode(claims.to_string())
    );
    let pair = EcdsaKeyPair::from_pkcs8(&signature::ECDSA_P256_SHA256_FIXED_SIGNING, &key.pkcs8);
    let signature = pair
        .unwrap()
        .sign(&SystemRandom::new(), message.as_bytes())
        .unwrap();
    format!("{message}.{}", BASE64_URL_SAFE_NO_PAD.encode(signature))
}

fn stated(ear: &Ear) -> Statement<'_> {
    Statement {
        ear,
        issuer: "proxy",
        audience: "backend",
        nonce: NONCE,
    }
}

fn ear() -> Ear {
    let part = Appraisal::new(vector())
        .with_policy_id("p1")
        .with_policy_id("p2")
        .with_extension("image", json!({ "name": ["a", 1, null, true, 0.5] }));
    Ear::local(VerifierId::new("us", "1"), at(NOW), "platform", part).with_expiry(at(NOW + 60))
}

fn vector() -> TrustVector {
    TrustVector::new()
        .with(Category::Hardware, TrustClaim::new(2))
        .with(Category::Executables, TrustClaim::new(33))
        .with(Category::SourcedData, TrustClaim::new(-2))
}

fn check() -> Check<'static> {
    Check::new(
        at(NOW),
        Duration::from_secs(3600),
        ExpectedNonce::DangerousOfAnySession,
    )
}

/// A key of the service, and what its readers pin.
struct Key {
    signer: EarSigner,
    keys: VerificationKeys,
    supported: WebPkiSupportedAlgorithms,
    pkcs8: Vec<u8>,
}

impl Key {
    fn of(provider: &CryptoProvider, algorithm: &str) -> Self {
        let (pkcs8, jwk) = match algorithm {
            "ES256" => ecdsa(&signature::ECDSA_P256_SHA256_FIXED_SIGNING, "P-256"),
            "ES384" => ecdsa(&signature::ECDSA_P384_SHA384_FIXED_SIGNING, "P-384"),
            "EdDSA" => ed25519(),
            _ => rsa(algorithm),
        };
        let mut jwk = jwk;
        jwk["kid"] = "own".into();
        let key = provider.key_provider.load_private_key(pkcs8_of(&pkcs8));
        let signer = EarSigner::new(&*key.unwrap()).unwrap().with_key_id("own");
        Self {
            signer,
            keys: VerificationKeys::from_jwk(&jwk.to_string()).unwrap(),
            supported: provider.signature_verification_algorithms,
            pkcs8,
        }
    }
}

fn pkcs8_of(der: &[u8]) -> PrivateKeyDer<'static> {
    PrivatePkcs8KeyDer::from(der.to_vec()).into()
}

fn ecdsa(kind: &'static signature::EcdsaSigningAlgorithm, curve: &str) -> (Vec<u8>, Value) {
    let pair = EcdsaKeyPair::generate(kind).unwrap();
    let point = &pair.public_key().as_ref()[1..];
    let (x, y) = point.split_at(point.len() / 2);
    let (x, y) = (
        BASE64_URL_SAFE_NO_PAD.encode(x),
        BASE64_URL_SAFE_NO_PAD.encode(y),
    );
    let jwk = json!({ "kty": "EC", "crv": curve, "x": x, "y": y });
    (pair.to_pkcs8v1().unwrap().as_ref().to_vec(), jwk)
}

fn ed25519() -> (Vec<u8>, Value) {
    let pair = Ed25519KeyPair::generate().unwrap();
    let x = BASE64_URL_SAFE_NO_PAD.encode(pair.public_key());
    let jwk = json!({ "kty": "OKP", "crv": "Ed25519", "x": x });
    (pair.to_pkcs8v1().unwrap().as_ref().to_vec(), jwk)
}

fn rsa(algorithm: &str) -> (Vec<u8>, Value) {
    let pair = rsa::KeyPair::generate(rsa::KeySize::Rsa2048).unwrap();
    // RSAPublicKey of 2048 bits: headers of 9 bytes, the modulus, a header of 2, the exponent 65537.
    let der = pair.public_key().as_ref();
    let n = BASE64_URL_SAFE_NO_PAD.encode(&der[9..265]);
    let e = BASE64_URL_SAFE_NO_PAD.encode(&der[267..]);
    let jwk = json!({ "kty": "RSA", "alg": algorithm, "n": n, "e": e });
    let pkcs8: Pkcs8V1Der<'_> = pair.as_der().unwrap();
    (pkcs8.as_ref().to_vec(), jwk)
}

const KINDS: [&str; 4] = ["ES256", "ES384", "EdDSA", "PS256"];
