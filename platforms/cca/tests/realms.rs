//! CCA tokens against their verifier: good, altered, recombined, replayed, under other keys and policies.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod support;

use std::sync::Arc;

use atls_cca::CcaClaims;
use atls_cca::CcaKeys;
use atls_cca::CcaPolicy;
use atls_cca::CcaProfile;
use atls_cca::CcaVerifier;
use atls_cca::KeyHash;
use atls_cca::Lifecycle;
use atls_cca::RealmKey;
use atls_cca::testing::ForgedCca;
use atls_cca::testing::ForgedKey;
use atls_core::AppraisalError;
use atls_core::Appraised;
use atls_core::Origin;
use atls_core::PolicyViolation;
use atls_core::Refusal;
use atls_core::RelyingParty;
use atls_core::StandardPolicy;
use atls_core::Verifier;
use atls_core::ear::Tier;
use atls_core::finding::Finding;
use atls_core::finding::Outcome;
use atls_formats::psa::CcaToken;
use atls_formats::psa::EcKey;
use atls_formats::psa::Ecdsa;
use atls_formats::psa::realm_challenge;
use atls_reference::Live;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::ECDSA_P521_SHA512_FIXED_SIGNING;
use aws_lc_rs::signature::EcdsaKeyPair;
use aws_lc_rs::signature::KeyPair;
use ciborium::Value;
use coset::HeaderBuilder;
use coset::ProtectedHeader;
use coset::iana::Algorithm;
use proptest::prelude::*;
use support::at;
use support::bytes;
use support::provider;
use support::reframed;
use support::replace;
use support::resealed;
use support::vector;
use test_support::Connection;
use test_support::ready;

#[test]
fn a_realm_of_either_generation_is_affirmed_and_says_that_it_is_simulated() {
    for profile in [CcaProfile::First, CcaProfile::Tag2023] {
        for connection in [Connection::new(), Connection::sha384()] {
            let setting = Setting::with(connection, ForgedCca::of(profile));
            let appraised = setting.appraise(&setting.token()).unwrap();
            assert_eq!(appraised.ear().status(), Tier::Affirming);
            assert_eq!(appraised.origin(), Origin::Simulated);
            assert_eq!(appraised.image(), Some("forged realm"));
            assert_eq!(
                vector(appraised.ear(), "cca-platform"),
                [2, 2, 2, 0, 2, 2, 0, 0]
            );
            assert_eq!(
                vector(appraised.ear(), "cca-realm"),
                [2, 0, 2, 0, 0, 0, 0, 0]
            );
            let has_passed = |finding: &Finding| finding.outcome() == Outcome::Passed;
            assert!(appraised.findings().iter().all(has_passed));
        }
    }
}

/// The two generations meet in deployed tokens.
#[test]
fn tokens_of_different_generations_are_one_collection() {
    let mut forged = ForgedCca::new();
    forged.platform.profile = CcaProfile::First;
    let setting = Setting::of(forged);
    assert_eq!(setting.status(), Tier::Affirming);
}

#[test]
fn a_key_of_hardware_is_a_device_and_one_of_software_simulated() {
    let forged = ForgedCca::new();
    for (key, origin) in [
        (forged.trusted("a"), Origin::Device),
        (forged.trusted("a").in_software(), Origin::Simulated),
    ] {
        let keys = Live::fixed(CcaKeys::new(vec![key])).unwrap();
        let policy = Live::fixed(forged.policy()).unwrap();
        let verifier = CcaVerifier::new(Arc::new(policy), Arc::new(keys), &provider());
        let setting = Setting {
            verifier,
            ..Setting::of(forged.clone())
        };
        let appraised = setting.appraise(&setting.token()).unwrap();
        assert_eq!(appraised.origin(), origin);
    }
}

#[test]
fn the_claims_reach_the_handler_and_the_standard_policy_refuses_a_simulated_realm() {
    let setting = Setting::new();
    let mut attester = setting.forged.attester();
    let verifier = Arc::new(setting.verifier);
    let party = |policy| {
        let verifier = verifier.clone();
        let party = RelyingParty::builder().verifier(verifier);
        party.standard_policy(policy).build().unwrap()
    };
    let lenient = party(StandardPolicy::new().dangerous_accept_simulated());
    let credential = setting.connection.credential(&mut attester);
    let peer = ready(lenient.appraise(credential, at())).unwrap();
    let claims = peer.claims::<CcaClaims>().unwrap();
    assert_eq!(claims.key, "forged");
    assert_eq!(claims.firmware.as_deref(), Some("forged firmware"));
    assert_eq!(claims.image.as_deref(), Some("forged realm"));
    assert_eq!(claims.platform.components.len(), 2);
    assert_eq!(claims.realm.initial_measurement, [0x1a; 64]);
    let credential = setting.connection.credential(&mut attester);
    let refused = ready(party(StandardPolicy::new()).appraise(credential, at()));
    let expected = Refusal::Policy(PolicyViolation::Simulated);
    assert_eq!(refused.unwrap_err(), expected);
}

#[test]
fn debug_output_names_no_machine() {
    let setting = Setting::new();
    let token = setting.token();
    let recorded = ready(setting.verifier.appraise_recorded(&token, at())).unwrap();
    let shown = format!("{:?}", recorded.claims::<CcaClaims>().unwrap());
    assert_eq!(
        shown,
        r#"CcaClaims { firmware: Some("forged firmware"), image: Some("forged realm"), lifecycle: Secured, .. }"#
    );
}

#[test]
fn a_recorded_token_gives_its_challenge() {
    let setting = Setting::new();
    let token = setting.token();
    let recorded = ready(setting.verifier.appraise_recorded(&token, at())).unwrap();
    assert_eq!(recorded.ear().status(), Tier::Affirming);
    assert_eq!(recorded.challenge(), setting.challenge());
}

#[test]
fn a_token_of_another_connection_is_refused() {
    let setting = Setting::new();
    let other = Connection::new();
    let replayed = other.evidence(&mut setting.forged.attester());
    assert_eq!(setting.refusal(&replayed), AppraisalError::NotBound);
}

/// The binding, under signatures that verify: a realm management monitor that lies.
#[test]
fn a_challenge_that_is_cut_padded_empty_or_another_is_refused() {
    for connection in [Connection::new(), Connection::sha384()] {
        let setting = Setting::with(connection, ForgedCca::new());
        let whole = setting.challenge();
        let bound = setting.connection.bound().as_bytes().to_vec();
        let appraise = |challenge: Value| {
            let realm = setting.forged.realm_token(&whole);
            let realm = resealed(&realm, &setting.forged.rak, |claims| {
                replace(claims, 10, challenge);
            });
            let token = CcaToken::encode(&setting.forged.platform_token(), &realm).unwrap();
            setting.appraise(&token).map(drop)
        };
        assert_eq!(appraise(bytes(&whole)), Ok(()));
        for (challenge, expected) in [
            (vec![], AppraisalError::Malformed),
            (whole[..63].to_vec(), AppraisalError::Malformed),
            ([&whole[..], &[0]].concat(), AppraisalError::Malformed),
            (vec![0; 64], AppraisalError::NotBound),
            // As the kernel pads shorter ones.
            (
                [&bound[..], &vec![0; 64 - bound.len()]].concat(),
                AppraisalError::NotBound,
            ),
            ([&whole[..32], &[0; 32]].concat(), AppraisalError::NotBound),
            (
                whole.iter().rev().copied().collect(),
                AppraisalError::NotBound,
            ),
        ] {
            assert_eq!(appraise(bytes(&challenge)), Err(expected), "{challenge:?}");
        }
        let several = Value::Array(vec![bytes(&whole), bytes(&whole)]);
        assert_eq!(appraise(several), Err(AppraisalError::Malformed));
    }
}

#[test]
fn every_flipped_bit_and_every_truncation_is_refused() {
    // The faster curve: there are thousands of appraisals.
    let mut forged = ForgedCca::new();
    (forged.cpak, forged.rak) = (ForgedKey::p256(), ForgedKey::p256());
    let key = forged.rak.key().to_cose_key().unwrap();
    forged.realm.key = RealmKey::decode(&key).unwrap();
    let setting = Setting::of(forged);
    let token = setting.token();
    for index in 0..token.len() {
        assert!(setting.appraise(&token[..index]).is_err(), "cut at {index}");
        for bit in 0..8 {
            let mut flipped = token.clone();
            flipped[index] ^= 1 << bit;
            let refused = setting.appraise(&flipped).is_err();
            assert!(refused, "bit {bit} of {index}");
        }
    }
    let trailing = [&token[..], &[0]].concat();
    assert_eq!(setting.refusal(&trailing), AppraisalError::Malformed);
}

/// Each part is genuine, and signed by whom it should be.
#[test]
fn a_realm_token_is_good_with_its_own_platform_token_alone() {
    let setting = Setting::new();
    let ours = &setting.forged;
    let challenge = setting.challenge();
    // Another realm on the same platform, whose key the platform vouches for in another token.
    let mut neighbour = ours.clone();
    neighbour.rak = ForgedKey::p384();
    let key = neighbour.rak.key().to_cose_key().unwrap();
    neighbour.realm.key = RealmKey::decode(&key).unwrap();
    assert!(setting.appraise(&neighbour.token(&challenge)).is_ok());
    for (platform, realm) in [(ours, &neighbour), (&neighbour, ours)] {
        let (platform, realm) = (platform.platform_token(), realm.realm_token(&challenge));
        let token = CcaToken::encode(&platform, &realm).unwrap();
        assert_eq!(setting.refusal(&token), AppraisalError::UnknownKey);
    }
    // The two tokens in each other's place.
    let (platform, realm) = (ours.platform_token(), ours.realm_token(&challenge));
    let swapped = CcaToken::encode(&realm, &platform).unwrap();
    assert_eq!(setting.refusal(&swapped), AppraisalError::Malformed);
    let twice = CcaToken::encode(&platform, &platform).unwrap();
    assert_eq!(setting.refusal(&twice), AppraisalError::Malformed);
}

/// The realm's key is named, and another one signs.
#[test]
fn a_realm_token_that_another_key_signs_is_refused() {
    let setting = Setting::new();
    let mut liar = setting.forged.clone();
    liar.rak = ForgedKey::p384();
    let token = liar.token(&setting.challenge());
    assert_eq!(setting.refusal(&token), AppraisalError::BadSignature);
}

/// The digest of the claim's bytes is vouched for, not that of the key in them.
#[test]
fn the_realms_key_in_another_form_is_refused() {
    let mut forged = ForgedCca::of(CcaProfile::First);
    let setting = Setting::of(forged.clone());
    let point = setting.forged.platform_token();
    let cose_key = forged.rak.key().to_cose_key().unwrap();
    forged.realm.key = RealmKey::decode(&cose_key).unwrap();
    let realm = forged.realm_token(&setting.challenge());
    let token = CcaToken::encode(&point, &realm).unwrap();
    assert_eq!(setting.refusal(&token), AppraisalError::UnknownKey);
    // With a platform token about this form it is as good.
    assert!(
        setting
            .appraise(&forged.token(&setting.challenge()))
            .is_ok()
    );
}

#[test]
fn the_hash_between_the_tokens_is_the_named_one() {
    for key_hash in [KeyHash::Sha256, KeyHash::Sha384, KeyHash::Sha512] {
        let mut forged = ForgedCca::new();
        forged.realm.key_hash = key_hash;
        let setting = Setting::of(forged.clone());
        assert_eq!(setting.status(), Tier::Affirming);
        for other in [KeyHash::Sha256, KeyHash::Sha384, KeyHash::Sha512] {
            let mut renamed = forged.clone();
            renamed.realm.key_hash = other;
            let realm = renamed.realm_token(&setting.challenge());
            let token = CcaToken::encode(&forged.platform_token(), &realm).unwrap();
            let appraised = setting.appraise(&token).map(drop);
            let expected = if other == key_hash {
                Ok(())
            } else {
                Err(AppraisalError::UnknownKey)
            };
            assert_eq!(appraised, expected);
        }
    }
}

#[test]
fn a_platform_that_is_not_in_the_file_is_refused_until_it_is() {
    let (ours, mut theirs) = (Setting::new(), ForgedCca::new());
    theirs.platform.instance_id = [1; 33];
    // The same names, another key: it borrows the name of ours.
    let token = theirs.token(&ours.challenge());
    assert_eq!(ours.refusal(&token), AppraisalError::BadSignature);
    for (implementation_id, instance_byte) in [([9; 32], 1), ([0x1d; 32], 9)] {
        let mut theirs = theirs.clone();
        theirs.platform.implementation_id = implementation_id;
        theirs.platform.instance_id[32] = instance_byte;
        let token = theirs.token(&ours.challenge());
        assert_eq!(ours.refusal(&token), AppraisalError::UnknownKey);
    }
    let mut second = theirs.clone();
    second.platform.instance_id[32] = 9;
    let keys = vec![ours.forged.trusted("ours"), second.trusted("theirs")];
    let keys = Live::fixed(CcaKeys::new(keys)).unwrap();
    let policy = Live::fixed(ours.forged.policy()).unwrap();
    let verifier =
        CcaVerifier::dangerous_with_software_keys(Arc::new(keys), Arc::new(policy), &provider());
    let ours = Setting { verifier, ..ours };
    assert!(ours.appraise(&second.token(&ours.challenge())).is_ok());
}

/// A key is of one algorithm. Nothing in a token widens that.
#[test]
fn another_algorithm_in_the_header_is_refused() {
    let setting = Setting::new();
    let forged = &setting.forged;
    let (platform, realm) = (
        forged.platform_token(),
        forged.realm_token(&setting.challenge()),
    );
    let protected = |algorithm| ProtectedHeader {
        original_data: None,
        header: HeaderBuilder::new().algorithm(algorithm).build(),
    };
    for (algorithm, expected) in [
        (Algorithm::ES256, AppraisalError::BadSignature),
        (Algorithm::ES512, AppraisalError::BadSignature),
        (Algorithm::EdDSA, AppraisalError::Malformed),
        (Algorithm::PS384, AppraisalError::Malformed),
        (Algorithm::HMAC_256_256, AppraisalError::Malformed),
    ] {
        let relabelled = |token: &[u8], key| {
            reframed(token, key, |sign1| sign1.protected = protected(algorithm))
        };
        let token = CcaToken::encode(&relabelled(&platform, &forged.cpak), &realm).unwrap();
        assert_eq!(setting.refusal(&token), expected, "{algorithm:?}");
        let token = CcaToken::encode(&platform, &relabelled(&realm, &forged.rak)).unwrap();
        assert_eq!(setting.refusal(&token), expected, "{algorithm:?}");
    }
    let none = reframed(&platform, &forged.cpak, |sign1| {
        sign1.protected = ProtectedHeader::default();
    });
    let token = CcaToken::encode(&none, &realm).unwrap();
    assert_eq!(setting.refusal(&token), AppraisalError::Malformed);
    let outside = reframed(&platform, &forged.cpak, |sign1| {
        sign1.unprotected = HeaderBuilder::new().algorithm(Algorithm::ES384).build();
    });
    let token = CcaToken::encode(&outside, &realm).unwrap();
    assert_eq!(setting.refusal(&token), AppraisalError::Malformed);
    for length in [0, 64, 95, 97] {
        let cut = reframed(&platform, &forged.cpak, |_| {});
        let mut sign1 = coset::TaggedCborSerializable::from_tagged_slice(&cut)
            .map(|sign1: coset::CoseSign1| sign1)
            .unwrap();
        sign1.signature.resize(length, 0);
        let cut = coset::TaggedCborSerializable::to_tagged_vec(sign1).unwrap();
        let token = CcaToken::encode(&cut, &realm).unwrap();
        assert_eq!(
            setting.refusal(&token),
            AppraisalError::BadSignature,
            "{length}"
        );
    }
}

#[test]
fn a_platform_may_sign_by_p256_and_its_realm_by_p384() {
    let mut forged = ForgedCca::new();
    forged.cpak = ForgedKey::p256();
    let setting = Setting::of(forged);
    assert_eq!(setting.status(), Tier::Affirming);
}

/// ring has no P-521, AWS-LC has.
#[test]
fn p521_is_verified_where_the_provider_has_it_and_an_error_of_this_end_where_not() {
    let pair = EcdsaKeyPair::generate(&ECDSA_P521_SHA512_FIXED_SIGNING).unwrap();
    let key = EcKey::from_point(pair.public_key().as_ref()).unwrap();
    let forged = ForgedCca::new();
    let connection = Connection::new();
    let challenge = *realm_challenge(connection.bound()).bytes();
    let mut platform = forged.platform.clone();
    platform.challenge = forged.realm.key_digest();
    let token = platform.to_sign(Ecdsa::Es512).unwrap();
    let signature = pair.sign(&SystemRandom::new(), &token.bytes()).unwrap();
    let platform = token.with_signature(signature.as_ref()).unwrap();
    let token = CcaToken::encode(&platform, &forged.realm_token(&challenge)).unwrap();
    let mut trusted = forged.trusted("P-521");
    trusted.public = key.into();
    let verifier = |provider| {
        let keys = Live::fixed(CcaKeys::new(vec![trusted.clone()])).unwrap();
        let policy = Live::fixed(forged.policy()).unwrap();
        CcaVerifier::dangerous_with_software_keys(Arc::new(keys), Arc::new(policy), &provider)
    };
    let aws = verifier(rustls::crypto::aws_lc_rs::default_provider());
    let appraised = support::appraise(&connection, &aws, &token).unwrap();
    assert_eq!(appraised.ear().status(), Tier::Affirming);
    let ring = verifier(provider());
    let refused = support::appraise(&connection, &ring, &token).unwrap_err();
    assert!(matches!(refused, AppraisalError::Local(_)), "{refused:?}");
}

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

#[test]
fn a_claim_that_stands_twice_is_refused_and_an_unknown_one_ignored() {
    let setting = Setting::new();
    let forged = &setting.forged;
    let (platform, realm) = (
        forged.platform_token(),
        forged.realm_token(&setting.challenge()),
    );
    let doubled = |token: &[u8], key, claim: i32| {
        resealed(token, key, |claims| {
            let found = claims.iter().find(|(known, _)| *known == claim.into());
            let again = found.unwrap().clone();
            claims.push(again);
        })
    };
    for claim in [10, 256, 265, 2395, 2396, 2399, 2401, 2402] {
        let platform = doubled(&platform, &forged.cpak, claim);
        let token = CcaToken::encode(&platform, &realm).unwrap();
        assert_eq!(
            setting.refusal(&token),
            AppraisalError::Malformed,
            "{claim}"
        );
    }
    for claim in [10, 265, 44235, 44236, 44237, 44238, 44239, 44240] {
        let realm = doubled(&realm, &forged.rak, claim);
        let token = CcaToken::encode(&platform, &realm).unwrap();
        assert_eq!(
            setting.refusal(&token),
            AppraisalError::Malformed,
            "{claim}"
        );
    }
    let more = resealed(&realm, &forged.rak, |claims| {
        claims.push((44_241.into(), "shared".into()));
        claims.push(((-70_000).into(), Value::Null));
    });
    let token = CcaToken::encode(&platform, &more).unwrap();
    assert!(setting.appraise(&token).is_ok());
}

/// CBOR that is longer than it has to be, or deeper. Only the first is allowed.
#[test]
fn numbers_may_be_longer_than_needed_and_nesting_ends_at_16() {
    let setting = Setting::new();
    let forged = &setting.forged;
    let platform = forged.platform_token();
    let token = CcaToken::encode(&platform, &forged.realm_token(&setting.challenge())).unwrap();
    assert_eq!(token[..7], [0xd9, 0x01, 0x8f, 0xa2, 0x19, 0xac, 0xca]);
    let longer = [
        &[0xd9, 0x01, 0x8f, 0xa2, 0x1a, 0, 0, 0xac, 0xca][..],
        &token[7..],
    ]
    .concat();
    assert!(setting.appraise(&longer).is_ok());
    for (depth, is_read) in [(15, true), (16, false), (60, false)] {
        let nested = (0..depth).fold(Value::Null, |inner, _| Value::Array(vec![inner]));
        let realm = forged.realm_token(&setting.challenge());
        let realm = resealed(&realm, &forged.rak, |claims| {
            claims.push(((-70_000).into(), nested));
        });
        let token = CcaToken::encode(&platform, &realm).unwrap();
        assert_eq!(setting.appraise(&token).is_ok(), is_read, "{depth}");
    }
    let many = resealed(
        &forged.realm_token(&setting.challenge()),
        &forged.rak,
        |claims| {
            claims.extend((0..600).map(|key| ((-70_000 - key).into(), Value::Null)));
        },
    );
    let token = CcaToken::encode(&platform, &many).unwrap();
    assert_eq!(setting.refusal(&token), AppraisalError::Malformed);
}

#[test]
fn a_replaced_policy_and_replaced_keys_count_at_once() {
    let forged = ForgedCca::new();
    let keys = Arc::new(Live::fixed(CcaKeys::new(vec![forged.trusted("a")])).unwrap());
    let policy = Arc::new(Live::fixed(forged.policy()).unwrap());
    let verifier =
        CcaVerifier::dangerous_with_software_keys(keys.clone(), policy.clone(), &provider());
    let connection = Connection::new();
    let token = connection.evidence(&mut forged.attester());
    let before = verifier.generation();
    let mut other = forged.policy();
    other.realms[0].personalization_value = Some([1; 64].into());
    policy.replace(other).unwrap();
    let appraised = support::appraise(&connection, &verifier, &token).unwrap();
    assert_eq!(appraised.ear().status(), Tier::Contraindicated);
    let between = verifier.generation();
    keys.replace(CcaKeys::new(vec![ForgedCca::new().trusted("b")]))
        .unwrap();
    let refused = support::appraise(&connection, &verifier, &token).map(drop);
    assert_eq!(refused, Err(AppraisalError::BadSignature));
    assert!(before < between && between < verifier.generation());
}

proptest! {
    #[test]
    fn arbitrary_bytes_are_refused(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let setting = Setting::new();
        prop_assert!(setting.appraise(&bytes).is_err());
        let framed = [&[0xd9, 0x01, 0x8f, 0xa2, 0x19, 0xac, 0xca], &bytes[..]].concat();
        prop_assert!(setting.appraise(&framed).is_err());
    }
}

// A change, and what becomes of it.
type Case<T, E> = (fn(&mut T), E);

// --- Helpers -----------------------------------------------------------------------------------------------------------

/// A connection, a realm at its other end, and a verifier that knows it.
struct Setting {
    connection: Connection,
    forged: ForgedCca,
    verifier: CcaVerifier,
}

impl Setting {
    fn new() -> Self {
        Self::of(ForgedCca::new())
    }

    fn of(forged: ForgedCca) -> Self {
        Self::with(Connection::new(), forged)
    }

    fn by(forged: ForgedCca, policy: CcaPolicy) -> Self {
        Self {
            verifier: forged.verifier_with(policy, &provider()),
            ..Self::of(forged)
        }
    }

    fn with(connection: Connection, forged: ForgedCca) -> Self {
        Self {
            connection,
            verifier: forged.verifier(&provider()),
            forged,
        }
    }

    fn challenge(&self) -> [u8; 64] {
        *realm_challenge(self.connection.bound()).bytes()
    }

    /// By the real attester.
    fn token(&self) -> Vec<u8> {
        self.connection.evidence(&mut self.forged.attester())
    }

    fn appraise(&self, token: &[u8]) -> Result<Appraised, AppraisalError> {
        support::appraise(&self.connection, &self.verifier, token)
    }

    fn refusal(&self, token: &[u8]) -> AppraisalError {
        self.appraise(token).unwrap_err()
    }

    fn status(&self) -> Tier {
        self.appraise(&self.token()).unwrap().ear().status()
    }
}

fn failed(appraised: &Appraised) -> Vec<&str> {
    let findings = appraised.findings().iter();
    let failed = findings.filter(|finding| finding.outcome() == Outcome::Failed);
    failed.map(Finding::check).collect()
}
