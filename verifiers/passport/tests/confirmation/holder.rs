//! The holder of a passport.

use atls_core::AppraisalError;
use atls_core::Binding;
use atls_core::PolicyViolation;
use atls_core::Refusal;
use atls_core::StandardPolicy;
use atls_passport::ReusablePassport;
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::Value;
use serde_json::json;
use stand_in::Signer;
use test_support::Connection;
use test_support::identity;
use test_support::identity_of;

use crate::office::ED25519;
use crate::office::Kind;
use crate::office::Office;
use crate::office::P256;
use crate::office::accept;
use crate::office::cbor;
use crate::office::claims;
use crate::office::cwt_claims;
use crate::office::cwt_part;
use crate::office::loose;
use crate::office::map;
use crate::office::media_type;
use crate::office::not_bound;

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

const P384: Kind = Kind {
    kty: "EC",
    crv: "P-384",
    cose: (2, 2),
    bytes: 48,
    coordinates: 2,
};
