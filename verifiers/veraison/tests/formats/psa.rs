//! PSA tokens.

use atls_core::AppraisalError;
use atls_core::Origin;
use atls_remote::EvidenceReading;
use atls_sim::IMPLEMENTATION_ID;
use atls_veraison::PsaToken;
use ciborium::Value;

use crate::found::Entries;
use crate::found::NONCE;
use crate::found::and;
use crate::found::bytes;
use crate::found::check;
use crate::found::found;
use crate::found::psa;
use crate::found::sign1;
use crate::found::with;
use crate::found::without;

fn check_psa(claims: Entries) -> Result<EvidenceReading, AppraisalError> {
    check(&PsaToken::tfm(), &sign1(claims), &NONCE)
}

#[test]
fn a_psa_token_carries_the_nonce_whole_and_once() {
    assert_eq!(check_psa(psa()), found(&NONCE, Origin::Device, 2));
    for nonce in [
        &NONCE[..31],
        &[&NONCE[..], &[0]].concat(),
        &[0; 32],
        &[0; 64],
        &[],
        &[&NONCE[..], &NONCE[..]].concat(),
    ] {
        let refused = check_psa(with(psa(), 10, bytes(nonce)));
        assert_eq!(refused, Err(AppraisalError::NotBound), "{nonce:?}");
    }
    let several = Value::Array(vec![bytes(&NONCE), bytes(&[0; 32])]);
    let text = Value::Text(String::from_utf8(NONCE.to_vec()).unwrap());
    for claims in [
        with(psa(), 10, several),
        with(psa(), 10, text),
        without(psa(), 10),
        and(psa(), 10, bytes(&NONCE)),
        and(psa(), 10, bytes(&[0; 32])),
    ] {
        assert_eq!(check_psa(claims), Err(AppraisalError::Malformed));
    }
    let empty = check(&PsaToken::tfm(), &sign1(psa()), &[]);
    assert_eq!(empty, Err(AppraisalError::NotBound));
}

#[test]
fn a_psa_token_has_the_profile_of_its_media_type() {
    let any = |claims| check(&PsaToken::any_profile(), &sign1(claims), &NONCE);
    let older = with(psa(), 265, "http://arm.com/psa/2.0.0");
    assert_eq!(check_psa(older.clone()), Err(AppraisalError::Malformed));
    assert_eq!(any(older), found(&NONCE, Origin::Device, 2));
    let oldest = and(without(psa(), 265), -75000, "PSA_IOT_PROFILE_1");
    assert_eq!(any(oldest), Err(AppraisalError::Malformed));
    let two = and(psa(), 265, "http://arm.com/psa/2.0.0");
    assert_eq!(any(two), Err(AppraisalError::Malformed));
}

#[test]
fn a_psa_token_says_whether_it_is_simulated() {
    let simulated = with(psa(), 2396, bytes(&IMPLEMENTATION_ID));
    assert_eq!(check_psa(simulated), found(&NONCE, Origin::Simulated, 2));
    let twice = and(psa(), 2396, bytes(&IMPLEMENTATION_ID));
    for claims in [without(psa(), 2396), twice] {
        assert_eq!(check_psa(claims), Err(AppraisalError::Malformed));
    }
}

#[test]
fn only_a_secured_lifecycle_is_acceptable() {
    for (code, configuration) in [
        (0x3000, 2),
        (0x3001, 2),
        (0x30ff, 2),
        (0, 96),
        (0x2fff, 96),
        (0x3100, 96),
        (0x4000, 96),
        (0xffff, 96),
    ] {
        let read = check_psa(with(psa(), 2395, code));
        let expected = found(&NONCE, Origin::Device, configuration);
        assert_eq!(read, expected, "{code:#x}");
    }
    for code in [
        (-1).into(),
        0x10000.into(),
        "secured".into(),
        bytes(&[0x30, 0]),
    ] {
        let refused = check_psa(with(psa(), 2395, code));
        assert_eq!(refused, Err(AppraisalError::Malformed));
    }
    let absent = check_psa(without(psa(), 2395));
    assert_eq!(absent, Err(AppraisalError::Malformed));
}
