//! Realms and devices before the real Veraison and before `atls-cca`, and the two results compared claim by claim.
#![allow(
    clippy::disallowed_methods,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking, and the service's clock is the real one"
)]

use std::sync::Arc;

use ::corim::cbor::value::Value;
use atls_cca::CcaPlatform;
use atls_cca::CcaProfile;
use atls_cca::Component;
use atls_cca::Lifecycle;
use atls_cca::Profile;
use atls_cca::testing::ForgedCca;
use atls_cca::testing::ForgedKey;
use atls_cca::testing::ForgedPsa;
use atls_core::Evidence;
use atls_core::MediaType;
use atls_core::Verifier;
use atls_core::ear::Category;
use atls_core::ear::Ear;
use atls_core::ear::VerificationKeys;
use atls_core::pki_types::UnixTime;
use atls_remote::EvidenceFormat;
use atls_remote::RemoteVerifier;
use atls_veraison::CcaToken;
use atls_veraison::PsaToken;
use atls_veraison::VeraisonService;
use interop::Veraison;
use test_support::Connection;
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

#[tokio::test]
async fn veraison_says_the_same_of_a_realm_but_for_the_stated_differences() {
    let Some(veraison) = Veraison::start() else {
        return;
    };
    // Of each: a realm, what it is, and the claims in which Veraison differs (part, claim, theirs, ours).
    let realms: [(ForgedCca, Differences); 3] = [
        (
            realm(|_| {}),
            vec![("cca-platform", "storage-opaque", 2, 0)],
        ),
        (
            realm(|forged| forged.platform.lifecycle = Lifecycle::from(0x4000)),
            vec![
                ("cca-platform", "instance-identity", 2, 96),
                ("cca-platform", "runtime-opaque", 2, 96),
                ("cca-platform", "storage-opaque", 2, 0),
            ],
        ),
        (
            realm(|forged| forged.platform.lifecycle = Lifecycle::from(0x5000)),
            vec![("cca-platform", "storage-opaque", 96, 0)],
        ),
    ];
    for (forged, expected) in realms {
        let corim = platform_corim(&forged);
        veraison.provision(&corim, CCA_PLATFORM).await;
        veraison.provision(&realm_corim(&forged), CCA_REALM).await;
        let connection = Connection::new();
        let token = connection.evidence(&mut forged.attester());
        let theirs = ask(&veraison, CcaToken::new(), &connection, &token).await;
        let verifier = forged.verifier(&demo::provider());
        let ours = appraise(&verifier, &connection, &token).await;
        let parts = [
            ("CCA_SSD_PLATFORM", "cca-platform"),
            ("CCA_REALM", "cca-realm"),
        ];
        assert_eq!(differences(&theirs, &ours, &parts), expected);
    }
}

#[tokio::test]
async fn veraison_says_the_same_of_a_device_but_for_the_stated_differences() {
    let Some(veraison) = Veraison::start() else {
        return;
    };
    for (code, expected) in [
        (0x3000, vec![]),
        (
            0x4000,
            vec![
                ("psa", "instance-identity", 2, 96),
                ("psa", "runtime-opaque", 2, 96),
                ("psa", "storage-opaque", 2, 96),
            ],
        ),
        (0x5000, vec![]),
    ] {
        let mut forged = ForgedPsa::new();
        // The only profile that released services read, and a version without which they appraise no component.
        forged.device.profile = Profile::Predecessor;
        forged.device.lifecycle = Lifecycle::from(code);
        forged.device.instance_id = instance_of(&forged.iak);
        for component in &mut forged.device.components {
            component.version = Some("1.0.0".to_owned());
        }
        veraison.provision(&device_corim(&forged), PSA).await;
        let connection = Connection::new();
        let token = connection.evidence(&mut forged.attester());
        let theirs = ask(&veraison, PsaToken::any_profile(), &connection, &token).await;
        let verifier = forged.verifier(&demo::provider());
        let media_type = MediaType::parse(Profile::Predecessor.media_type()).unwrap();
        let evidence = Evidence::new(&media_type, &token, connection.bound());
        let ours = verifier.appraise(&evidence, UnixTime::now()).await.unwrap();
        let found = differences(&theirs, ours.ear(), &[("PSA_IOT", "psa")]);
        assert_eq!(found, expected, "{code:#x}");
    }
}

// --- Helpers -----------------------------------------------------------------------------------------------------------

type Differences = Vec<(&'static str, &'static str, i8, i8)>;

const CCA_PLATFORM: &str = "tag:arm.com,2025:cca_platform#1.0.0";
const CCA_REALM: &str = "tag:arm.com,2025:cca_realm#1.0.0";
const PSA: &str = "tag:arm.com,2025:psa#1.0.0";

/// A realm of a platform that Veraison does not know yet.
fn realm(change: fn(&mut ForgedCca)) -> ForgedCca {
    let mut forged = ForgedCca::of(CcaProfile::First);
    forged.platform.instance_id = instance_of(&forged.cpak);
    forged
        .platform
        .implementation_id
        .copy_from_slice(&forged.cpak.key().point()[33..65]);
    let measured = &forged.cpak.key().point()[1..65];
    forged.realm.initial_measurement = measured.to_vec();
    change(&mut forged);
    forged
}

fn instance_of(key: &ForgedKey) -> [u8; 33] {
    [&[1][..], &key.key().point()[1..33]]
        .concat()
        .try_into()
        .unwrap()
}

async fn ask(
    veraison: &Veraison,
    format: impl EvidenceFormat<VeraisonService> + 'static,
    connection: &Connection,
    token: &[u8],
) -> Ear {
    let keys = VerificationKeys::from_jwk(&veraison.key).unwrap();
    let verifier = RemoteVerifier::builder(veraison.service(), Arc::new(keys), &demo::provider());
    let verifier = verifier.format(format).build().unwrap();
    appraise(&verifier, connection, token).await
}

async fn appraise(verifier: &dyn Verifier, connection: &Connection, token: &[u8]) -> Ear {
    let media_type = &verifier.media_types()[0];
    let evidence = Evidence::new(media_type, token, connection.bound());
    let appraised = verifier.appraise(&evidence, UnixTime::now()).await.unwrap();
    appraised.ear().clone()
}

/// The claims in which the parts differ: our part, the claim, theirs, ours.
fn differences(theirs: &Ear, ours: &Ear, parts: &[(&str, &'static str)]) -> Differences {
    let mut differences = Vec::new();
    for (of_theirs, of_ours) in parts {
        let value = |ear: &Ear, part: &str, category| {
            ear.submod(part).unwrap().vector().get(category).value()
        };
        differences.extend(Category::ALL.into_iter().filter_map(|category| {
            let theirs = value(theirs, of_theirs, category);
            let ours = value(ours, of_ours, category);
            (theirs != ours).then_some((*of_ours, category.name(), theirs, ours))
        }));
    }
    differences
}

fn platform_corim(forged: &ForgedCca) -> Vec<u8> {
    let CcaPlatform {
        implementation_id,
        instance_id,
        components,
        configuration,
        ..
    } = &forged.platform;
    let mut measurements = components_of(components, "cca.software-component");
    let value = tag(560, bytes(configuration));
    measurements.push(measurement(
        Some(text("cca.platform-config")),
        [(integer(4), value)],
    ));
    corim(
        CCA_PLATFORM,
        implementation_id,
        measurements,
        Some((instance_id, &forged.cpak)),
    )
}

fn realm_corim(forged: &ForgedCca) -> Vec<u8> {
    let realm = &forged.realm;
    let measured = |name: &str, value: &[u8]| {
        measurement(
            Some(text(name)),
            [(integer(2), list(vec![digest(8, value)]))],
        )
    };
    let mut measurements = vec![measured("cca.rim", &realm.initial_measurement)];
    let names = ["cca.rem0", "cca.rem1", "cca.rem2", "cca.rem3"];
    let values = names.iter().zip(&realm.extensible_measurements);
    measurements.extend(values.map(|(name, value)| measured(name, value)));
    let value = tag(560, bytes(&realm.personalization_value));
    measurements.push(measurement(Some(text("cca.rpv")), [(integer(4), value)]));
    corim(CCA_REALM, &realm.initial_measurement, measurements, None)
}

fn device_corim(forged: &ForgedPsa) -> Vec<u8> {
    let device = &forged.device;
    let measurements = components_of(&device.components, "psa.software-component");
    let key = Some((&device.instance_id, &forged.iak));
    corim(PSA, &device.implementation_id, measurements, key)
}

fn components_of(components: &[Component], element: &str) -> Vec<Value> {
    let value = |component: &Component| {
        let digests = list(vec![digest(1, &component.measurement)]);
        let signers = list(vec![tag(560, bytes(&component.signer_id))]);
        let name = text(component.kind.as_deref().unwrap());
        let values = [
            (integer(2), digests),
            (integer(11), name),
            (integer(13), signers),
        ];
        measurement(Some(text(element)), values)
    };
    components.iter().map(value).collect()
}

fn corim(
    profile: &str,
    class: &[u8],
    measurements: Vec<Value>,
    key: Option<(&[u8; 33], &ForgedKey)>,
) -> Vec<u8> {
    let id = class.iter().map(|byte| format!("{byte:02x}"));
    let id = format!("{profile} {}", id.collect::<String>());
    let class = (integer(0), tag(560, bytes(class)));
    let reference = triple([class.clone()], measurements);
    let profile = Some(tag(32, text(profile)));
    let mut forged = ForgedCorim::new(profile, vec![reference]);
    forged.id = id;
    forged.keys.extend(key.map(|(instance, key)| {
        let instance = (integer(1), tag(550, bytes(instance)));
        let environment = map([(integer(0), map([class])), instance]);
        let pem = serde_json::to_value(key.public()).unwrap();
        let pem = tag(554, text(pem.as_str().unwrap()));
        list(vec![environment, list(vec![pem])])
    }));
    forged.encode()
}
