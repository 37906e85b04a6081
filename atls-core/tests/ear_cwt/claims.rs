//! The claims of a CWT.

use atls_core::ear::EarError;
use atls_core::ear::ExpectedNonce;
use atls_core::ear::Tier;
use atls_core::ear::cwt;
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use ciborium::Value as Cbor;
use serde_json::Value;

use crate::support::issuer::Issuer;
use crate::support::issuer::NONCE;
use crate::support::issuer::cbor_map;
use crate::support::issuer::check;
use crate::support::issuer::dotted;
use crate::support::issuer::replaced;
use crate::support::issuer::underscored;
use crate::support::issuer::underscored_cbor;
use crate::support::providers;
use crate::tokens::decode;
use crate::tokens::read_ear;

#[test]
fn a_cwt_has_numbers_for_tiers_and_each_claim_once() {
    let issuer = Issuer::es256();
    let provider = &providers()[0];
    let supported = &provider.signature_verification_algorithms;
    let check = check(1_000_000, ExpectedNonce::Echoed(NONCE));
    let read_ear = |claims: Cbor| {
        cwt::decode(&issuer.cwt(&claims), &issuer.keys(), supported, &check).map(|ear| ear.status())
    };
    let part = |status: Cbor| cbor_map(vec![(1000.into(), status)]);
    let with_part =
        |part: Cbor| replaced(underscored_cbor(), 266, cbor_map(vec![("a".into(), part)]));
    assert_eq!(read_ear(with_part(part(2.into()))), Ok(Tier::Affirming));
    assert_eq!(read_ear(with_part(part(0.into()))), Ok(Tier::None));
    assert_eq!(
        read_ear(with_part(part(96.into()))),
        Ok(Tier::Contraindicated)
    );
    assert_eq!(
        read_ear(with_part(part(3.into()))),
        Err(EarError::Malformed)
    );
    assert_eq!(
        read_ear(with_part(part("affirming".into()))),
        Err(EarError::Malformed)
    );
    let twice = cbor_map(vec![(1000.into(), 2.into()), (1000.into(), 2.into())]);
    assert_eq!(read_ear(with_part(twice)), Err(EarError::Malformed));
    let shadowed = cbor_map(vec![
        (1000.into(), 96.into()),
        ("ear_status".into(), 2.into()),
    ]);
    assert_eq!(read_ear(with_part(shadowed)), Err(EarError::Malformed));
}

#[test]
fn a_cwt_is_of_the_ietf_profiles_only() {
    for profile in [
        "tag:github.com,2023:veraison/ear",
        "tag:github.com,2024:confidential-containers/Trustee",
        "tag:ietf.org,2025-07:ear",
    ] {
        let claims = replaced(underscored_cbor(), 265, profile.into());
        assert_eq!(read_ear(&claims), Err(EarError::Profile), "{profile}");
        // The dialect that has names, under them.
        let claims = replaced_text(as_cbor(&dotted()), "eat_profile", profile);
        assert!(read_ear(&claims).is_err(), "{profile}");
    }
}

#[test]
fn a_name_of_json_is_no_label_of_a_claim() {
    assert_eq!(read_ear(&as_cbor(&underscored())), Err(EarError::Malformed));
    let word = part(vec![("ear_status".into(), "affirming".into())]);
    let hidden = part(vec![
        (1000.into(), 96.into()),
        ("ear_status".into(), "affirming".into()),
    ]);
    for submods in [word, hidden] {
        let mut claims = underscored_cbor().into_map().unwrap();
        claims.retain(|(label, _)| *label != 266.into());
        claims.push(("submods".into(), submods.clone()));
        assert_eq!(read_ear(&Cbor::Map(claims)), Err(EarError::Malformed));
        let claims = replaced(underscored_cbor(), 266, submods);
        assert_eq!(read_ear(&claims), Err(EarError::Malformed));
    }
    for name in [
        "iss",
        "exp",
        "nbf",
        "iat",
        "cnf",
        "eat_nonce",
        "eat_profile",
        "submods",
        "ear_status",
        "ear_verifier_id",
    ] {
        let mut claims = underscored_cbor().into_map().unwrap();
        claims.push((name.into(), Cbor::Null));
        assert_eq!(
            read_ear(&Cbor::Map(claims)),
            Err(EarError::Malformed),
            "{name}"
        );
    }
    for name in [
        "ear_status",
        "ear_trustworthiness_vector",
        "ear_appraisal_policy_ids",
        "eat_nonce",
    ] {
        let claims = vec![(1000.into(), 2.into()), (name.into(), Cbor::Null)];
        let claims = replaced(underscored_cbor(), 266, part(claims));
        assert_eq!(read_ear(&claims), Err(EarError::Malformed), "{name}");
    }
    let vector = vec![(4.into(), 2.into()), ("executables".into(), 2.into())];
    let claims = vec![(1000.into(), 2.into()), (1001.into(), Cbor::Map(vector))];
    let claims = replaced(underscored_cbor(), 266, part(claims));
    assert_eq!(read_ear(&claims), Err(EarError::Malformed));
    let verifier = vec![
        (0.into(), "us".into()),
        ("build".into(), "1".into()),
        (1.into(), "1".into()),
    ];
    let claims = replaced(underscored_cbor(), 1004, Cbor::Map(verifier));
    assert_eq!(read_ear(&claims), Err(EarError::Malformed));
    let by_number = cbor_map(vec![(5.into(), cbor_map(vec![(1000.into(), 2.into())]))]);
    let claims = replaced(underscored_cbor(), 266, by_number);
    assert_eq!(
        read_ear(&claims),
        Err(EarError::Malformed),
        "parts have names"
    );
}

#[test]
fn claims_that_nobody_registered_are_ignored_and_kept() {
    let claims = vec![
        (1000.into(), 2.into()),
        ((-70_001).into(), Cbor::Bytes(vec![1, 2, 3])),
        ("own".into(), Cbor::Tag(99, Box::new(7.into()))),
    ];
    let claims = replaced(underscored_cbor(), 266, part(claims));
    let ear = decode(&Issuer::es256(), &claims).unwrap();
    let part = ear.submod("a").unwrap();
    assert_eq!(part.status(), Tier::Affirming);
    assert_eq!(part.extension("-70001"), Some(&"AQID".into()));
    assert_eq!(part.extension("own"), Some(&7.into()));
}

#[test]
fn the_key_of_a_holder_is_kept_as_json_spells_it() {
    let key = cbor_map(vec![
        (1.into(), 2.into()),
        ((-1).into(), 1.into()),
        ((-2).into(), Cbor::Bytes(vec![0xfb, 0xff])),
    ]);
    let mut claims = underscored_cbor().into_map().unwrap();
    claims.push((8.into(), cbor_map(vec![(1.into(), key)])));
    let ear = decode(&Issuer::es256(), &Cbor::Map(claims)).unwrap();
    let expected = serde_json::json!({ "1": { "1": 2, "-1": 1, "-2": "-_8" } });
    assert_eq!(ear.confirmation(), Some(&expected));
}

#[test]
fn a_registered_claim_is_of_its_type_and_without_tag() {
    let tagged = |tag, value: Cbor| Cbor::Tag(tag, Box::new(value));
    let nonce = || Cbor::Bytes(NONCE.to_vec());
    for value in [
        tagged(99, nonce()),
        "this nonce has thirty-two bytes.".into(),
        BASE64_URL_SAFE_NO_PAD.encode(NONCE).into(),
        Cbor::Array(vec![nonce(), nonce()]),
        Cbor::Null,
    ] {
        let claims = replaced(underscored_cbor(), 10, value.clone());
        assert_eq!(read_ear(&claims), Err(EarError::Nonce), "{value:?}");
    }
    let profile = "tag:ietf.org,2026:rats/ear#04";
    for (label, value) in [
        (1, Cbor::Bytes(b"us".to_vec())),
        (4, 2_000_000.0.into()),
        (4, tagged(1, 2_000_000.into())),
        (5, "1000000".into()),
        (6, tagged(1, 1_000_000.into())),
        (6, 1_000_000.0.into()),
        (6, tagged(99, 1_000_000.into())),
        (265, tagged(32, profile.into())),
        (265, Cbor::Bytes(profile.as_bytes().to_vec())),
        (266, tagged(99, part(vec![(1000.into(), 2.into())]))),
        (266, cbor_map(vec![("a".into(), 1.into())])),
        (1000, "affirming".into()),
        (1000, tagged(99, 2.into())),
        (1004, Cbor::Array(vec![])),
        (1004, verifier(Cbor::Bytes(vec![1]))),
        (1004, verifier(tagged(99, "us".into()))),
        (1004, verifier(Cbor::Null)),
    ] {
        let claims = replaced(underscored_cbor(), label, value.clone());
        assert_eq!(
            read_ear(&claims),
            Err(EarError::Malformed),
            "{label} {value:?}"
        );
    }
    for (label, value) in [
        (1000, tagged(99, 2.into())),
        (1000, 2.0.into()),
        (1001, Cbor::Array(vec![])),
        (1001, tagged(99, cbor_map(vec![(4.into(), 2.into())]))),
        (1001, cbor_map(vec![(4.into(), "2".into())])),
        (1001, cbor_map(vec![(4.into(), tagged(99, 2.into()))])),
        (1001, cbor_map(vec![(4.into(), 128.into())])),
        (1003, "p".into()),
        (1003, Cbor::Array(vec![Cbor::Bytes(vec![1])])),
    ] {
        let mut claims = vec![(1000.into(), 2.into())];
        claims.retain(|(known, _): &(Cbor, Cbor)| *known != label.into());
        claims.push((label.into(), value.clone()));
        let claims = replaced(underscored_cbor(), 266, part(claims));
        assert_eq!(
            read_ear(&claims),
            Err(EarError::Malformed),
            "{label} {value:?}"
        );
    }
}

#[test]
fn an_integer_is_written_as_one() {
    let issuer = Issuer::es256();
    let bignum = |value: u8| Cbor::Tag(2, Box::new(Cbor::Bytes(vec![value])));
    let status = part(vec![(1000.into(), bignum(2))]);
    let label = part(vec![(1000.into(), 2.into()), (bignum(9), Cbor::Null)]);
    for part in [status, label] {
        let claims = replaced(underscored_cbor(), 266, part);
        let refused = decode(&issuer, &claims).unwrap_err();
        assert_eq!(refused, EarError::Malformed);
    }
}

/// `submods` of one part.
fn part(claims: Vec<(Cbor, Cbor)>) -> Cbor {
    cbor_map(vec![("a".into(), Cbor::Map(claims))])
}

fn verifier(developer: Cbor) -> Cbor {
    cbor_map(vec![(0.into(), developer), (1.into(), "1".into())])
}

/// JSON as CBOR, names and all.
fn as_cbor(json: &Value) -> Cbor {
    match json {
        Value::Object(members) => {
            let members = members.iter();
            let members = members.map(|(name, value)| (name.as_str().into(), as_cbor(value)));
            Cbor::Map(members.collect())
        }
        Value::Array(elements) => Cbor::Array(elements.iter().map(as_cbor).collect()),
        Value::String(text) => text.as_str().into(),
        other => other.as_i64().unwrap().into(),
    }
}

fn replaced_text(map: Cbor, name: &str, value: &str) -> Cbor {
    let mut entries = map.into_map().unwrap();
    entries.retain(|(known, _)| *known != name.into());
    entries.push((name.into(), value.into()));
    Cbor::Map(entries)
}
