//! Tokens that are appraised, and the software in them.

use atls_core::AppraisalError;
use atls_core::Attester;
use atls_core::Origin;
use atls_core::ear::Tier;
use atls_core::finding::Finding;
use atls_core::finding::Outcome;
use atls_sim::IMPLEMENTATION_ID;
use atls_sim::Lifecycle;
use atls_sim::Profile;
use atls_sim::SoftwareComponent;
use coset::CoseSign1;
use coset::TaggedCborSerializable;
use test_support::Connection;
use test_support::ready;

use crate::setting::Setting;
use crate::setting::altered;
use crate::setting::bytes;
use crate::setting::claims_of;
use crate::setting::device;
use crate::setting::replace;

#[test]
fn a_token_is_affirmed_and_says_that_it_is_simulated() {
    for connection in [Connection::new(), Connection::sha384()] {
        let setting = Setting::with(connection, device());
        let appraised = setting.appraise(&setting.token()).unwrap();
        assert_eq!(appraised.ear().status(), Tier::Affirming);
        assert_eq!(appraised.origin(), Origin::Simulated);
    }
}

#[test]
fn a_token_has_the_claims_of_rfc_9783() {
    let setting = Setting::with(Connection::sha384(), device());
    let token = setting.token();
    assert_eq!(token[0], 0xd2, "COSE_Sign1");
    let sign1 = CoseSign1::from_tagged_slice(&token).unwrap();
    assert_eq!(sign1.signature.len(), 64, "ES256");
    let claims = claims_of(&sign1);
    let claim = |key: i32| {
        let found = claims.iter().find(|(known, _)| *known == key.into());
        found.unwrap().1.clone()
    };
    let anchor = setting.attester.trust_anchor();
    assert_eq!(anchor.instance_id().len(), 33);
    assert_eq!(anchor.instance_id()[0], 1);
    assert_eq!(claim(10), bytes(setting.connection.bound().as_bytes()));
    assert_eq!(claim(256), bytes(anchor.instance_id()));
    assert_eq!(claim(265), "tag:psacertified.org,2023:psa#tfm".into());
    assert_eq!(claim(268).as_bytes().unwrap().len(), 32);
    assert!(claim(2394).as_integer().is_some());
    assert_eq!(claim(2395), 0x3000.into());
    assert_eq!(claim(2396), bytes(&IMPLEMENTATION_ID));
    assert_eq!(claim(2399).as_array().unwrap().len(), 1);
}

#[test]
fn a_token_of_the_predecessor_is_for_other_verifiers() {
    let predecessor = device().with_profile(Profile::Predecessor);
    let setting = Setting::with(Connection::new(), predecessor);
    let media_type = Attester::media_types(&setting.attester)[0].to_string();
    assert_eq!(media_type, "application/psa-attestation-token");
    let claims = claims_of(&CoseSign1::from_tagged_slice(&setting.token()).unwrap());
    assert!(claims.contains(&(265.into(), "http://arm.com/psa/2.0.0".into())));
    let refused = setting.refusal(&setting.token());
    assert_eq!(refused, AppraisalError::Malformed);
}

#[test]
fn a_token_of_another_connection_is_refused() {
    let setting = Setting::new();
    let replayed = ready(Connection::new().token(&setting.attester));
    assert_eq!(setting.refusal(&replayed), AppraisalError::NotBound);
}

#[test]
fn a_token_of_an_unknown_device_is_refused_until_it_is_trusted() {
    let (mut setting, unknown) = (Setting::new(), device());
    let token = ready(setting.connection.token(&unknown));
    assert_eq!(setting.refusal(&token), AppraisalError::UnknownKey);
    setting.verifier = setting.verifier.with_trust_anchor(unknown.trust_anchor());
    assert!(setting.appraise(&token).is_ok());
}

#[test]
fn a_device_that_borrows_anothers_name_is_refused() {
    let setting = Setting::new();
    let name = bytes(setting.attester.trust_anchor().instance_id());
    let liars = ready(setting.connection.token(&device()));
    let renamed = altered(&liars, |claims| replace(claims, 256, name));
    assert_eq!(setting.refusal(&renamed), AppraisalError::BadSignature);
}

#[test]
fn software_is_known_if_every_part_is() {
    for (parts, known, expected) in [
        (&[1][..], &[1][..], Tier::Affirming),
        (&[1, 2], &[1, 2], Tier::Affirming),
        (&[1, 3], &[1, 2], Tier::Contraindicated),
        (&[1], &[], Tier::Contraindicated),
    ] {
        let software = parts.iter().map(|part| component(*part)).collect();
        let setting = Setting::with(Connection::new(), device().with_software(software));
        let known = known.iter().map(|known| [*known; 32]).collect();
        let verifier = setting.verifier.clone().with_reference_values(known);
        let setting = Setting {
            verifier,
            ..setting
        };
        assert_eq!(setting.status(), expected, "{parts:?}");
    }
}

#[test]
fn every_lifecycle_but_secured_is_contraindicated() {
    for code in [0, 0x1000, 0x2000, 0x4000, 0x5000, 0x6000, 0xffff] {
        let unsecured = device().with_lifecycle(Lifecycle::Other(code));
        let setting = Setting::with(Connection::new(), unsecured);
        assert_eq!(setting.status(), Tier::Contraindicated, "{code:#x}");
    }
}

#[test]
fn unknown_software_is_reported_with_its_measurement_and_the_known_ones() {
    let appraise = |measurement| {
        let device = device().with_software(vec![component(measurement)]);
        let setting = Setting::with(Connection::new(), device);
        let verifier = setting.verifier.clone().with_reference_values(Vec::new());
        let verifier = verifier
            .with_known_software("web 1.4", [4; 32])
            .with_known_software("web 1.5", [5; 32]);
        let setting = Setting {
            verifier,
            ..setting
        };
        setting.appraise(&setting.token()).unwrap()
    };
    let has_passed = |finding: &Finding| finding.outcome() == Outcome::Passed;
    let known = appraise(5);
    assert_eq!(known.image(), Some("web 1.5"));
    assert!(known.findings().iter().all(has_passed));
    let unknown = appraise(6);
    assert_eq!(unknown.image(), None);
    let mut findings = unknown.findings().iter();
    let finding = findings.find(|finding| !has_passed(finding)).unwrap();
    assert_eq!(finding.check(), "sim.software");
    assert_eq!(finding.seen(), Some("06".repeat(32).as_str()));
    let allowed: Vec<_> = finding.allowed().iter().map(|value| value.name()).collect();
    assert_eq!(allowed, ["web 1.4", "web 1.5"]);
    assert_eq!(finding.allowed()[1].value(), "05".repeat(32));
}

fn component(measurement: u8) -> SoftwareComponent {
    SoftwareComponent::new("ARoT", [measurement; 32])
}
