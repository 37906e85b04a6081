//! Forged platforms: every rule about certificates, revocation lists and signatures, each with the one thing that breaks it.
#![allow(
    clippy::as_conversions,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod support;

use std::sync::Arc;

use atls_core::AppraisalError;
use atls_core::Origin;
use atls_core::Stale;
use atls_core::ear::Tier;
use atls_reference::Live;
use atls_snp::CertTable;
use atls_snp::CertificateKind;
use atls_snp::CollateralFromPeer;
use atls_snp::Product;
use atls_snp::SigningKey;
use atls_snp::SnpEvidence;
use atls_snp::SnpVerifier;
use atls_snp::SuppliedCollateral;
use atls_snp::testing::ForgedAuthority;
use atls_snp::testing::ForgedKey;
use atls_snp::testing::ForgedPlatform;

use support::CHALLENGE;
use support::NOW;
use support::appraise;
use support::appraise_with;
use test_support::at;
use test_support::ready;

#[test]
fn forged_platforms_are_affirmed_under_their_root_and_say_so() {
    for product in Product::ALL {
        for version in 2..=5 {
            let mut platform = ForgedPlatform::new(product).unwrap();
            platform.report.version = version;
            let mut policy = platform.policy();
            policy.min_report_version = 2;
            let appraised = support::appraise_by(&platform, policy).unwrap();
            assert_eq!(
                appraised.ear().status(),
                Tier::Affirming,
                "{product} {version}"
            );
            assert_eq!(appraised.origin(), Origin::Simulated);
        }
        let platform = ForgedPlatform::with_vlek(product).unwrap();
        let appraised = appraise(&platform).unwrap();
        assert_eq!(appraised.ear().status(), Tier::Affirming, "{product}");
    }
}

#[test]
fn each_certificate_must_be_valid_now() {
    for (place, begins, ends) in [
        ("vek", 0, NOW - 1),
        ("vek", NOW + 1, u64::from(u32::MAX)),
        ("ask", 0, NOW - 1),
        ("ask", NOW + 1, u64::from(u32::MAX)),
        ("ark", 0, NOW - 1),
        ("ark", NOW + 1, u64::from(u32::MAX)),
    ] {
        let mut platform = milan();
        let (not_before, not_after) = match place {
            "vek" => (&mut platform.vek.not_before, &mut platform.vek.not_after),
            "ask" => (&mut platform.ask.not_before, &mut platform.ask.not_after),
            _ => (&mut platform.ark.not_before, &mut platform.ark.not_after),
        };
        (*not_before, *not_after) = (begins, ends);
        assert_eq!(
            refused(&platform),
            AppraisalError::Expired,
            "{place} {begins}"
        );
    }
}

#[test]
fn both_ends_of_a_validity_are_within() {
    let mut platform = milan();
    platform.vek.not_before = NOW;
    platform.vek.not_after = NOW;
    let appraised = appraise(&platform).unwrap();
    assert_eq!(appraised.ear().expires_at().unwrap().as_secs(), NOW);
}

#[test]
fn a_result_ends_with_the_first_of_its_certificates_and_lists() {
    let mut platform = milan();
    platform.crl.next_update = Some(NOW + 100);
    let end = |platform: &ForgedPlatform| {
        let appraised = appraise(platform).unwrap();
        appraised.ear().expires_at().unwrap().as_secs()
    };
    assert_eq!(end(&platform), NOW + 100);
    platform.vek.not_after = NOW + 50;
    assert_eq!(end(&platform), NOW + 50);
    platform.ask.not_after = NOW + 20;
    assert_eq!(end(&platform), NOW + 20);
    platform.ark.not_after = NOW + 10;
    assert_eq!(end(&platform), NOW + 10);
}

#[test]
fn each_certificate_is_signed_by_the_one_above() {
    let mut platform = milan();
    platform.vek.signed_by = ForgedKey::Ark;
    assert_eq!(refused(&platform), AppraisalError::BadSignature);
    platform.vek.signed_by = ForgedKey::Asvk;
    assert_eq!(refused(&platform), AppraisalError::BadSignature);

    let mut platform = milan();
    platform.ask.signed_by = ForgedKey::Ask;
    assert_eq!(refused(&platform), AppraisalError::BadSignature);
}

#[test]
fn a_root_with_another_key_is_refused() {
    let platform = milan();
    let mut other = ForgedAuthority::ark(Product::Milan);
    other.key = ForgedKey::Asvk;
    other.signed_by = ForgedKey::Asvk;
    let table = platform
        .certificates()
        .with(CertificateKind::Ark, other.certificate());
    let refused = appraise_table(&platform, table).unwrap_err();
    assert_eq!(refused, AppraisalError::UnknownKey);
}

#[test]
fn a_root_that_is_not_self_signed_is_refused() {
    let platform = milan();
    let mut other = ForgedAuthority::ark(Product::Milan);
    other.signed_by = ForgedKey::Ask;
    let table = platform
        .certificates()
        .with(CertificateKind::Ark, other.certificate());
    let refused = appraise_table(&platform, table).unwrap_err();
    assert_eq!(refused, AppraisalError::BadSignature);
}

#[test]
fn names_say_who_signs_whom() {
    let mut platform = milan();
    platform.vek.issuer = "SEV-Genoa".to_owned();
    assert_eq!(refused(&platform), AppraisalError::UnknownKey);

    let mut platform = milan();
    platform.ask.issuer = "ARK-Genoa".to_owned();
    assert_eq!(refused(&platform), AppraisalError::UnknownKey);

    let mut platform = milan();
    platform.ask.subject = "SEV-Genoa".to_owned();
    assert_eq!(
        refused(&platform),
        AppraisalError::UnknownKey,
        "no ASK of Milan"
    );
}

#[test]
fn what_is_no_authority_signs_nothing() {
    let mut platform = milan();
    platform.ask.is_authority = false;
    assert_eq!(refused(&platform), AppraisalError::Malformed);
    platform.ask.is_authority = true;
    platform.ask.key_usage = 0x02;
    assert_eq!(
        refused(&platform),
        AppraisalError::Malformed,
        "signs lists only"
    );

    let mut platform = milan();
    platform.vek.is_authority = true;
    assert_eq!(
        refused(&platform),
        AppraisalError::Malformed,
        "a chip that is one"
    );
}

#[test]
fn the_intermediate_of_the_other_kind_of_key_is_none() {
    let mut platform = milan();
    platform.ask = ForgedAuthority::asvk(Product::Milan);
    platform.vek.signed_by = ForgedKey::Asvk;
    assert_eq!(refused(&platform), AppraisalError::UnknownKey);
    platform.vek.issuer = "SEV-VLEK-Milan".to_owned();
    assert_eq!(refused(&platform), AppraisalError::UnknownKey);
}

#[test]
fn each_extension_of_a_vek_must_fit_the_report() {
    for product in Product::ALL {
        let parts: &[u8] = match product {
            Product::Turin => &[1, 2, 3, 8, 9],
            _ => &[1, 2, 3, 8],
        };
        for part in parts {
            let mut platform = ForgedPlatform::new(product).unwrap();
            platform.vek.set(&[3, *part], &[0x02, 0x01, 0x7e]);
            assert_eq!(
                refused(&platform),
                AppraisalError::UnknownKey,
                "{product} {part}"
            );
            platform.vek.remove(&[3, *part]);
            assert_eq!(
                refused(&platform),
                AppraisalError::UnknownKey,
                "{product} {part}"
            );
        }
        let mut platform = ForgedPlatform::new(product).unwrap();
        let length = if product == Product::Turin { 8 } else { 64 };
        platform.vek.set(&[4], &vec![0xc2; length]);
        assert_eq!(
            refused(&platform),
            AppraisalError::UnknownKey,
            "another chip"
        );
        platform.vek.set(&[4], &vec![0xc1; length - 1]);
        assert_eq!(refused(&platform), AppraisalError::UnknownKey, "cut");
        platform.vek.remove(&[4]);
        assert_eq!(refused(&platform), AppraisalError::UnknownKey, "none");
    }
}

/// As the document has it, and AMD does not.
#[test]
fn a_hardware_id_may_be_an_byte_string() {
    let mut platform = milan();
    platform
        .vek
        .set(&[4], &[&[0x04, 64], &[0xc1; 64][..]].concat());
    assert!(appraise(&platform).is_ok());
}

#[test]
fn a_vek_of_another_product_is_refused() {
    for name in ["Genoa-B0", "Turin", "Venice", "milan", ""] {
        let mut platform = milan();
        let value = [&[0x16, u8::try_from(name.len()).unwrap()], name.as_bytes()].concat();
        platform.vek.set(&[2], &value);
        assert_eq!(refused(&platform), AppraisalError::UnknownKey, "{name}");
    }
    // A report of version 2 names none, so the certificate does, and its own root must have signed it.
    let mut platform = milan();
    platform.report.version = 2;
    platform.vek.set(&[2], b"\x16\x05Genoa");
    assert_eq!(refused(&platform), AppraisalError::UnknownKey);
}

#[test]
fn what_amd_reserves_in_a_vek_is_zero_and_its_structure_is_known() {
    for part in 4..=7 {
        let mut platform = milan();
        platform.vek.set(&[3, part], &[0x02, 0x01, 0x01]);
        assert_eq!(refused(&platform), AppraisalError::UnknownKey, "{part}");
    }
    // Each product has one structure: 0, and 1 with Turin.
    for product in Product::ALL {
        for structure in 0..=2 {
            let mut platform = ForgedPlatform::new(product).unwrap();
            platform.vek.set(&[1], &[0x02, 0x01, structure]);
            let is_its = structure == u8::from(product == Product::Turin);
            match is_its {
                true => assert!(appraise(&platform).is_ok(), "{product} {structure}"),
                false => assert_eq!(
                    refused(&platform),
                    AppraisalError::UnknownKey,
                    "{product} {structure}"
                ),
            }
        }
    }
    let mut platform = milan();
    platform.vek.set(&[3, 9], &[0x02, 0x01, 0x01]);
    assert_eq!(
        refused(&platform),
        AppraisalError::UnknownKey,
        "FMC is Turin's"
    );
}

#[test]
fn a_key_of_the_other_kind_is_refused() {
    let mut platform = milan();
    platform.vek.set(&[5], b"\x16\x02CN");
    assert_eq!(
        refused(&platform),
        AppraisalError::UnknownKey,
        "both a chip's and a provider's"
    );
    platform.vek.remove(&[4]);
    assert_eq!(
        refused(&platform),
        AppraisalError::UnknownKey,
        "a provider's, named a chip's"
    );

    // The report says that the chip's key signed it.
    let mut platform = ForgedPlatform::with_vlek(Product::Milan).unwrap();
    let table = platform.certificates();
    platform.report.signer = 0;
    let vlek = table.get(CertificateKind::Vlek).unwrap().to_vec();
    let table = table.with(CertificateKind::Vcek, vlek);
    let refused = appraise_table(&platform, table).unwrap_err();
    assert_eq!(refused, AppraisalError::UnknownKey);
}

#[test]
fn critical_extensions_that_are_not_known_are_refused() {
    let mut platform = milan();
    platform.vek.is_narrowed = true;
    assert_eq!(refused(&platform), AppraisalError::UnknownKey);
}

#[test]
fn repeated_extensions_are_refused() {
    let mut platform = milan();
    let hwid = (vec![4], vec![0xc1; 64]);
    platform.vek.extensions.push(hwid);
    assert_eq!(refused(&platform), AppraisalError::UnknownKey);
}

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
        let platform = ForgedPlatform::new(product).unwrap();
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
    let policy = Arc::new(Live::fixed(platform.policy()).unwrap());
    let verifier = SnpVerifier::dangerous_with_root(
        platform.root().unwrap(),
        policy,
        Arc::new(CollateralFromPeer::new()),
    );
    let judge = |kind, der: &[u8]| {
        let evidence = SnpEvidence::new(report.clone(), table.clone().with(kind, der));
        let appraised = verifier.appraise_report(&evidence, &[], at(NOW));
        ready(appraised).map(drop)
    };
    for kind in [CertificateKind::Vcek, CertificateKind::Crl] {
        let whole = table.get(kind).unwrap();
        assert_eq!(judge(kind, whole), Ok(()));
        for index in 0..whole.len() {
            let mut altered = whole.to_vec();
            altered[index] ^= 1 << (index % 8);
            assert!(judge(kind, &altered).is_err(), "{kind:?} {index}");
            assert!(
                judge(kind, &whole[..index]).is_err(),
                "{kind:?} cut at {index}"
            );
        }
        assert!(judge(kind, &[whole, &[0]].concat()).is_err(), "{kind:?}");
    }
}

#[test]
fn the_challenge_is_told_whole() {
    let platform = milan();
    for challenge in [[0; 64], CHALLENGE] {
        let evidence = platform.evidence(&challenge);
        let recorded = appraise_evidence(&platform, &evidence).unwrap();
        assert_eq!(recorded.challenge(), challenge);
    }
}

#[test]
fn a_processor_that_nobody_knows_is_refused() {
    let mut platform = milan();
    platform.report.cpuid = [0x1a, 0x50, 0];
    assert_eq!(refused(&platform), AppraisalError::UnknownKey);
    platform.report.cpuid = [0x19, 0x11, 0];
    assert_eq!(
        refused(&platform),
        AppraisalError::UnknownKey,
        "Genoa, with a key of Milan"
    );
}

#[test]
fn reserved_bytes_of_each_version_are_zero() {
    for change in [
        (|platform| platform.report.current_tcb[3] = 1) as fn(&mut ForgedPlatform),
        |platform| platform.report.committed_tcb[3] = 1,
        |platform| platform.report.launch_tcb[3] = 1,
    ] {
        let mut platform = milan();
        let policy = platform.policy();
        change(&mut platform);
        let refused = support::appraise_by(&platform, policy).unwrap_err();
        assert_eq!(refused, AppraisalError::Malformed);
    }
}

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
    assert!(
        appraise(&platform).is_ok(),
        "every VEK of AMD has the number zero"
    );
    platform.crl.revoked.clear();
    assert!(appraise(&platform).is_ok(), "an empty list");
}

/// In the list of our own source: our fault, and nothing is known about the peer.
#[test]
fn a_list_that_is_stale_early_another_ones_or_narrowed_is_refused() {
    let piece = "VCEK CRL of Milan";
    let stale = AppraisalError::StaleCollateral(Stale::expired(piece, at(NOW - 1)));
    let early = AppraisalError::StaleCollateral(Stale::early(piece, at(NOW + 1)));
    let bad = AppraisalError::Unreachable;
    type Change = fn(&mut ForgedPlatform);
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
            let refused = support::appraise_by(&platform, policy).unwrap_err();
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
fn a_list_may_come_from_the_peer_where_we_have_none() {
    let mut platform = milan();
    let table = |platform: &ForgedPlatform| {
        let crl = platform.crl.encode();
        platform.certificates().with(CertificateKind::Crl, crl)
    };
    let judge = |platform: &ForgedPlatform| {
        let evidence = SnpEvidence::new(platform.signed_report(&CHALLENGE), table(platform));
        appraise_with(
            platform,
            &evidence,
            CollateralFromPeer::new(),
            platform.policy(),
        )
        .map(drop)
    };
    assert_eq!(judge(&platform), Ok(()));
    platform.crl.next_update = Some(NOW - 1);
    assert_eq!(judge(&platform), Err(AppraisalError::Expired));
    platform.crl.next_update = None;
    assert_eq!(judge(&platform), Err(AppraisalError::Malformed));
    platform.crl.next_update = Some(NOW);
    platform.crl.signed_by = ForgedKey::Asvk;
    assert_eq!(judge(&platform), Err(AppraisalError::BadSignature));
    platform.crl.signed_by = ForgedKey::Ark;
    platform.crl.revoked.push(platform.ask.serial.clone());
    assert_eq!(judge(&platform), Err(AppraisalError::UnknownKey));
}

/// A peer whose intermediate was revoked sends the list of the day before.
#[test]
fn a_list_of_the_peer_does_not_replace_ours() {
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
    assert_eq!(
        refused,
        AppraisalError::UnknownKey,
        "a forged root's intermediate is not known"
    );
    let issuers = platform.collateral().unwrap();
    let issuers = issuers
        .with_certificates(&platform.ask.certificate())
        .unwrap();
    assert!(appraise_with(&platform, &evidence, issuers, platform.policy()).is_ok());
}

#[test]
fn what_is_no_collateral_is_not_taken() {
    for bytes in [&b""[..], b"certificate", &[0x30], &[0x30, 0x82]] {
        assert!(SuppliedCollateral::new().with_certificates(bytes).is_err());
        let list = SuppliedCollateral::new().with_crl(Product::Milan, SigningKey::Vcek, bytes);
        assert!(list.is_err());
    }
}

fn milan() -> ForgedPlatform {
    ForgedPlatform::new(Product::Milan).unwrap()
}

fn refused(platform: &ForgedPlatform) -> AppraisalError {
    let root = ForgedPlatform::new(platform.product).unwrap();
    let evidence = platform.evidence(&CHALLENGE);
    let collateral = platform.collateral().unwrap();
    // Trusts the root's key, whatever was done to its certificate, which comes with the Evidence.
    let appraised = appraise_with(&root, &evidence, collateral, root.policy());
    appraised.map(drop).unwrap_err()
}

fn appraise_table(
    platform: &ForgedPlatform,
    table: CertTable,
) -> Result<atls_core::RecordedAppraisal, AppraisalError> {
    appraise_evidence(
        platform,
        &SnpEvidence::new(platform.signed_report(&CHALLENGE), table),
    )
}

fn appraise_evidence(
    platform: &ForgedPlatform,
    evidence: &SnpEvidence,
) -> Result<atls_core::RecordedAppraisal, AppraisalError> {
    let collateral = platform.collateral().unwrap();
    appraise_with(platform, evidence, collateral, platform.policy())
}
