//! Tokens are read as they are written, and genuine ones too.

use atls_formats::psa::CcaPlatform;
use atls_formats::psa::CcaProfile;
use atls_formats::psa::CcaRealm;
use atls_formats::psa::CcaToken;
use atls_formats::psa::Ecdsa;
use atls_formats::psa::Lifecycle;
use atls_formats::psa::Profile;
use atls_formats::psa::PsaDevice;
use atls_formats::psa::SignedToken;
use atls_formats::psa::TokenError;
use coset::CoseSign1;
use coset::TaggedCborSerializable;

use crate::makers::platform;
use crate::makers::platform_token;
use crate::makers::realm;
use crate::makers::realm_token;

#[test]
fn indefinite_lengths_are_refused_and_longer_heads_are_read() {
    let token = platform_token(&platform());
    let sign1 = CoseSign1::from_tagged_slice(&token).unwrap();
    let payload = sign1.payload.unwrap();
    assert_eq!(payload[0], 0xa9);
    let around = |payload: Vec<u8>| {
        let sign1 = coset::CoseSign1Builder::new().payload(payload).build();
        SignedToken::decode(&sign1.to_tagged_vec().unwrap()).map(drop)
    };
    let longer = [&[0xb8, 9][..], &payload[1..]].concat();
    assert_eq!(around(longer), Ok(()));
    let indefinite = [&[0xbf][..], &payload[1..], &[0xff]].concat();
    assert_eq!(around(indefinite), Err(TokenError::Claims));
    // The frame.
    let indefinite = [&[0xd2, 0x9f][..], &token[2..], &[0xff]].concat();
    let refused = SignedToken::decode(&indefinite).map(drop);
    assert_eq!(refused, Err(TokenError::Envelope));
    // The collection, which nobody signs.
    let collection = CcaToken::encode(&token, &realm_token(&realm())).unwrap();
    assert_eq!(collection[..4], [0xd9, 0x01, 0x8f, 0xa2]);
    let indefinite = [&[0xd9, 0x01, 0x8f, 0xbf][..], &collection[4..], &[0xff]].concat();
    let refused = CcaToken::decode(&indefinite).map(drop);
    assert_eq!(refused, Err(TokenError::Collection));
}

/// Genuine firmware made all of them, under keys that are published.
#[test]
fn genuine_tokens_are_read() {
    let Some(folder) = test_support::vectors() else {
        return;
    };
    let file = |name: &str| std::fs::read(folder.join(name)).unwrap();
    for (name, realm_profile, cose_key, is_vouched_for) in [
        ("cca/cca-token-01.cbor", CcaProfile::First, false, true),
        ("cca/cca-token-02.cbor", CcaProfile::First, false, true),
        ("cca/cca-example-token.cbor", CcaProfile::First, false, true),
        ("cca/bug-33-repro.cbor", CcaProfile::First, false, false),
        ("corim/cca-good.cbor", CcaProfile::Tag2023, true, true),
    ] {
        let token = CcaToken::decode(&file(name)).unwrap();
        let platform = CcaPlatform::of(token.platform()).unwrap();
        let realm = CcaRealm::of(token.realm()).unwrap();
        assert_eq!(platform.profile, CcaProfile::First, "{name}");
        assert_eq!(realm.profile, realm_profile, "{name}");
        let is_point = realm.key.encoded() == realm.key.key().point();
        assert_eq!(is_point, !cose_key, "{name}");
        let is_bound = realm.key_digest() == platform.challenge;
        assert_eq!(is_bound, is_vouched_for, "{name}");
        assert_eq!(platform.lifecycle, Lifecycle::Secured, "{name}");
    }
    for (name, profile, components) in [
        ("psa/psa-2_0_0_sign1.bin", Profile::Predecessor, 2),
        ("psa/psa-iot-1_sign1.bin", Profile::Legacy, 2),
        ("corim/psa.good.cose", Profile::Predecessor, 3),
    ] {
        let token = SignedToken::decode(&file(name)).unwrap();
        assert_eq!(token.plain_ecdsa(), Some(Ecdsa::Es256), "{name}");
        let device = PsaDevice::of(token.claims()).unwrap();
        assert_eq!(device.profile, profile, "{name}");
        assert_eq!(device.components.len(), components, "{name}");
    }
}
