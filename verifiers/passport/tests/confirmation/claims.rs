//! The claim that names a key.

use atls_core::Binding;
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use ciborium::Value as Cbor;
use serde_json::Value;
use serde_json::json;
use stand_in::Signer;
use test_support::Connection;
use test_support::identity;

use crate::office::ED25519;
use crate::office::Office;
use crate::office::P256;
use crate::office::accept;
use crate::office::claims;
use crate::office::cwt_part;
use crate::office::loose;
use crate::office::map;
use crate::office::not_bound;
use crate::office::part;

#[tokio::test]
async fn all_keys_that_a_passport_names_are_the_same() {
    let issuer = Signer::es256();
    let holder = identity();
    let key = Connection::of(&holder).leaf_key();
    let another = Connection::new().leaf_key();
    let cnf = |key: &[u8]| json!({ "jwk": P256.jwk(key) });
    let akpub = |key: &[u8]| json!({ "akpub": BASE64_URL_SAFE_NO_PAD.encode(key) });
    let part = |name: &str, value| {
        let mut part = part();
        part[name] = value;
        part
    };
    let attestation = "ear.veraison.key-attestation";
    let mut both = part("cnf", cnf(&key));
    both[attestation] = akpub(&another);
    for (whole, parts, accepted) in [
        (Some(&key), json!({ "a": part("x", Value::Null) }), true),
        (None, json!({ "a": part("cnf", cnf(&key)) }), true),
        (None, json!({ "a": part(attestation, akpub(&key)) }), true),
        (Some(&key), json!({ "a": part("cnf", cnf(&key)) }), true),
        (
            Some(&key),
            json!({ "a": part(attestation, akpub(&key)), "b": part("x", Value::Null) }),
            true,
        ),
        // Another key, whoever names it.
        (
            Some(&key),
            json!({ "a": part("cnf", cnf(&another)) }),
            false,
        ),
        (
            Some(&another),
            json!({ "a": part("cnf", cnf(&key)) }),
            false,
        ),
        (
            Some(&key),
            json!({ "a": part(attestation, akpub(&another)) }),
            false,
        ),
        (None, json!({ "a": both }), false),
        (
            None,
            json!({ "a": part("cnf", cnf(&key)), "b": part(attestation, akpub(&another)) }),
            false,
        ),
        // A part about no key, and one whose key cannot be read beside one that can.
        (None, json!({ "a": part("x", Value::Null) }), false),
        (
            None,
            json!({ "a": part("cnf", cnf(&key)), "b": part("x", Value::Null) }),
            false,
        ),
        (
            Some(&key),
            json!({ "a": part("cnf", json!({ "kid": "a" })) }),
            false,
        ),
        (
            Some(&key),
            json!({ "a": part(attestation, json!({})) }),
            false,
        ),
    ] {
        let mut claims = claims();
        if let Some(key) = whole {
            claims["cnf"] = cnf(key);
        }
        claims["submods"] = parts.clone();
        let passport = issuer.jwt(&claims);
        let decided = accept(&issuer, Connection::of(&holder), &passport, loose()).await;
        if accepted {
            assert_eq!(decided.unwrap().binding(), Binding::Key, "{parts}");
        } else {
            assert_eq!(decided.unwrap_err(), not_bound(), "{parts}");
        }
    }
}

#[tokio::test]
async fn a_jwt_names_a_key_by_itself_and_nothing_else() {
    let issuer = Signer::es256();
    let holder = identity();
    let key = Connection::of(&holder).leaf_key();
    let jwk = P256.jwk(&key);
    let with = |name: &str, value: Value| {
        let mut jwk = jwk.clone();
        jwk[name] = value;
        json!({ "jwk": jwk })
    };
    let without = |name: &str| {
        let mut jwk = jwk.clone();
        jwk.as_object_mut().unwrap().remove(name);
        json!({ "jwk": jwk })
    };
    let named = issuer.jwt_about(&with("kid", "a name".into()));
    let peer = accept(&issuer, Connection::of(&holder), &named, loose()).await;
    assert_eq!(peer.unwrap().binding(), Binding::Key);
    let x = &key[key.len() - 64..key.len() - 32];
    let encode = |bytes: &[u8]| Value::from(BASE64_URL_SAFE_NO_PAD.encode(bytes));
    let mut ed25519 = ED25519.jwk(&key);
    ed25519["y"] = jwk["y"].clone();
    for confirmation in [
        Value::Null,
        json!({}),
        json!([]),
        json!("jwk"),
        jwk.clone(),
        json!({ "jwk": null }),
        json!({ "jwk": jwk.to_string() }),
        json!({ "jwk": [jwk] }),
        json!({ "kid": "a" }),
        json!({ "jkt": "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs" }),
        json!({ "jku": "https://issuer.example/keys", "kid": "a" }),
        json!({ "jwk": jwk, "kid": "a" }),
        json!({ "jwk": jwk, "x5t#S256": "AA" }),
        // The spelling of a CWT.
        json!({ "1": jwk }),
        json!({ "1": { "1": 2, "-1": 1, "-2": jwk["x"], "-3": jwk["y"] } }),
        without("kty"),
        without("crv"),
        without("x"),
        without("y"),
        with("kty", "OKP".into()),
        with("kty", 2.into()),
        with("crv", "P-384".into()),
        with("crv", "P-521".into()),
        with("crv", "secp256k1".into()),
        with("x", encode(&x[1..])),
        with("x", encode(&[&[0], x].concat())),
        with("x", "".into()),
        with("x", "?".into()),
        with("y", true.into()),
        with("d", encode(x)),
        with("use", "enc".into()),
        with("alg", "ECDH-ES".into()),
        with("key_ops", json!(["sign"])),
        with("x5c", json!([])),
        with("-2", encode(x)),
        json!({ "jwk": ed25519 }),
        json!({ "jwk": { "kty": "RSA", "n": "AQAB", "e": "AQAB" } }),
        json!({ "jwk": { "kty": "oct", "k": "AQAB" } }),
    ] {
        let passport = issuer.jwt_about(&confirmation);
        let refused = accept(&issuer, Connection::of(&holder), &passport, loose()).await;
        assert_eq!(refused.unwrap_err(), not_bound(), "{confirmation}");
    }
}

#[tokio::test]
async fn a_cwt_names_a_key_by_itself_and_nothing_else() {
    let issuer = Signer::es256();
    let holder = identity();
    let key = Connection::of(&holder).leaf_key();
    let with = |label: i64, value: Cbor| {
        let mut entries = P256.cose_key(&key).into_map().unwrap();
        entries.retain(|(known, _)| *known != label.into());
        entries.push((label.into(), value));
        map(vec![(1, Cbor::Map(entries))])
    };
    let named = issuer.cwt_about(with(2, Cbor::Bytes(b"a name".to_vec())));
    let peer = accept(&issuer, Connection::of(&holder), &named, loose()).await;
    assert_eq!(peer.unwrap().binding(), Binding::Key);
    let key = || P256.cose_key(&key);
    for confirmation in [
        Cbor::Null,
        map(vec![]),
        key(),
        map(vec![(2, key())]),
        map(vec![(3, Cbor::Bytes(vec![1]))]),
        map(vec![(1, key()), (3, Cbor::Bytes(vec![1]))]),
        Cbor::Map(vec![("jwk".into(), key())]),
        with(1, 1.into()),
        with(1, "EC".into()),
        with(-1, 2.into()),
        with(-1, "P-256".into()),
        with(-2, Cbor::Bytes(vec![1; 31])),
        // A compressed point, another algorithm, operations, a base IV, a private key.
        with(-3, Cbor::Bool(true)),
        with(3, (-7).into()),
        with(4, Cbor::Array(vec![1.into()])),
        with(5, Cbor::Bytes(vec![1])),
        with(-4, Cbor::Bytes(vec![1; 32])),
    ] {
        let passport = issuer.cwt_about(confirmation.clone());
        let refused = accept(&issuer, Connection::of(&holder), &passport, loose()).await;
        assert_eq!(refused.unwrap_err(), not_bound(), "{confirmation:?}");
    }
    // A part of a CWT has it under its number, too.
    let mut part = cwt_part();
    part.push((
        8.into(),
        map(vec![(1, P256.cose_key(&Connection::new().leaf_key()))]),
    ));
    let passport = issuer.cwt_of(map(vec![(1, key())]), part);
    let refused = accept(&issuer, Connection::of(&holder), &passport, loose()).await;
    assert_eq!(refused.unwrap_err(), not_bound());
}
