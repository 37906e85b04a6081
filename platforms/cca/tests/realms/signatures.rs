//! Keys and algorithms.

use std::sync::Arc;

use atls_cca::CcaKeys;
use atls_cca::CcaVerifier;
use atls_cca::testing::ForgedCca;
use atls_cca::testing::ForgedKey;
use atls_core::AppraisalError;
use atls_core::ear::Tier;
use atls_formats::psa::CcaToken;
use atls_formats::psa::EcKey;
use atls_formats::psa::Ecdsa;
use atls_formats::psa::realm_challenge;
use atls_reference::Live;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::ECDSA_P521_SHA512_FIXED_SIGNING;
use aws_lc_rs::signature::EcdsaKeyPair;
use aws_lc_rs::signature::KeyPair;
use coset::HeaderBuilder;
use coset::ProtectedHeader;
use coset::iana::Algorithm;
use test_support::Connection;

use crate::setting::Setting;
use crate::support::appraise;
use crate::support::provider;
use crate::support::reframed;

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
    let appraised = appraise(&connection, &aws, &token).unwrap();
    assert_eq!(appraised.ear().status(), Tier::Affirming);
    let ring = verifier(provider());
    let refused = appraise(&connection, &ring, &token).unwrap_err();
    assert!(matches!(refused, AppraisalError::Local(_)), "{refused:?}");
}
