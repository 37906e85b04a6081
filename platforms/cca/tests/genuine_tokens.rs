//! Tokens of reference firmware under published keys, and what the real Veraison said of two of them.
#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

use std::path::Path;
use std::sync::Arc;

use atls_cca::CcaClaims;
use atls_cca::CcaKeys;
use atls_cca::CcaPlatformFirmware;
use atls_cca::CcaPolicy;
use atls_cca::CcaRealmImage;
use atls_cca::CcaVerifier;
use atls_cca::KnownComponent;
use atls_cca::Measurement;
use atls_cca::PsaKeys;
use atls_cca::PsaPolicy;
use atls_cca::PsaVerifier;
use atls_cca::TrustedKey;
use atls_core::AppraisalError;
use atls_core::RecordedAppraisal;
use atls_core::ear::Category;
use atls_core::ear::Tier;
use atls_formats::psa::CcaPlatform;
use atls_formats::psa::CcaRealm;
use atls_formats::psa::CcaToken;
use atls_formats::psa::EcKey;
use atls_formats::psa::PsaDevice;
use atls_formats::psa::SignedToken;
use atls_reference::Live;
use atls_reference::corim;
use atls_reference::corim::Corim;
use atls_reference::corim::Id;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use rustls::crypto::CryptoProvider;
use serde_json::Value;
use test_support::at;
use test_support::ready;

/// By the key of `cpak.json`, which is that of Trusted Firmware-A.
#[test]
fn tokens_of_reference_firmware_are_affirmed_by_their_own_values() {
    let Some(folder) = test_support::vectors() else {
        return;
    };
    let cpak = jwk(&json(&folder, "cca/cpak.json"));
    let name = "cca/cca-example-token.cbor";
    let evidence = file(&folder, name);
    let policy = policy_of(&evidence);
    let recorded = appraise(&evidence, &cpak, policy.clone()).unwrap();
    assert_eq!(recorded.ear().status(), Tier::Affirming, "{name}");
    let claims = recorded.claims::<CcaClaims>().unwrap();
    assert_eq!(claims.platform.components.len(), 13);
    assert_eq!(recorded.challenge()[..4], [0x57, 0xe9, 0x79, 0xae]);
    let mut other = policy;
    other.platforms[0].components[8].measurement = Measurement::new(&[1; 32]).unwrap();
    let recorded = appraise(&evidence, &cpak, other).unwrap();
    assert_eq!(recorded.ear().status(), Tier::Contraindicated);
}

/// Its realm measured nothing, so no policy is made of it; its signatures and its binding are good.
#[test]
fn a_realm_that_measured_nothing_is_genuine_and_known_to_nobody() {
    let Some(folder) = test_support::vectors() else {
        return;
    };
    let evidence = file(&folder, "cca/cca-token-01.cbor");
    let cpak = jwk(&json(&folder, "cca/ta-tfa.json")[0]["pkey"]);
    let mut policy = policy_of(&file(&folder, "cca/cca-example-token.cbor"));
    let recorded = appraise(&evidence, &cpak, policy.clone()).unwrap();
    assert_eq!(recorded.ear().status(), Tier::Contraindicated);
    policy.realms = policy_of(&evidence).realms;
    assert!(Live::fixed(policy).is_err());
}

/// Both signatures are good and the platform vouches for another key: issue 33 of `ccatoken`, whose release affirms it.
#[test]
fn a_realm_token_that_no_platform_token_vouches_for_is_refused() {
    let Some(folder) = test_support::vectors() else {
        return;
    };
    let evidence = file(&folder, "cca/bug-33-repro.cbor");
    let cpak = jwk(&json(&folder, "cca/cpak.json"));
    let refused = appraise(&evidence, &cpak, policy_of(&evidence)).map(drop);
    assert_eq!(refused, Err(AppraisalError::UnknownKey));
}

#[test]
fn a_token_under_another_key_is_refused() {
    let Some(folder) = test_support::vectors() else {
        return;
    };
    let evidence = file(&folder, "cca/cca-token-02.cbor");
    let policy = || policy_of(&evidence);
    let good = jwk(&json(&folder, "cca/ta-02-ok.json")[0]["pkey"]);
    let recorded = appraise(&evidence, &good, policy()).unwrap();
    assert_eq!(recorded.ear().status(), Tier::Affirming);
    let bad = jwk(&json(&folder, "cca/ta-02-bad.json")[0]["pkey"]);
    let refused = appraise(&evidence, &bad, policy()).map(drop);
    assert_eq!(refused, Err(AppraisalError::BadSignature));
    // Its header says ES256, and the key is of P-384.
    let longer = jwk(&json(&folder, "cca/cpak.json"));
    let refused = appraise(&evidence, &longer, policy()).map(drop);
    assert_eq!(refused, Err(AppraisalError::BadSignature));
}

#[test]
fn any_flipped_bit_of_a_signed_part_is_refused() {
    let Some(folder) = test_support::vectors() else {
        return;
    };
    let evidence = file(&folder, "corim/cca-good.cbor");
    let [platform, realm] = cca_corims(&folder);
    let keys = keys_in_software(&platform);
    let policy = CcaPolicy::from_corims(&platform, &realm).unwrap();
    let verifier = verifier(keys, policy);
    // Every bit is altered in `realms.rs`.
    for index in (0..evidence.len()).step_by(7) {
        let mut flipped = evidence.clone();
        flipped[index] ^= 0x10;
        let refused = ready(verifier.appraise_recorded(&flipped, at(NOW)));
        assert!(refused.is_err(), "{index}");
    }
}

#[test]
fn a_published_key_is_taken_for_one_in_software_alone() {
    let Some(folder) = test_support::vectors() else {
        return;
    };
    let [platform, _] = cca_corims(&folder);
    let refused = platform.table::<CcaKeys>().unwrap_err().to_string();
    assert!(refused.contains("cpak[0].public"), "{refused}");
    let psa = psa_corim(&folder);
    let refused = psa.table::<PsaKeys>().unwrap_err().to_string();
    assert!(refused.contains("iak[0].public"), "{refused}");
    for text in ["cca/cca_platform.pub", "psa/public.pem"] {
        let public = std::fs::read_to_string(folder.join(text)).unwrap();
        let public = atls_cca::PublicKey::from_pem(&public).unwrap();
        let key = TrustedKey::new("reference firmware", [7; 32], [1; 33], public);
        assert!(Live::fixed(CcaKeys::new(vec![key.clone()])).is_err());
        assert!(Live::fixed(PsaKeys::new(vec![key.clone()])).is_err());
        assert!(Live::fixed(CcaKeys::new(vec![key.in_software()])).is_ok());
    }
}

/// Claim by claim, with the difference that the README states for each.
#[test]
fn veraison_says_the_same_of_a_realm_but_for_the_stated_differences() {
    let Some(folder) = test_support::vectors() else {
        return;
    };
    let [platform, realm] = cca_corims(&folder);
    let keys = keys_in_software(&platform);
    let evidence = file(&folder, "corim/cca-good.cbor");
    // The components of this Evidence have another signer than those of the CoRIM, and Veraison overlooks signers.
    let policy = CcaPolicy::from_corims(&platform, &realm).unwrap();
    let strict =
        ready(verifier(keys.clone(), policy.clone()).appraise_recorded(&evidence, at(NOW)));
    let strict = strict.unwrap();
    assert_eq!(strict.ear().status(), Tier::Contraindicated);
    let platform_of = |recorded: &RecordedAppraisal| vector(recorded, "cca-platform");
    assert_eq!(platform_of(&strict)[2], 33);
    let mut policy = policy;
    for component in &mut policy.platforms[0].components {
        component.signer_id = None;
    }
    let ours = ready(verifier(keys, policy).appraise_recorded(&evidence, at(NOW))).unwrap();
    assert_eq!(ours.ear().status(), Tier::Affirming);

    let theirs = ear(&folder, "ear/veraison-cca-affirming.ear.jwt");
    assert_eq!(
        differences(&theirs, "CCA_SSD_PLATFORM", &vector(&ours, "cca-platform")),
        [("storage-opaque", 2, 0)]
    );
    // This CoRIM states the personalization value, so the instance is recognised here too.
    assert_eq!(
        differences(&theirs, "CCA_REALM", &vector(&ours, "cca-realm")),
        []
    );

    // What each says was in the Evidence.
    let claims = ours.claims::<CcaClaims>().unwrap();
    let part = &theirs["submods"]["CCA_SSD_PLATFORM"]["ear.veraison.annotated-evidence"];
    assert_eq!(
        decoded(&part["cca-platform-challenge"]),
        claims.platform.challenge
    );
    assert_eq!(
        decoded(&part["cca-platform-config"]),
        claims.platform.configuration
    );
    assert_eq!(
        decoded(&part["cca-platform-implementation-id"]),
        claims.platform.implementation_id
    );
    assert_eq!(
        decoded(&part["cca-platform-instance-id"]),
        claims.platform.instance_id
    );
    assert_eq!(
        part["cca-platform-lifecycle"],
        claims.platform.lifecycle.code()
    );
    let components = part["cca-platform-sw-components"].as_array().unwrap();
    assert_eq!(components.len(), claims.platform.components.len());
    for (theirs, ours) in components.iter().zip(&claims.platform.components) {
        assert_eq!(decoded(&theirs["measurement-value"]), ours.measurement);
        assert_eq!(decoded(&theirs["signer-id"]), ours.signer_id);
        assert_eq!(theirs["measurement-type"].as_str(), ours.kind.as_deref());
        assert_eq!(theirs["version"].as_str(), ours.version.as_deref());
    }
    let part = &theirs["submods"]["CCA_REALM"]["ear.veraison.annotated-evidence"];
    assert_eq!(
        decoded(&part["cca-realm-challenge"]),
        claims.realm.challenge
    );
    assert_eq!(
        decoded(&part["cca-realm-initial-measurement"]),
        claims.realm.initial_measurement
    );
    assert_eq!(
        decoded(&part["cca-realm-personalization-value"]),
        claims.realm.personalization_value
    );
    assert_eq!(
        decoded(&part["cca-realm-public-key"]),
        claims.realm.key.encoded()
    );
    let measured = part["cca-realm-extensible-measurements"]
        .as_array()
        .unwrap();
    let measured: Vec<_> = measured.iter().map(decoded).collect();
    assert_eq!(measured, claims.realm.extensible_measurements);
}

#[test]
fn veraison_says_the_same_of_a_device() {
    let Some(folder) = test_support::vectors() else {
        return;
    };
    let corim = psa_corim(&folder);
    let keys = keys_in_software(&corim);
    let mut policy: PsaPolicy = corim.table().unwrap();
    // As above.
    for component in &mut policy.devices[0].components {
        component.signer_id = None;
    }
    let evidence = file(&folder, "corim/psa.good.cose");
    let verifier = psa_verifier(keys, policy);
    let ours = ready(verifier.appraise_recorded(&evidence, at(NOW))).unwrap();
    assert_eq!(ours.ear().status(), Tier::Affirming);
    let theirs = ear(&folder, "ear/veraison-psa-affirming.ear.jwt");
    assert_eq!(differences(&theirs, "PSA_IOT", &vector(&ours, "psa")), []);
    for index in 0..evidence.len() {
        let mut flipped = evidence.clone();
        flipped[index] ^= 0x04;
        let refused = ready(verifier.appraise_recorded(&flipped, at(NOW)));
        assert!(refused.is_err(), "{index}");
    }
}

/// Of Trusted Firmware-M, in two profiles.
#[test]
fn devices_with_reference_firmware_are_affirmed_by_their_own_values() {
    let Some(folder) = test_support::vectors() else {
        return;
    };
    let public = std::fs::read_to_string(folder.join("psa/public.pem")).unwrap();
    let public = atls_cca::PublicKey::from_pem(&public).unwrap();
    for name in ["psa/psa-2_0_0_sign1.bin", "psa/psa-iot-1_sign1.bin"] {
        let evidence = file(&folder, name);
        let token = SignedToken::decode(&evidence).unwrap();
        let device = PsaDevice::of(token.claims()).unwrap();
        let (implementation, instance) = (device.implementation_id, device.instance_id);
        let key = TrustedKey::new("TF-M", implementation, instance, public.clone());
        let components = device.components.iter().map(|component| {
            KnownComponent::new(Measurement::new(&component.measurement).unwrap())
        });
        let firmware = atls_cca::PsaFirmware::new("TF-M", implementation, components.collect());
        let verifier = psa_verifier(vec![key.in_software()], PsaPolicy::new(vec![firmware]));
        let recorded = ready(verifier.appraise_recorded(&evidence, at(NOW)));
        assert_eq!(recorded.unwrap().ear().status(), Tier::Affirming, "{name}");
    }
}

// --- Helpers -----------------------------------------------------------------------------------------------------------

const NOW: u64 = 1_800_000_000;

fn file(folder: &Path, name: &str) -> Vec<u8> {
    std::fs::read(folder.join(name)).unwrap()
}

fn json(folder: &Path, name: &str) -> Value {
    serde_json::from_slice(&file(folder, name)).unwrap()
}

fn jwk(key: &Value) -> EcKey {
    let coordinate = |name: &str| BASE64_URL_SAFE_NO_PAD.decode(key[name].as_str().unwrap());
    let (x, y) = (coordinate("x").unwrap(), coordinate("y").unwrap());
    EcKey::from_point(&[vec![4], x, y].concat()).unwrap()
}

fn cca_corims(folder: &Path) -> [Corim; 2] {
    ["corim-cca-platform-valid", "corim-cca-realm-valid"].map(|name| {
        let bytes = file(folder, &format!("corim/{name}.cbor"));
        corim::unsigned(&bytes, at(NOW)).unwrap()
    })
}

fn psa_corim(folder: &Path) -> Corim {
    corim::unsigned(&file(folder, "corim/corim-psa-valid.cbor"), at(NOW)).unwrap()
}

/// The keys of a CoRIM whose private halves everybody has.
fn keys_in_software(corim: &Corim) -> Vec<TrustedKey> {
    let key = |key: &corim::AttestKey| {
        let (Some(Id::Bytes(implementation)), Some(Id::Ueid(instance))) =
            (&key.environment.class_id, &key.environment.instance)
        else {
            panic!("an implementation and an instance")
        };
        let (implementation, instance) = (implementation.as_slice(), instance.as_slice());
        let public = atls_cca::PublicKey::from_pem(&key.keys[0]).unwrap();
        TrustedKey::new(
            key.name(corim.id()),
            implementation.try_into().unwrap(),
            instance.try_into().unwrap(),
            public,
        )
        .in_software()
    };
    corim.attest_keys().iter().map(key).collect()
}

/// A policy that knows all that the token says.
fn policy_of(evidence: &[u8]) -> CcaPolicy {
    let token = CcaToken::decode(evidence).unwrap();
    let platform = CcaPlatform::of(token.platform()).unwrap();
    let realm = CcaRealm::of(token.realm()).unwrap();
    let measured = |bytes: &[u8]| Measurement::new(bytes).unwrap();
    let components = platform.components.iter().map(|component| {
        let mut known = KnownComponent::new(measured(&component.measurement));
        known.signer_id = Some(measured(&component.signer_id));
        known.kind.clone_from(&component.kind);
        known
    });
    let id = platform.implementation_id;
    let firmware = CcaPlatformFirmware::new("its own", id, components.collect());
    let image = CcaRealmImage::new("its own", measured(&realm.initial_measurement));
    CcaPolicy::new(vec![firmware], vec![image])
}

fn appraise(
    evidence: &[u8],
    cpak: &EcKey,
    policy: CcaPolicy,
) -> Result<RecordedAppraisal, AppraisalError> {
    let token = CcaToken::decode(evidence).unwrap();
    let platform = CcaPlatform::of(token.platform()).unwrap();
    let (implementation, instance) = (platform.implementation_id, platform.instance_id);
    let key = TrustedKey::new("published", implementation, instance, cpak.clone().into());
    // This realm measured nothing, which no table may say.
    let policy = match policy.realms[0]
        .initial_measurement
        .as_bytes()
        .iter()
        .all(|byte| *byte == 0)
    {
        true => {
            let mut policy = policy;
            policy.realms[0].initial_measurement = Measurement::new(&[1; 32]).unwrap();
            policy
        }
        false => policy,
    };
    let verifier = verifier(vec![key.in_software()], policy);
    ready(verifier.appraise_recorded(evidence, at(NOW)))
}

fn verifier(keys: Vec<TrustedKey>, policy: CcaPolicy) -> CcaVerifier {
    let keys = Live::fixed(CcaKeys::new(keys)).unwrap();
    let policy = Live::fixed(policy).unwrap();
    CcaVerifier::new(Arc::new(policy), Arc::new(keys), &provider())
}

fn psa_verifier(keys: Vec<TrustedKey>, policy: PsaPolicy) -> PsaVerifier {
    let keys = Live::fixed(PsaKeys::new(keys)).unwrap();
    let policy = Live::fixed(policy).unwrap();
    PsaVerifier::new(Arc::new(policy), Arc::new(keys), &provider())
}

fn provider() -> CryptoProvider {
    rustls::crypto::ring::default_provider()
}

fn vector(recorded: &RecordedAppraisal, part: &str) -> [i8; 8] {
    let vector = recorded.ear().submod(part).unwrap().vector();
    Category::ALL.map(|category| vector.get(category).value())
}

/// The claims of a signed result, whose signature others verify (`verifiers/veraison`).
fn ear(folder: &Path, name: &str) -> Value {
    let token = std::fs::read_to_string(folder.join(name)).unwrap();
    let payload = token.trim().split('.').nth(1).unwrap();
    serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap()
}

/// The claims in which a part of Veraison's result is another than ours: name, theirs, ours.
fn differences(theirs: &Value, part: &str, ours: &[i8; 8]) -> Vec<(&'static str, i8, i8)> {
    let theirs = &theirs["submods"][part]["ear.trustworthiness-vector"];
    let both = Category::ALL.into_iter().zip(ours);
    both.filter_map(|(category, ours)| {
        let theirs = theirs[category.name()].as_i64().unwrap();
        let theirs = i8::try_from(theirs).unwrap();
        (theirs != *ours).then_some((category.name(), theirs, *ours))
    })
    .collect()
}

fn decoded(text: &Value) -> Vec<u8> {
    BASE64_STANDARD.decode(text.as_str().unwrap()).unwrap()
}
