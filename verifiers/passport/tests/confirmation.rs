//! Passports that name the key of their holder: RFC 7800 and RFC 8747.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

use std::sync::Arc;

use atls_core::AppraisalError;
use atls_core::Binding;
use atls_core::Bound;
use atls_core::MediaType;
use atls_core::Origin;
use atls_core::PeerAttestation;
use atls_core::PolicyViolation;
use atls_core::Refusal;
use atls_core::RelyingParty;
use atls_core::StandardPolicy;
use atls_passport::PassportVerifier;
use atls_passport::ReusablePassport;
use atls_passport::Scheme;
use atls_passport::TrustedIssuer;
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use ciborium::Value as Cbor;
use serde_json::Value;
use serde_json::json;
use stand_in::Signer;
use test_support::Connection;
use test_support::at;
use test_support::identity;
use test_support::identity_of;

const NOW: u64 = 1_000_000;
const ISSUER: &str = "https://issuer.example";
const PROFILE: &str = "tag:ietf.org,2026:rats/ear#04";

#[tokio::test]
async fn a_passport_is_good_with_the_key_of_its_holder_and_refused_by_default() {
    let issuer = Signer::es256();
    for (algorithm, kind) in [
        (&rcgen::PKCS_ECDSA_P256_SHA256, &P256),
        (&rcgen::PKCS_ECDSA_P384_SHA384, &P384),
        (&rcgen::PKCS_ED25519, &ED25519),
    ] {
        let holder = identity_of(algorithm);
        let key = Connection::of(&holder).leaf_key();
        for passport in [
            issuer.jwt_about(&json!({ "jwk": kind.jwk(&key) })),
            issuer.cwt_about(map(vec![(1, kind.cose_key(&key))])),
        ] {
            let connection = || Connection::of(&holder);
            let peer = accept(&issuer, connection(), &passport, loose()).await;
            assert_eq!(peer.unwrap().binding(), Binding::Key, "{}", kind.crv);
            let strict = accept(&issuer, connection(), &passport, StandardPolicy::new()).await;
            assert_eq!(
                strict.unwrap_err(),
                Refusal::Policy(PolicyViolation::Binding(Binding::Key))
            );
            // Stolen, under another key of the same kind.
            let thief = Connection::of(&identity_of(algorithm));
            let stolen = accept(&issuer, thief, &passport, loose()).await;
            assert_eq!(stolen.unwrap_err(), Refusal::KeyMismatch);
        }
    }
}

#[tokio::test]
async fn a_key_is_compared_to_its_last_byte() {
    let issuer = Signer::es256();
    let holder = identity();
    let key = Connection::of(&holder).leaf_key();
    for index in key.len() - 64..key.len() {
        let mut other = key.clone();
        other[index] ^= 1;
        let passport = issuer.jwt_about(&json!({ "jwk": P256.jwk(&other) }));
        let refused = accept(&issuer, Connection::of(&holder), &passport, loose()).await;
        assert_eq!(refused.unwrap_err(), Refusal::KeyMismatch, "{index}");
    }
}

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

#[tokio::test]
async fn a_fresh_passport_that_names_its_holder_is_for_nobody_else() {
    let issuer = Signer::es256();
    let holder = identity();
    let decided = async |confirmation: Value| {
        let connection = Connection::of(&holder);
        let mut claims = claims();
        claims["eat_nonce"] = BASE64_URL_SAFE_NO_PAD.encode(connection.bound()).into();
        claims["cnf"] = confirmation;
        let passport = issuer.jwt(&claims);
        accept(&issuer, connection, &passport, StandardPolicy::new()).await
    };
    let own = P256.jwk(&Connection::of(&holder).leaf_key());
    let peer = decided(json!({ "jwk": own })).await.unwrap();
    assert_eq!(peer.binding(), Binding::Connection);
    let anothers = P256.jwk(&Connection::new().leaf_key());
    let refused = decided(json!({ "jwk": anothers })).await;
    assert_eq!(refused.unwrap_err(), Refusal::KeyMismatch);
    let refused = decided(json!({ "kid": "a" })).await;
    assert_eq!(refused.unwrap_err(), not_bound());
}

#[tokio::test]
async fn a_form_is_what_its_media_type_says() {
    let issuer = Signer::es256();
    let holder = identity();
    let key = Connection::of(&holder).leaf_key();
    let jwt = issuer.token(&claims()).into_bytes();
    let cwt = issuer.cwt(cbor(&cwt_claims(
        map(vec![(1, P256.cose_key(&key))]),
        cwt_part(),
    )));
    for (form, token) in [("eat+cwt", jwt), ("eat+jwt", cwt)] {
        let passport = ReusablePassport::new(media_type(form), token);
        let refused = accept(&issuer, Connection::of(&holder), &passport, loose()).await;
        assert_eq!(
            refused.unwrap_err(),
            Refusal::Appraisal(AppraisalError::Malformed),
            "{form}"
        );
    }
}

// --- Helpers -----------------------------------------------------------------------------------------------------------

/// Passports of an issuer, of some earlier session.
trait Office {
    fn jwt(&self, claims: &Value) -> ReusablePassport;
    fn jwt_about(&self, confirmation: &Value) -> ReusablePassport;
    fn cwt_of(&self, confirmation: Cbor, part: Vec<(Cbor, Cbor)>) -> ReusablePassport;
    fn cwt_about(&self, confirmation: Cbor) -> ReusablePassport;
}

impl Office for Signer {
    fn jwt(&self, claims: &Value) -> ReusablePassport {
        ReusablePassport::new(media_type("eat+jwt"), self.token(claims).into_bytes())
    }

    fn jwt_about(&self, confirmation: &Value) -> ReusablePassport {
        let mut claims = claims();
        claims["cnf"] = confirmation.clone();
        self.jwt(&claims)
    }

    fn cwt_of(&self, confirmation: Cbor, part: Vec<(Cbor, Cbor)>) -> ReusablePassport {
        let token = self.cwt(cbor(&cwt_claims(confirmation, part)));
        ReusablePassport::new(media_type("eat+cwt"), token)
    }

    fn cwt_about(&self, confirmation: Cbor) -> ReusablePassport {
        self.cwt_of(confirmation, cwt_part())
    }
}

fn claims() -> Value {
    json!({
        "eat_profile": PROFILE, "iss": ISSUER, "iat": NOW,
        "ear_verifier_id": { "developer": "d", "build": "b" },
        "submods": { "a": part() },
    })
}

fn part() -> Value {
    json!({ "ear_status": "affirming", "ear_appraisal_policy_ids": ["p"] })
}

fn cwt_claims(confirmation: Cbor, part: Vec<(Cbor, Cbor)>) -> Cbor {
    map(vec![
        (1, ISSUER.into()),
        (6, NOW.into()),
        (8, confirmation),
        (265, PROFILE.into()),
        (266, Cbor::Map(vec![("a".into(), Cbor::Map(part))])),
        (1004, map(vec![(0, "d".into()), (1, "b".into())])),
    ])
}

fn cwt_part() -> Vec<(Cbor, Cbor)> {
    vec![
        (1000.into(), 2.into()),
        (1003.into(), Cbor::Array(vec!["p".into()])),
    ]
}

/// How a kind of key is spelled, and how many bytes a coordinate has.
struct Kind {
    kty: &'static str,
    crv: &'static str,
    cose: (i64, i64),
    bytes: usize,
    coordinates: usize,
}

impl Kind {
    fn jwk(&self, spki: &[u8]) -> Value {
        let mut jwk = json!({ "kty": self.kty, "crv": self.crv });
        for (name, bytes) in ["x", "y"].iter().zip(self.coordinates(spki)) {
            jwk[name] = BASE64_URL_SAFE_NO_PAD.encode(bytes).into();
        }
        jwk
    }

    fn cose_key(&self, spki: &[u8]) -> Cbor {
        let mut entries = vec![(1, self.cose.0.into()), (-1, self.cose.1.into())];
        for (label, bytes) in [-2, -3].iter().zip(self.coordinates(spki)) {
            entries.push((*label, Cbor::Bytes(bytes.to_vec())));
        }
        map(entries)
    }

    /// The public key ends with them.
    fn coordinates<'a>(&self, spki: &'a [u8]) -> impl Iterator<Item = &'a [u8]> {
        spki[spki.len() - self.coordinates * self.bytes..].chunks(self.bytes)
    }
}

const P256: Kind = Kind {
    kty: "EC",
    crv: "P-256",
    cose: (2, 1),
    bytes: 32,
    coordinates: 2,
};

const P384: Kind = Kind {
    kty: "EC",
    crv: "P-384",
    cose: (2, 2),
    bytes: 48,
    coordinates: 2,
};

const ED25519: Kind = Kind {
    kty: "OKP",
    crv: "Ed25519",
    cose: (1, 6),
    bytes: 32,
    coordinates: 1,
};

fn map(entries: Vec<(i64, Cbor)>) -> Cbor {
    let entries = entries.into_iter();
    Cbor::Map(
        entries
            .map(|(label, value)| (label.into(), value))
            .collect(),
    )
}

fn cbor(value: &Cbor) -> Vec<u8> {
    let mut encoded = Vec::new();
    ciborium::into_writer(value, &mut encoded).unwrap();
    encoded
}

fn media_type(form: &str) -> MediaType {
    MediaType::parse(&format!("application/{form}; eat_profile=\"{PROFILE}\"")).unwrap()
}

fn loose() -> StandardPolicy {
    StandardPolicy::new().dangerous_accept_binding(Binding::Key)
}

fn not_bound() -> Refusal {
    Refusal::Appraisal(AppraisalError::NotBound)
}

/// Trusts the issuer about fresh Evidence and about keys.
async fn accept(
    issuer: &Signer,
    connection: Connection,
    passport: &ReusablePassport,
    policy: StandardPolicy,
) -> Result<PeerAttestation, Refusal> {
    let fresh = |part| Scheme::checks_freshness(part, "p", Bound::verbatim, Origin::Device);
    let key = |part| Scheme::dangerous_key_only(part, "p", Origin::Device);
    let issuer = TrustedIssuer::ietf(Arc::new(issuer.keys()), ISSUER);
    let issuer = issuer.with_scheme(fresh("a")).with_scheme(key("a"));
    let issuer = issuer.with_scheme(fresh("b")).with_scheme(key("b"));
    let provider = rustls::crypto::ring::default_provider();
    let verifier = PassportVerifier::builder(&provider).issuer(issuer).build();
    let relying_party = RelyingParty::builder()
        .verifier(Arc::new(verifier.unwrap()))
        .standard_policy(policy)
        .build()
        .unwrap();
    let credential = connection.attested(passport).await;
    relying_party.appraise(credential, at(NOW)).await
}
