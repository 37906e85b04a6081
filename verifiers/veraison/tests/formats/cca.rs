//! CCA tokens.

use atls_core::AppraisalError;
use atls_core::Origin;
use atls_remote::EvidenceReading;
use atls_sim::IMPLEMENTATION_ID;
use atls_veraison::CcaToken;
use ciborium::Value;

use crate::found::CHALLENGE;
use crate::found::Entries;
use crate::found::and;
use crate::found::bytes;
use crate::found::check;
use crate::found::encode;
use crate::found::found;
use crate::found::sign1;
use crate::found::with;
use crate::found::without;

fn platform() -> Entries {
    vec![
        (2395.into(), 0x3003.into()),
        (2396.into(), Value::Bytes(vec![9; 32])),
    ]
}

fn realm() -> Entries {
    vec![(10.into(), bytes(&CHALLENGE))]
}

fn tokens() -> Entries {
    vec![
        (44234.into(), Value::Bytes(sign1(platform()))),
        (44241.into(), Value::Bytes(sign1(realm()))),
    ]
}

fn check_cca(tokens: Entries) -> Result<EvidenceReading, AppraisalError> {
    let collection = Value::Tag(399, Box::new(Value::Map(tokens)));
    check(&CcaToken::new(), &encode(collection), &CHALLENGE)
}

fn check_realm(claims: Entries) -> Result<EvidenceReading, AppraisalError> {
    check_cca(with(tokens(), 44241, Value::Bytes(sign1(claims))))
}

#[test]
fn a_realm_token_carries_the_challenge_whole_and_once() {
    assert_eq!(check_cca(tokens()), found(&CHALLENGE, Origin::Device, 2));
    for challenge in [&CHALLENGE[..63], &CHALLENGE[..32], &[0; 64], &[], &[7; 65]] {
        let refused = check_realm(with(realm(), 10, bytes(challenge)));
        assert_eq!(refused, Err(AppraisalError::NotBound), "{challenge:?}");
    }
    for claims in [Vec::new(), and(realm(), 10, bytes(&CHALLENGE))] {
        assert_eq!(check_realm(claims), Err(AppraisalError::Malformed));
    }
}

/// The collection is not signed: an attacker would add a second realm token, for one reader or the other.
#[test]
fn a_collection_holds_two_tokens_and_nothing_else() {
    let stale = || bytes(&sign1(with(realm(), 10, bytes(&[0; 64]))));
    for key in [
        44241.into(),
        44242.into(),
        44234.into(),
        "44241".into(),
        Value::Float(44241.0),
    ] {
        let shown = format!("{key:?}");
        let mut third = tokens();
        third.push((key, stale()));
        assert_eq!(check_cca(third), Err(AppraisalError::Malformed), "{shown}");
    }
    for key in [44234, 44241] {
        let one = check_cca(without(tokens(), key));
        assert_eq!(one, Err(AppraisalError::Malformed), "{key}");
    }
    let bare = Value::Map(tokens());
    let cmw = Value::Tag(907, Box::new(Value::Map(tokens())));
    for other in [bare, cmw] {
        let refused = check(&CcaToken::new(), &encode(other), &CHALLENGE);
        assert_eq!(refused, Err(AppraisalError::Malformed));
    }
}

#[test]
fn a_platform_token_says_origin_and_lifecycle() {
    let check = |claims| check_cca(with(tokens(), 44234, bytes(&sign1(claims))));
    let debugged = check(with(platform(), 2395, 0x4000));
    assert_eq!(debugged, found(&CHALLENGE, Origin::Device, 96));
    let simulated = check(with(platform(), 2396, bytes(&IMPLEMENTATION_ID)));
    assert_eq!(simulated, found(&CHALLENGE, Origin::Simulated, 2));
    for key in [2395, 2396] {
        let refused = check(without(platform(), key));
        assert_eq!(refused, Err(AppraisalError::Malformed), "{key}");
    }
}
