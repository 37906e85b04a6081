//! Tokens: for this connection, by a known key, in one form.

use std::io;

use atls_cca::InitialAttestation;
use atls_cca::Profile;
use atls_cca::PsaAttester;
use atls_cca::testing::ForgedPsa;
use atls_core::AppraisalError;
use atls_core::AttestError;
use atls_core::Evidence;
use atls_core::MediaType;
use atls_core::Verifier;
use ciborium::Value;
use coset::HeaderBuilder;
use coset::ProtectedHeader;
use coset::iana::Algorithm;
use test_support::Connection;
use test_support::ready;

use crate::setting::Setting;
use crate::support::at;
use crate::support::bytes;
use crate::support::reframed;
use crate::support::replace;
use crate::support::resealed;

#[test]
fn a_token_of_another_connection_is_refused() {
    let setting = Setting::new();
    let replayed = Connection::new().evidence(&mut setting.forged.attester());
    assert_eq!(setting.refusal(&replayed), AppraisalError::NotBound);
}

#[test]
fn a_nonce_that_is_cut_padded_empty_or_another_is_refused() {
    for connection in [Connection::new(), Connection::sha384()] {
        let setting = Setting::with(connection, ForgedPsa::new());
        let whole = setting.connection.bound().as_bytes().to_vec();
        let appraise = |nonce: Value| {
            let token = resealed(&setting.token(), &setting.forged.iak, |claims| {
                replace(claims, 10, nonce);
            });
            setting.appraise(&token).map(drop)
        };
        assert_eq!(appraise(bytes(&whole)), Ok(()));
        for (nonce, expected) in [
            (vec![], AppraisalError::Malformed),
            (whole[..8].to_vec(), AppraisalError::Malformed),
            (
                [&whole[..], &vec![0; 64 - whole.len()]].concat(),
                AppraisalError::NotBound,
            ),
            (vec![0; whole.len()], AppraisalError::NotBound),
            (
                whole.iter().rev().copied().collect(),
                AppraisalError::NotBound,
            ),
        ] {
            assert_eq!(appraise(bytes(&nonce)), Err(expected), "{nonce:?}");
        }
        let several = Value::Array(vec![bytes(&whole)]);
        assert_eq!(appraise(several), Err(AppraisalError::Malformed));
    }
}

#[test]
fn every_flipped_bit_and_every_truncation_is_refused() {
    let setting = Setting::new();
    let token = setting.token();
    for index in 0..token.len() {
        assert!(setting.appraise(&token[..index]).is_err(), "cut at {index}");
        for bit in 0..8 {
            let mut flipped = token.clone();
            flipped[index] ^= 1 << bit;
            assert!(setting.appraise(&flipped).is_err(), "bit {bit} of {index}");
        }
    }
    assert!(setting.appraise(&[&token[..], &[0]].concat()).is_err());
}

#[test]
fn a_device_that_borrows_anothers_name_is_refused_and_an_unknown_one_too() {
    let setting = Setting::new();
    let nonce = setting.connection.bound().as_bytes();
    let mut theirs = ForgedPsa::new();
    assert_eq!(
        setting.refusal(&theirs.token(nonce)),
        AppraisalError::BadSignature
    );
    theirs.device.instance_id[1] ^= 1;
    assert_eq!(
        setting.refusal(&theirs.token(nonce)),
        AppraisalError::UnknownKey
    );
}

#[test]
fn another_algorithm_in_the_header_is_refused() {
    let setting = Setting::new();
    for (algorithm, expected) in [
        (Algorithm::ES384, AppraisalError::BadSignature),
        (Algorithm::ES512, AppraisalError::BadSignature),
        (Algorithm::HMAC_256_256, AppraisalError::Malformed),
    ] {
        let token = reframed(&setting.token(), &setting.forged.iak, |sign1| {
            sign1.protected = ProtectedHeader {
                original_data: None,
                header: HeaderBuilder::new().algorithm(algorithm).build(),
            };
        });
        assert_eq!(setting.refusal(&token), expected, "{algorithm:?}");
    }
}

/// Each profile has a media type, and no token goes under another's.
#[test]
fn a_profile_goes_under_its_own_media_type() {
    for profile in [Profile::Tfm, Profile::Predecessor, Profile::Legacy] {
        let mut forged = ForgedPsa::new();
        forged.device.profile = profile;
        let setting = Setting::of(forged);
        let token = setting.token();
        for other in [Profile::Tfm, Profile::Predecessor, Profile::Legacy] {
            let media_type = MediaType::parse(other.media_type()).unwrap();
            assert!(setting.verifier.media_types().contains(&media_type));
            let evidence = Evidence::new(&media_type, &token, setting.connection.bound());
            let appraised = ready(setting.verifier.appraise(&evidence, at())).map(drop);
            let expected = if other == profile {
                Ok(())
            } else {
                Err(AppraisalError::Malformed)
            };
            assert_eq!(appraised, expected);
        }
    }
}

#[test]
fn a_claim_that_stands_twice_is_refused() {
    let setting = Setting::new();
    for claim in [10, 256, 265, 268, 2394, 2395, 2396, 2399] {
        let token = resealed(&setting.token(), &setting.forged.iak, |claims| {
            let found = claims.iter().find(|(known, _)| *known == claim.into());
            let again = found.unwrap().clone();
            claims.push(again);
        });
        assert_eq!(
            setting.refusal(&token),
            AppraisalError::Malformed,
            "{claim}"
        );
    }
}

#[test]
fn a_service_that_answers_about_something_else_attests_nothing() {
    struct Stale(ForgedPsa);

    impl InitialAttestation for Stale {
        fn token(&mut self, _: &[u8]) -> io::Result<Vec<u8>> {
            Ok(ForgedPsa::token(&self.0, &[7; 32]))
        }
    }

    struct Broken;

    impl InitialAttestation for Broken {
        fn token(&mut self, _: &[u8]) -> io::Result<Vec<u8>> {
            Err(io::ErrorKind::Other.into())
        }
    }

    let connection = Connection::new();
    let forged = ForgedPsa::new();
    let mut stale = PsaAttester::over(Stale(forged.clone()), Profile::Tfm);
    let mut broken = PsaAttester::over(Broken, Profile::Tfm);
    let mut other_profile = PsaAttester::over(forged, Profile::Predecessor);
    let is_refused = |outcome| matches!(outcome, Err(AttestError::Device(_)));
    assert!(is_refused(connection.attest(&mut stale)));
    assert!(is_refused(connection.attest(&mut broken)));
    assert!(is_refused(connection.attest(&mut other_profile)));
}
