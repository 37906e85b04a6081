//! Certificates, devices and altered Evidence.

use std::sync::Arc;

use atls_core::AppraisalError;
use atls_core::AttestError;
use atls_core::MediaType;
use atls_core::Refusal;
use atls_core::cmw::Cmw;
use atls_core::cmw::Indicator;
use atls_core::cmw::Type;
use atls_snp::CertTable;
use atls_snp::CertificateKind;
use atls_snp::CollateralFromPeer;
use atls_snp::SnpAttester;
use atls_snp::SnpClaims;
use atls_snp::SnpEvidence;
use atls_tsm::Provider;
use atls_tsm::Tsm;
use atls_tsm::testing::FakeConfigFs;
use atls_tsm::testing::Forged;
use proptest::prelude::*;
use test_support::Connection;
use test_support::at;
use test_support::ready;

use crate::party::accepting;
use crate::party::attested;
use crate::party::party;
use crate::support::NOW;
use crate::support::milan;
use crate::support::verifier_with;

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

/// The attester's answer to one request of a connection.
fn attest_once(attester: &mut SnpAttester) -> Result<Vec<u8>, AttestError> {
    let made = Connection::new().attest(attester);
    made.map(|cmw| cmw.items()[0].value().to_vec())
}
