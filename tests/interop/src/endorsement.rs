//! An Endorser's statement about a simulated device: its key, and the software it should run.

use atls_sim::IMPLEMENTATION_ID;
use atls_sim::SoftwareComponent;
use atls_sim::TrustAnchor;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use ciborium::Value;
use corim::builder::ComidBuilder;
use corim::builder::CorimBuilder;
use corim::types::common::ClassIdChoice;
use corim::types::common::CryptoKey;
use corim::types::common::InstanceIdChoice;
use corim::types::common::MeasuredElement;
use corim::types::common::TagIdChoice;
use corim::types::corim::CorimId;
use corim::types::corim::ProfileChoice;
use corim::types::environment::ClassMap;
use corim::types::environment::EnvironmentMap;
use corim::types::measurement::Digest;
use corim::types::measurement::MeasurementMap;
use corim::types::measurement::MeasurementValuesMap;
use corim::types::triples::AttestKeyTriple;
use corim::types::triples::ReferenceTriple;

/// An unsigned CoRIM of the profile `tag:arm.com,2025:psa#1.0.0`.
pub fn corim_of(device: &TrustAnchor, software: &[SoftwareComponent]) -> Vec<u8> {
    let class = ClassMap {
        class_id: Some(ClassIdChoice::Bytes(IMPLEMENTATION_ID.to_vec())),
        vendor: None,
        model: None,
        layer: None,
        index: None,
    };
    let any_instance = EnvironmentMap {
        class: Some(class),
        instance: None,
        group: None,
    };
    let this_instance = EnvironmentMap {
        instance: Some(InstanceIdChoice::Ueid(device.instance_id().to_vec())),
        ..any_instance.clone()
    };
    let key = CryptoKey::PkixBase64Key(pem(device.public_key()));
    let references = software.iter().map(reference_value).collect();
    // A store keeps one document of a name.
    let name = BASE64_STANDARD.encode(device.instance_id());
    let comid = ComidBuilder::new(TagIdChoice::Text(name.clone()))
        .add_attest_key_triple(AttestKeyTriple::new(this_instance, vec![key], None))
        .add_reference_triple(ReferenceTriple::new(any_instance, references))
        .build();
    CorimBuilder::new(CorimId::Text(name))
        .set_profile(ProfileChoice::Uri(PROFILE.into()))
        .add_comid_tag(comid.unwrap())
        .unwrap()
        .build_bytes()
        .unwrap()
}

/// The same CoRIM with its profile as released services read it: without the tag 32 that later drafts put before URIs.
pub(crate) fn with_untagged_profile(corim: &[u8]) -> Vec<u8> {
    let Value::Tag(CORIM, map) = ciborium::from_reader(corim).unwrap() else {
        panic!("no unsigned CoRIM")
    };
    let mut entries = map.into_map().unwrap();
    for (key, value) in &mut entries {
        if let Value::Tag(URI, text) = value
            && *key == CORIM_PROFILE.into()
        {
            *value = std::mem::replace(&mut **text, Value::Null);
        }
    }
    let mut encoded = Vec::new();
    let corim = Value::Tag(CORIM, Box::new(Value::Map(entries)));
    ciborium::into_writer(&corim, &mut encoded).unwrap();
    encoded
}

/// draft-fdb-rats-psa-endorsements §3.
fn reference_value(component: &SoftwareComponent) -> MeasurementMap {
    let mut values = MeasurementValuesMap::default();
    values.digests = Some(vec![Digest::new(SHA_256, component.measurement.to_vec())]);
    values.name = Some(component.name.clone());
    values.cryptokeys = Some(vec![CryptoKey::Bytes(component.signer_id.to_vec())]);
    MeasurementMap {
        mkey: Some(MeasuredElement::Text("psa.software-component".into())),
        mval: values,
        authorized_by: None,
    }
}

/// SubjectPublicKeyInfo of an uncompressed P-256 point.
fn pem(point: &[u8]) -> String {
    let header = [
        0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08,
        0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
    ];
    let spki = BASE64_STANDARD.encode([&header, point].concat());
    let (first, second) = spki.split_at(64);
    format!("-----BEGIN PUBLIC KEY-----\n{first}\n{second}\n-----END PUBLIC KEY-----\n")
}

/// Which the schemes of Veraison take for PSA.
pub const PROFILE: &str = "tag:arm.com,2025:psa#1.0.0";

/// draft-ietf-rats-corim §4.1, and RFC 8949 §3.4.5.3.
const CORIM: u64 = 501;
const CORIM_PROFILE: i32 = 3;
const URI: u64 = 32;

/// Named Information Hash Algorithm Registry.
const SHA_256: i64 = 1;
