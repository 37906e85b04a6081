//! What the makers of forged platforms, realms and devices publish.

use atls_cca::testing::ForgedCca;
use atls_cca::testing::ForgedPsa;
use atls_formats::psa::Component;
use atls_formats::psa::EcKey;
use atls_reference::corim::Corim;
use corim::cbor::value::Value;
use test_support::corim::ForgedCorim;
use test_support::corim::bytes;
use test_support::corim::integer;
use test_support::corim::list;
use test_support::corim::map;
use test_support::corim::measurement;
use test_support::corim::tag;
use test_support::corim::text;
use test_support::corim::triple;

pub(crate) const NOW: u64 = 1_800_000_000;

pub(crate) const CCA_PLATFORM: &str = "tag:arm.com,2025:cca_platform#1.0.0";

pub(crate) const CCA_REALM: &str = "tag:arm.com,2025:cca_realm#1.0.0";

pub(crate) const PSA: &str = "tag:arm.com,2025:psa#1.0.0";

pub(crate) trait Published {
    fn published(&self) -> Corim;
}

impl Published for ForgedCorim {
    fn published(&self) -> Corim {
        self.read(NOW).unwrap()
    }
}

pub(crate) fn corim(profile: &str, triples: Vec<Value>, keys: Vec<Value>) -> ForgedCorim {
    let mut forged = ForgedCorim::new(Some(tag(32, text(profile))), triples);
    forged.keys = keys;
    forged
}

/// What the maker of this platform publishes.
pub(crate) fn platform(forged: &ForgedCca) -> ForgedCorim {
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
pub(crate) fn realm(forged: &ForgedCca) -> ForgedCorim {
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
pub(crate) fn device(forged: &ForgedPsa) -> ForgedCorim {
    let components = forged.device.components.iter();
    let measurements = components.map(|known| component(known, "psa.software-component"));
    let id = &forged.device.implementation_id;
    let reference = triple([(integer(0), tag(560, bytes(id)))], measurements.collect());
    let key = attest_key(id, &forged.device.instance_id, forged.iak.key());
    corim(PSA, vec![reference], vec![key])
}

pub(crate) fn component(component: &Component, element: &str) -> Value {
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
pub(crate) fn named_digest(algorithm: &str, value: &[u8]) -> Value {
    list(vec![text(algorithm), bytes(value)])
}

pub(crate) fn measured_as(element: &str, value: &[u8]) -> Value {
    let digests = list(vec![named_digest("sha-512", value)]);
    measurement(Some(text(element)), [(integer(2), digests)])
}

pub(crate) fn configuration(value: &[u8], mask: Option<&[u8]>) -> Value {
    let value = match mask {
        Some(mask) => tag(563, list(vec![bytes(value), bytes(mask)])),
        None => tag(560, bytes(value)),
    };
    measurement(Some(text("cca.platform-config")), [(integer(4), value)])
}

pub(crate) fn signer() -> Value {
    list(vec![tag(560, bytes(&[5; 32]))])
}

pub(crate) fn bytes_class(id: &[u8]) -> Value {
    map([(integer(0), tag(560, bytes(id)))])
}

pub(crate) fn attest_key(implementation: &[u8], instance: &[u8], key: &EcKey) -> Value {
    let class = map([
        (integer(0), tag(560, bytes(implementation))),
        (integer(1), text("ACME")),
    ]);
    let environment = map([(integer(0), class), (integer(1), tag(550, bytes(instance)))]);
    list(vec![environment, list(vec![tag(554, text(&pem(key)))])])
}

pub(crate) fn pem(key: &EcKey) -> String {
    let json = serde_json::to_string(&atls_cca::PublicKey::from(key.clone())).unwrap();
    serde_json::from_str(&json).unwrap()
}
