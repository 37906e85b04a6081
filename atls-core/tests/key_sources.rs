//! Keys as services publish them, and sources of keys that change.
#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;
use std::time::Duration;

use atls_core::AppraisalError;
use atls_core::BoxFuture;
use atls_core::ear::Algorithm;
use atls_core::ear::EarError;
use atls_core::ear::KeyError;
use atls_core::ear::KeySource;
use atls_core::ear::VerificationKeys;
use atls_core::ear::jwt;
use atls_core::ear::verify_with;
use atls_core::pki_types::PrivatePkcs8KeyDer;
use atls_core::pki_types::UnixTime;
use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::encoding::Pkcs8V1Der;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeyPair;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature;
use aws_lc_rs::signature::KeyPair as _;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::Value;
use serde_json::json;
use test_support::ready;

#[test]
fn a_key_without_algorithm_is_for_what_is_allowed_and_nothing_else() {
    let signer = Rsa::new(KeySize::Rsa2048);
    let set = json!({ "keys": [signer.bare_jwk()] }).to_string();
    assert_eq!(
        VerificationKeys::from_jwk_set(&set).err(),
        Some(KeyError::NoAlgorithm)
    );
    let allowing = |allowed: &[Algorithm]| VerificationKeys::from_jwk_set_allowing(&set, allowed);
    let ps384 = allowing(&[Algorithm::Ps384]).unwrap();
    assert!(verify(&signer.token("PS384"), &ps384).is_ok());
    assert_eq!(
        verify(&signer.token("RS256"), &ps384),
        Err(EarError::UnknownKey)
    );
    let both = allowing(&[Algorithm::Ps384, Algorithm::Rs256]).unwrap();
    assert!(verify(&signer.token("PS384"), &both).is_ok());
    assert!(verify(&signer.token("RS256"), &both).is_ok());
    assert_eq!(
        allowing(&[Algorithm::Es256]).err(),
        Some(KeyError::Unsupported)
    );
    assert_eq!(allowing(&[]).err(), Some(KeyError::Unsupported));
}

#[test]
fn a_key_that_names_an_algorithm_is_for_that_one() {
    let signer = Rsa::new(KeySize::Rsa2048);
    let mut jwk = signer.bare_jwk();
    jwk["alg"] = "RS256".into();
    let set = json!({ "keys": [jwk] }).to_string();
    let allowed = [Algorithm::Ps384, Algorithm::Rs256];
    let keys = VerificationKeys::from_jwk_set_allowing(&set, &allowed).unwrap();
    assert!(verify(&signer.token("RS256"), &keys).is_ok());
    assert_eq!(
        verify(&signer.token("PS384"), &keys),
        Err(EarError::UnknownKey)
    );
}

#[test]
fn a_set_of_certificates_gives_their_keys() {
    let signer = Rsa::new(KeySize::Rsa2048);
    let set = json!({ "keys": [
        { "kty": "RSA", "kid": "a", "x5c": [signer.certificate()] },
        { "kty": "RSA", "kid": "encryption", "use": "enc", "x5c": [signer.certificate()] },
        { "kty": "RSA", "kid": "signing", "key_ops": ["sign"], "x5c": [signer.certificate()] },
        { "kty": "RSA", "kid": "no list", "key_ops": "verify", "x5c": [signer.certificate()] },
        { "kty": "RSA", "kid": "verifying", "key_ops": ["verify"], "x5c": [signer.certificate()] },
        { "kty": "RSA", "kid": "none", "x5c": [] },
        { "kty": "RSA", "kid": "broken", "x5c": ["MIIB"] },
        { "kty": "oct", "k": "AAAA" },
    ] });
    let allowed = [Algorithm::Rs256, Algorithm::Es256];
    let keys = VerificationKeys::from_jwk_set_allowing(&set.to_string(), &allowed).unwrap();
    for id in ["a", "verifying"] {
        let token = signer.token_of("RS256", id);
        assert!(verify(&token, &keys).is_ok(), "{id}");
    }
    for id in ["encryption", "signing", "no list"] {
        let token = signer.token_of("RS256", id);
        let judged = verify(&token, &keys).map(drop);
        assert_eq!(judged, Err(EarError::UnknownKey), "{id}");
    }
    let other = Rsa::new(KeySize::Rsa2048);
    assert_eq!(
        verify(&other.token_of("RS256", "a"), &keys),
        Err(EarError::BadSignature)
    );
}

#[test]
fn every_truncation_and_flipped_byte_of_a_certificate_is_survived() {
    let key = rcgen::KeyPair::generate().unwrap();
    let certificate = rcgen::CertificateParams::new(Vec::new())
        .unwrap()
        .self_signed(&key)
        .unwrap();
    let der = certificate.der().to_vec();
    let set =
        |der: &[u8]| json!({ "keys": [{ "x5c": [BASE64_STANDARD.encode(der)] }] }).to_string();
    let allowed = [Algorithm::Es256];
    assert!(VerificationKeys::from_jwk_set_allowing(&set(&der), &allowed).is_ok());
    for length in 0..der.len() {
        let cut = set(der.get(..length).unwrap());
        assert!(VerificationKeys::from_jwk_set_allowing(&cut, &allowed).is_err());
    }
    for position in 0..der.len() {
        let mut flipped = der.clone();
        flipped[position] ^= 0x80;
        drop(VerificationKeys::from_jwk_set_allowing(
            &set(&flipped),
            &allowed,
        ));
    }
}

#[test]
fn a_malformed_entry_costs_itself_and_not_the_set() {
    let signer = Rsa::new(KeySize::Rsa2048);
    let good = signer.bare_jwk().to_string();
    for bad in [
        "1",
        "null",
        "\"key\"",
        "[]",
        "{}",
        r#"{"kty":"RSA","n":"!","e":"AQAB"}"#,
        r#"{"kty":"RSA","n":1,"e":[]}"#,
        r#"{"kty":"RSA","kty":"EC","x":"AA"}"#,
        r#"{"kty":"RSA","x5c":[{"a":1,"a":2}]}"#,
        r#"{"kty":"RSA","x5c":"MIIB"}"#,
        r#"{"kty":"RSA","x5c":["MIIB"]}"#,
    ] {
        for set in [
            format!(r#"{{"keys":[{bad},{good}]}}"#),
            format!(r#"{{"keys":[{good},{bad}]}}"#),
        ] {
            let keys = VerificationKeys::from_jwk_set_allowing(&set, &[Algorithm::Rs256]);
            let keys = keys.unwrap_or_else(|error| panic!("{bad}: {error}"));
            assert!(verify(&signer.token("RS256"), &keys).is_ok(), "{bad}");
            let named = set.replacen(r#""n":""#, r#""alg":"RS256","n":""#, 2);
            let keys = VerificationKeys::from_jwk_set(&named);
            let keys = keys.unwrap_or_else(|error| panic!("{bad}: {error}"));
            assert!(verify(&signer.token("RS256"), &keys).is_ok(), "{bad}");
        }
    }
}

#[test]
fn a_key_in_which_a_name_is_repeated_is_none() {
    let jwk = Rsa::new(KeySize::Rsa2048).bare_jwk().to_string();
    let repeated = jwk.replacen('{', r#"{"kty":"RSA","#, 1);
    let set = format!(r#"{{"keys":[{repeated}]}}"#);
    let read = VerificationKeys::from_jwk_set_allowing(&set, &[Algorithm::Rs256]);
    assert_eq!(read.err(), Some(KeyError::Malformed));
}

#[test]
fn what_is_no_set_is_refused() {
    for text in [
        "",
        "{}",
        "[]",
        "[[]]",
        r#"{"keys":{}}"#,
        r#"{"keys":[1]}"#,
        r#"{"keys":[],"keys":[]}"#,
    ] {
        let read = VerificationKeys::from_jwk_set_allowing(text, &[Algorithm::Rs256]);
        assert_eq!(read.err(), Some(KeyError::Malformed), "{text}");
    }
}

#[test]
fn newer_keys_are_asked_for_once_and_only_after_an_unknown_signature() {
    let (old, new) = (Rsa::new(KeySize::Rsa2048), Rsa::new(KeySize::Rsa2048));
    let source = Rotating {
        first: Some(old.keys()),
        second: Some(new.keys()),
        looked: AtomicUsize::new(0),
    };
    let verified = |token: &str| ready(verify_with(&source, at(), |keys| verify(token, keys)));
    assert!(verified(&old.token("RS256")).is_ok());
    assert_eq!(source.looked.load(Ordering::SeqCst), 0);
    assert!(verified(&new.token("RS256")).is_ok());
    assert_eq!(source.looked.load(Ordering::SeqCst), 1);
    let stranger = Rsa::new(KeySize::Rsa2048).token("RS256");
    assert_eq!(verified(&stranger), Err(EarError::BadSignature));
    assert_eq!(source.looked.load(Ordering::SeqCst), 2);
    // A malformed token is no reason to look.
    assert_eq!(verified("a.b"), Err(EarError::Malformed));
    assert_eq!(source.looked.load(Ordering::SeqCst), 2);
}

#[test]
fn without_keys_nothing_verifies() {
    let source = Rotating {
        first: None,
        second: None,
        looked: AtomicUsize::new(0),
    };
    let verified = ready(verify_with(&source, at(), |_| Ok(())));
    assert_eq!(verified, Err(EarError::NoKeys));
    assert_eq!(
        AppraisalError::from(EarError::NoKeys),
        AppraisalError::Unreachable
    );
}

#[test]
fn a_token_that_is_no_result_gives_its_claims_once_verified() {
    let signer = Rsa::new(KeySize::Rsa2048);
    let supported = rustls::crypto::ring::default_provider().signature_verification_algorithms;
    let claims = jwt::verify(&signer.token("RS256"), &signer.keys(), &supported).unwrap();
    assert_eq!(claims["any"], "claim");
    let unsigned = format!(
        "{}.{}.",
        BASE64_URL_SAFE_NO_PAD.encode(r#"{"alg":"none"}"#),
        BASE64_URL_SAFE_NO_PAD.encode("{}")
    );
    assert_eq!(
        jwt::verify(&unsigned, &signer.keys(), &supported),
        Err(EarError::Algorithm)
    );
}

// --- Helpers -----------------------------------------------------------------------------------------------------------

struct Rotating {
    first: Option<VerificationKeys>,
    second: Option<VerificationKeys>,
    looked: AtomicUsize,
}

impl KeySource for Rotating {
    fn keys(&self, _now: UnixTime) -> BoxFuture<'_, Result<VerificationKeys, EarError>> {
        Box::pin(std::future::ready(
            self.first.clone().ok_or(EarError::NoKeys),
        ))
    }

    fn newer_keys(&self, _now: UnixTime) -> BoxFuture<'_, Option<VerificationKeys>> {
        self.looked.fetch_add(1, Ordering::SeqCst);
        Box::pin(std::future::ready(self.second.clone()))
    }
}

struct Rsa {
    key: KeyPair,
}

impl Rsa {
    fn new(size: KeySize) -> Self {
        Self {
            key: KeyPair::generate(size).unwrap(),
        }
    }

    fn bare_jwk(&self) -> Value {
        // RSAPublicKey of 2048 bits: headers of 9 bytes, the modulus, a header of 2, the exponent 65537.
        let der = self.key.public_key().as_ref();
        let encode = |bytes: &[u8]| BASE64_URL_SAFE_NO_PAD.encode(bytes);
        json!({ "kty": "RSA", "n": encode(&der[9..265]), "e": encode(&der[267..]) })
    }

    fn keys(&self) -> VerificationKeys {
        let set = json!({ "keys": [self.bare_jwk()] }).to_string();
        VerificationKeys::from_jwk_set_allowing(&set, &[Algorithm::Rs256]).unwrap()
    }

    fn certificate(&self) -> String {
        let pkcs8: Pkcs8V1Der<'_> = self.key.as_der().unwrap();
        let der = PrivatePkcs8KeyDer::from(pkcs8.as_ref());
        let key =
            rcgen::KeyPair::from_pkcs8_der_and_sign_algo(&der, &rcgen::PKCS_RSA_SHA256).unwrap();
        let certificate = rcgen::CertificateParams::new(Vec::new())
            .unwrap()
            .self_signed(&key)
            .unwrap();
        BASE64_STANDARD.encode(certificate.der())
    }

    fn token(&self, algorithm: &str) -> String {
        self.sign(algorithm, &json!({ "alg": algorithm }))
    }

    fn token_of(&self, algorithm: &str, key: &str) -> String {
        self.sign(algorithm, &json!({ "alg": algorithm, "kid": key }))
    }

    fn sign(&self, algorithm: &str, header: &Value) -> String {
        let encoding: &'static dyn signature::RsaEncoding = match algorithm {
            "PS384" => &signature::RSA_PSS_SHA384,
            _ => &signature::RSA_PKCS1_SHA256,
        };
        let part = |value: &Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
        let message = format!("{}.{}", part(header), part(&json!({ "any": "claim" })));
        let mut signature = vec![0; self.key.public_modulus_len()];
        let random = SystemRandom::new();
        self.key
            .sign(encoding, &random, message.as_bytes(), &mut signature)
            .unwrap();
        format!("{message}.{}", BASE64_URL_SAFE_NO_PAD.encode(signature))
    }
}

fn verify(token: &str, keys: &VerificationKeys) -> Result<(), EarError> {
    let supported = rustls::crypto::ring::default_provider().signature_verification_algorithms;
    jwt::verify(token, keys, &supported).map(drop)
}

fn at() -> UnixTime {
    UnixTime::since_unix_epoch(Duration::from_secs(1_000_000))
}
