//! The same Evidence before the real Veraison, which was recorded, and before these verifiers.

use atls_cca::CcaClaims;
use atls_cca::CcaPolicy;
use atls_cca::PsaPolicy;
use atls_core::RecordedAppraisal;
use atls_core::ear::Tier;
use test_support::at;
use test_support::ready;

use crate::samples::NOW;
use crate::samples::cca_corims;
use crate::samples::decoded;
use crate::samples::differences;
use crate::samples::ear;
use crate::samples::file;
use crate::samples::keys_in_software;
use crate::samples::psa_corim;
use crate::samples::psa_verifier;
use crate::samples::vector;
use crate::samples::verifier;

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
    let policy = CcaPolicy::dangerous_from_corims_without_end(&platform, &realm).unwrap();
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
    let mut policy: PsaPolicy = corim.dangerous_table_without_end().unwrap();
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
