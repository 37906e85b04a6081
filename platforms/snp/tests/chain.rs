//! Forged platforms: each rule about certificates, revocation lists and signatures, with the change that breaks it.
#![allow(
    clippy::as_conversions,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod support;

use atls_core::AppraisalError;
use atls_core::Origin;
use atls_core::Stale;
use atls_core::ear::Tier;
use atls_snp::CertTable;
use atls_snp::CertificateKind;
use atls_snp::CollateralFromPeer;
use atls_snp::Product;
use atls_snp::SigningKey;
use atls_snp::SnpEvidence;
use atls_snp::SuppliedCollateral;
use atls_snp::testing::ForgedAuthority;
use atls_snp::testing::ForgedKey;
use atls_snp::testing::ForgedSnp;

use support::CHALLENGE;
use support::NOW;
use support::appraise;
use support::appraise_with;
use support::milan;
use support::verifier_with;
use test_support::at;
use test_support::ready;

#[test]
fn forged_platforms_are_affirmed_under_their_root_and_say_so() {
    for product in Product::ALL {
        for version in 2..=5 {
            let mut platform = ForgedSnp::new(product).unwrap();
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
        let platform = ForgedSnp::with_vlek(product).unwrap();
        let appraised = appraise(&platform).unwrap();
        assert_eq!(appraised.ear().status(), Tier::Affirming, "{product}");
    }
}

#[test]
fn each_certificate_must_be_valid_now() {
    for (begins, ends) in [(0, NOW - 1), (NOW + 1, u64::from(u32::MAX))] {
        for place in ["vek", "ask", "ark"] {
            let mut it = milan();
            let validity = match place {
                "vek" => (&mut it.vek.not_before, &mut it.vek.not_after),
                "ask" => (&mut it.ask.not_before, &mut it.ask.not_after),
                _ => (&mut it.ark.not_before, &mut it.ark.not_after),
            };
            (*validity.0, *validity.1) = (begins, ends);
            assert_eq!(refused(&it), AppraisalError::Expired, "{place} {begins}");
        }
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
    let end = |platform: &ForgedSnp| {
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
    each_is_refused(
        &AppraisalError::BadSignature,
        &[
            |it| it.vek.signed_by = ForgedKey::Ark,
            |it| it.vek.signed_by = ForgedKey::Asvk,
            |it| it.ask.signed_by = ForgedKey::Ask,
            |it| it.ark.signed_by = ForgedKey::Ask,
        ],
    );
}

#[test]
fn a_root_with_another_key_is_refused() {
    each_is_refused(
        &AppraisalError::UnknownKey,
        &[|it| (it.ark.key, it.ark.signed_by) = (ForgedKey::Asvk, ForgedKey::Asvk)],
    );
}

#[test]
fn each_certificate_names_its_issuer() {
    each_is_refused(
        &AppraisalError::UnknownKey,
        &[
            |it| it.vek.issuer = "SEV-Genoa".to_owned(),
            |it| it.ask.issuer = "ARK-Genoa".to_owned(),
            |it| it.ask.subject = "SEV-Genoa".to_owned(),
        ],
    );
}

#[test]
fn only_an_authority_signs_certificates_and_a_chip_is_none() {
    each_is_refused(
        &AppraisalError::Malformed,
        &[
            |it| it.ask.is_authority = false,
            // It may sign lists alone.
            |it| it.ask.key_usage = 0x02,
            |it| it.vek.is_authority = true,
        ],
    );
}

#[test]
fn the_intermediate_of_the_other_kind_of_key_is_refused() {
    fn with_asvk(platform: &mut ForgedSnp) {
        platform.ask = ForgedAuthority::asvk(Product::Milan);
        platform.vek.signed_by = ForgedKey::Asvk;
    }
    each_is_refused(
        &AppraisalError::UnknownKey,
        &[with_asvk, |it| {
            with_asvk(it);
            it.vek.issuer = "SEV-VLEK-Milan".to_owned();
        }],
    );
}

#[test]
fn each_extension_of_a_vek_must_fit_the_report() {
    for product in Product::ALL {
        let forged = || ForgedSnp::new(product).unwrap();
        let length = product.hwid_length();
        let mut changes: Vec<(&[u8], Option<Vec<u8>>)> = vec![
            (&[4], Some(vec![0xc2; length])),
            (&[4], Some(vec![0xc1; length - 1])),
            (&[4], None),
        ];
        let parts: &[&[u8]] = &[&[3, 1], &[3, 2], &[3, 3], &[3, 8], &[3, 9]];
        let parts = match product {
            Product::Turin => parts,
            _ => &parts[..4],
        };
        for part in parts {
            changes.push((part, Some(vec![0x02, 0x01, 0x7e])));
            changes.push((part, None));
        }
        for (extension, value) in changes {
            let mut platform = forged();
            match &value {
                Some(value) => platform.vek.set(extension, value),
                None => platform.vek.remove(extension),
            }
            let refused = refused(&platform);
            assert_eq!(
                refused,
                AppraisalError::UnknownKey,
                "{product} {extension:?} {value:?}"
            );
        }
    }
}

/// As in AMD's document, and not in AMD's certificates.
#[test]
fn a_hardware_id_may_be_an_octet_string() {
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
    // A report of version 2 names no product. The certificate does, and its own root must have signed it.
    each_is_refused(
        &AppraisalError::UnknownKey,
        &[|it| {
            it.report.version = 2;
            it.vek.set(&[2], b"\x16\x05Genoa");
        }],
    );
}

#[test]
fn reserved_extensions_of_a_vek_are_zero() {
    each_is_refused(
        &AppraisalError::UnknownKey,
        &[
            |it| it.vek.set(&[3, 4], &[0x02, 0x01, 0x01]),
            |it| it.vek.set(&[3, 5], &[0x02, 0x01, 0x01]),
            |it| it.vek.set(&[3, 6], &[0x02, 0x01, 0x01]),
            |it| it.vek.set(&[3, 7], &[0x02, 0x01, 0x01]),
            // Only Turin has an FMC.
            |it| it.vek.set(&[3, 9], &[0x02, 0x01, 0x01]),
        ],
    );
}

#[test]
fn each_product_has_one_structure_of_vek_certificates() {
    for product in Product::ALL {
        for structure in 0..=2 {
            let mut platform = ForgedSnp::new(product).unwrap();
            platform.vek.set(&[1], &[0x02, 0x01, structure]);
            let expected = match structure == u8::from(product == Product::Turin) {
                true => Ok(()),
                false => Err(AppraisalError::UnknownKey),
            };
            let appraised = appraise(&platform).map(drop);
            assert_eq!(appraised, expected, "{product} {structure}");
        }
    }
}

#[test]
fn a_key_of_the_other_kind_is_refused() {
    each_is_refused(
        &AppraisalError::UnknownKey,
        &[
            // The certificate names a chip and a provider.
            |it| it.vek.set(&[5], b"\x16\x02CN"),
            // It names a provider, under the name of a chip's key.
            |it| {
                it.vek.set(&[5], b"\x16\x02CN");
                it.vek.remove(&[4]);
            },
        ],
    );
    // The report says that the chip's key signed it.
    let mut platform = ForgedSnp::with_vlek(Product::Milan).unwrap();
    let table = platform.certificates();
    platform.report.signer = 0;
    let vlek = table.get(CertificateKind::Vlek).unwrap().to_vec();
    let table = table.with(CertificateKind::Vcek, vlek);
    let refused = appraise_table(&platform, table).unwrap_err();
    assert_eq!(refused, AppraisalError::UnknownKey);
}

#[test]
fn unknown_critical_and_repeated_extensions_are_refused() {
    each_is_refused(
        &AppraisalError::UnknownKey,
        &[
            |it| it.vek.is_narrowed = true,
            |it| it.vek.extensions.push((vec![4], vec![0xc1; 64])),
        ],
    );
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

type Change = fn(&mut ForgedSnp);

/// Each change alone makes Evidence of Milan refused.
fn each_is_refused(expected: &AppraisalError, changes: &[Change]) {
    for (place, change) in changes.iter().enumerate() {
        let mut platform = milan();
        change(&mut platform);
        assert_eq!(refused(&platform), *expected, "change {place}");
    }
}

/// Under the root's key, whatever the Evidence says of it.
fn refused(platform: &ForgedSnp) -> AppraisalError {
    let root = ForgedSnp::new(platform.product).unwrap();
    let evidence = platform.evidence(&CHALLENGE);
    let collateral = platform.collateral().unwrap();
    let appraised = appraise_with(&root, &evidence, collateral, root.policy());
    appraised.map(drop).unwrap_err()
}

fn appraise_table(
    platform: &ForgedSnp,
    table: CertTable,
) -> Result<atls_core::RecordedAppraisal, AppraisalError> {
    appraise_evidence(
        platform,
        &SnpEvidence::new(platform.signed_report(&CHALLENGE), table),
    )
}

fn appraise_evidence(
    platform: &ForgedSnp,
    evidence: &SnpEvidence,
) -> Result<atls_core::RecordedAppraisal, AppraisalError> {
    let collateral = platform.collateral().unwrap();
    appraise_with(platform, evidence, collateral, platform.policy())
}
