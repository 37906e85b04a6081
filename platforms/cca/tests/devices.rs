//! PSA tokens against their verifier, the simulator's among them.
#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod support;

use std::io;
use std::sync::Arc;

use atls_cca::InitialAttestation;
use atls_cca::KnownComponent;
use atls_cca::Lifecycle;
use atls_cca::Measurement;
use atls_cca::Profile;
use atls_cca::PsaAttester;
use atls_cca::PsaClaims;
use atls_cca::PsaFirmware;
use atls_cca::PsaKeys;
use atls_cca::PsaPolicy;
use atls_cca::PsaVerifier;
use atls_cca::PublicKey;
use atls_cca::TrustedKey;
use atls_cca::testing::ForgedPsa;
use atls_core::AppraisalError;
use atls_core::Appraised;
use atls_core::AttestError;
use atls_core::Evidence;
use atls_core::MediaType;
use atls_core::Origin;
use atls_core::RelyingParty;
use atls_core::StandardPolicy;
use atls_core::Verifier;
use atls_core::ear::Tier;
use atls_formats::psa::EcKey;
use atls_reference::Live;
use atls_sim::SimAttester;
use atls_sim::SoftwareComponent;
use ciborium::Value;
use coset::HeaderBuilder;
use coset::ProtectedHeader;
use coset::iana::Algorithm;
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
fn a_device_is_affirmed_and_says_that_it_is_simulated() {
    for connection in [Connection::new(), Connection::sha384()] {
        let setting = Setting::with(connection, ForgedPsa::new());
        let appraised = setting.appraise(&setting.token()).unwrap();
        assert_eq!(appraised.ear().status(), Tier::Affirming);
        assert_eq!(appraised.origin(), Origin::Simulated);
        assert_eq!(appraised.image(), Some("forged firmware"));
        assert_eq!(vector(appraised.ear(), "psa"), [2, 0, 2, 0, 2, 2, 2, 0]);
    }
}

#[test]
fn the_claims_reach_the_handler() {
    let setting = Setting::new();
    let mut attester = setting.forged.attester();
    let party = RelyingParty::builder()
        .verifier(Arc::new(setting.verifier))
        .standard_policy(StandardPolicy::new().dangerous_accept_simulated())
        .build()
        .unwrap();
    let credential = setting.connection.credential(&mut attester);
    let peer = ready(party.appraise(credential, at())).unwrap();
    let claims = peer.claims::<PsaClaims>().unwrap();
    assert_eq!(
        (claims.key.as_str(), claims.device.client_id),
        ("forged", -1)
    );
}

/// The simulator is a device: its key in the file, its software in the policy.
#[test]
fn a_simulated_device_is_appraised_as_any_other_and_is_simulated() {
    let simulator = SimAttester::generate().unwrap();
    let anchor = simulator.trust_anchor();
    let public = EcKey::from_point(anchor.public_key()).unwrap();
    let instance_id = anchor.instance_id().try_into().unwrap();
    let key = TrustedKey::new(
        "laptop",
        atls_sim::IMPLEMENTATION_ID,
        instance_id,
        PublicKey::from(public),
    );
    // Nobody takes it for hardware by mistake.
    assert!(Live::fixed(PsaKeys::new(vec![key.clone()])).is_err());
    let keys = Live::fixed(PsaKeys::new(vec![key.in_software()])).unwrap();
    let software = KnownComponent::new(Measurement::new(&SimAttester::SOFTWARE).unwrap());
    let firmware = PsaFirmware::new("simulated", atls_sim::IMPLEMENTATION_ID, vec![software]);
    let policy = Live::fixed(PsaPolicy::new(vec![firmware])).unwrap();
    let verifier = PsaVerifier::new(Arc::new(policy), Arc::new(keys), &provider());
    let connection = Connection::new();
    let appraise = |simulator: &SimAttester| {
        let token = ready(connection.token(simulator));
        support::appraise(&connection, &verifier, &token).unwrap()
    };
    let appraised = appraise(&simulator);
    assert_eq!(appraised.ear().status(), Tier::Affirming);
    assert_eq!(appraised.origin(), Origin::Simulated);
    let other = simulator.with_software(vec![SoftwareComponent::new("ARoT", [9; 32])]);
    assert_eq!(appraise(&other).ear().status(), Tier::Contraindicated);
}

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

#[test]
fn every_lifecycle_but_secured_is_contraindicated() {
    for code in [0, 0x1000, 0x2000, 0x3100, 0x4000, 0x5000, 0x6000, 0xffff] {
        let mut forged = ForgedPsa::new();
        forged.device.lifecycle = Lifecycle::from(code);
        let setting = Setting::of(forged);
        let appraised = setting.appraise(&setting.token()).unwrap();
        assert_eq!(appraised.ear().status(), Tier::Contraindicated, "{code:#x}");
        assert_eq!(vector(appraised.ear(), "psa"), [96, 0, 2, 0, 2, 96, 96, 0]);
    }
}

#[test]
fn unknown_and_missing_components_are_contraindicated() {
    let good = ForgedPsa::new();
    let changes: [fn(&mut ForgedPsa); 4] = [
        |forged| forged.device.components[0].measurement[0] ^= 1,
        |forged| forged.device.components[0].signer_id[0] ^= 1,
        |forged| drop(forged.device.components.remove(1)),
        |forged| {
            forged
                .device
                .components
                .extend(forged.device.components.clone().into_iter().map(|mut it| {
                    it.kind = None;
                    it
                }))
        },
    ];
    for (number, change) in changes.into_iter().enumerate() {
        let mut forged = good.clone();
        change(&mut forged);
        let setting = Setting {
            verifier: good.verifier(&provider()),
            ..Setting::of(forged)
        };
        let appraised = setting.appraise(&setting.token()).unwrap();
        assert_eq!(appraised.ear().status(), Tier::Contraindicated, "{number}");
        assert_eq!(vector(appraised.ear(), "psa")[2], 33, "{number}");
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

// --- Helpers -----------------------------------------------------------------------------------------------------------

/// A connection, a device at its other end, and a verifier that knows it.
struct Setting {
    connection: Connection,
    forged: ForgedPsa,
    verifier: PsaVerifier,
}

impl Setting {
    fn new() -> Self {
        Self::of(ForgedPsa::new())
    }

    fn of(forged: ForgedPsa) -> Self {
        Self::with(Connection::new(), forged)
    }

    fn with(connection: Connection, forged: ForgedPsa) -> Self {
        Self {
            connection,
            verifier: forged.verifier(&provider()),
            forged,
        }
    }

    /// By the real attester.
    fn token(&self) -> Vec<u8> {
        self.connection.evidence(&mut self.forged.attester())
    }

    /// Under the media type of the device's profile.
    fn appraise(&self, token: &[u8]) -> Result<Appraised, AppraisalError> {
        let media_type = MediaType::parse(self.forged.device.profile.media_type()).unwrap();
        let evidence = Evidence::new(&media_type, token, self.connection.bound());
        ready(self.verifier.appraise(&evidence, at()))
    }

    fn refusal(&self, token: &[u8]) -> AppraisalError {
        self.appraise(token).unwrap_err()
    }
}
