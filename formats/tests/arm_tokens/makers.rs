//! Good claims, and tokens of them.

use atls_formats::psa::CcaPlatform;
use atls_formats::psa::CcaProfile;
use atls_formats::psa::CcaRealm;
use atls_formats::psa::Component;
use atls_formats::psa::EcKey;
use atls_formats::psa::Ecdsa;
use atls_formats::psa::KeyHash;
use atls_formats::psa::Lifecycle;
use atls_formats::psa::Profile;
use atls_formats::psa::PsaDevice;
use atls_formats::psa::RealmKey;
use ciborium::Value;
use coset::CborSerializable;
use coset::CoseSign1;
use coset::TaggedCborSerializable;

pub(crate) type Entries = Vec<(Value, Value)>;

pub(crate) fn platform() -> CcaPlatform {
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

pub(crate) fn realm() -> CcaRealm {
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

pub(crate) fn device() -> PsaDevice {
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

/// No point of the curve: nobody verifies anything here.
pub(crate) fn ec_key(ecdsa: Ecdsa) -> EcKey {
    EcKey::from_point(&[&[4][..], &vec![9; 2 * ecdsa.size()]].concat()).unwrap()
}

pub(crate) fn platform_token(platform: &CcaPlatform) -> Vec<u8> {
    let token = platform.to_sign(Ecdsa::Es384).unwrap();
    token.with_signature(&[6; 96]).unwrap()
}

pub(crate) fn realm_token(realm: &CcaRealm) -> Vec<u8> {
    let token = realm.to_sign(Ecdsa::Es384).unwrap();
    token.with_signature(&[6; 96]).unwrap()
}

pub(crate) fn device_token(device: &PsaDevice) -> Vec<u8> {
    let token = device.to_sign(Ecdsa::Es256).unwrap();
    token.with_signature(&[6; 64]).unwrap()
}

/// The token with another value of one claim, or without it.
pub(crate) fn altered(token: &[u8], key: i32, value: Option<Value>) -> Vec<u8> {
    let mut sign1 = CoseSign1::from_tagged_slice(token).unwrap();
    let payload = Value::from_slice(&sign1.payload.unwrap()).unwrap();
    let mut entries = payload.into_map().unwrap();
    entries.retain(|(known, _)| *known != key.into());
    entries.extend(value.map(|value| (key.into(), value)));
    sign1.payload = Some(Value::Map(entries).to_vec().unwrap());
    sign1.to_tagged_vec().unwrap()
}

pub(crate) fn bytes(bytes: &[u8]) -> Value {
    Value::Bytes(bytes.to_vec())
}
