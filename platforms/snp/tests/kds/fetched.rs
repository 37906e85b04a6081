//! The pieces that are fetched, and when.

use std::sync::Arc;

use atls_core::AppraisalError;
use atls_core::Fault;
use atls_snp::CertTable;
use atls_snp::CollateralFromPeer;
use atls_snp::Product;
use atls_snp::SnpEvidence;
use atls_snp::testing::ForgedSnp;
use test_support::Connection;
use test_support::at;

use crate::amd::Amd;
use crate::amd::kds;
use crate::amd::missing;
use crate::amd::vek_address;
use crate::support::CHALLENGE;
use crate::support::NOW;
use crate::support::appraise_with;
use crate::support::bare;
use crate::support::milan;
use crate::support::verifier_with;

#[test]
fn missing_pieces_are_fetched_from_amd() {
    for product in Product::ALL {
        let platform = ForgedSnp::new(product).unwrap();
        let amd = Arc::new(Amd::of(&platform));
        let bare = bare(&platform);
        let appraised = appraise_with(&platform, &bare, kds(&amd), platform.policy());
        assert!(appraised.is_ok(), "{product} {:?}", amd.asked());
        assert_eq!(
            amd.asked(),
            [
                vek_address(&platform),
                // `Kds` and the verifier each ask once, because a forged root's intermediate is not known beforehand.
                format!("https://kdsintf.amd.com/vcek/v1/{product}/cert_chain"),
                format!("https://kdsintf.amd.com/vcek/v1/{product}/cert_chain"),
                format!("https://kdsintf.amd.com/vcek/v1/{product}/crl"),
            ]
        );
    }
}

#[test]
fn pieces_of_the_evidence_are_not_fetched() {
    let platform = milan();
    let amd = Arc::new(Amd::of(&platform));
    let evidence = platform.evidence(&CHALLENGE);
    assert!(appraise_with(&platform, &evidence, kds(&amd), platform.policy()).is_ok());
    assert_eq!(amd.asked(), ["https://kdsintf.amd.com/vcek/v1/Milan/crl"]);
}

#[test]
fn nothing_is_fetched_for_a_report_that_fails_before() {
    let platform = milan();
    let amd = Arc::new(Amd::of(&platform));
    let appraise = |evidence: SnpEvidence| {
        appraise_with(&platform, &evidence, kds(&amd), platform.policy()).map(drop)
    };
    let bare = |report| SnpEvidence::new(report, CertTable::new());
    let other = bare(platform.signed_report(&[1; 64])).encode().unwrap();
    let verifier = verifier_with(&platform, platform.policy(), kds(&amd));
    let refused = Connection::new().appraise(&verifier, &other, at(NOW));
    let refused = refused.map(drop);
    assert_eq!(refused, Err(AppraisalError::NotBound));
    let cut = bare(platform.signed_report(&CHALLENGE)[..1183].to_vec());
    assert_eq!(appraise(cut), Err(AppraisalError::Malformed));
    let mut unknown = platform.clone();
    unknown.report.cpuid = [0x1a, 0x50, 0];
    let unknown = bare(unknown.signed_report(&CHALLENGE));
    assert_eq!(appraise(unknown), Err(AppraisalError::UnknownKey));
    let mut genoa = platform.clone();
    genoa.report.cpuid = [0x19, 0x11, 0];
    let genoa = bare(genoa.signed_report(&CHALLENGE));
    assert_eq!(
        appraise(genoa),
        Err(AppraisalError::UnknownKey),
        "no root for it"
    );
    let mut hidden = platform.clone();
    hidden.report.chip_id = [0; 64];
    let hidden = bare(hidden.signed_report(&CHALLENGE));
    assert_eq!(appraise(hidden), Err(missing("VCEK", Fault::Peer)));
    let mut old = platform.clone();
    old.report.version = 2;
    let old = bare(old.signed_report(&CHALLENGE));
    assert_eq!(appraise(old), Err(missing("VCEK", Fault::Peer)));
    assert_eq!(amd.asked(), [""; 0]);
}

/// The fault is that of the party who was to have it. A peer that sends another key's certificate is at fault itself.
#[test]
fn a_missing_vcek_is_the_fault_of_its_supplier() {
    let platform = milan();
    let bare = bare(&platform);
    let own = platform.collateral().unwrap();
    let refused = appraise_with(&platform, &bare, own, platform.policy()).unwrap_err();
    assert_eq!(refused, missing("VCEK", Fault::Verifier));
    assert_eq!(refused.fault(), Fault::Verifier);
    let text = "no VCEK: neither the evidence nor the collateral source has one";
    assert_eq!(refused.to_string(), text);
    let refused = appraise_with(
        &platform,
        &bare,
        CollateralFromPeer::new(),
        platform.policy(),
    )
    .unwrap_err();
    assert_eq!(refused, missing("VCEK", Fault::Peer));
    let mut other = platform.clone();
    other.vek.set(&[3, 8], &[0x02, 0x01, 0x01]);
    let another = SnpEvidence::new(platform.signed_report(&CHALLENGE), other.certificates());
    let own = platform.collateral().unwrap();
    let refused = appraise_with(&platform, &another, own, platform.policy()).unwrap_err();
    assert_eq!(refused, AppraisalError::UnknownKey);
}

/// The list is the last request, so a peer without a good signature causes none.
#[test]
fn the_list_is_not_fetched_for_a_bad_signature() {
    let (platform, other) = (milan(), milan());
    let amd = Arc::new(Amd::of(&platform));
    let evidence = SnpEvidence::new(other.signed_report(&CHALLENGE), platform.certificates());
    let refused = appraise_with(&platform, &evidence, kds(&amd), platform.policy());
    assert_eq!(refused.unwrap_err(), AppraisalError::BadSignature);
    assert_eq!(amd.asked(), [""; 0]);
}

#[test]
fn a_providers_key_is_never_fetched() {
    let platform = ForgedSnp::with_vlek(Product::Milan).unwrap();
    let amd = Arc::new(Amd::of(&platform));
    let bare = bare(&platform);
    let refused = appraise_with(&platform, &bare, kds(&amd), platform.policy());
    assert_eq!(refused.unwrap_err(), missing("VLEK", Fault::Peer));
    assert_eq!(amd.asked(), [""; 0]);
    let evidence = platform.evidence(&CHALLENGE);
    assert!(appraise_with(&platform, &evidence, kds(&amd), platform.policy()).is_ok());
    assert_eq!(amd.asked(), ["https://kdsintf.amd.com/vlek/v1/Milan/crl"]);
}
