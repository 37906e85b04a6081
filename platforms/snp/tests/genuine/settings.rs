//! Verifiers in other settings: roots, keys at hand, fetched certificates.

use std::fs;
use std::sync::Arc;

use atls_collateral::Cache;
use atls_collateral::Fetch;
use atls_core::AppraisalError;
use atls_core::Origin;
use atls_core::ear::Category;
use atls_core::ear::Tier;
use atls_core::http::HttpError;
use atls_snp::CertTable;
use atls_snp::CertificateKind;
use atls_snp::CollateralFromPeer;
use atls_snp::Kds;
use atls_snp::KdsCollateral;
use atls_snp::Product;
use atls_snp::SnpEvidence;
use atls_snp::SuppliedCollateral;
use test_support::Script;
use test_support::at;
use test_support::ready;
use test_support::vectors;

use crate::samples::Sample;
use crate::samples::THEN;
use crate::samples::samples;
use crate::support::amds_verifier;
use crate::support::milan;
use crate::support::verifier_with;

/// Evidence of Veraison's own tests: report, VCEK, ASK and ARK, in PEM.
#[test]
fn veraisons_sample_is_read() {
    let Some(folder) = vectors() else { return };
    let bytes = fs::read(folder.join("corim/sevsnp-tsm-report.cbor")).unwrap();
    let evidence = SnpEvidence::decode(&bytes).unwrap();
    let certificates = evidence.certificates();
    for kind in [
        CertificateKind::Vcek,
        CertificateKind::Ask,
        CertificateKind::Ark,
    ] {
        assert!(certificates.get(kind).is_some(), "{kind:?}");
    }
    let report = evidence.report().to_vec();
    let sample = Sample::new("veraison", Product::Genoa, report, Vec::new(), (0, 0));
    let verifier = sample.verifier();
    let appraised = verifier.appraise_report(&evidence, &[], at(THEN));
    assert_eq!(ready(appraised).unwrap().ear().status(), Tier::Affirming);
    // The crate writes it in a form that it reads again.
    let again = SnpEvidence::decode(&evidence.encode().unwrap()).unwrap();
    assert_eq!(again, evidence);
}

#[test]
fn recorded_evidence_is_appraised_but_for_its_binding() {
    for sample in samples() {
        let bytes = sample.evidence().encode().unwrap();
        let recorded = ready(sample.verifier().appraise_recorded(&bytes, at(THEN))).unwrap();
        assert_eq!(recorded.challenge(), &sample.report[0x50..0x90]);
        assert_eq!(recorded.origin(), Origin::Device);
        assert_eq!(recorded.ear().status(), Tier::Affirming, "{}", sample.name);
        assert!(recorded.image().is_some(), "{}", sample.name);
        let mut altered = bytes.clone();
        let at_report = bytes
            .windows(64)
            .position(|it| *it == sample.report[0x50..0x90]);
        altered[at_report.unwrap()] ^= 1;
        let refused = ready(sample.verifier().appraise_recorded(&altered, at(THEN)));
        assert_eq!(refused.unwrap_err(), AppraisalError::BadSignature);
    }
    let forged = milan();
    let bytes = forged
        .evidence(&crate::support::CHALLENGE)
        .encode()
        .unwrap();
    let verifier = forged.verifier(forged.policy()).unwrap();
    let recorded = ready(verifier.appraise_recorded(&bytes, at(THEN))).unwrap();
    assert_eq!(recorded.challenge(), crate::support::CHALLENGE);
    assert_eq!(recorded.origin(), Origin::Simulated);
    assert_eq!(recorded.image(), Some("forged"));
    for length in (0..bytes.len()).step_by(97) {
        let refused = ready(verifier.appraise_recorded(&bytes[..length], at(THEN)));
        assert_eq!(refused.unwrap_err(), AppraisalError::Malformed, "{length}");
    }
}

#[test]
fn a_genuine_report_is_no_forged_platforms() {
    let platform = milan();
    for sample in samples() {
        let verifier = verifier_with(&platform, sample.policy(), CollateralFromPeer::new());
        let evidence = sample.evidence();
        let refused = verifier.appraise_report(&evidence, &[], at(THEN));
        assert_eq!(ready(refused).unwrap_err(), AppraisalError::UnknownKey);
    }
}

#[test]
fn a_forged_report_is_not_amds() {
    let platform = milan();
    let collateral = platform.collateral().unwrap();
    let verifier = amds_verifier(platform.policy(), collateral);
    let evidence = platform.evidence(&crate::support::CHALLENGE);
    let refused = verifier.appraise_report(&evidence, &[], at(THEN));
    assert_eq!(ready(refused).unwrap_err(), AppraisalError::BadSignature);
    // Without its authorities' certificates AMD's own keys count. Those did not sign its key.
    let bare = CertTable::new().with(CertificateKind::Vcek, platform.vek_certificate());
    let evidence = SnpEvidence::new(platform.signed_report(&crate::support::CHALLENGE), bare);
    let refused = verifier.appraise_report(&evidence, &[], at(THEN));
    assert_eq!(ready(refused).unwrap_err(), AppraisalError::BadSignature);
}

#[test]
fn a_key_may_be_supplied_beforehand() {
    for sample in samples() {
        let supplied = SuppliedCollateral::new()
            .with_certificates(&sample.vek)
            .unwrap();
        let verifier = amds_verifier(sample.policy(), supplied);
        let evidence = SnpEvidence::new(sample.report.clone(), CertTable::new());
        let appraised = ready(verifier.appraise_report(&evidence, &[], at(THEN)));
        // A report of version 2, or of a provider's key, names no certificate to look up.
        let expected = sample.report[0] > 2 && !sample.is_vlek();
        assert_eq!(appraised.is_ok(), expected, "{}", sample.name);
    }
}

#[test]
fn hardware_is_appraised_by_the_genuine_versions() {
    for sample in samples() {
        let mut policy = sample.policy();
        let minimum = policy.minimum_tcb.get_mut(&sample.product).unwrap();
        minimum.reported.microcode += 1;
        let verifier = amds_verifier(policy, CollateralFromPeer::new());
        let evidence = sample.evidence();
        let appraised = verifier.appraise_report(&evidence, &[], at(THEN));
        let appraised = ready(appraised).unwrap();
        let ear = appraised.ear().submod("snp").unwrap();
        assert_eq!(ear.vector().get(Category::Hardware).value(), 32);
        assert_eq!(ear.status(), Tier::Warning);
    }
}

/// The checks before a certificate is kept are no stricter than AMD.
#[test]
fn genuine_certificates_are_fetched() {
    for sample in samples() {
        // Version 2 names no product, and AMD publishes no provider's key.
        if sample.is_vlek() || sample.report[0] == 2 {
            continue;
        }
        let cache = Cache::new(Kds::new(Arc::new(amd(sample.vek.clone()))));
        let mut policy = sample.policy();
        policy.allow_missing_crl = true;
        let verifier = amds_verifier(policy, KdsCollateral::new(cache));
        let bare = SnpEvidence::new(sample.report.clone(), sample.authorities.clone());
        let appraised = ready(verifier.appraise_report(&bare, &[], at(THEN)));
        assert!(appraised.is_ok(), "{}", sample.name);
    }
}

#[test]
fn genuine_issuers_are_read() {
    let Some(folder) = vectors() else { return };
    let kds = Kds::new(Arc::new(amd(Vec::new())));
    for (key, file) in [
        ("vcek/milan", "ask_ark_milan.pem"),
        ("vlek/milan", "ask_ark_milan_vlek.pem"),
        ("vcek/genoa", "ask_ark_genoa.pem"),
        ("vlek/genoa", "ask_ark_genoa_vlek.pem"),
        ("vcek/turin", "ask_ark_turin_vcek.pem"),
        ("vlek/turin", "ask_ark_turin_vlek.pem"),
    ] {
        let pem = fs::read(folder.join("snp").join(file)).unwrap();
        let read = kds.read(&format!("snp/{key}/cert_chain"), pem.into(), at(THEN));
        assert!(read.is_ok(), "{file}");
    }
}

/// Has one chip's certificate, and cannot be reached for anything else.
fn amd(certificate: Vec<u8>) -> Script {
    Script::immediate(move |_, request| match request.uri().query() {
        Some(_) => Ok(http::Response::new(certificate.clone())),
        None => Err(HttpError::TimedOut),
    })
}
