//! Simulated Evidence against its verifier: good, altered, truncated, replayed, under other keys.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::type_complexity,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

use atls_core::AppraisalError;
use atls_core::Appraised;
use atls_core::Attester;
use atls_core::Origin;
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
use coset::TaggedCborSerializable;
use proptest::prelude::*;
use std::sync::Arc;
use test_support::Connection;
use test_support::ready;

#[test]
fn a_token_is_affirmed_and_says_that_it_is_simulated() {
    for connection in [Connection::new(), Connection::sha384()] {
        let attester = SimAttester::generate().unwrap();
        let token = token(&connection, &attester);
        let verifier = SimVerifier::trusting(attester.trust_anchor());
        let appraised = appraise(&connection, &verifier, &token).unwrap();
        assert_eq!(appraised.ear().status(), Tier::Affirming);
        assert_eq!(appraised.origin(), Origin::Simulated);
    }
}

#[test]
fn a_token_is_what_rfc_9783_says() {
    let connection = Connection::sha384();
    let attester = SimAttester::generate().unwrap();
    let token = token(&connection, &attester);
    assert_eq!(token[0], 0xd2, "COSE_Sign1");
    let sign1 = CoseSign1::from_tagged_slice(&token).unwrap();
    assert_eq!(sign1.signature.len(), 64, "ES256");
    let claims = Value::from_slice(&sign1.payload.unwrap()).unwrap();
    let claim = |key: i32| {
        let claims = claims.as_map().unwrap();
        claims
            .iter()
            .find(|(known, _)| *known == key.into())
            .map(|(_, value)| value.clone())
            .unwrap()
    };
    assert_eq!(claim(265), "tag:psacertified.org,2023:psa#tfm".into());
    assert_eq!(
        claim(10),
        Value::Bytes(connection.bound().as_bytes().to_vec())
    );
    assert_eq!(
        claim(256),
        Value::Bytes(attester.trust_anchor().instance_id().to_vec())
    );
    assert_eq!(attester.trust_anchor().instance_id().len(), 33);
    assert_eq!(attester.trust_anchor().instance_id()[0], 1);
    assert_eq!(claim(2396), Value::Bytes(IMPLEMENTATION_ID.to_vec()));
    assert_eq!(claim(2395), 0x3000.into());
    assert!(claim(2394).as_integer().is_some());
    assert_eq!(claim(268).as_bytes().unwrap().len(), 32);
    assert_eq!(claim(2399).as_array().unwrap().len(), 1);
}

#[test]
fn a_token_of_the_predecessor_is_for_other_verifiers() {
    let connection = Connection::new();
    let attester = SimAttester::generate().unwrap();
    let attester = attester.with_profile(Profile::Predecessor);
    assert_eq!(
        attester.media_types()[0].to_string(),
        "application/psa-attestation-token"
    );
    let token = token(&connection, &attester);
    let sign1 = CoseSign1::from_tagged_slice(&token).unwrap();
    let claims = Value::from_slice(&sign1.payload.unwrap()).unwrap();
    let claims = claims.into_map().unwrap();
    let profile = claims.iter().find(|(key, _)| *key == 265.into());
    assert_eq!(profile.unwrap().1, "http://arm.com/psa/2.0.0".into());
    let verifier = SimVerifier::trusting(attester.trust_anchor());
    let refused = appraise(&connection, &verifier, &token).unwrap_err();
    assert_eq!(refused, AppraisalError::Malformed);
}

#[test]
fn a_token_of_another_connection_is_refused() {
    let (one, other) = (Connection::new(), Connection::new());
    let attester = SimAttester::generate().unwrap();
    let verifier = SimVerifier::trusting(attester.trust_anchor());
    let replayed = appraise(&one, &verifier, &token(&other, &attester)).unwrap_err();
    assert_eq!(replayed, AppraisalError::NotBound);
}

#[test]
fn a_token_of_an_unknown_device_is_refused() {
    let connection = Connection::new();
    let (known, unknown) = (
        SimAttester::generate().unwrap(),
        SimAttester::generate().unwrap(),
    );
    let verifier = SimVerifier::trusting(known.trust_anchor());
    let refused = appraise(&connection, &verifier, &token(&connection, &unknown)).unwrap_err();
    assert_eq!(refused, AppraisalError::UnknownKey);
    let verifier = verifier.and_trusting(unknown.trust_anchor());
    assert!(appraise(&connection, &verifier, &token(&connection, &unknown)).is_ok());
}

#[test]
fn a_device_that_borrows_anothers_name_is_refused() {
    let connection = Connection::new();
    let (known, liar) = (
        SimAttester::generate().unwrap(),
        SimAttester::generate().unwrap(),
    );
    let verifier = SimVerifier::trusting(known.trust_anchor());
    let name = known.trust_anchor().instance_id().to_vec();
    let renamed = altered(&token(&connection, &liar), |claims| {
        replace(claims, 256, Value::Bytes(name))
    });
    let refused = appraise(&connection, &verifier, &renamed).unwrap_err();
    assert_eq!(refused, AppraisalError::BadSignature);
}

#[test]
fn software_and_lifecycle_are_judged() {
    let connection = Connection::new();
    let judge = |attester: SimAttester, references: Vec<[u8; 32]>| {
        let verifier =
            SimVerifier::trusting(attester.trust_anchor()).with_reference_values(references);
        appraise(&connection, &verifier, &token(&connection, &attester))
            .unwrap()
            .ear()
            .status()
    };
    let software = |parts: &[[u8; 32]]| {
        let parts = parts
            .iter()
            .map(|part| SoftwareComponent::new("ARoT", *part))
            .collect();
        SimAttester::generate().unwrap().with_software(parts)
    };
    assert_eq!(judge(software(&[[1; 32]]), vec![[1; 32]]), Tier::Affirming);
    assert_eq!(
        judge(software(&[[1; 32], [2; 32]]), vec![[1; 32], [2; 32]]),
        Tier::Affirming
    );
    assert_eq!(
        judge(software(&[[1; 32], [3; 32]]), vec![[1; 32], [2; 32]]),
        Tier::Contraindicated
    );
    assert_eq!(
        judge(software(&[[1; 32]]), Vec::new()),
        Tier::Contraindicated
    );
    for lifecycle in [0, 0x1000, 0x2000, 0x4000, 0x5000, 0x6000, 0xffff] {
        let attester = SimAttester::generate()
            .unwrap()
            .with_lifecycle(Lifecycle::Other(lifecycle));
        assert_eq!(
            judge(attester, vec![SimAttester::SOFTWARE]),
            Tier::Contraindicated,
            "{lifecycle:#x}"
        );
    }
}

#[test]
fn unknown_software_is_told_with_its_measurement_and_the_known_ones() {
    let connection = Connection::new();
    let appraise = |measurement| {
        let software = vec![SoftwareComponent::new("ARoT", [measurement; 32])];
        let attester = SimAttester::generate().unwrap().with_software(software);
        let verifier = SimVerifier::trusting(attester.trust_anchor())
            .with_reference_values(Vec::new())
            .and_software("web 1.4", [4; 32])
            .and_software("web 1.5", [5; 32]);
        appraise(&connection, &verifier, &token(&connection, &attester)).unwrap()
    };
    let known = appraise(5);
    assert_eq!(known.image(), Some("web 1.5"));
    let passed = |finding: &Finding| finding.outcome() == Outcome::Passed;
    assert!(known.findings().iter().all(passed));
    let unknown = appraise(6);
    assert_eq!(unknown.image(), None);
    let finding = unknown.findings().iter().find(|finding| !passed(finding));
    let finding = finding.unwrap();
    assert_eq!(finding.check(), "sim.software");
    assert_eq!(finding.seen(), Some("06".repeat(32).as_str()));
    let allowed: Vec<_> = finding.allowed().iter().map(|value| value.name()).collect();
    assert_eq!(allowed, ["web 1.4", "web 1.5"]);
    assert_eq!(finding.allowed()[1].value(), "05".repeat(32));
}

#[test]
fn every_claim_is_checked() {
    let connection = Connection::new();
    let attester = SimAttester::generate().unwrap();
    let verifier = SimVerifier::trusting(attester.trust_anchor());
    let token = token(&connection, &attester);
    let judge = |change: &dyn Fn(&mut Vec<(Value, Value)>)| {
        appraise(
            &connection,
            &verifier,
            &altered(&token, |claims| change(claims)),
        )
        .map(drop)
    };
    assert_eq!(judge(&|_| {}), Ok(()), "unaltered");
    for key in [10, 256, 265, 268, 2394, 2395, 2396, 2399] {
        let missing = judge(&|claims| claims.retain(|(known, _)| *known != key.into()));
        assert_eq!(missing, Err(AppraisalError::Malformed), "{key} missing");
        let repeated = judge(&|claims| {
            let value = claims
                .iter()
                .find(|(known, _)| *known == key.into())
                .cloned()
                .unwrap();
            claims.push(value);
        });
        assert_eq!(repeated, Err(AppraisalError::Malformed), "{key} repeated");
        let wrong = judge(&|claims| replace(claims, key, Value::Null));
        assert_eq!(
            wrong,
            Err(AppraisalError::Malformed),
            "{key} of the wrong kind"
        );
    }
    // A real device's token is not for this verifier, whoever may have signed it.
    let device = judge(&|claims| replace(claims, 2396, Value::Bytes(vec![7; 32])));
    assert_eq!(device, Err(AppraisalError::UnknownKey));
    let no_software = judge(&|claims| replace(claims, 2399, Value::Array(Vec::new())));
    assert_eq!(no_software, Err(AppraisalError::Malformed));
    // Another value under the old signature.
    let altered = judge(&|claims| replace(claims, 2394, 2.into()));
    assert_eq!(altered, Err(AppraisalError::BadSignature));
}

#[test]
fn a_claim_that_nobody_knows_is_ignored() {
    let connection = Connection::new();
    let liar = Liar::new();
    let verifier = SimVerifier::trusting(liar.anchor.clone());
    let genuine = token(&connection, &SimAttester::generate().unwrap());
    let whole = Value::Bytes(connection.bound().as_bytes().to_vec());
    let token = liar.token_with(&genuine, whole, vec![((-70_000).into(), Value::Null)]);
    assert!(appraise(&connection, &verifier, &token).is_ok());
}

/// The binding, under a signature that verifies: a device whose key the verifier trusts and whose software lies.
#[test]
fn a_binding_that_is_cut_padded_empty_or_another_is_refused() {
    for connection in [Connection::new(), Connection::sha384()] {
        let liar = Liar::new();
        let verifier = SimVerifier::trusting(liar.anchor.clone());
        let whole = connection.bound().as_bytes();
        let judge = |nonce: Value| {
            let token = liar.token(
                &token(&connection, &SimAttester::generate().unwrap()),
                nonce,
            );
            appraise(&connection, &verifier, &token).map(drop)
        };
        assert_eq!(judge(Value::Bytes(whole.to_vec())), Ok(()));
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
            assert_eq!(
                judge(Value::Bytes(nonce.clone())),
                Err(AppraisalError::NotBound),
                "{nonce:?}"
            );
        }
        let several = Value::Array(vec![
            Value::Bytes(whole.to_vec()),
            Value::Bytes(vec![0; 32]),
        ]);
        assert_eq!(judge(several), Err(AppraisalError::Malformed));
    }
}

#[test]
fn the_envelope_is_checked() {
    let connection = Connection::new();
    let attester = SimAttester::generate().unwrap();
    let verifier = SimVerifier::trusting(attester.trust_anchor());
    let token = token(&connection, &attester);
    let judge = |change: &dyn Fn(&mut CoseSign1)| {
        let mut sign1 = CoseSign1::from_tagged_slice(&token).unwrap();
        change(&mut sign1);
        appraise(&connection, &verifier, &sign1.to_tagged_vec().unwrap()).map(drop)
    };
    let es384 = coset::RegisteredLabelWithPrivate::Assigned(coset::iana::Algorithm::ES384);
    let set_protected = |sign1: &mut CoseSign1, header: coset::Header| {
        sign1.protected = coset::ProtectedHeader {
            original_data: None,
            header,
        };
    };
    assert_eq!(judge(&|_| {}), Ok(()));
    let outside = |sign1: &mut CoseSign1| {
        let crit = coset::iana::HeaderParameter::ContentType;
        let critical = coset::HeaderBuilder::new().add_critical(crit);
        sign1.unprotected = critical.build();
    };
    assert_eq!(judge(&outside), Err(AppraisalError::Malformed));
    let header = coset::Header {
        alg: Some(es384.clone()),
        ..Default::default()
    };
    assert_eq!(
        judge(&|sign1| set_protected(sign1, header.clone())),
        Err(AppraisalError::Malformed)
    );
    assert_eq!(
        judge(&|sign1| set_protected(sign1, coset::Header::default())),
        Err(AppraisalError::Malformed)
    );
    assert_eq!(
        judge(&|sign1| sign1.unprotected.alg = Some(es384.clone())),
        Err(AppraisalError::Malformed)
    );
    // Whatever it is that would have to be understood.
    let critical = coset::HeaderBuilder::new()
        .algorithm(coset::iana::Algorithm::ES256)
        .add_critical(coset::iana::HeaderParameter::ContentType)
        .build();
    assert_eq!(
        judge(&|sign1| set_protected(sign1, critical.clone())),
        Err(AppraisalError::Malformed)
    );
    assert_eq!(
        judge(&|sign1| sign1.payload = None),
        Err(AppraisalError::Malformed)
    );
    assert_eq!(
        judge(&|sign1| sign1.signature.truncate(63)),
        Err(AppraisalError::BadSignature)
    );
    assert_eq!(
        judge(&|sign1| sign1.signature.clear()),
        Err(AppraisalError::BadSignature)
    );
    let untagged = CoseSign1::from_tagged_slice(&token)
        .unwrap()
        .to_vec()
        .unwrap();
    assert_eq!(
        appraise(&connection, &verifier, &untagged).map(drop),
        Err(AppraisalError::Malformed)
    );
}

#[test]
fn every_flipped_byte_and_every_truncation_is_refused() {
    let connection = Connection::new();
    let attester = SimAttester::generate().unwrap();
    let verifier = SimVerifier::trusting(attester.trust_anchor());
    let token = token(&connection, &attester);
    for index in 0..token.len() {
        assert!(
            appraise(&connection, &verifier, &token[..index]).is_err(),
            "cut at {index}"
        );
        for bit in 0..8 {
            let mut flipped = token.clone();
            flipped[index] ^= 1 << bit;
            assert!(
                appraise(&connection, &verifier, &flipped).is_err(),
                "bit {bit} of {index}"
            );
        }
    }
    let trailing = [&token[..], &[0]].concat();
    assert!(appraise(&connection, &verifier, &trailing).is_err());
}

#[test]
fn a_trust_anchor_is_a_point() {
    let anchor = SimAttester::generate().unwrap().trust_anchor();
    assert_eq!(
        TrustAnchor::from_public_key(anchor.public_key()),
        Ok(anchor.clone())
    );
    for bytes in [&b""[..], &anchor.public_key()[..64], &[2; 33], &[0; 65]] {
        assert_eq!(TrustAnchor::from_public_key(bytes), Err(SimError::Key));
    }
}

#[test]
fn the_claims_reach_the_handler() {
    let connection = Connection::new();
    let attester = SimAttester::generate().unwrap();
    let verifier = SimVerifier::trusting(attester.trust_anchor());
    let party = atls_core::RelyingParty::builder()
        .verifier(Arc::new(verifier))
        .standard_policy(atls_core::StandardPolicy::new().dangerous_accept_simulated())
        .build()
        .unwrap();
    let credential = ready(connection.attested(&attester));
    let peer = ready(party.appraise(credential, at())).unwrap();
    assert_eq!(
        peer.claims::<SimClaims>().unwrap().software[0].measurement,
        SimAttester::SOFTWARE
    );
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let connection = Connection::new();
        let verifier = SimVerifier::trusting(SimAttester::generate().unwrap().trust_anchor());
        prop_assert!(appraise(&connection, &verifier, &bytes).is_err());
        prop_assert!(appraise(&connection, &verifier, &[&[0xd2, 0x84, 0x43, 0xa1, 1, 0x26, 0xa0], &bytes[..]].concat()).is_err());
    }
}

// --- Helpers -----------------------------------------------------------------------------------------------------------

/// A device that signs any claims.
struct Liar {
    key: ring::signature::EcdsaKeyPair,
    anchor: TrustAnchor,
}

impl Liar {
    fn new() -> Self {
        use ring::signature::KeyPair;
        let random = ring::rand::SystemRandom::new();
        let algorithm = &ring::signature::ECDSA_P256_SHA256_FIXED_SIGNING;
        let pkcs8 = ring::signature::EcdsaKeyPair::generate_pkcs8(algorithm, &random).unwrap();
        let key = ring::signature::EcdsaKeyPair::from_pkcs8(algorithm, pkcs8.as_ref(), &random);
        let key = key.unwrap();
        let anchor = TrustAnchor::from_public_key(key.public_key().as_ref()).unwrap();
        Self { key, anchor }
    }

    /// The claims of another token, with this nonce and under this key.
    fn token(&self, like: &[u8], nonce: Value) -> Vec<u8> {
        self.token_with(like, nonce, Vec::new())
    }

    fn token_with(&self, like: &[u8], nonce: Value, further: Vec<(Value, Value)>) -> Vec<u8> {
        let renamed = altered(like, |claims| {
            claims.extend(further);
            replace(
                claims,
                256,
                Value::Bytes(self.anchor.instance_id().to_vec()),
            );
            replace(claims, 10, nonce);
        });
        let mut sign1 = CoseSign1::from_tagged_slice(&renamed).unwrap();
        let random = ring::rand::SystemRandom::new();
        let signature = self.key.sign(&random, &sign1.tbs_data(b"")).unwrap();
        sign1.signature = signature.as_ref().to_vec();
        sign1.to_tagged_vec().unwrap()
    }
}

fn token(connection: &Connection, attester: &SimAttester) -> Vec<u8> {
    ready(connection.token(attester))
}

fn appraise(
    connection: &Connection,
    verifier: &SimVerifier,
    token: &[u8],
) -> Result<Appraised, AppraisalError> {
    connection.appraise(verifier, token, at())
}

/// The same envelope and signature around other claims.
fn altered(token: &[u8], change: impl FnOnce(&mut Vec<(Value, Value)>)) -> Vec<u8> {
    let mut sign1 = CoseSign1::from_tagged_slice(token).unwrap();
    let mut claims = Value::from_slice(&sign1.payload.unwrap())
        .unwrap()
        .into_map()
        .unwrap();
    change(&mut claims);
    sign1.payload = Some(Value::Map(claims).to_vec().unwrap());
    sign1.to_tagged_vec().unwrap()
}

fn replace(claims: &mut [(Value, Value)], key: i32, value: Value) {
    claims
        .iter_mut()
        .find(|(known, _)| *known == key.into())
        .unwrap()
        .1 = value;
}

fn at() -> UnixTime {
    test_support::at(1_000_000)
}
