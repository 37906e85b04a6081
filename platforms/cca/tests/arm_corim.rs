//! Keys and reference values out of CoRIMs of Arm's profiles.
#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

use std::sync::Arc;

use atls_cca::CcaKeys;
use atls_cca::CcaPolicy;
use atls_cca::CcaVerifier;
use atls_cca::PsaKeys;
use atls_cca::PsaPolicy;
use atls_cca::PsaVerifier;
use atls_cca::testing::ForgedCca;
use atls_cca::testing::ForgedPsa;
use atls_core::Origin;
use atls_core::ear::Tier;
use atls_formats::psa::Component;
use atls_formats::psa::EcKey;
use atls_reference::Live;
use atls_reference::Table;
use atls_reference::corim::Corim;
use corim::cbor::value::Value;
use test_support::Connection;
use test_support::at;
use test_support::corim::ForgedCorim;
use test_support::corim::bytes;
use test_support::corim::digest;
use test_support::corim::integer;
use test_support::corim::list;
use test_support::corim::map;
use test_support::corim::measurement;
use test_support::corim::tag;
use test_support::corim::text;
use test_support::corim::triple;

#[test]
fn a_realm_is_accepted_by_the_corims_of_its_makers_alone() {
    let forged = ForgedCca::new();
    let platform = platform(&forged).published();
    let realm = realm(&forged).published();
    let keys: CcaKeys = platform.table().unwrap();
    let policy = CcaPolicy::from_corims(&platform, &realm).unwrap();
    let mut known = forged.policy();
    known.platforms[0].name = "forged (tag 0, reference triple 0)".to_owned();
    known.platforms[0].configuration_mask = Some(vec![0xff; 4]);
    known.realms[0].name = "forged (tag 0, reference triple 0)".to_owned();
    assert_eq!(policy, known);
    let (keys, policy) = (Live::fixed(keys).unwrap(), Live::fixed(policy).unwrap());
    let provider = rustls::crypto::ring::default_provider();
    let verifier = CcaVerifier::new(Arc::new(policy), Arc::new(keys), &provider);
    let connection = Connection::new();
    let token = connection.evidence(&mut forged.attester());
    let appraised = connection.appraise(&verifier, &token, at(NOW)).unwrap();
    assert_eq!(appraised.ear().status(), Tier::Affirming);
    assert_eq!(appraised.origin(), Origin::Device);
}

#[test]
fn a_device_is_accepted_by_the_corim_of_its_maker_alone() {
    let forged = ForgedPsa::new();
    let corim = device(&forged).published();
    let keys: PsaKeys = corim.table().unwrap();
    let policy: PsaPolicy = corim.table().unwrap();
    let (keys, policy) = (Live::fixed(keys).unwrap(), Live::fixed(policy).unwrap());
    let provider = rustls::crypto::ring::default_provider();
    let verifier = PsaVerifier::new(Arc::new(policy), Arc::new(keys), &provider);
    let connection = Connection::new();
    let token = connection.evidence(&mut forged.attester());
    let appraised = connection.appraise(&verifier, &token, at(NOW)).unwrap();
    assert_eq!(appraised.ear().status(), Tier::Affirming);
}

#[test]
fn values_and_keys_are_added_to_a_table() {
    let (one, other) = (ForgedCca::new(), ForgedCca::new());
    let mut other = other;
    other.platform.instance_id[1] ^= 1;
    other.realm.initial_measurement = vec![7; 32];
    let policy = platform(&other).published().added_to(one.policy()).unwrap();
    let policy = realm(&other).published().added_to(policy).unwrap();
    assert_eq!((policy.platforms.len(), policy.realms.len()), (2, 2));
    let keys = CcaKeys::new(vec![one.trusted("one")]);
    let keys = platform(&other).published().added_to(keys).unwrap();
    assert_eq!(keys.keys.len(), 2);
    // The same instance again.
    let keys = CcaKeys::new(vec![one.trusted("one")]);
    assert!(platform(&one).published().added_to(keys).is_err());
}

#[test]
fn one_corim_is_no_policy_of_realms() {
    let forged = ForgedCca::new();
    for corim in [platform(&forged).published(), realm(&forged).published()] {
        assert!(corim.table::<CcaPolicy>().is_err());
    }
    assert!(
        CcaPolicy::from_corims(&realm(&forged).published(), &platform(&forged).published())
            .is_err()
    );
}

#[test]
fn another_profile_is_refused() {
    let (realm_maker, device_maker) = (ForgedCca::new(), ForgedPsa::new());
    let (platform, device) = (platform(&realm_maker), device(&device_maker));
    for profile in [
        None,
        Some("tag:arm.com,2025:cca_platform#2.0.0"),
        Some("tag:example"),
    ] {
        let profile = profile.map(|profile| tag(32, text(profile)));
        let renamed = |corim: &ForgedCorim| {
            let mut corim = corim.clone();
            corim.profile.clone_from(&profile);
            corim.published()
        };
        assert!(renamed(&platform).table::<CcaKeys>().is_err());
        assert!(renamed(&platform).added_to(realm_maker.policy()).is_err());
        assert!(renamed(&device).table::<PsaPolicy>().is_err());
        assert!(renamed(&device).table::<PsaKeys>().is_err());
    }
    // One of a device is none of a platform.
    assert!(device.published().table::<CcaKeys>().is_err());
    assert!(platform.published().table::<PsaKeys>().is_err());
}

#[test]
fn what_a_table_of_platforms_cannot_hold_is_refused_with_its_place() {
    let forged = ForgedCca::new();
    let component = || component(&forged.platform.components[0], "cca.software-component");
    let measured = |value| measurement(Some(text("cca.software-component")), value);
    for (number, (class, measurements)) in [
        (bytes_class(&[1; 31]), vec![component()]),
        (map([(integer(1), text("vendor"))]), vec![component()]),
        (
            map([(integer(0), tag(37, bytes(&[1; 16])))]),
            vec![component()],
        ),
        (
            map([
                (integer(0), tag(560, bytes(&[1; 32]))),
                (integer(3), integer(0)),
            ]),
            vec![component()],
        ),
        (
            bytes_class(&[1; 32]),
            vec![measurement(
                None,
                [(integer(2), list(vec![digest(1, &[1; 32])]))],
            )],
        ),
        (
            bytes_class(&[1; 32]),
            vec![measurement(
                Some(text("cca.rim")),
                [(integer(2), list(vec![digest(1, &[1; 32])]))],
            )],
        ),
        // Without a signer, with two digests, with a value that is not looked at, with another length.
        (
            bytes_class(&[1; 32]),
            vec![measured([
                (integer(2), list(vec![digest(1, &[1; 32])])),
                (integer(11), text("BL")),
            ])],
        ),
        (
            bytes_class(&[1; 32]),
            vec![measured([
                (
                    integer(2),
                    list(vec![digest(1, &[1; 32]), digest(7, &[1; 48])]),
                ),
                (integer(13), signer()),
            ])],
        ),
        (
            bytes_class(&[1; 32]),
            vec![measured([
                (integer(2), list(vec![digest(1, &[1; 32])])),
                (integer(1), integer(7)),
            ])],
        ),
        (
            bytes_class(&[1; 32]),
            vec![measured([
                (integer(2), list(vec![digest(3, &[1; 16])])),
                (integer(13), signer()),
            ])],
        ),
        (
            bytes_class(&[1; 32]),
            vec![
                component(),
                configuration(&[1], None),
                configuration(&[2], None),
            ],
        ),
    ]
    .into_iter()
    .enumerate()
    {
        let triple = list(vec![map([(integer(0), class)]), list(measurements)]);
        let corim = corim(CCA_PLATFORM, vec![triple], Vec::new()).published();
        let mut policy = forged.policy();
        let refused = policy.add_corim(&corim).unwrap_err();
        assert_eq!(
            refused.place.unwrap().triple,
            Some(0),
            "{number}: {refused}"
        );
    }
}

#[test]
fn what_a_table_of_realms_cannot_hold_is_refused_with_its_place() {
    let forged = ForgedCca::new();
    let rim = |value: &[u8]| measured_as("cca.rim", value);
    let rpv = |value: Value| measurement(Some(text("cca.rpv")), [(integer(4), value)]);
    let good = || tag(560, bytes(&[7; 64]));
    for (number, measurements) in [
        vec![measured_as("cca.rem0", &[1; 32])],
        vec![rim(&[2; 32])],
        vec![rim(&[1; 32]), rim(&[1; 32])],
        vec![rim(&[1; 32]), measured_as("cca.rem4", &[1; 32])],
        vec![rim(&[1; 32]), rpv(tag(560, bytes(&[7; 63])))],
        vec![
            rim(&[1; 32]),
            rpv(tag(563, list(vec![bytes(&[7; 64]), bytes(&[1; 64])]))),
        ],
        vec![rim(&[1; 32]), rpv(good()), rpv(good())],
    ]
    .into_iter()
    .enumerate()
    {
        let triple = triple([(integer(0), tag(560, bytes(&[1; 32])))], measurements);
        let corim = corim(CCA_REALM, vec![triple], Vec::new()).published();
        let refused = forged.policy().add_corim(&corim).unwrap_err();
        assert_eq!(
            refused.place.unwrap().triple,
            Some(0),
            "{number}: {refused}"
        );
    }
}

#[test]
fn a_key_that_a_table_cannot_hold_is_refused_with_its_place() {
    let forged = ForgedCca::new();
    let public = pem(forged.cpak.key());
    let environment = |implementation: &[u8], instance: Value| {
        let class = map([(integer(0), tag(560, bytes(implementation)))]);
        map([(integer(0), class), (integer(1), instance)])
    };
    let ueid = |length: usize| tag(550, bytes(&vec![1; length]));
    let key = |text_of: &str| tag(554, text(text_of));
    for (number, (environment, keys)) in [
        (environment(&[1; 31], ueid(33)), vec![key(&public)]),
        (environment(&[1; 32], ueid(32)), vec![key(&public)]),
        (
            environment(&[1; 32], tag(560, bytes(&[1; 33]))),
            vec![key(&public)],
        ),
        (
            environment(&[1; 32], ueid(33)),
            vec![key("-----BEGIN PUBLIC KEY-----")],
        ),
        (
            environment(&[1; 32], ueid(33)),
            vec![key(&public), key(&public)],
        ),
        (
            environment(&[1; 32], ueid(33)),
            vec![tag(560, bytes(&[1; 32]))],
        ),
    ]
    .into_iter()
    .enumerate()
    {
        let triples = vec![list(vec![environment, list(keys)])];
        let corim = corim(CCA_PLATFORM, Vec::new(), triples).published();
        let refused = CcaKeys::from_corim(&corim).unwrap_err();
        assert!(
            refused.problem.starts_with("attest-key triple 0: "),
            "{number}: {refused}"
        );
    }
}

// --- Helpers -----------------------------------------------------------------------------------------------------------

const NOW: u64 = 1_800_000_000;

const CCA_PLATFORM: &str = "tag:arm.com,2025:cca_platform#1.0.0";
const CCA_REALM: &str = "tag:arm.com,2025:cca_realm#1.0.0";
const PSA: &str = "tag:arm.com,2025:psa#1.0.0";

trait Published {
    fn published(&self) -> Corim;
}

impl Published for ForgedCorim {
    fn published(&self) -> Corim {
        self.read(NOW).unwrap()
    }
}

fn corim(profile: &str, triples: Vec<Value>, keys: Vec<Value>) -> ForgedCorim {
    let mut forged = ForgedCorim::new(Some(tag(32, text(profile))), triples);
    forged.keys = keys;
    forged
}

/// What the maker of this platform publishes.
fn platform(forged: &ForgedCca) -> ForgedCorim {
    let components = forged.platform.components.iter();
    let mut measurements: Vec<_> = components
        .map(|known| component(known, "cca.software-component"))
        .collect();
    measurements.push(configuration(
        &forged.platform.configuration,
        Some(&[0xff; 4]),
    ));
    let id = &forged.platform.implementation_id;
    let reference = triple([(integer(0), tag(560, bytes(id)))], measurements);
    let key = attest_key(id, &forged.platform.instance_id, forged.cpak.key());
    corim(CCA_PLATFORM, vec![reference], vec![key])
}

/// What the maker of this realm publishes.
fn realm(forged: &ForgedCca) -> ForgedCorim {
    let realm = &forged.realm;
    let mut measurements = vec![measured_as("cca.rim", &realm.initial_measurement)];
    let names = ["cca.rem0", "cca.rem1", "cca.rem2", "cca.rem3"];
    let measured = names.iter().zip(&realm.extensible_measurements);
    measurements.extend(measured.map(|(name, value)| measured_as(name, value)));
    let value = tag(560, bytes(&realm.personalization_value));
    measurements.push(measurement(Some(text("cca.rpv")), [(integer(4), value)]));
    let class = tag(560, bytes(&realm.initial_measurement));
    corim(
        CCA_REALM,
        vec![triple([(integer(0), class)], measurements)],
        Vec::new(),
    )
}

/// What the maker of this device publishes.
fn device(forged: &ForgedPsa) -> ForgedCorim {
    let components = forged.device.components.iter();
    let measurements = components.map(|known| component(known, "psa.software-component"));
    let id = &forged.device.implementation_id;
    let reference = triple([(integer(0), tag(560, bytes(id)))], measurements.collect());
    let key = attest_key(id, &forged.device.instance_id, forged.iak.key());
    corim(PSA, vec![reference], vec![key])
}

fn component(component: &Component, element: &str) -> Value {
    let mut entries = vec![
        (
            integer(2),
            list(vec![named_digest("sha-256", &component.measurement)]),
        ),
        (integer(11), text(component.kind.as_deref().unwrap())),
        (
            integer(13),
            list(vec![tag(560, bytes(&component.signer_id))]),
        ),
    ];
    if let Some(version) = &component.version {
        entries.push((integer(0), map([(integer(0), text(version))])));
    }
    map([
        (integer(0), text(element)),
        (integer(1), Value::Map(entries)),
    ])
}

/// The profiles name algorithms by text.
fn named_digest(algorithm: &str, value: &[u8]) -> Value {
    list(vec![text(algorithm), bytes(value)])
}

fn measured_as(element: &str, value: &[u8]) -> Value {
    let digests = list(vec![named_digest("sha-512", value)]);
    measurement(Some(text(element)), [(integer(2), digests)])
}

fn configuration(value: &[u8], mask: Option<&[u8]>) -> Value {
    let value = match mask {
        Some(mask) => tag(563, list(vec![bytes(value), bytes(mask)])),
        None => tag(560, bytes(value)),
    };
    measurement(Some(text("cca.platform-config")), [(integer(4), value)])
}

fn signer() -> Value {
    list(vec![tag(560, bytes(&[5; 32]))])
}

fn bytes_class(id: &[u8]) -> Value {
    map([(integer(0), tag(560, bytes(id)))])
}

fn attest_key(implementation: &[u8], instance: &[u8], key: &EcKey) -> Value {
    let class = map([
        (integer(0), tag(560, bytes(implementation))),
        (integer(1), text("ACME")),
    ]);
    let environment = map([(integer(0), class), (integer(1), tag(550, bytes(instance)))]);
    list(vec![environment, list(vec![tag(554, text(&pem(key)))])])
}

fn pem(key: &EcKey) -> String {
    let json = serde_json::to_string(&atls_cca::PublicKey::from(key.clone())).unwrap();
    serde_json::from_str(&json).unwrap()
}
