//! Claims of CCA platforms, CCA realms and PSA devices: what is written is read, and each rule of the form has a case that breaks it.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

use atls_formats::psa::CcaPlatform;
use atls_formats::psa::CcaProfile;
use atls_formats::psa::CcaRealm;
use atls_formats::psa::CcaToken;
use atls_formats::psa::Claims;
use atls_formats::psa::Component;
use atls_formats::psa::EcKey;
use atls_formats::psa::Ecdsa;
use atls_formats::psa::KeyHash;
use atls_formats::psa::Lifecycle;
use atls_formats::psa::Profile;
use atls_formats::psa::PsaDevice;
use atls_formats::psa::RealmKey;
use atls_formats::psa::SignedToken;
use atls_formats::psa::TokenError;
use ciborium::Value;
use coset::CborSerializable;
use coset::CoseSign1;
use coset::TaggedCborSerializable;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

type Entries = Vec<(Value, Value)>;

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
fn a_bare_point_is_a_key_of_the_first_generation_alone() {
    let point = RealmKey::decode(ec_key(Ecdsa::Es384).point()).unwrap();
    for (profile, expected) in [
        (CcaProfile::First, Ok(())),
        (CcaProfile::Tag2023, Err(TokenError::Claim(44237))),
    ] {
        let realm = CcaRealm {
            profile,
            key: point.clone(),
            ..realm()
        };
        let token = SignedToken::decode(&realm_token(&realm)).unwrap();
        assert_eq!(CcaRealm::of(token.claims()).map(drop), expected);
    }
}

#[test]
fn a_cose_key_has_one_curve_whole_coordinates_and_no_private_part() {
    let good = || -> Entries {
        vec![
            (1.into(), 2.into()),
            ((-1).into(), 2.into()),
            ((-2).into(), bytes(&[7; 48])),
            ((-3).into(), bytes(&[8; 48])),
        ]
    };
    let read = |change: &dyn Fn(&mut Entries)| {
        let mut entries = good();
        change(&mut entries);
        EcKey::from_cose_key(&Value::Map(entries).to_vec().unwrap()).is_some()
    };
    assert!(read(&|_| {}));
    assert!(read(&|key| key.push((3.into(), (-35).into()))));
    assert!(read(
        &|key| key.push((4.into(), Value::Array(vec![1.into(), 2.into()])))
    ));
    assert!(read(&|key| key.push((2.into(), bytes(b"name")))));
    let refused: [&dyn Fn(&mut Entries); 12] = [
        &|key| key[0].1 = 1.into(),
        &|key| key[1].1 = 1.into(),
        &|key| key[1].1 = 4.into(),
        &|key| key[2].1 = bytes(&[7; 47]),
        &|key| key[3].1 = Value::Bool(true),
        &|key| key.push(((-4).into(), bytes(&[9; 48]))),
        &|key| key.push((3.into(), (-7).into())),
        &|key| key.push((3.into(), "ES384".into())),
        &|key| key.push((4.into(), Value::Array(vec![1.into()]))),
        &|key| key.push(key[2].clone()),
        &|key| drop(key.remove(3)),
        &|key| key.extend([(3.into(), (-35).into()), (3.into(), (-35).into())]),
    ];
    for (number, change) in refused.iter().enumerate() {
        assert!(!read(*change), "{number}");
    }
}

#[test]
fn a_key_is_the_same_in_each_form_and_cut_in_none() {
    for ecdsa in Ecdsa::ALL {
        let key = ec_key(ecdsa);
        let (spki, cose) = (key.to_spki(), key.to_cose_key().unwrap());
        assert_eq!(EcKey::from_spki(&spki), Some(key.clone()));
        assert_eq!(EcKey::from_cose_key(&cose), Some(key.clone()));
        assert_eq!(EcKey::from_point(key.point()), Some(key.clone()));
        for length in 0..spki.len() {
            assert_eq!(EcKey::from_spki(&spki[..length]), None, "{length}");
        }
        for length in 0..cose.len() {
            assert_eq!(EcKey::from_cose_key(&cose[..length]), None, "{length}");
        }
        for length in 0..key.point().len() {
            // Nothing in a point says of which curve it is, but for its length.
            let is_whole = [65, 97].contains(&length);
            let read = EcKey::from_point(&key.point()[..length]);
            assert_eq!(read.is_some(), is_whole, "{length}");
        }
        assert_eq!(EcKey::from_spki(&[&spki[..], &[0]].concat()), None);
        let mut compressed = key.point().to_vec();
        compressed[0] = 2;
        assert_eq!(EcKey::from_point(&compressed), None);
    }
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

#[test]
fn a_signature_has_two_whole_halves() {
    for ecdsa in Ecdsa::ALL {
        let whole = 2 * ecdsa.size();
        for length in [0, ecdsa.size(), whole - 1, whole + 1] {
            assert_eq!(ecdsa.to_x509(&vec![1; length]), None, "{length}");
        }
        assert!(ecdsa.to_x509(&vec![1; whole]).is_some());
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

proptest! {
    #[test]
    fn a_collection_that_is_written_is_read_and_cut_anywhere_refused(
        platform in any_platform(),
        realm in any_realm(),
    ) {
        let bytes = CcaToken::encode(&platform_token(&platform), &realm_token(&realm)).unwrap();
        let token = CcaToken::decode(&bytes).unwrap();
        prop_assert_eq!(token.platform_token().plain_ecdsa(), Some(Ecdsa::Es384));
        prop_assert_eq!(token.realm_token().signature(), &[6; 96]);
        prop_assert_eq!(CcaPlatform::of(token.platform()), Ok(platform));
        prop_assert_eq!(CcaRealm::of(token.realm()), Ok(realm));
        for length in 0..bytes.len() {
            prop_assert!(CcaToken::decode(&bytes[..length]).is_err());
        }
        prop_assert!(CcaToken::decode(&[&bytes[..], &[0]].concat()).is_err());
    }

    #[test]
    fn a_device_that_is_written_is_read(device in any_device()) {
        let bytes = device_token(&device);
        let token = SignedToken::decode(&bytes).unwrap();
        prop_assert_eq!(token.plain_ecdsa(), Some(Ecdsa::Es256));
        prop_assert_eq!(PsaDevice::of(token.claims()), Ok(device));
        for length in 0..bytes.len() {
            prop_assert!(SignedToken::decode(&bytes[..length]).is_err());
        }
    }

    #[test]
    fn arbitrary_bytes_never_panic(bytes in vec(any::<u8>(), 0..300)) {
        let _ = EcKey::from_cose_key(&bytes);
        let _ = EcKey::from_spki(&bytes);
        let _ = RealmKey::decode(&bytes);
        let sign1 = coset::CoseSign1Builder::new().payload(bytes).build();
        if let Ok(token) = SignedToken::decode(&sign1.to_tagged_vec().unwrap()) {
            all_of(token.claims());
        }
    }

    #[test]
    fn one_changed_byte_never_panics(index in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let bytes = CcaToken::encode(&platform_token(&platform()), &realm_token(&realm()));
        let mut bytes = bytes.unwrap();
        let index = index.index(bytes.len());
        bytes[index] = byte;
        if let Ok(token) = CcaToken::decode(&bytes) {
            all_of(token.platform());
            all_of(token.realm());
        }
    }
}

// --- Helpers -----------------------------------------------------------------------------------------------------------

fn all_of(claims: &Claims) {
    let _ = CcaPlatform::of(claims);
    let _ = CcaRealm::of(claims);
    let _ = PsaDevice::of(claims);
}

fn platform() -> CcaPlatform {
    CcaPlatform {
        profile: CcaProfile::Tag2023,
        challenge: vec![1; 32],
        implementation_id: [2; 32],
        instance_id: [1; 33],
        configuration: vec![3; 4],
        lifecycle: Lifecycle::Secured,
        components: vec![component()],
        hash_algorithm: "sha-256".to_owned(),
        verification_service: Some("https://verifier.example".to_owned()),
    }
}

fn realm() -> CcaRealm {
    CcaRealm {
        profile: CcaProfile::Tag2023,
        challenge: [1; 64],
        personalization_value: [2; 64],
        initial_measurement: vec![3; 32],
        extensible_measurements: [(); 4].map(|()| vec![4; 64]),
        hash_algorithm: "sha-512".to_owned(),
        key: RealmKey::decode(&ec_key(Ecdsa::Es384).to_cose_key().unwrap()).unwrap(),
        key_hash: KeyHash::Sha384,
    }
}

fn device() -> PsaDevice {
    PsaDevice {
        profile: Profile::Tfm,
        nonce: vec![1; 32],
        instance_id: [1; 33],
        implementation_id: [2; 32],
        client_id: -7,
        lifecycle: Lifecycle::Secured,
        boot_seed: Some(vec![5; 8]),
        certification_reference: Some("0604565272829-10010".to_owned()),
        components: vec![component()],
        verification_service: Some("https://verifier.example".to_owned()),
    }
}

fn component() -> Component {
    Component {
        kind: Some("RMM".to_owned()),
        measurement: vec![6; 32],
        version: None,
        signer_id: vec![7; 64],
        hash_algorithm: None,
    }
}

fn any_digest() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        vec(any::<u8>(), 32),
        vec(any::<u8>(), 48),
        vec(any::<u8>(), 64)
    ]
}

fn any_component() -> impl Strategy<Value = Component> {
    let text = || option::of(".{0,12}");
    (text(), any_digest(), text(), any_digest(), text()).prop_map(
        |(kind, measurement, version, signer_id, hash_algorithm)| Component {
            kind,
            measurement,
            version,
            signer_id,
            hash_algorithm,
        },
    )
}

fn any_lifecycle() -> impl Strategy<Value = Lifecycle> {
    any::<u16>().prop_map(Lifecycle::from)
}

fn any_profile() -> impl Strategy<Value = CcaProfile> {
    prop_oneof![Just(CcaProfile::First), Just(CcaProfile::Tag2023)]
}

fn any_instance() -> impl Strategy<Value = [u8; 33]> {
    any::<[u8; 32]>().prop_map(|id| [&[1][..], &id].concat().try_into().unwrap())
}

prop_compose! {
    fn any_platform()(
        profile in any_profile(),
        challenge in any_digest(),
        implementation_id in any::<[u8; 32]>(),
        instance_id in any_instance(),
        configuration in vec(any::<u8>(), 0..40),
        lifecycle in any_lifecycle(),
        components in vec(any_component(), 1..4),
        hash_algorithm in ".{0,12}",
        verification_service in option::of(".{0,12}"),
    ) -> CcaPlatform {
        CcaPlatform {
            profile,
            challenge,
            implementation_id,
            instance_id,
            configuration,
            lifecycle,
            components,
            hash_algorithm,
            verification_service,
        }
    }
}

prop_compose! {
    fn any_realm()(
        profile in any_profile(),
        challenge in vec(any::<u8>(), 64),
        personalization_value in vec(any::<u8>(), 64),
        initial_measurement in any_digest(),
        extensible_measurements in [any_digest(), any_digest(), any_digest(), any_digest()],
        hash_algorithm in ".{0,12}",
        ecdsa in prop::sample::select(Ecdsa::ALL.to_vec()),
        key_hash in prop::sample::select(vec![KeyHash::Sha256, KeyHash::Sha384, KeyHash::Sha512]),
    ) -> CcaRealm {
        let key = ec_key(ecdsa);
        let encoded = match profile {
            CcaProfile::First => key.point().to_vec(),
            _ => key.to_cose_key().unwrap(),
        };
        CcaRealm {
            profile,
            challenge: challenge.try_into().unwrap(),
            personalization_value: personalization_value.try_into().unwrap(),
            initial_measurement,
            extensible_measurements,
            hash_algorithm,
            key: RealmKey::decode(&encoded).unwrap(),
            key_hash,
        }
    }
}

prop_compose! {
    fn any_device()(
        profile in prop_oneof![Just(Profile::Tfm), Just(Profile::Predecessor), Just(Profile::Legacy)],
        nonce in any_digest(),
        instance_id in any_instance(),
        implementation_id in any::<[u8; 32]>(),
        client_id in any::<i32>(),
        lifecycle in any_lifecycle(),
        boot_seed in option::of(vec(any::<u8>(), 8..=32)),
        certification_reference in option::of(".{0,12}"),
        components in vec(any_component(), 1..4),
        verification_service in option::of(".{0,12}"),
    ) -> PsaDevice {
        PsaDevice {
            profile,
            nonce,
            instance_id,
            implementation_id,
            client_id,
            lifecycle,
            boot_seed,
            certification_reference,
            components,
            verification_service,
        }
    }
}

/// No point of the curve: nobody verifies anything here.
fn ec_key(ecdsa: Ecdsa) -> EcKey {
    EcKey::from_point(&[&[4][..], &vec![9; 2 * ecdsa.size()]].concat()).unwrap()
}

fn platform_token(platform: &CcaPlatform) -> Vec<u8> {
    let token = platform.to_sign(Ecdsa::Es384).unwrap();
    token.with_signature(&[6; 96]).unwrap()
}

fn realm_token(realm: &CcaRealm) -> Vec<u8> {
    let token = realm.to_sign(Ecdsa::Es384).unwrap();
    token.with_signature(&[6; 96]).unwrap()
}

fn device_token(device: &PsaDevice) -> Vec<u8> {
    let token = device.to_sign(Ecdsa::Es256).unwrap();
    token.with_signature(&[6; 64]).unwrap()
}

/// The token with another value of one claim, or without it.
fn altered(token: &[u8], key: i32, value: Option<Value>) -> Vec<u8> {
    let mut sign1 = CoseSign1::from_tagged_slice(token).unwrap();
    let payload = Value::from_slice(&sign1.payload.unwrap()).unwrap();
    let mut entries = payload.into_map().unwrap();
    entries.retain(|(known, _)| *known != key.into());
    entries.extend(value.map(|value| (key.into(), value)));
    sign1.payload = Some(Value::Map(entries).to_vec().unwrap());
    sign1.to_tagged_vec().unwrap()
}

fn bytes(bytes: &[u8]) -> Value {
    Value::Bytes(bytes.to_vec())
}
