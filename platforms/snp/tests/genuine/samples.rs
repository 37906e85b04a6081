//! Genuine Evidence, and the time of its collateral.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use atls_core::AppraisalError;
use atls_core::RecordedAppraisal;
use atls_snp::CertTable;
use atls_snp::CertificateKind;
use atls_snp::CollateralFromPeer;
use atls_snp::MinimumTcb;
use atls_snp::Product;
use atls_snp::SnpEvidence;
use atls_snp::SnpImage;
use atls_snp::SnpPolicy;
use atls_snp::SnpVerifier;
use atls_snp::Tcb;
use test_support::at;
use test_support::ready;
use test_support::vectors;

use crate::support::amds_verifier;

/// 2025-09-01: within the year of the VLEK and the validity of all VCEKs.
pub(crate) const THEN: u64 = 1_756_684_800;

#[derive(Clone)]
pub(crate) struct Sample {
    pub(crate) name: &'static str,
    pub(crate) product: Product,
    pub(crate) report: Vec<u8>,
    pub(crate) vek: Vec<u8>,
    pub(crate) authorities: CertTable,
    pub(crate) begins: u64,
    pub(crate) ends: u64,
}

impl Sample {
    pub(crate) fn new(
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

    pub(crate) fn is_vlek(&self) -> bool {
        self.name.contains("vlek")
    }

    pub(crate) fn challenge(&self) -> [u8; 64] {
        self.report[0x50..0x90].try_into().unwrap()
    }

    pub(crate) fn evidence(&self) -> SnpEvidence {
        let kind = if self.is_vlek() {
            CertificateKind::Vlek
        } else {
            CertificateKind::Vcek
        };
        let table = self.authorities.clone().with(kind, self.vek.clone());
        SnpEvidence::new(self.report.clone(), table)
    }

    /// A policy with exactly the values of this sample.
    pub(crate) fn policy(&self) -> SnpPolicy {
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

    pub(crate) fn verifier(&self) -> SnpVerifier {
        amds_verifier(self.policy(), CollateralFromPeer::new())
    }

    pub(crate) fn appraise(&self, time: u64) -> Result<RecordedAppraisal, AppraisalError> {
        let evidence = self.evidence();
        let verifier = self.verifier();
        ready(verifier.appraise_report(&evidence, &[], at(time)))
    }
}

/// All samples; none if the folder is absent.
pub(crate) fn samples() -> Vec<Sample> {
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
