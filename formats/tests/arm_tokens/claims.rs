//! Claims have their types and sizes.

use atls_formats::psa::CcaPlatform;
use atls_formats::psa::CcaRealm;
use atls_formats::psa::Lifecycle;
use atls_formats::psa::PsaDevice;
use atls_formats::psa::SignedToken;
use atls_formats::psa::TokenError;
use ciborium::Value;
use coset::CborSerializable;
use coset::TaggedCborSerializable;

use crate::makers::Entries;
use crate::makers::altered;
use crate::makers::bytes;
use crate::makers::device;
use crate::makers::device_token;
use crate::makers::platform;
use crate::makers::platform_token;
use crate::makers::realm;
use crate::makers::realm_token;

#[test]
fn each_claim_of_a_platform_has_its_size() {
    let read = |key: i32, value: Option<Value>| {
        let token = altered(&platform_token(&platform()), key, value);
        SignedToken::decode(&token).map(|token| CcaPlatform::of(token.claims()).map(drop))
    };
    for key in [10, 256, 265, 2395, 2396, 2399, 2401, 2402] {
        let refused = Ok(Err(TokenError::Claim(u16::try_from(key).unwrap())));
        assert_eq!(read(key, None), refused, "{key} absent");
        assert_eq!(read(key, Some(Value::Null)), refused, "{key} mistyped");
    }
    assert_eq!(read(2400, None), Ok(Ok(())));
    assert_eq!(read(2400, Some(7.into())), Ok(Err(TokenError::Claim(2400))));
    for (key, wrong) in [
        (10, bytes(&[0; 33])),
        (10, bytes(&[])),
        (256, bytes(&[1; 32])),
        (256, bytes(&[2; 33])),
        (265, "tag:arm.com,2023:realm#1.0.0".into()),
        (265, "http://arm.com/psa/2.0.0".into()),
        (2395, (-1).into()),
        (2395, 0x1_0000.into()),
        (2396, bytes(&[0; 31])),
        (2399, Value::Array(Vec::new())),
        (2399, Value::Array(vec![Value::Map(Vec::new())])),
    ] {
        let refused = Ok(Err(TokenError::Claim(u16::try_from(key).unwrap())));
        assert_eq!(read(key, Some(wrong.clone())), refused, "{key} {wrong:?}");
    }
}

#[test]
fn each_claim_of_a_realm_has_its_size() {
    let read = |key: i32, value: Option<Value>| {
        let token = altered(&realm_token(&realm()), key, value);
        SignedToken::decode(&token).map(|token| CcaRealm::of(token.claims()).map(drop))
    };
    for key in [10, 44235, 44236, 44237, 44238, 44239, 44240] {
        let refused = Ok(Err(TokenError::Claim(u16::try_from(key).unwrap())));
        assert_eq!(read(key, None), refused, "{key} absent");
        assert_eq!(read(key, Some(Value::Null)), refused, "{key} mistyped");
    }
    let measured =
        |length: usize, number: usize| Value::Array(vec![bytes(&vec![0; length]); number]);
    for (key, wrong) in [
        (10, bytes(&[0; 63])),
        (10, bytes(&[])),
        (10, Value::Array(vec![bytes(&[0; 64])])),
        (265, "tag:arm.com,2023:cca_platform#1.0.0".into()),
        (44235, bytes(&[0; 65])),
        (44237, bytes(&[4; 96])),
        (44237, bytes(&[])),
        (44238, bytes(&[0; 20])),
        (44239, measured(32, 3)),
        (44239, measured(32, 5)),
        (44239, measured(31, 4)),
        (44240, "sha-1".into()),
        (44240, "SHA-256".into()),
    ] {
        let refused = Ok(Err(TokenError::Claim(u16::try_from(key).unwrap())));
        assert_eq!(read(key, Some(wrong.clone())), refused, "{key} {wrong:?}");
    }
    // Without a profile it is one of the first generation, which may have either form of the key.
    assert_eq!(read(265, None), Ok(Ok(())));
}

#[test]
fn each_claim_of_a_device_has_its_size() {
    let read = |key: i32, value: Option<Value>| {
        let token = altered(&device_token(&device()), key, value);
        SignedToken::decode(&token).map(|token| PsaDevice::of(token.claims()).map(drop))
    };
    for key in [10, 256, 265, 2394, 2395, 2396, 2399] {
        let refused = Ok(Err(TokenError::Claim(u16::try_from(key).unwrap())));
        assert_eq!(read(key, None), refused, "{key} absent");
        assert_eq!(read(key, Some(Value::Null)), refused, "{key} mistyped");
    }
    for key in [268, 2398, 2400] {
        assert_eq!(read(key, None), Ok(Ok(())), "{key} absent");
        let refused = Ok(Err(TokenError::Claim(u16::try_from(key).unwrap())));
        assert_eq!(read(key, Some(Value::Null)), refused, "{key} mistyped");
    }
    for (key, wrong) in [
        (10, bytes(&[0; 31])),
        (256, bytes(&[2; 33])),
        (268, bytes(&[0; 7])),
        (268, bytes(&[0; 33])),
        (2396, bytes(&[0; 33])),
    ] {
        let refused = Ok(Err(TokenError::Claim(u16::try_from(key).unwrap())));
        assert_eq!(read(key, Some(wrong.clone())), refused, "{key} {wrong:?}");
    }
}

#[test]
fn a_lifecycle_is_a_range() {
    for (codes, stage) in [
        (0x0000..=0x00ff, "unknown"),
        (0x1000..=0x10ff, "assembly and test"),
        (0x2000..=0x20ff, "provisioning of the root of trust"),
        (0x3000..=0x30ff, "secured"),
        (0x4000..=0x40ff, "debug, outside of the root of trust"),
        (0x5000..=0x50ff, "recoverable debug of the root of trust"),
        (0x6000..=0x60ff, "decommissioned"),
        (0x3100..=0x3fff, "not defined"),
        (0x2100..=0x2fff, "not defined"),
        (0x6100..=0xffff, "not defined"),
    ] {
        for code in codes {
            let lifecycle = Lifecycle::from(code);
            assert_eq!(lifecycle.stage(), stage, "{code:#x}");
            let is_secured = lifecycle == Lifecycle::Secured;
            assert_eq!(is_secured, stage == "secured", "{code:#x}");
        }
    }
}

/// Whoever wrote both could otherwise have two readers see two values.
#[test]
fn a_claim_under_both_numbers_of_the_legacy_profile_is_refused() {
    let legacy = |entries: Entries| {
        let payload = Value::Map(entries).to_vec().unwrap();
        let sign1 = coset::CoseSign1Builder::new().payload(payload).build();
        let token = SignedToken::decode(&sign1.to_tagged_vec().unwrap()).unwrap();
        token.claims().nonce().map(<[u8]>::to_vec)
    };
    let profile = || ((-75_000).into(), "PSA_IOT_PROFILE_1".into());
    let older = || ((-75_008).into(), bytes(&[1; 32]));
    let newer = || (10.into(), bytes(&[2; 32]));
    assert_eq!(legacy(vec![profile(), older()]), Ok(vec![1; 32]));
    let refused = Err(TokenError::Claim(10));
    assert_eq!(legacy(vec![profile(), older(), newer()]), refused);
    assert_eq!(legacy(vec![older()]), refused);
}
