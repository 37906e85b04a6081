//! Tokens of any content, and bytes that are none.

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
use coset::TaggedCborSerializable;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use crate::makers::device_token;
use crate::makers::ec_key;
use crate::makers::platform;
use crate::makers::platform_token;
use crate::makers::realm;
use crate::makers::realm_token;

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

fn all_of(claims: &Claims) {
    let _ = CcaPlatform::of(claims);
    let _ = CcaRealm::of(claims);
    let _ = PsaDevice::of(claims);
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
