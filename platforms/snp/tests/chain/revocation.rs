//! Revocation lists, and certificates of other origin.

use atls_core::AppraisalError;
use atls_core::Stale;
use atls_snp::CertTable;
use atls_snp::CertificateKind;
use atls_snp::CollateralFromPeer;
use atls_snp::Product;
use atls_snp::SigningKey;
use atls_snp::SnpEvidence;
use atls_snp::SuppliedCollateral;
use atls_snp::testing::ForgedKey;
use atls_snp::testing::ForgedSnp;
use test_support::at;

use crate::changes::Change;
use crate::changes::appraise_evidence;
use crate::changes::appraise_table;
use crate::changes::refused;
use crate::support::CHALLENGE;
use crate::support::NOW;
use crate::support::appraise;
use crate::support::appraise_with;
use crate::support::milan;

#[test]
fn revoked_authorities_are_refused() {
    for place in ["ask", "ark", "vek"] {
        let mut platform = milan();
        platform.vek.serial = vec![7, 7];
        let serial = match place {
            "ask" => platform.ask.serial.clone(),
            "ark" => platform.ark.serial.clone(),
            _ => platform.vek.serial.clone(),
        };
        assert!(appraise(&platform).is_ok());
        platform.crl.revoked.push([&[0, 0], &serial[..]].concat());
        assert_eq!(refused(&platform), AppraisalError::UnknownKey, "{place}");
    }
    let mut platform = milan();
    platform.crl.revoked.push(vec![0]);
    // Every VEK of AMD has the number zero.
    assert!(appraise(&platform).is_ok());
    platform.crl.revoked.clear();
    assert!(appraise(&platform).is_ok(), "an empty list");
}

/// The list is of the verifier's own source, so the fault is the verifier's.
#[test]
fn a_stale_early_narrowed_or_foreign_list_is_refused() {
    let piece = "VCEK CRL of Milan";
    let stale = AppraisalError::StaleCollateral(Stale::expired(piece, at(NOW - 1)));
    let early = AppraisalError::StaleCollateral(Stale::early(piece, at(NOW + 1)));
    let bad = AppraisalError::Unreachable;
    let changes: [(Change, &AppraisalError); 6] = [
        (|it| it.crl.next_update = Some(NOW - 1), &stale),
        (|it| it.crl.this_update = NOW + 1, &early),
        (|it| it.crl.signed_by = ForgedKey::Ask, &bad),
        (|it| it.crl.issuer = "ARK-Genoa".to_owned(), &bad),
        (|it| it.crl.is_narrowed = true, &bad),
        (|it| it.crl.has_narrowed_entries = true, &bad),
    ];
    for (change, expected) in changes {
        for allow_missing_crl in [false, true] {
            let mut platform = milan();
            change(&mut platform);
            let mut policy = platform.policy();
            policy.allow_missing_crl = allow_missing_crl;
            let refused = crate::support::appraise_by(&platform, policy).unwrap_err();
            assert_eq!(refused, *expected);
        }
    }
    let mut platform = milan();
    platform.crl.next_update = None;
    assert!(platform.collateral().is_err());
}

#[test]
fn without_a_list_nothing_is_accepted_unless_the_policy_says_so() {
    let platform = milan();
    let evidence = platform.evidence(&CHALLENGE);
    let mut policy = platform.policy();
    let refused = appraise_with(
        &platform,
        &evidence,
        CollateralFromPeer::new(),
        policy.clone(),
    )
    .unwrap_err();
    assert_eq!(refused, AppraisalError::Unreachable);
    policy.allow_missing_crl = true;
    assert!(appraise_with(&platform, &evidence, CollateralFromPeer::new(), policy).is_ok());
}

#[test]
fn a_list_may_come_from_the_peer_if_the_source_has_none() {
    let mut platform = milan();
    let table = |platform: &ForgedSnp| {
        let crl = platform.crl.encode();
        platform.certificates().with(CertificateKind::Crl, crl)
    };
    let appraise = |platform: &ForgedSnp| {
        let evidence = SnpEvidence::new(platform.signed_report(&CHALLENGE), table(platform));
        appraise_with(
            platform,
            &evidence,
            CollateralFromPeer::new(),
            platform.policy(),
        )
        .map(drop)
    };
    assert_eq!(appraise(&platform), Ok(()));
    platform.crl.next_update = Some(NOW - 1);
    assert_eq!(appraise(&platform), Err(AppraisalError::Expired));
    platform.crl.next_update = None;
    assert_eq!(appraise(&platform), Err(AppraisalError::Malformed));
    platform.crl.next_update = Some(NOW);
    platform.crl.signed_by = ForgedKey::Asvk;
    assert_eq!(appraise(&platform), Err(AppraisalError::BadSignature));
    platform.crl.signed_by = ForgedKey::Ark;
    platform.crl.revoked.push(platform.ask.serial.clone());
    assert_eq!(appraise(&platform), Err(AppraisalError::UnknownKey));
}

/// A peer whose intermediate was revoked sends the list of the day before.
#[test]
fn a_list_of_the_peer_does_not_replace_the_sources() {
    let mut platform = milan();
    let old = platform.crl.encode();
    platform.crl.revoked.push(platform.ask.serial.clone());
    let table = platform.certificates().with(CertificateKind::Crl, old);
    let refused = appraise_table(&platform, table).unwrap_err();
    assert_eq!(refused, AppraisalError::UnknownKey);
}

#[test]
fn a_certificate_that_does_not_fit_is_looked_up_elsewhere() {
    let platform = milan();
    let good = platform.vek_certificate();
    let mut stale = platform.clone();
    stale.vek.set(&[3, 8], &[0x02, 0x01, 0x01]);
    let evidence = SnpEvidence::new(platform.signed_report(&CHALLENGE), stale.certificates());
    let refused = appraise_evidence(&platform, &evidence).unwrap_err();
    assert_eq!(refused, AppraisalError::UnknownKey);
    let collateral = platform
        .collateral()
        .unwrap()
        .with_certificates(&good)
        .unwrap();
    assert!(appraise_with(&platform, &evidence, collateral, platform.policy()).is_ok());
}

#[test]
fn issuers_may_be_supplied_beforehand() {
    let platform = milan();
    let vek = CertTable::new().with(CertificateKind::Vcek, platform.vek_certificate());
    let evidence = SnpEvidence::new(platform.signed_report(&CHALLENGE), vek);
    let refused = appraise_evidence(&platform, &evidence).unwrap_err();
    // A forged root's intermediate is not known beforehand.
    assert_eq!(refused, AppraisalError::UnknownKey);
    let issuers = platform.collateral().unwrap();
    let issuers = issuers
        .with_certificates(&platform.ask.certificate())
        .unwrap();
    assert!(appraise_with(&platform, &evidence, issuers, platform.policy()).is_ok());
}

#[test]
fn anything_but_certificates_and_lists_is_not_taken() {
    for bytes in [&b""[..], b"certificate", &[0x30], &[0x30, 0x82]] {
        assert!(SuppliedCollateral::new().with_certificates(bytes).is_err());
        let list = SuppliedCollateral::new().with_crl(Product::Milan, SigningKey::Vcek, bytes);
        assert!(list.is_err());
    }
}
