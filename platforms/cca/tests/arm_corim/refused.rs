//! CoRIMs that no table can be made of.

use atls_cca::CcaKeys;
use atls_cca::CcaPolicy;
use atls_cca::PsaKeys;
use atls_cca::PsaPolicy;
use atls_cca::testing::ForgedCca;
use atls_cca::testing::ForgedPsa;
use atls_reference::Table;
use corim::cbor::value::Value;
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

use crate::makers::CCA_PLATFORM;
use crate::makers::CCA_REALM;
use crate::makers::Published;
use crate::makers::bytes_class;
use crate::makers::component;
use crate::makers::configuration;
use crate::makers::corim;
use crate::makers::device;
use crate::makers::measured_as;
use crate::makers::pem;
use crate::makers::platform;
use crate::makers::realm;
use crate::makers::signer;

#[test]
fn one_corim_is_no_policy_of_realms() {
    let forged = ForgedCca::new();
    for corim in [platform(&forged).published(), realm(&forged).published()] {
        assert!(corim.dangerous_table_without_end::<CcaPolicy>().is_err());
    }
    assert!(
        CcaPolicy::dangerous_from_corims_without_end(
            &realm(&forged).published(),
            &platform(&forged).published()
        )
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
        assert!(
            renamed(&platform)
                .dangerous_table_without_end::<CcaKeys>()
                .is_err()
        );
        assert!(
            renamed(&platform)
                .dangerous_added_without_end(realm_maker.policy())
                .is_err()
        );
        assert!(
            renamed(&device)
                .dangerous_table_without_end::<PsaPolicy>()
                .is_err()
        );
        assert!(
            renamed(&device)
                .dangerous_table_without_end::<PsaKeys>()
                .is_err()
        );
    }
    // One of a device is none of a platform.
    assert!(
        device
            .published()
            .dangerous_table_without_end::<CcaKeys>()
            .is_err()
    );
    assert!(
        platform
            .published()
            .dangerous_table_without_end::<PsaKeys>()
            .is_err()
    );
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
