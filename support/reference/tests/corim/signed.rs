//! Documents in a COSE signature.

use ::corim::cbor::value::Value;
use ::corim::types::signed::CoseAlgorithm;
use ::corim::types::signed::CwtClaims;
use ::corim::types::signed::SignedCorimBuilder;
use atls_reference::corim;
use atls_reference::corim::CorimError;
use test_support::at;
use test_support::corim::Signer;
use test_support::corim::integer;
use test_support::corim::map;
use test_support::supported;

use crate::documents::NOW;
use crate::documents::comid;
use crate::documents::digests;
use crate::documents::document;
use crate::documents::triple;

#[test]
fn a_signed_corim_reads_under_its_signers_key() {
    let signer = Signer::new();
    let corim = signer
        .read(&signed_by(&signer, |builder| builder), NOW)
        .unwrap();
    assert_eq!(corim.references().len(), 1);
    assert_eq!(corim.expires_at(), Some(at(NOW + 100)));
    let named = signed_by(&signer, |builder| builder.kid(b"the-key".to_vec()));
    assert!(signer.read(&named, NOW).is_ok());
}

#[test]
fn a_signed_corim_altered_or_cut_anywhere_is_refused() {
    let signer = Signer::new();
    let signed = signed_by(&signer, |builder| builder);
    for position in 0..signed.len() {
        for bit in 0..8 {
            let mut altered = signed.clone();
            altered[position] ^= 1 << bit;
            assert!(signer.read(&altered, NOW).is_err(), "{position}.{bit}");
        }
        assert!(signer.read(&signed[..position], NOW).is_err(), "{position}");
    }
}

#[test]
fn another_signer_is_refused() {
    let (signer, other) = (Signer::new(), Signer::new());
    let signed = signed_by(&other, |builder| builder);
    assert_eq!(
        signer.read(&signed, NOW).unwrap_err(),
        CorimError::BadSignature
    );
    let named = signed_by(&signer, |builder| builder.kid(b"another".to_vec()));
    assert_eq!(
        signer.read(&named, NOW).unwrap_err(),
        CorimError::UnknownKey
    );
}

#[test]
fn an_algorithm_that_is_not_the_keys_is_refused() {
    let signer = Signer::new();
    for (algorithm, error) in [
        (-9, None),
        (-35, Some(CorimError::UnknownKey)),
        (-8, Some(CorimError::UnknownKey)),
        (-37, Some(CorimError::UnknownKey)),
        (-36, Some(CorimError::Algorithm)),
        (-257, Some(CorimError::Algorithm)),
        (5, Some(CorimError::Algorithm)),
        (0, Some(CorimError::Algorithm)),
    ] {
        let signed = signed_as(&signer, CoseAlgorithm::from_i64(algorithm), |builder| {
            builder
        });
        assert_eq!(signer.read(&signed, NOW).err(), error, "{algorithm}");
    }
}

#[test]
fn a_critical_header_is_refused_wherever_it_stands() {
    let signer = Signer::new();
    let crit = || Value::Array(vec![integer(99)]);
    let protected = signed_by(&signer, |builder| {
        builder
            .add_protected(2_i64, crit())
            .add_protected(99_i64, integer(1))
    });
    let unprotected = signed_by(&signer, |builder| {
        builder.add_unprotected(integer(2), crit())
    });
    for signed in [protected, unprotected] {
        assert_eq!(
            signer.read(&signed, NOW).unwrap_err(),
            CorimError::Algorithm
        );
    }
}

#[test]
fn a_signature_is_neither_passed_over_nor_imagined() {
    let signer = Signer::new();
    let signed = signed_by(&signer, |builder| builder);
    assert_eq!(
        corim::unsigned(&signed, at(NOW)).unwrap_err(),
        CorimError::Signed
    );
    // Tag 18 as the shortest form is, as a longer one is, and behind the outer tags of older documents.
    assert_eq!(signed[0], 0xd2);
    for head in [
        &[0xd8, 18][..],
        &[0xd9, 0, 18],
        &[0xd9, 1, 0xf4, 0xd2],
        &[0xd9, 1, 0xf6, 0xd2],
    ] {
        let other = [head, &signed[1..]].concat();
        assert!(corim::unsigned(&other, at(NOW)).is_err(), "{head:02x?}");
    }
    let plain = document(vec![comid([triple(map([(integer(2), digests())]))])]);
    assert_eq!(signer.read(&plain, NOW).unwrap_err(), CorimError::Unsigned);
}

#[test]
fn the_validity_of_the_signature_is_looked_at() {
    let signer = Signer::new();
    let signed = signed_by(&signer, |builder| builder);
    let keys = signer.keys();
    let read = |seconds| corim::signed(&signed, &keys, &supported(), at(seconds));
    assert!(read(NOW + 99).is_ok());
    assert_eq!(read(NOW + 100).unwrap_err(), CorimError::Expired);
}

#[test]
fn a_payload_that_is_elsewhere_is_refused() {
    let signer = Signer::new();
    let mut builder = builder(CoseAlgorithm::Es256);
    let signature = signer.sign(&builder.to_be_signed(&[]).unwrap());
    let detached = builder.build_detached_with_signature(signature).unwrap();
    assert!(matches!(
        signer.read(&detached, NOW).unwrap_err(),
        CorimError::Malformed { .. }
    ));
}

fn builder(algorithm: CoseAlgorithm) -> SignedCorimBuilder {
    let payload = document(vec![comid([triple(map([(integer(2), digests())]))])]);
    let expires = i64::try_from(NOW + 100).unwrap();
    SignedCorimBuilder::new(algorithm, payload)
        .set_cwt_claims(CwtClaims::new("ACME").with_exp(expires))
}

fn signed_by(
    signer: &Signer,
    change: impl FnOnce(SignedCorimBuilder) -> SignedCorimBuilder,
) -> Vec<u8> {
    signed_as(signer, CoseAlgorithm::Es256, change)
}

/// The header names this algorithm; the key is of P-256.
fn signed_as(
    signer: &Signer,
    algorithm: CoseAlgorithm,
    change: impl FnOnce(SignedCorimBuilder) -> SignedCorimBuilder,
) -> Vec<u8> {
    let mut builder = change(builder(algorithm));
    let signature = signer.sign(&builder.to_be_signed(&[]).unwrap());
    builder.build_with_signature(signature).unwrap()
}
