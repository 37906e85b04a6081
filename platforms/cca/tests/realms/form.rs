//! Bytes that are altered, cut, repeated, deep or of no form at all.

use atls_cca::RealmKey;
use atls_cca::testing::ForgedCca;
use atls_cca::testing::ForgedKey;
use atls_core::AppraisalError;
use atls_formats::psa::CcaToken;
use ciborium::Value;
use proptest::prelude::*;

use crate::setting::Setting;
use crate::support::resealed;

#[test]
fn every_flipped_bit_and_every_truncation_is_refused() {
    // The faster curve: there are thousands of appraisals.
    let mut forged = ForgedCca::new();
    (forged.cpak, forged.rak) = (ForgedKey::p256(), ForgedKey::p256());
    let key = forged.rak.key().to_cose_key().unwrap();
    forged.realm.key = RealmKey::decode(&key).unwrap();
    let setting = Setting::of(forged);
    let token = setting.token();
    for index in 0..token.len() {
        assert!(setting.appraise(&token[..index]).is_err(), "cut at {index}");
        for bit in 0..8 {
            let mut flipped = token.clone();
            flipped[index] ^= 1 << bit;
            let refused = setting.appraise(&flipped).is_err();
            assert!(refused, "bit {bit} of {index}");
        }
    }
    let trailing = [&token[..], &[0]].concat();
    assert_eq!(setting.refusal(&trailing), AppraisalError::Malformed);
}

#[test]
fn a_claim_that_stands_twice_is_refused_and_an_unknown_one_ignored() {
    let setting = Setting::new();
    let forged = &setting.forged;
    let (platform, realm) = (
        forged.platform_token(),
        forged.realm_token(&setting.challenge()),
    );
    let doubled = |token: &[u8], key, claim: i32| {
        resealed(token, key, |claims| {
            let found = claims.iter().find(|(known, _)| *known == claim.into());
            let again = found.unwrap().clone();
            claims.push(again);
        })
    };
    for claim in [10, 256, 265, 2395, 2396, 2399, 2401, 2402] {
        let platform = doubled(&platform, &forged.cpak, claim);
        let token = CcaToken::encode(&platform, &realm).unwrap();
        assert_eq!(
            setting.refusal(&token),
            AppraisalError::Malformed,
            "{claim}"
        );
    }
    for claim in [10, 265, 44235, 44236, 44237, 44238, 44239, 44240] {
        let realm = doubled(&realm, &forged.rak, claim);
        let token = CcaToken::encode(&platform, &realm).unwrap();
        assert_eq!(
            setting.refusal(&token),
            AppraisalError::Malformed,
            "{claim}"
        );
    }
    let more = resealed(&realm, &forged.rak, |claims| {
        claims.push((44_241.into(), "shared".into()));
        claims.push(((-70_000).into(), Value::Null));
    });
    let token = CcaToken::encode(&platform, &more).unwrap();
    assert!(setting.appraise(&token).is_ok());
}

/// CBOR that is longer than it has to be, or deeper. Only the first is allowed.
#[test]
fn numbers_may_be_longer_than_needed_and_nesting_ends_at_16() {
    let setting = Setting::new();
    let forged = &setting.forged;
    let platform = forged.platform_token();
    let token = CcaToken::encode(&platform, &forged.realm_token(&setting.challenge())).unwrap();
    assert_eq!(token[..7], [0xd9, 0x01, 0x8f, 0xa2, 0x19, 0xac, 0xca]);
    let longer = [
        &[0xd9, 0x01, 0x8f, 0xa2, 0x1a, 0, 0, 0xac, 0xca][..],
        &token[7..],
    ]
    .concat();
    assert!(setting.appraise(&longer).is_ok());
    for (depth, is_read) in [(15, true), (16, false), (60, false)] {
        let nested = (0..depth).fold(Value::Null, |inner, _| Value::Array(vec![inner]));
        let realm = forged.realm_token(&setting.challenge());
        let realm = resealed(&realm, &forged.rak, |claims| {
            claims.push(((-70_000).into(), nested));
        });
        let token = CcaToken::encode(&platform, &realm).unwrap();
        assert_eq!(setting.appraise(&token).is_ok(), is_read, "{depth}");
    }
    let many = resealed(
        &forged.realm_token(&setting.challenge()),
        &forged.rak,
        |claims| {
            claims.extend((0..600).map(|key| ((-70_000 - key).into(), Value::Null)));
        },
    );
    let token = CcaToken::encode(&platform, &many).unwrap();
    assert_eq!(setting.refusal(&token), AppraisalError::Malformed);
}

proptest! {
    #[test]
    fn arbitrary_bytes_are_refused(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let setting = Setting::new();
        prop_assert!(setting.appraise(&bytes).is_err());
        let framed = [&[0xd9, 0x01, 0x8f, 0xa2, 0x19, 0xac, 0xca], &bytes[..]].concat();
        prop_assert!(setting.appraise(&framed).is_err());
    }
}
