//! Genuine reports: at their time, altered, and with foreign certificates.

use atls_core::AppraisalError;
use atls_core::Origin;
use atls_core::ear::Tier;
use atls_core::pki_types::CertificateDer;
use atls_core::pki_types::pem::PemObject;
use atls_snp::CertTable;
use atls_snp::CertificateKind;
use atls_snp::Product;
use test_support::vectors;

use crate::samples::THEN;
use crate::samples::samples;

/// 2026-12-01: the VLEK has ended.
const LATER: u64 = 1_796_083_200;

#[test]
fn genuine_reports_are_affirmed_at_their_time() {
    for sample in samples() {
        let appraised = sample.appraise(THEN).unwrap();
        assert_eq!(appraised.ear().status(), Tier::Affirming, "{}", sample.name);
        assert_eq!(appraised.origin(), Origin::Device);
        let expiry = appraised.ear().expires_at().unwrap();
        assert_eq!(expiry.as_secs(), sample.ends, "{}", sample.name);
    }
}

#[test]
fn genuine_reports_are_refused_before_and_after_their_time() {
    for sample in samples() {
        for (time, valid) in [
            (sample.begins - 1, false),
            (sample.begins, true),
            (sample.ends, true),
            (sample.ends + 1, false),
            (0, false),
        ] {
            let expected = if valid {
                Ok(())
            } else {
                Err(AppraisalError::Expired)
            };
            assert_eq!(
                sample.appraise(time).map(drop),
                expected,
                "{} {time}",
                sample.name
            );
        }
    }
}

#[test]
fn the_providers_key_of_2024_is_refused_in_2026() {
    let Some(sample) = samples().into_iter().find(|sample| sample.is_vlek()) else {
        return;
    };
    assert!(sample.appraise(THEN).is_ok());
    assert_eq!(sample.appraise(LATER).unwrap_err(), AppraisalError::Expired);
}

/// One bit of each byte, signed or not.
#[test]
fn every_byte_of_a_report_is_covered() {
    for sample in samples() {
        for index in 0..sample.report.len() {
            let mut altered = sample.clone();
            altered.report[index] ^= 1 << (index % 8);
            assert!(
                altered.appraise(THEN).is_err(),
                "{} {index:#x}",
                sample.name
            );
        }
    }
}

#[test]
fn every_byte_of_a_key_certificate_is_covered() {
    let Some(sample) = samples().into_iter().next() else {
        return;
    };
    for index in 0..sample.vek.len() {
        let mut altered = sample.clone();
        altered.vek[index] ^= 1 << (index % 8);
        assert!(altered.appraise(THEN).is_err(), "{index:#x}");
    }
}

#[test]
fn a_report_is_refused_with_another_ones_key() {
    let samples = samples();
    for one in &samples {
        for other in samples.iter().filter(|other| other.name != one.name) {
            let mut mixed = one.clone();
            mixed.vek.clone_from(&other.vek);
            let refused = mixed.appraise(THEN).unwrap_err();
            assert_eq!(
                refused,
                AppraisalError::UnknownKey,
                "{} {}",
                one.name,
                other.name
            );
        }
    }
}

#[test]
fn the_whole_challenge_is_recorded() {
    for sample in samples() {
        let recorded = sample.appraise(THEN).unwrap();
        assert_eq!(recorded.challenge(), sample.challenge());
    }
}

#[test]
fn amds_own_certificates_may_come_along_unaltered() {
    let Some(folder) = vectors() else { return };
    let chain = |file: &str| {
        let chain = CertificateDer::pem_file_iter(folder.join("snp").join(file)).unwrap();
        let chain: Vec<_> = chain.map(|der| der.unwrap().to_vec()).collect();
        CertTable::new()
            .with(CertificateKind::Ask, chain[0].clone())
            .with(CertificateKind::Ark, chain[1].clone())
    };
    let files = [
        (Product::Milan, false, "ask_ark_milan.pem"),
        (Product::Milan, true, "ask_ark_milan_vlek.pem"),
        (Product::Genoa, false, "ask_ark_genoa.pem"),
    ];
    for sample in samples() {
        for (product, vlek, file) in files {
            let mut with = sample.clone();
            with.authorities = chain(file);
            let appraised = with.appraise(THEN);
            assert!(appraised.is_ok(), "{} {file} {product} {vlek}", sample.name);
        }
        let own = files
            .iter()
            .find(|(product, vlek, _)| (*product, *vlek) == (sample.product, sample.is_vlek()));
        let authorities = chain(own.unwrap().2);
        for kind in [CertificateKind::Ask, CertificateKind::Ark] {
            let der = authorities.get(kind).unwrap();
            let name = subject(der);
            for index in (0..der.len())
                .filter(|index| !name.contains(index))
                .step_by(5)
            {
                let mut altered = der.to_vec();
                altered[index] ^= 1 << (index % 8);
                let mut with = sample.clone();
                with.authorities = authorities.clone().with(kind, altered);
                assert!(
                    with.appraise(THEN).is_err(),
                    "{} {kind:?} {index}",
                    sample.name
                );
            }
        }
    }
}

/// The bytes of a certificate's own name. Under another name it belongs to another chain, which is not an error.
fn subject(der: &[u8]) -> std::ops::Range<usize> {
    let find = |prefix: &[u8]| der.windows(4).rposition(|bytes| bytes == prefix);
    let at = find(b"ARK-").max(find(b"SEV-")).unwrap();
    at - 115..at + 20
}
