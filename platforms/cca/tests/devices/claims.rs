//! What a token says, against the policy.

use std::sync::Arc;

use atls_cca::KnownComponent;
use atls_cca::Lifecycle;
use atls_cca::Measurement;
use atls_cca::PsaClaims;
use atls_cca::PsaFirmware;
use atls_cca::PsaKeys;
use atls_cca::PsaPolicy;
use atls_cca::PsaVerifier;
use atls_cca::PublicKey;
use atls_cca::TrustedKey;
use atls_cca::testing::ForgedPsa;
use atls_core::Origin;
use atls_core::RelyingParty;
use atls_core::StandardPolicy;
use atls_core::ear::Tier;
use atls_formats::psa::EcKey;
use atls_reference::Live;
use atls_sim::SimAttester;
use atls_sim::SoftwareComponent;
use test_support::Connection;
use test_support::ready;

use crate::setting::Setting;
use crate::support;
use crate::support::at;
use crate::support::provider;
use crate::support::vector;

#[test]
fn a_device_is_affirmed_and_says_that_it_is_simulated() {
    for connection in [Connection::new(), Connection::sha384()] {
        let setting = Setting::with(connection, ForgedPsa::new());
        let appraised = setting.appraise(&setting.token()).unwrap();
        assert_eq!(appraised.ear().status(), Tier::Affirming);
        assert_eq!(appraised.origin(), Origin::Simulated);
        assert_eq!(appraised.image(), Some("forged firmware"));
        assert_eq!(vector(appraised.ear(), "psa"), [2, 0, 2, 0, 2, 2, 2, 0]);
    }
}

#[test]
fn the_claims_reach_the_handler() {
    let setting = Setting::new();
    let mut attester = setting.forged.attester();
    let party = RelyingParty::builder()
        .verifier(Arc::new(setting.verifier))
        .standard_policy(StandardPolicy::new().dangerous_accept_simulated())
        .build()
        .unwrap();
    let credential = setting.connection.credential(&mut attester);
    let peer = ready(party.appraise(credential, at())).unwrap();
    let claims = peer.claims::<PsaClaims>().unwrap();
    assert_eq!(
        (claims.key.as_str(), claims.device.client_id),
        ("forged", -1)
    );
}

/// The simulator is a device: its key in the file, its software in the policy.
#[test]
fn a_simulated_device_is_appraised_as_any_other_and_is_simulated() {
    let simulator = SimAttester::generate().unwrap();
    let anchor = simulator.trust_anchor();
    let public = EcKey::from_point(anchor.public_key()).unwrap();
    let instance_id = anchor.instance_id().try_into().unwrap();
    let key = TrustedKey::new(
        "laptop",
        atls_sim::IMPLEMENTATION_ID,
        instance_id,
        PublicKey::from(public),
    );
    // Nobody takes it for hardware by mistake.
    assert!(Live::fixed(PsaKeys::new(vec![key.clone()])).is_err());
    let keys = Live::fixed(PsaKeys::new(vec![key.in_software()])).unwrap();
    let software = KnownComponent::new(Measurement::new(&SimAttester::SOFTWARE).unwrap());
    let firmware = PsaFirmware::new("simulated", atls_sim::IMPLEMENTATION_ID, vec![software]);
    let policy = Live::fixed(PsaPolicy::new(vec![firmware])).unwrap();
    let verifier = PsaVerifier::new(Arc::new(policy), Arc::new(keys), &provider());
    let connection = Connection::new();
    let appraise = |simulator: &SimAttester| {
        let token = ready(connection.token(simulator));
        support::appraise(&connection, &verifier, &token).unwrap()
    };
    let appraised = appraise(&simulator);
    assert_eq!(appraised.ear().status(), Tier::Affirming);
    assert_eq!(appraised.origin(), Origin::Simulated);
    let other = simulator.with_software(vec![SoftwareComponent::new("ARoT", [9; 32])]);
    assert_eq!(appraise(&other).ear().status(), Tier::Contraindicated);
}

#[test]
fn every_lifecycle_but_secured_is_contraindicated() {
    for code in [0, 0x1000, 0x2000, 0x3100, 0x4000, 0x5000, 0x6000, 0xffff] {
        let mut forged = ForgedPsa::new();
        forged.device.lifecycle = Lifecycle::from(code);
        let setting = Setting::of(forged);
        let appraised = setting.appraise(&setting.token()).unwrap();
        assert_eq!(appraised.ear().status(), Tier::Contraindicated, "{code:#x}");
        assert_eq!(vector(appraised.ear(), "psa"), [96, 0, 2, 0, 2, 96, 96, 0]);
    }
}

#[test]
fn unknown_and_missing_components_are_contraindicated() {
    let good = ForgedPsa::new();
    let changes: [fn(&mut ForgedPsa); 4] = [
        |forged| forged.device.components[0].measurement[0] ^= 1,
        |forged| forged.device.components[0].signer_id[0] ^= 1,
        |forged| drop(forged.device.components.remove(1)),
        |forged| {
            forged
                .device
                .components
                .extend(forged.device.components.clone().into_iter().map(|mut it| {
                    it.kind = None;
                    it
                }))
        },
    ];
    for (number, change) in changes.into_iter().enumerate() {
        let mut forged = good.clone();
        change(&mut forged);
        let setting = Setting {
            verifier: good.verifier(&provider()),
            ..Setting::of(forged)
        };
        let appraised = setting.appraise(&setting.token()).unwrap();
        assert_eq!(appraised.ear().status(), Tier::Contraindicated, "{number}");
        assert_eq!(vector(appraised.ear(), "psa")[2], 33, "{number}");
    }
}
