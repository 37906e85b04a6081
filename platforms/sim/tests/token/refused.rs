//! Claims, envelopes and bytes that are refused.

use std::sync::Arc;

use atls_core::AppraisalError;
use atls_core::RelyingParty;
use atls_core::StandardPolicy;
use atls_sim::SimAttester;
use atls_sim::SimClaims;
use atls_sim::SimError;
use atls_sim::SimVerifier;
use atls_sim::TrustAnchor;
use ciborium::Value;
use coset::CoseSign1;
use coset::HeaderBuilder;
use coset::ProtectedHeader;
use coset::TaggedCborSerializable;
use coset::iana::Algorithm;
use proptest::prelude::*;
use ring::rand::SystemRandom;
use ring::signature::ECDSA_P256_SHA256_FIXED_SIGNING;
use ring::signature::EcdsaKeyPair;
use ring::signature::KeyPair;
use test_support::Connection;
use test_support::ready;

use crate::setting::Claims;
use crate::setting::Setting;
use crate::setting::altered;
use crate::setting::at;
use crate::setting::bytes;
use crate::setting::device;
use crate::setting::replace;

#[test]
fn every_claim_is_checked() {
    let setting = Setting::new();
    let token = setting.token();
    let refusal = |change: &dyn Fn(&mut Claims)| setting.refusal(&altered(&token, change));
    for key in [10, 256, 265, 268, 2394, 2395, 2396, 2399] {
        let missing = refusal(&|claims| claims.retain(|(known, _)| *known != key.into()));
        assert_eq!(missing, AppraisalError::Malformed, "{key} missing");
        let repeated = refusal(&|claims| {
            let mut found = claims.iter().filter(|(known, _)| *known == key.into());
            let again = found.next().unwrap().clone();
            claims.push(again);
        });
        assert_eq!(repeated, AppraisalError::Malformed, "{key} repeated");
        let mistyped = refusal(&|claims| replace(claims, key, Value::Null));
        assert_eq!(mistyped, AppraisalError::Malformed, "{key} mistyped");
    }
    // The token of a genuine device is not for this verifier, whoever signed it.
    let device = refusal(&|claims| replace(claims, 2396, bytes(&[7; 32])));
    assert_eq!(device, AppraisalError::UnknownKey);
    let no_software = refusal(&|claims| replace(claims, 2399, Value::Array(Vec::new())));
    assert_eq!(no_software, AppraisalError::Malformed);
    let under_the_old_signature = refusal(&|claims| replace(claims, 2394, 2.into()));
    assert_eq!(under_the_old_signature, AppraisalError::BadSignature);
}

#[test]
fn an_unknown_claim_is_ignored() {
    let (liar, setting) = ForgingDevice::trusted();
    let nonce = bytes(setting.connection.bound().as_bytes());
    let token = liar.token(&setting.token(), |claims| {
        claims.push(((-70_000).into(), Value::Null));
        replace(claims, 10, nonce);
    });
    assert!(setting.appraise(&token).is_ok());
}

/// The binding, under a signature that verifies: a device whose key the verifier trusts and whose software lies.
#[test]
fn a_binding_that_is_cut_padded_empty_or_another_is_refused() {
    for connection in [Connection::new(), Connection::sha384()] {
        let (liar, setting) = ForgingDevice::trusted_at(connection);
        let whole = setting.connection.bound().as_bytes();
        let genuine = setting.token();
        let appraise = |nonce: Value| {
            let token = liar.token(&genuine, |claims| replace(claims, 10, nonce));
            setting.appraise(&token).map(drop)
        };
        assert_eq!(appraise(bytes(whole)), Ok(()));
        for nonce in [
            Vec::new(),
            whole[..8].to_vec(),
            whole[..whole.len() - 1].to_vec(),
            [whole, &[0]].concat(),
            [whole, &[0; 16]].concat(),
            vec![0; whole.len()],
            vec![0; 64],
            whole.iter().rev().copied().collect(),
        ] {
            let refused = appraise(bytes(&nonce));
            assert_eq!(refused, Err(AppraisalError::NotBound), "{nonce:?}");
        }
        let several = Value::Array(vec![bytes(whole), bytes(&[0; 32])]);
        assert_eq!(appraise(several), Err(AppraisalError::Malformed));
    }
}

/// The rules of the headers are those of `SignedToken::is_plain_es256`.
#[test]
fn a_token_with_another_header_or_signature_is_refused() {
    let setting = Setting::new();
    let token = setting.token();
    let refusal = |change: &dyn Fn(&mut CoseSign1)| {
        let mut sign1 = CoseSign1::from_tagged_slice(&token).unwrap();
        change(&mut sign1);
        setting.refusal(&sign1.to_tagged_vec().unwrap())
    };
    let es384 = || HeaderBuilder::new().algorithm(Algorithm::ES384).build();
    let inside = refusal(&|sign1| {
        sign1.protected = ProtectedHeader {
            original_data: None,
            header: es384(),
        };
    });
    assert_eq!(inside, AppraisalError::Malformed);
    let outside = refusal(&|sign1| sign1.unprotected = es384());
    assert_eq!(outside, AppraisalError::Malformed);
    for length in [0, 63] {
        let cut = refusal(&|sign1| sign1.signature.truncate(length));
        assert_eq!(cut, AppraisalError::BadSignature, "{length}");
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
            let refused = setting.appraise(&flipped).is_err();
            assert!(refused, "bit {bit} of {index}");
        }
    }
    let trailing = [&token[..], &[0]].concat();
    assert!(setting.appraise(&trailing).is_err());
}

#[test]
fn a_trust_anchor_is_a_point() {
    let anchor = device().trust_anchor();
    let again = TrustAnchor::from_public_key(anchor.public_key());
    assert_eq!(again, Ok(anchor.clone()));
    for bytes in [&b""[..], &anchor.public_key()[..64], &[2; 33], &[0; 65]] {
        assert_eq!(TrustAnchor::from_public_key(bytes), Err(SimError::Key));
    }
}

#[test]
fn the_claims_reach_the_handler() {
    let setting = Setting::new();
    let party = RelyingParty::builder()
        .verifier(Arc::new(setting.verifier))
        .standard_policy(StandardPolicy::new().dangerous_accept_simulated())
        .build()
        .unwrap();
    let credential = ready(setting.connection.attested(&setting.attester));
    let peer = ready(party.appraise(credential, at())).unwrap();
    let claims = peer.claims::<SimClaims>().unwrap();
    assert_eq!(claims.software[0].measurement, SimAttester::SOFTWARE);
}

proptest! {
    #[test]
    fn arbitrary_bytes_are_refused(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let setting = Setting::new();
        prop_assert!(setting.appraise(&bytes).is_err());
        let framed = [&[0xd2, 0x84, 0x43, 0xa1, 1, 0x26, 0xa0], &bytes[..]].concat();
        prop_assert!(setting.appraise(&framed).is_err());
    }
}

/// A device that signs any claims.
struct ForgingDevice {
    key: EcdsaKeyPair,
    anchor: TrustAnchor,
}

impl ForgingDevice {
    fn trusted() -> (Self, Setting) {
        Self::trusted_at(Connection::new())
    }

    /// A liar, and a verifier that trusts it.
    fn trusted_at(connection: Connection) -> (Self, Setting) {
        let (random, algorithm) = (SystemRandom::new(), &ECDSA_P256_SHA256_FIXED_SIGNING);
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(algorithm, &random).unwrap();
        let key = EcdsaKeyPair::from_pkcs8(algorithm, pkcs8.as_ref(), &random).unwrap();
        let anchor = TrustAnchor::from_public_key(key.public_key().as_ref()).unwrap();
        let setting = Setting {
            verifier: SimVerifier::new(anchor.clone()),
            ..Setting::with(connection, device())
        };
        (Self { key, anchor }, setting)
    }

    /// The claims of another token but for a change, under this key.
    fn token(&self, like: &[u8], change: impl FnOnce(&mut Claims)) -> Vec<u8> {
        let renamed = altered(like, |claims| {
            replace(claims, 256, bytes(self.anchor.instance_id()));
            change(claims);
        });
        let mut sign1 = CoseSign1::from_tagged_slice(&renamed).unwrap();
        let signature = self.key.sign(&SystemRandom::new(), &sign1.tbs_data(b""));
        sign1.signature = signature.unwrap().as_ref().to_vec();
        sign1.to_tagged_vec().unwrap()
    }
}
