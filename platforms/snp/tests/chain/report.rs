//! The signed report.

use atls_core::AppraisalError;
use atls_snp::CertificateKind;
use atls_snp::CollateralFromPeer;
use atls_snp::Product;
use atls_snp::SnpEvidence;
use atls_snp::testing::ForgedSnp;
use test_support::at;
use test_support::ready;

use crate::changes::Change;
use crate::changes::appraise_evidence;
use crate::changes::each_is_refused;
use crate::support::CHALLENGE;
use crate::support::NOW;
use crate::support::milan;
use crate::support::verifier_with;

#[test]
fn a_report_signed_by_another_chip_is_refused() {
    let (one, other) = (milan(), milan());
    let evidence = SnpEvidence::new(other.signed_report(&CHALLENGE), one.certificates());
    let refused = appraise_evidence(&one, &evidence).unwrap_err();
    assert_eq!(refused, AppraisalError::BadSignature);
}

#[test]
fn a_report_without_signature_is_refused() {
    let platform = milan();
    let mut report = platform.report.clone();
    report.report_data = CHALLENGE;
    let evidence = SnpEvidence::new(report.encode(), platform.certificates());
    let refused = appraise_evidence(&platform, &evidence).unwrap_err();
    assert_eq!(refused, AppraisalError::BadSignature);
    report.signer = 7 << 2;
    let evidence = SnpEvidence::new(report.encode(), platform.certificates());
    let refused = appraise_evidence(&platform, &evidence).unwrap_err();
    assert_eq!(refused, AppraisalError::BadSignature);
}

#[test]
fn every_byte_of_a_report_is_covered() {
    for product in [Product::Milan, Product::Turin] {
        let platform = ForgedSnp::new(product).unwrap();
        let whole = platform.signed_report(&CHALLENGE);
        let verifier = platform.verifier(platform.policy()).unwrap();
        let certificates = platform.certificates();
        for index in 0..whole.len() {
            let mut report = whole.clone();
            report[index] ^= 1 << (index % 8);
            let evidence = SnpEvidence::new(report, certificates.clone());
            let appraised = verifier.appraise_report(&evidence, &[], at(NOW));
            assert!(ready(appraised).is_err(), "{product} {index:#x}");
        }
    }
}

#[test]
fn every_byte_of_a_certificate_and_a_list_is_covered() {
    let platform = milan();
    let table = platform.certificates();
    let table = table.with(CertificateKind::Crl, platform.crl.encode());
    let report = platform.signed_report(&CHALLENGE);
    let verifier = verifier_with(&platform, platform.policy(), CollateralFromPeer::new());
    let appraise = |kind, der: &[u8]| {
        let evidence = SnpEvidence::new(report.clone(), table.clone().with(kind, der));
        let appraised = verifier.appraise_report(&evidence, &[], at(NOW));
        ready(appraised).map(drop)
    };
    for kind in [CertificateKind::Vcek, CertificateKind::Crl] {
        let whole = table.get(kind).unwrap();
        assert_eq!(appraise(kind, whole), Ok(()));
        for index in 0..whole.len() {
            let mut altered = whole.to_vec();
            altered[index] ^= 1 << (index % 8);
            assert!(appraise(kind, &altered).is_err(), "{kind:?} {index}");
            assert!(
                appraise(kind, &whole[..index]).is_err(),
                "{kind:?} cut at {index}"
            );
        }
        assert!(appraise(kind, &[whole, &[0]].concat()).is_err(), "{kind:?}");
    }
}

#[test]
fn the_whole_challenge_is_recorded() {
    let platform = milan();
    for challenge in [[0; 64], CHALLENGE] {
        let evidence = platform.evidence(&challenge);
        let recorded = appraise_evidence(&platform, &evidence).unwrap();
        assert_eq!(recorded.challenge(), challenge);
    }
}

#[test]
fn an_unknown_processor_is_refused() {
    each_is_refused(
        &AppraisalError::UnknownKey,
        &[
            |it| it.report.cpuid = [0x1a, 0x50, 0],
            // Genoa, with a key of Milan.
            |it| it.report.cpuid = [0x19, 0x11, 0],
        ],
    );
}

#[test]
fn reserved_bytes_of_each_version_are_zero() {
    let changes: [Change; 3] = [
        |it| it.report.current_tcb[3] = 1,
        |it| it.report.committed_tcb[3] = 1,
        |it| it.report.launch_tcb[3] = 1,
    ];
    for change in changes {
        let mut platform = milan();
        let policy = platform.policy();
        change(&mut platform);
        let refused = crate::support::appraise_by(&platform, policy).unwrap_err();
        assert_eq!(refused, AppraisalError::Malformed);
    }
}
