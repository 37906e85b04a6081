//! Sets of keys.

use atls_core::ear::Algorithm;
use atls_core::ear::EarError;
use atls_core::ear::KeyError;
use atls_core::ear::VerificationKeys;
use atls_core::limits::MAX_KEY_ID;
use atls_core::limits::MAX_KEY_SET;
use atls_core::limits::MAX_KEY_SET_VALUES;
use atls_core::limits::MAX_KEYS;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::KeyPair;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::json;

use crate::keys::Rsa;
use crate::keys::verify;

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
fn a_signature_of_another_scheme_than_the_token_names_is_bad() {
    let signer = Rsa::new(KeySize::Rsa2048);
    let token = signer.sign("PS384", &json!({ "alg": "RS256" }));
    assert_eq!(verify(&token, &signer.keys()), Err(EarError::BadSignature));
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
        let verified = verify(&token, &keys).map(drop);
        assert_eq!(verified, Err(EarError::UnknownKey), "{id}");
    }
    let other = Rsa::new(KeySize::Rsa2048);
    assert_eq!(
        verify(&other.token_of("RS256", "a"), &keys),
        Err(EarError::BadSignature)
    );
}

#[test]
fn a_certificate_with_a_short_or_another_key_gives_none() {
    let (good, large) = (Rsa::new(KeySize::Rsa2048), Rsa::new(KeySize::Rsa3072));
    let allowing = |der: &[u8], algorithm| {
        let set = json!({ "keys": [{ "x5c": [BASE64_STANDARD.encode(der)] }] }).to_string();
        VerificationKeys::from_jwk_set_allowing(&set, &[algorithm])
    };
    let der = |rsa: &Rsa| BASE64_STANDARD.decode(rsa.certificate()).unwrap();
    for rsa in [&good, &large] {
        let keys = allowing(&der(rsa), Algorithm::Rs256).unwrap();
        assert!(verify(&rsa.token("RS256"), &keys).is_ok());
        let refused = allowing(&der(rsa), Algorithm::Es256).err();
        assert_eq!(refused, Some(KeyError::Unsupported));
    }
    // A modulus of 2040 bits, and zeros before it.
    let mut short = der(&good);
    let modulus = good.key.public_key().as_ref()[9..265].to_vec();
    let at = short.windows(256).position(|bytes| bytes == modulus);
    short[at.unwrap()] = 0;
    let refused = allowing(&short, Algorithm::Rs256).err();
    assert_eq!(refused, Some(KeyError::Unsupported));
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
fn a_set_is_bounded_in_keys_bytes_and_values() {
    let jwk = Rsa::new(KeySize::Rsa2048).bare_jwk();
    let allowing = |set: &str| {
        let read = VerificationKeys::from_jwk_set_allowing(set, &[Algorithm::Rs256]);
        read.map(drop)
    };
    let keys = |number| json!({ "keys": vec![jwk.clone(); number] }).to_string();
    assert_eq!(allowing(&keys(MAX_KEYS)), Ok(()));
    assert_eq!(allowing(&keys(MAX_KEYS + 1)), Err(KeyError::TooLarge));

    let padded = |length| {
        let set = keys(1);
        " ".repeat(length - set.len()) + &set
    };
    assert_eq!(allowing(&padded(MAX_KEY_SET)), Ok(()));
    let refused = allowing(&padded(MAX_KEY_SET + 1));
    assert_eq!(refused, Err(KeyError::TooLarge));

    let named = |length| {
        let mut jwk = jwk.clone();
        jwk["kid"] = "x".repeat(length).into();
        json!({ "keys": [jwk] }).to_string()
    };
    assert_eq!(allowing(&named(MAX_KEY_ID)), Ok(()));
    assert!(allowing(&named(MAX_KEY_ID + 1)).is_err());

    let many = json!({ "keys": [jwk], "other": vec![0; MAX_KEY_SET_VALUES] });
    assert_eq!(allowing(&many.to_string()), Err(KeyError::TooLarge));
}

#[test]
fn a_set_contains_its_keys_and_no_others() {
    let (one, other) = (Rsa::new(KeySize::Rsa2048), Rsa::new(KeySize::Rsa2048));
    let both = json!({ "keys": [one.bare_jwk(), other.bare_jwk()] }).to_string();
    let both = VerificationKeys::from_jwk_set_allowing(&both, &[Algorithm::Rs256]).unwrap();
    assert!(both.contains(&one.keys()) && both.contains(&both));
    assert!(!one.keys().contains(&other.keys()) && !one.keys().contains(&both));
}
