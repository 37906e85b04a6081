//! Tokens that reference firmware made.

use atls_cca::CcaClaims;
use atls_cca::KnownComponent;
use atls_cca::Measurement;
use atls_cca::PsaPolicy;
use atls_cca::TrustedKey;
use atls_core::ear::Tier;
use atls_formats::psa::PsaDevice;
use atls_formats::psa::SignedToken;
use atls_reference::Live;
use test_support::at;
use test_support::ready;

use crate::samples::NOW;
use crate::samples::appraise;
use crate::samples::file;
use crate::samples::json;
use crate::samples::jwk;
use crate::samples::policy_of;
use crate::samples::psa_verifier;

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
