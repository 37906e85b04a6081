//! Reports that AMD's keys signed: affirmed at their time; refused at any other time, altered, or under another product.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod support;

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use atls_collateral::Cache;
use atls_collateral::Fetch;
use atls_core::AppraisalError;
use atls_core::Origin;
use atls_core::RecordedAppraisal;
use atls_core::ear::Category;
use atls_core::ear::Tier;
use atls_core::http::HttpError;
use atls_core::pki_types::CertificateDer;
use atls_core::pki_types::pem::PemObject;
use atls_snp::CertTable;
use atls_snp::CertificateKind;
use atls_snp::CollateralFromPeer;
use atls_snp::Kds;
use atls_snp::KdsCollateral;
use atls_snp::MinimumTcb;
use atls_snp::Product;
use atls_snp::SnpEvidence;
use atls_snp::SnpImage;
use atls_snp::SnpPolicy;
use atls_snp::SnpVerifier;
use atls_snp::SuppliedCollateral;
use atls_snp::Tcb;

use support::amds_verifier;
use support::milan;
use support::verifier_with;
use test_support::Script;
use test_support::at;
use test_support::ready;
use test_support::vectors;

/// 2025-09-01: within the year of the VLEK and the validity of all VCEKs.
const THEN: u64 = 1_756_684_800;

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
    let bytes = forged.evidence(&support::CHALLENGE).encode().unwrap();
    let verifier = forged.verifier(forged.policy()).unwrap();
    let recorded = ready(verifier.appraise_recorded(&bytes, at(THEN))).unwrap();
    assert_eq!(recorded.challenge(), support::CHALLENGE);
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
    let evidence = platform.evidence(&support::CHALLENGE);
    let refused = verifier.appraise_report(&evidence, &[], at(THEN));
    assert_eq!(ready(refused).unwrap_err(), AppraisalError::BadSignature);
    // Without its authorities' certificates AMD's own keys count. Those did not sign its key.
    let bare = CertTable::new().with(CertificateKind::Vcek, platform.vek_certificate());
    let evidence = SnpEvidence::new(platform.signed_report(&support::CHALLENGE), bare);
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

#[derive(Clone)]
struct Sample {
    name: &'static str,
    product: Product,
    report: Vec<u8>,
    vek: Vec<u8>,
    authorities: CertTable,
    begins: u64,
    ends: u64,
}

impl Sample {
    fn new(
        name: &'static str,
        product: Product,
        report: Vec<u8>,
        vek: Vec<u8>,
        (begins, ends): (u64, u64),
    ) -> Self {
        Self {
            name,
            product,
            report,
            vek,
            authorities: CertTable::new(),
            begins,
            ends,
        }
    }

    fn is_vlek(&self) -> bool {
        self.name.contains("vlek")
    }

    fn challenge(&self) -> [u8; 64] {
        self.report[0x50..0x90].try_into().unwrap()
    }

    fn evidence(&self) -> SnpEvidence {
        let kind = if self.is_vlek() {
            CertificateKind::Vlek
        } else {
            CertificateKind::Vcek
        };
        let table = self.authorities.clone().with(kind, self.vek.clone());
        SnpEvidence::new(self.report.clone(), table)
    }

    /// A policy with exactly the values of this sample.
    fn policy(&self) -> SnpPolicy {
        let tcb = |offset: usize| Tcb {
            fmc: None,
            bootloader: self.report[offset],
            tee: self.report[offset + 1],
            snp: self.report[offset + 6],
            microcode: self.report[offset + 7],
        };
        let minimum = MinimumTcb {
            reported: tcb(0x180),
            committed: Some(tcb(0x1e0)),
            launch: Some(tcb(0x1f0)),
        };
        let image = SnpImage::new(self.name, self.report[0x90..0xc0].try_into().unwrap());
        let mut policy = SnpPolicy::new(vec![image], BTreeMap::from([(self.product, minimum)]));
        policy.min_report_version = 2;
        policy.max_vmpl = self.report[0x30].into();
        policy.allow_vlek = self.is_vlek();
        // The samples have no genuine list. Tests with forged lists cover those checks.
        policy.allow_missing_crl = true;
        policy
    }

    fn verifier(&self) -> SnpVerifier {
        amds_verifier(self.policy(), CollateralFromPeer::new())
    }

    fn appraise(&self, time: u64) -> Result<RecordedAppraisal, AppraisalError> {
        let evidence = self.evidence();
        let verifier = self.verifier();
        ready(verifier.appraise_report(&evidence, &[], at(time)))
    }
}

/// All samples; none if the folder is absent.
fn samples() -> Vec<Sample> {
    let Some(folder) = vectors() else {
        return Vec::new();
    };
    let read = |file: PathBuf| fs::read(file).unwrap();
    [
        (
            "genoa-v3-azure-vcek",
            Product::Genoa,
            (1_737_685_308, 1_958_523_708),
        ),
        (
            "genoa-v5-vcek",
            Product::Genoa,
            (1_754_587_301, 1_975_512_101),
        ),
        (
            "milan-v2-vcek",
            Product::Milan,
            (1_680_549_823, 1_901_474_623),
        ),
        (
            "milan-v2-vcek-trustee",
            Product::Milan,
            (1_674_583_106, 1_895_507_906),
        ),
        (
            "milan-v3-vcek",
            Product::Milan,
            (1_736_976_114, 1_957_814_514),
        ),
        (
            "milan-v3-vlek-aws",
            Product::Milan,
            (1_733_868_861, 1_765_404_861),
        ),
    ]
    .into_iter()
    .map(|(name, product, validity)| {
        let report = read(folder.join(format!("snp/{name}.report")));
        let vek = read(folder.join(format!("snp/{name}.vek.der")));
        Sample::new(name, product, report, vek, validity)
    })
    .collect()
}
