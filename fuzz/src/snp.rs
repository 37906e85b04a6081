//! A forged SEV-SNP platform of this process, and the real verifier under its root.

use std::sync::Arc;
use std::sync::OnceLock;

use atls_core::AppraisalError;
use atls_reference::Live;
use atls_snp::CertTable;
use atls_snp::CollateralFromPeer;
use atls_snp::Product;
use atls_snp::SnpEvidence;
use atls_snp::SnpVerifier;
use atls_snp::testing::ForgedSnp;
use test_support::at;
use test_support::ready;

const CHALLENGE: [u8; 64] = [0x5a; 64];

struct Setting {
    report: Vec<u8>,
    certificates: CertTable,
    verifier: SnpVerifier,
}

/// A report that the forged chip signed.
pub fn report() -> Vec<u8> {
    setting().report.clone()
}

/// Appraises; the certificates that are missing are the forged platform's.
pub fn appraised(report: &[u8], table: CertTable) -> Result<(), AppraisalError> {
    let setting = setting();
    let table = table.or(&setting.certificates);
    let evidence = SnpEvidence::new(report.to_vec(), table);
    let now = at(1_750_000_000);
    let verifier = &setting.verifier;
    ready(verifier.appraise_report(&evidence, &[], now)).map(drop)
}

/// Appraises what must not be accepted.
pub fn refused(report: &[u8], table: CertTable) {
    assert!(appraised(report, table).is_err() || report == setting().report);
}

fn setting() -> &'static Setting {
    static SETTING: OnceLock<Setting> = OnceLock::new();
    SETTING.get_or_init(|| {
        let platform = ForgedSnp::new(Product::Milan).unwrap();
        let mut policy = platform.policy();
        policy.allow_missing_crl = true;
        let policy = Arc::new(Live::fixed(policy).unwrap());
        let root = platform.root().unwrap();
        Setting {
            report: platform.signed_report(&CHALLENGE),
            certificates: platform.certificates(),
            verifier: SnpVerifier::dangerous_with_root(
                root,
                policy,
                Arc::new(CollateralFromPeer::new()),
            ),
        }
    })
}
