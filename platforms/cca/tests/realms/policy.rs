//! Each rule of the policy, violated.

use atls_cca::CcaPolicy;
use atls_cca::Lifecycle;
use atls_cca::testing::ForgedCca;
use atls_core::ear::Tier;

use crate::setting::Case;
use crate::setting::Setting;
use crate::setting::failed;
use crate::support::provider;
use crate::support::vector;

#[test]
fn every_lifecycle_but_secured_is_contraindicated() {
    for code in [
        0, 0x1000, 0x2000, 0x2fff, 0x3100, 0x4000, 0x40ff, 0x5000, 0x6000, 0xffff,
    ] {
        let mut forged = ForgedCca::new();
        forged.platform.lifecycle = Lifecycle::from(code);
        let setting = Setting::of(forged);
        let appraised = setting.appraise(&setting.token()).unwrap();
        assert_eq!(appraised.ear().status(), Tier::Contraindicated, "{code:#x}");
        assert_eq!(
            vector(appraised.ear(), "cca-platform"),
            [96, 2, 2, 0, 2, 96, 0, 0]
        );
        assert_eq!(failed(&appraised), ["cca.lifecycle"], "{code:#x}");
    }
    for code in [0x3000, 0x3003, 0x30ff] {
        let mut forged = ForgedCca::new();
        forged.platform.lifecycle = Lifecycle::from(code);
        assert_eq!(Setting::of(forged).status(), Tier::Affirming, "{code:#x}");
    }
}

#[test]
fn each_component_is_known_in_all_that_the_policy_states_and_none_is_missing() {
    let good = ForgedCca::new();
    let changes: [Case<ForgedCca, &[&str]>; 7] = [
        (
            |forged| forged.platform.components[1].measurement[0] ^= 1,
            &["cca.firmware", "cca.component.RMM"],
        ),
        (
            |forged| forged.platform.components[1].signer_id[0] ^= 1,
            &["cca.firmware", "cca.component.RMM"],
        ),
        (
            |forged| forged.platform.components[1].kind = None,
            &["cca.firmware", "cca.component.unnamed"],
        ),
        (
            |forged| forged.platform.components[1].version = Some("0.9".to_owned()),
            &["cca.firmware", "cca.component.RMM"],
        ),
        (
            |forged| {
                let mut more = forged.platform.components[0].clone();
                more.measurement[0] ^= 1;
                forged.platform.components.push(more);
            },
            &["cca.firmware", "cca.component.BL2"],
        ),
        (
            |forged| drop(forged.platform.components.remove(0)),
            &["cca.firmware"],
        ),
        (
            |forged| forged.platform.components[0].measurement.extend([0; 32]),
            &["cca.firmware", "cca.component.BL2"],
        ),
    ];
    for (number, (change, expected)) in changes.into_iter().enumerate() {
        let mut forged = good.clone();
        change(&mut forged);
        let setting = Setting {
            verifier: good.verifier(&provider()),
            ..Setting::of(forged)
        };
        let appraised = setting.appraise(&setting.token()).unwrap();
        assert_eq!(appraised.ear().status(), Tier::Contraindicated, "{number}");
        assert_eq!(vector(appraised.ear(), "cca-platform")[2], 33, "{number}");
        assert_eq!(failed(&appraised), expected, "{number}");
    }
    let mut reordered = good.clone();
    reordered.platform.components.reverse();
    let setting = Setting {
        verifier: good.verifier(&provider()),
        ..Setting::of(reordered)
    };
    assert_eq!(setting.status(), Tier::Affirming);
}

#[test]
fn firmware_is_known_of_its_own_implementation_alone() {
    let forged = ForgedCca::new();
    let mut policy = forged.policy();
    policy.platforms[0].implementation_id = [9; 32].into();
    let setting = Setting::by(forged, policy);
    let appraised = setting.appraise(&setting.token()).unwrap();
    assert_eq!(appraised.ear().status(), Tier::Contraindicated);
    let finding = appraised
        .findings()
        .iter()
        .find(|it| it.check() == "cca.firmware");
    assert!(
        finding
            .unwrap()
            .note()
            .unwrap()
            .contains("implementation ID")
    );
}

#[test]
fn a_configuration_counts_in_the_bits_of_its_mask() {
    for (stated, mask, found, expected) in [
        (None, None, vec![0; 4], 0),
        (Some(vec![7; 4]), None, vec![7; 4], 2),
        (Some(vec![7; 4]), None, vec![7, 7, 7, 6], 96),
        (Some(vec![7; 4]), None, vec![7; 5], 96),
        (
            Some(vec![7; 4]),
            Some(vec![0xff, 0xff, 0xff, 0]),
            vec![7, 7, 7, 6],
            2,
        ),
        (
            Some(vec![7; 4]),
            Some(vec![0xff, 0xff, 0xff, 1]),
            vec![7, 7, 7, 6],
            96,
        ),
        (Some(vec![7; 4]), Some(vec![0xff, 0, 0, 0]), vec![7], 96),
        (Some(vec![7; 4]), Some(vec![0xff, 0, 0, 0]), vec![7; 5], 96),
    ] {
        let mut forged = ForgedCca::new();
        forged.platform.configuration = found;
        let mut policy = forged.policy();
        policy.platforms[0].configuration = stated;
        policy.platforms[0].configuration_mask = mask;
        let setting = Setting::by(forged, policy);
        let appraised = setting.appraise(&setting.token()).unwrap();
        assert_eq!(vector(appraised.ear(), "cca-platform")[1], expected);
        let is_affirming = appraised.ear().status() == Tier::Affirming;
        assert_eq!(is_affirming, expected != 96);
    }
}

/// The same firmware is known in two configurations.
#[test]
fn any_known_configuration_is_good() {
    let forged = ForgedCca::new();
    let mut policy = forged.policy();
    let mut other = policy.platforms[0].clone();
    other.name = "other".to_owned();
    other.configuration = Some(vec![1]);
    policy.platforms.insert(0, other);
    assert_eq!(Setting::by(forged, policy).status(), Tier::Affirming);
}

#[test]
fn each_measurement_of_a_realm_narrows() {
    let good = ForgedCca::new();
    let changes: [Case<ForgedCca, &[&str]>; 4] = [
        (
            |forged| forged.realm.initial_measurement[0] ^= 1,
            &["cca.realm"],
        ),
        (
            |forged| forged.realm.personalization_value[0] ^= 1,
            &["cca.realm"],
        ),
        (
            |forged| forged.realm.extensible_measurements[0][0] ^= 1,
            &["cca.realm", "cca.rem0"],
        ),
        (
            |forged| forged.realm.extensible_measurements[3][63] ^= 1,
            &["cca.realm", "cca.rem3"],
        ),
    ];
    for (number, (change, expected)) in changes.into_iter().enumerate() {
        let mut forged = good.clone();
        change(&mut forged);
        let setting = Setting {
            verifier: good.verifier(&provider()),
            ..Setting::of(forged)
        };
        let appraised = setting.appraise(&setting.token()).unwrap();
        assert_eq!(appraised.ear().status(), Tier::Contraindicated, "{number}");
        assert_eq!(
            vector(appraised.ear(), "cca-realm"),
            [0, 0, 33, 0, 0, 0, 0, 0]
        );
        assert_eq!(failed(&appraised), expected, "{number}");
    }
}

#[test]
fn what_a_realm_image_leaves_open_is_not_claimed() {
    let changes: [Case<CcaPolicy, [i8; 3]>; 4] = [
        (|_| {}, [2, 0, 2]),
        (|policy| policy.realms[0].rem3 = None, [2, 0, 3]),
        (
            |policy| policy.realms[0].personalization_value = None,
            [0, 0, 2],
        ),
        (
            |policy| {
                // Of two that match, the one that states more counts.
                let mut bare = policy.realms[0].clone();
                bare.rem0 = None;
                policy.realms.push(bare);
            },
            [2, 0, 2],
        ),
    ];
    for (change, expected) in changes {
        let forged = ForgedCca::new();
        let mut policy = forged.policy();
        change(&mut policy);
        let setting = Setting::by(forged, policy);
        let appraised = setting.appraise(&setting.token()).unwrap();
        assert_eq!(appraised.ear().status(), Tier::Affirming);
        assert_eq!(vector(appraised.ear(), "cca-realm")[..3], expected);
    }
}
