//! Simulated Evidence against its verifier: good, altered, truncated, replayed, under other keys.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

use std::sync::Arc;

use atls_core::AppraisalError;
use atls_core::Appraised;
use atls_core::Attester;
use atls_core::Origin;
use atls_core::RelyingParty;
use atls_core::StandardPolicy;
use atls_core::ear::Tier;
use atls_core::finding::Finding;
use atls_core::finding::Outcome;
use atls_core::pki_types::UnixTime;
use atls_sim::IMPLEMENTATION_ID;
use atls_sim::Lifecycle;
use atls_sim::Profile;
use atls_sim::SimAttester;
use atls_sim::SimClaims;
use atls_sim::SimError;
use atls_sim::SimVerifier;
use atls_sim::SoftwareComponent;
use atls_sim::TrustAnchor;
use ciborium::Value;
use coset::CborSerializable;
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

type Claims = Vec<(Value, Value)>;

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
    let (liar, setting) = Liar::trusted();
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
        let (liar, setting) = Liar::trusted_at(connection);
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

// --- Helpers -----------------------------------------------------------------------------------------------------------

/// A connection, a device at its other end, and a verifier that trusts it.
struct Setting {
    connection: Connection,
    attester: SimAttester,
    verifier: SimVerifier,
}

impl Setting {
    fn new() -> Self {
        Self::with(Connection::new(), device())
    }

    fn with(connection: Connection, attester: SimAttester) -> Self {
        Self {
            connection,
            verifier: SimVerifier::new(attester.trust_anchor()),
            attester,
        }
    }

    fn token(&self) -> Vec<u8> {
        ready(self.connection.token(&self.attester))
    }

    fn appraise(&self, token: &[u8]) -> Result<Appraised, AppraisalError> {
        self.connection.appraise(&self.verifier, token, at())
    }

    fn refusal(&self, token: &[u8]) -> AppraisalError {
        self.appraise(token).unwrap_err()
    }

    fn status(&self) -> Tier {
        self.appraise(&self.token()).unwrap().ear().status()
    }
}

/// A device that signs any claims.
struct Liar {
    key: EcdsaKeyPair,
    anchor: TrustAnchor,
}

impl Liar {
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

fn device() -> SimAttester {
    SimAttester::generate().unwrap()
}

fn component(measurement: u8) -> SoftwareComponent {
    SoftwareComponent::new("ARoT", [measurement; 32])
}

/// The same envelope and signature around other claims.
fn altered(token: &[u8], change: impl FnOnce(&mut Claims)) -> Vec<u8> {
    let mut sign1 = CoseSign1::from_tagged_slice(token).unwrap();
    let mut claims = claims_of(&sign1);
    change(&mut claims);
    sign1.payload = Some(Value::Map(claims).to_vec().unwrap());
    sign1.to_tagged_vec().unwrap()
}

fn claims_of(sign1: &CoseSign1) -> Claims {
    let payload = sign1.payload.as_deref().unwrap();
    Value::from_slice(payload).unwrap().into_map().unwrap()
}

fn replace(claims: &mut Claims, key: i32, value: Value) {
    let mut found = claims.iter_mut().filter(|(known, _)| *known == key.into());
    found.next().unwrap().1 = value;
}

fn bytes(bytes: &[u8]) -> Value {
    Value::Bytes(bytes.to_vec())
}

fn at() -> UnixTime {
    test_support::at(1_000_000)
}
