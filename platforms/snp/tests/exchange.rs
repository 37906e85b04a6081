//! Whole exchanges: the real attester over a fake kernel, the CMW, the real verifier, and the policy of the relying party.
#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod support;

use std::sync::Arc;

use atls_core::AppraisalError;
use atls_core::AttestError;
use atls_core::MediaType;
use atls_core::PeerAttestation;
use atls_core::PolicyViolation;
use atls_core::Refusal;
use atls_core::RelyingParty;
use atls_core::StandardPolicy;
use atls_core::cmw::Cmw;
use atls_core::cmw::Indicator;
use atls_core::cmw::Type;
use atls_core::ear::Tier;
use atls_reference::Live;
use atls_snp::CertTable;
use atls_snp::CertificateKind;
use atls_snp::CollateralFromPeer;
use atls_snp::Product;
use atls_snp::SnpAttester;
use atls_snp::SnpClaims;
use atls_snp::SnpEvidence;
use atls_snp::SnpPolicy;
use atls_snp::SnpVerifier;
use atls_snp::testing::ForgedSnp;
use atls_tsm::Provider;
use atls_tsm::Tsm;
use atls_tsm::testing::FakeConfigFs;
use atls_tsm::testing::Forged;
use proptest::prelude::*;

use support::NOW;
use support::milan;
use support::verifier_with;
use test_support::Connection;
use test_support::at;
use test_support::ready;
use test_support::sha512;

#[test]
fn a_peer_is_attested_and_its_claims_reach_the_handler() {
    for connection in [Connection::new(), Connection::sha384()] {
        for product in Product::ALL {
            let platform = ForgedSnp::new(product).unwrap();
            let credential = connection.credential(&mut platform.attester().unwrap());
            let party = party(&platform, platform.policy());
            let peer = ready(party.appraise(credential, at(NOW))).unwrap();
            assert_eq!(peer.status(), Tier::Affirming);
            let claims = peer.claims::<SnpClaims>().unwrap();
            assert_eq!(claims.image.as_deref(), Some("forged"));
            assert_eq!(claims.product, product);
            assert_eq!(claims.measurement, platform.report.measurement.into());
        }
    }
}

#[test]
fn the_report_carries_sha_512_of_the_bound_value() {
    for (connection, length) in [(Connection::new(), 32), (Connection::sha384(), 48)] {
        let bound = connection.bound();
        let seen = connection.evidence(&mut milan().attester().unwrap());
        assert_eq!(bound.as_bytes().len(), length);
        let evidence = SnpEvidence::decode(&seen).unwrap();
        let digest = sha512(bound.as_bytes());
        assert_eq!(evidence.report()[0x50..0x90], digest);
        assert_eq!(atls_formats::snp::report_data(bound).bytes()[..], digest);
    }
}

#[test]
fn evidence_of_another_connection_is_refused() {
    let platform = milan();
    let (one, other) = (Connection::new(), Connection::new());
    let replayed = other.attest(&mut platform.attester().unwrap()).unwrap();
    let credential = one.finish(&replayed);
    let refused = ready(party(&platform, platform.policy()).appraise(credential, at(NOW)));
    assert_eq!(
        refused.unwrap_err(),
        Refusal::Appraisal(AppraisalError::NotBound)
    );
}

#[test]
fn a_second_request_on_the_same_connection_needs_fresh_evidence() {
    let platform = milan();
    let connection = Connection::new();
    let first = connection.attest(&mut platform.attester().unwrap());
    let credential = connection.again().finish(&first.unwrap());
    let refused = ready(party(&platform, platform.policy()).appraise(credential, at(NOW)));
    assert_eq!(
        refused.unwrap_err(),
        Refusal::Appraisal(AppraisalError::NotBound)
    );
}

#[test]
fn a_forged_platform_is_refused_by_default() {
    let platform = milan();
    let credential = Connection::new().credential(&mut platform.attester().unwrap());
    let verifier = platform.verifier(platform.policy()).unwrap();
    let party = RelyingParty::builder()
        .verifier(Arc::new(verifier))
        .build()
        .unwrap();
    let refused = ready(party.appraise(credential, at(NOW))).unwrap_err();
    assert_eq!(refused, Refusal::Policy(PolicyViolation::Simulated));
}

#[test]
fn bad_guests_are_results_and_refused_by_the_standard_policy() {
    let mut platform = milan();
    let policy = platform.policy();
    platform.report.policy |= 1 << 19;
    let refused = attested(&platform, policy).unwrap_err();
    assert_eq!(refused.status(), Some(Tier::Contraindicated));
}

/// A policy that accepts warnings, as for old firmware, does not accept other images.
#[test]
fn accepting_warnings_does_not_accept_any_image() {
    let mut platform = milan();
    let policy = platform.policy();
    platform.report.measurement = [0x99; 48];
    let credential = Connection::new().credential(&mut platform.attester().unwrap());
    let lenient = StandardPolicy::new()
        .dangerous_accept_simulated()
        .accept_warning();
    let party = RelyingParty::builder()
        .verifier(Arc::new(platform.verifier(policy).unwrap()))
        .standard_policy(lenient)
        .build()
        .unwrap();
    assert!(ready(party.appraise(credential, at(NOW))).is_err());
}

#[test]
fn a_policy_that_is_replaced_counts_from_the_next_appraisal_on() {
    let platform = milan();
    let live = Arc::new(Live::fixed(platform.policy()).unwrap());
    let collateral = Arc::new(platform.collateral().unwrap());
    let verifier =
        SnpVerifier::dangerous_with_root(platform.root().unwrap(), Arc::clone(&live), collateral);
    let status = || {
        let evidence = platform.evidence(&support::CHALLENGE);
        let appraised = verifier.appraise_report(&evidence, &[], at(NOW));
        ready(appraised).unwrap().ear().status()
    };
    assert_eq!(status(), Tier::Affirming);
    let mut stricter = platform.policy();
    stricter.images[0].measurement = [1; 48].into();
    live.replace(stricter).unwrap();
    assert_eq!(status(), Tier::Contraindicated);
}

/// The host gives no certificates; they come beside the Evidence, in the same collection.
#[test]
fn certificates_may_come_as_endorsements() {
    let platform = milan();
    let bare = platform.clone();
    let device = move |inblob: &[u8]| Forged {
        outblob: bare.signed_report(inblob.try_into().unwrap()),
        auxblob: Vec::new(),
    };
    let fs = FakeConfigFs::new(Provider::SevGuest, device);
    let mut attester = SnpAttester::over(Tsm::over(fs)).unwrap().unwrap();
    let endorsement = |text: &str, value: Vec<u8>| {
        let kind = Type::Media(MediaType::parse(text).unwrap());
        Cmw::record(kind, value, Some(Indicator::ENDORSEMENTS))
    };
    let beside = |evidence: Cmw, ask: Vec<u8>| {
        let members = vec![
            ("snp".into(), evidence),
            (
                "vek".into(),
                endorsement("application/pkix-cert", platform.vek_certificate()),
            ),
            ("ask".into(), endorsement("application/pkix-cert", ask)),
            (
                "crl".into(),
                endorsement("application/pkix-crl", platform.crl.encode()),
            ),
            (
                "other".into(),
                endorsement("application/octet-stream", vec![1]),
            ),
        ];
        Cmw::collection(None, members).unwrap()
    };
    let verifier = verifier_with(&platform, platform.policy(), CollateralFromPeer::new());
    let party = accepting(verifier);
    let mut credential = |ask: Vec<u8>| {
        let connection = Connection::new();
        let cmw = connection.attest(&mut attester).unwrap();
        connection.finish(&beside(cmw, ask))
    };
    let ask = platform.ask.certificate();
    assert!(ready(party.appraise(credential(ask.clone()), at(NOW))).is_ok());

    let mut altered = ask;
    let last = altered.len() - 1;
    altered[last] ^= 1;
    let refused = ready(party.appraise(credential(altered), at(NOW))).unwrap_err();
    assert_eq!(refused, Refusal::Appraisal(AppraisalError::BadSignature));
}

#[test]
fn a_host_that_gives_garbage_for_certificates_only_makes_them_missing() {
    let platform = milan();
    let device = platform.clone();
    let fs = FakeConfigFs::new(Provider::SevGuest, move |inblob| Forged {
        outblob: device.signed_report(inblob.try_into().unwrap()),
        auxblob: vec![0xff; 4096],
    });
    let attester = SnpAttester::over(Tsm::over(fs)).unwrap().unwrap();
    let mut attester = attester.with_certificates(platform.certificates());
    let credential = Connection::new().credential(&mut attester);
    let party = party(&platform, platform.policy());
    assert!(ready(party.appraise(credential, at(NOW))).is_ok());
}

#[test]
fn certificates_travel_in_pem_for_veraison() {
    let platform = milan();
    let seen = Connection::new().evidence(&mut platform.attester().unwrap());
    let pem = b"-----BEGIN CERTIFICATE-----\n";
    let found = seen.windows(pem.len()).filter(|bytes| bytes == pem).count();
    assert_eq!(found, 3);
    let table = SnpEvidence::decode(&seen).unwrap();
    let der = platform.vek_certificate();
    // Signed anew each time, so only their length and kind are compared.
    let read = table.certificates().get(CertificateKind::Vcek).unwrap();
    assert_eq!(read.len(), der.len());
}

#[test]
fn a_device_that_answers_about_something_else_is_a_local_failure() {
    let platform = milan();
    for outblob in [platform.signed_report(&[9; 64]), vec![7; 1184], vec![7; 10]] {
        let fs = FakeConfigFs::new(Provider::SevGuest, move |_| Forged {
            outblob: outblob.clone(),
            auxblob: Vec::new(),
        });
        let mut attester = SnpAttester::over(Tsm::over(fs)).unwrap().unwrap();
        let failed = attest_once(&mut attester).unwrap_err();
        assert!(matches!(failed, AttestError::Device(_)), "{failed:?}");
    }
}

#[test]
fn a_busy_device_is_busy_and_a_race_is_not_attested() {
    let fs = FakeConfigFs::failing(Provider::SevGuest, |_, _| Err(16));
    let mut attester = SnpAttester::over(Tsm::over(fs)).unwrap().unwrap();
    assert_eq!(attest_once(&mut attester).unwrap_err(), AttestError::Busy);

    let fs = Arc::new(milan().configfs());
    let mut attester = SnpAttester::over(Tsm::over(Arc::clone(&fs)))
        .unwrap()
        .unwrap();
    fs.inject_races(1);
    assert!(attest_once(&mut attester).is_ok());
    fs.inject_races(9);
    assert!(matches!(
        attest_once(&mut attester),
        Err(AttestError::Device(_))
    ));
    assert_eq!(fs.entries(), 0);
}

#[test]
fn another_device_is_no_snp_guest() {
    for fs in [
        FakeConfigFs::new(Provider::TdxGuest, |_| Forged::default()),
        FakeConfigFs::new(Provider::SevGuest, |_| Forged::default()).without_provider(),
        FakeConfigFs::new(Provider::SevGuest, |_| Forged::default()).with_provider_name("novel"),
    ] {
        assert!(SnpAttester::over(Tsm::over(fs)).unwrap().is_none());
    }
    let nowhere = Tsm::over(atls_tsm::ConfigFs::at("/nonexistent"));
    assert!(SnpAttester::over(nowhere).unwrap().is_none());
    let fs = FakeConfigFs::new(Provider::SevGuest, |_| Forged::default());
    fs.inject_errors(13, 1);
    assert!(SnpAttester::over(Tsm::over(fs)).is_err(), "no permission");
}

#[test]
fn a_privilege_level_is_passed_on() {
    let platform = milan();
    let device = move |inblob: &[u8], level: u8| {
        let mut platform = platform.clone();
        platform.report.vmpl = level.into();
        Ok(Forged {
            outblob: platform.signed_report(inblob.try_into().unwrap()),
            auxblob: Vec::new(),
        })
    };
    let fs = FakeConfigFs::failing(Provider::SevGuest, device);
    let attester = SnpAttester::over(Tsm::over(fs)).unwrap().unwrap();
    let mut attester = attester.with_privilege_level(2);
    let evidence = SnpEvidence::decode(&attest_once(&mut attester).unwrap()).unwrap();
    assert_eq!(evidence.report()[0x30], 2);
}

#[test]
fn every_truncation_of_evidence_is_refused() {
    let platform = milan();
    let connection = Connection::new();
    let whole = connection.evidence(&mut platform.attester().unwrap());
    let verifier = platform.verifier(platform.policy()).unwrap();
    let appraise = |bytes: &[u8]| connection.appraise(&verifier, bytes, at(NOW)).map(drop);
    assert_eq!(appraise(&whole), Ok(()));
    for length in 0..whole.len() {
        assert_eq!(
            appraise(&whole[..length]),
            Err(AppraisalError::Malformed),
            "{length}"
        );
    }
    assert!(appraise(&[&whole[..], &[0]].concat()).is_err());
}

#[test]
fn claims_do_not_show_the_chip_in_logs() {
    let platform = milan();
    let peer = attested(&platform, platform.policy()).unwrap();
    let claims = peer.claims::<SnpClaims>().unwrap();
    assert_eq!(claims.chip_id, Some([0xc1; 64].into()));
    assert!(!format!("{claims:?}").contains("c1c1c1c1"));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]
    #[test]
    fn arbitrary_bytes_never_panic(
        bytes in proptest::collection::vec(any::<u8>(), 0..1500),
        auxblob in proptest::collection::vec(any::<u8>(), 0..300),
    ) {
        let platform = milan();
        let verifier = platform.verifier(platform.policy()).unwrap();
        let evidence = Connection::new().evidence(&mut platform.attester().unwrap());
        let evidence = SnpEvidence::decode(&evidence).unwrap();
        let garbage = SnpEvidence::new(bytes.clone(), evidence.certificates().clone());
        prop_assert!(ready(verifier.appraise_report(&garbage, &[], at(NOW))).is_err());
        let table = CertTable::new()
            .with(CertificateKind::Vcek, auxblob.clone())
            .with(CertificateKind::Ask, auxblob);
        let garbage = SnpEvidence::new(evidence.report().to_vec(), table);
        prop_assert!(ready(verifier.appraise_report(&garbage, &[], at(NOW))).is_err());
    }
}

fn party(platform: &ForgedSnp, policy: SnpPolicy) -> RelyingParty {
    accepting(platform.verifier(policy).unwrap())
}

fn accepting(verifier: SnpVerifier) -> RelyingParty {
    RelyingParty::builder()
        .verifier(Arc::new(verifier))
        .standard_policy(StandardPolicy::new().dangerous_accept_simulated())
        .build()
        .unwrap()
}

fn attested(platform: &ForgedSnp, policy: SnpPolicy) -> Result<PeerAttestation, Refusal> {
    let credential = Connection::new().credential(&mut platform.attester().unwrap());
    ready(party(platform, policy).appraise(credential, at(NOW)))
}

/// The attester's answer to one request of a connection.
fn attest_once(attester: &mut SnpAttester) -> Result<Vec<u8>, AttestError> {
    let made = Connection::new().attest(attester);
    made.map(|cmw| cmw.items()[0].value().to_vec())
}
