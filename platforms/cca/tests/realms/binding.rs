//! The link between connection, realm and platform.

use atls_cca::CcaProfile;
use atls_cca::KeyHash;
use atls_cca::RealmKey;
use atls_cca::testing::ForgedCca;
use atls_cca::testing::ForgedKey;
use atls_core::AppraisalError;
use atls_core::ear::Tier;
use atls_formats::psa::CcaToken;
use ciborium::Value;
use test_support::Connection;

use crate::setting::Setting;
use crate::support::bytes;
use crate::support::replace;
use crate::support::resealed;

#[test]
fn a_token_of_another_connection_is_refused() {
    let setting = Setting::new();
    let other = Connection::new();
    let replayed = other.evidence(&mut setting.forged.attester());
    assert_eq!(setting.refusal(&replayed), AppraisalError::NotBound);
}

/// The binding, under signatures that verify: a realm management monitor that lies.
#[test]
fn a_challenge_that_is_cut_padded_empty_or_another_is_refused() {
    for connection in [Connection::new(), Connection::sha384()] {
        let setting = Setting::with(connection, ForgedCca::new());
        let whole = setting.challenge();
        let bound = setting.connection.bound().as_bytes().to_vec();
        let appraise = |challenge: Value| {
            let realm = setting.forged.realm_token(&whole);
            let realm = resealed(&realm, &setting.forged.rak, |claims| {
                replace(claims, 10, challenge);
            });
            let token = CcaToken::encode(&setting.forged.platform_token(), &realm).unwrap();
            setting.appraise(&token).map(drop)
        };
        assert_eq!(appraise(bytes(&whole)), Ok(()));
        for (challenge, expected) in [
            (vec![], AppraisalError::Malformed),
            (whole[..63].to_vec(), AppraisalError::Malformed),
            ([&whole[..], &[0]].concat(), AppraisalError::Malformed),
            (vec![0; 64], AppraisalError::NotBound),
            // As the kernel pads shorter ones.
            (
                [&bound[..], &vec![0; 64 - bound.len()]].concat(),
                AppraisalError::NotBound,
            ),
            ([&whole[..32], &[0; 32]].concat(), AppraisalError::NotBound),
            (
                whole.iter().rev().copied().collect(),
                AppraisalError::NotBound,
            ),
        ] {
            assert_eq!(appraise(bytes(&challenge)), Err(expected), "{challenge:?}");
        }
        let several = Value::Array(vec![bytes(&whole), bytes(&whole)]);
        assert_eq!(appraise(several), Err(AppraisalError::Malformed));
    }
}

/// Each part is genuine, and signed by whom it should be.
#[test]
fn a_realm_token_is_good_with_its_own_platform_token_alone() {
    let setting = Setting::new();
    let ours = &setting.forged;
    let challenge = setting.challenge();
    // Another realm on the same platform, whose key the platform vouches for in another token.
    let mut neighbour = ours.clone();
    neighbour.rak = ForgedKey::p384();
    let key = neighbour.rak.key().to_cose_key().unwrap();
    neighbour.realm.key = RealmKey::decode(&key).unwrap();
    assert!(setting.appraise(&neighbour.token(&challenge)).is_ok());
    for (platform, realm) in [(ours, &neighbour), (&neighbour, ours)] {
        let (platform, realm) = (platform.platform_token(), realm.realm_token(&challenge));
        let token = CcaToken::encode(&platform, &realm).unwrap();
        assert_eq!(setting.refusal(&token), AppraisalError::UnknownKey);
    }
    // The two tokens in each other's place.
    let (platform, realm) = (ours.platform_token(), ours.realm_token(&challenge));
    let swapped = CcaToken::encode(&realm, &platform).unwrap();
    assert_eq!(setting.refusal(&swapped), AppraisalError::Malformed);
    let twice = CcaToken::encode(&platform, &platform).unwrap();
    assert_eq!(setting.refusal(&twice), AppraisalError::Malformed);
}

/// The realm's key is named, and another one signs.
#[test]
fn a_realm_token_that_another_key_signs_is_refused() {
    let setting = Setting::new();
    let mut liar = setting.forged.clone();
    liar.rak = ForgedKey::p384();
    let token = liar.token(&setting.challenge());
    assert_eq!(setting.refusal(&token), AppraisalError::BadSignature);
}

/// The digest of the claim's bytes is vouched for, not that of the key in them.
#[test]
fn the_realms_key_in_another_form_is_refused() {
    let mut forged = ForgedCca::of(CcaProfile::First);
    let setting = Setting::of(forged.clone());
    let point = setting.forged.platform_token();
    let cose_key = forged.rak.key().to_cose_key().unwrap();
    forged.realm.key = RealmKey::decode(&cose_key).unwrap();
    let realm = forged.realm_token(&setting.challenge());
    let token = CcaToken::encode(&point, &realm).unwrap();
    assert_eq!(setting.refusal(&token), AppraisalError::UnknownKey);
    // With a platform token about this form it is as good.
    assert!(
        setting
            .appraise(&forged.token(&setting.challenge()))
            .is_ok()
    );
}

#[test]
fn the_hash_between_the_tokens_is_the_named_one() {
    for key_hash in [KeyHash::Sha256, KeyHash::Sha384, KeyHash::Sha512] {
        let mut forged = ForgedCca::new();
        forged.realm.key_hash = key_hash;
        let setting = Setting::of(forged.clone());
        assert_eq!(setting.status(), Tier::Affirming);
        for other in [KeyHash::Sha256, KeyHash::Sha384, KeyHash::Sha512] {
            let mut renamed = forged.clone();
            renamed.realm.key_hash = other;
            let realm = renamed.realm_token(&setting.challenge());
            let token = CcaToken::encode(&forged.platform_token(), &realm).unwrap();
            let appraised = setting.appraise(&token).map(drop);
            let expected = if other == key_hash {
                Ok(())
            } else {
                Err(AppraisalError::UnknownKey)
            };
            assert_eq!(appraised, expected);
        }
    }
}
