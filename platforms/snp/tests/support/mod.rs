//! Helpers of several tests.
#![allow(
    dead_code,
    unreachable_pub,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "each test binary uses some of it, and a test fails by panicking"
)]

use std::sync::Arc;

use atls_core::AppraisalError;
use atls_core::RecordedAppraisal;
use atls_reference::Live;
use atls_snp::CertTable;
use atls_snp::Product;
use atls_snp::SnpCollateral;
use atls_snp::SnpEvidence;
use atls_snp::SnpPolicy;
use atls_snp::SnpVerifier;
use atls_snp::testing::ForgedSnp;
use test_support::at;
use test_support::ready;

/// The report data of every forged report here.
pub const CHALLENGE: [u8; 64] = [0x5a; 64];

/// A time at which everything forged is valid: mid-2025.
pub const NOW: u64 = 1_750_000_000;

pub fn milan() -> ForgedSnp {
    ForgedSnp::new(Product::Milan).unwrap()
}

/// Evidence without certificates.
pub fn bare(platform: &ForgedSnp) -> SnpEvidence {
    SnpEvidence::new(platform.signed_report(&CHALLENGE), CertTable::new())
}

/// A verifier that trusts AMD.
pub fn amds_verifier(policy: SnpPolicy, collateral: impl SnpCollateral + 'static) -> SnpVerifier {
    SnpVerifier::new(live(policy), Arc::new(collateral))
}

/// A verifier that trusts the platform's root.
pub fn verifier_with(
    platform: &ForgedSnp,
    policy: SnpPolicy,
    collateral: impl SnpCollateral + 'static,
) -> SnpVerifier {
    let root = platform.root().unwrap();
    SnpVerifier::dangerous_with_root(root, live(policy), Arc::new(collateral))
}

fn live(policy: SnpPolicy) -> Arc<Live<SnpPolicy>> {
    Arc::new(Live::fixed(policy).unwrap())
}

/// The result about a forged platform as it is now, by its own policy and with its own list.
pub fn appraise(platform: &ForgedSnp) -> Result<RecordedAppraisal, AppraisalError> {
    appraise_by(platform, platform.policy())
}

pub fn appraise_by(
    platform: &ForgedSnp,
    policy: SnpPolicy,
) -> Result<RecordedAppraisal, AppraisalError> {
    let verifier = platform.verifier(policy).unwrap();
    let evidence = platform.evidence(&CHALLENGE);
    ready(verifier.appraise_report(&evidence, &[], at(NOW)))
}

/// The result about this Evidence, under the platform's root, with another source of collateral.
pub fn appraise_with(
    platform: &ForgedSnp,
    evidence: &SnpEvidence,
    collateral: impl SnpCollateral + 'static,
    policy: SnpPolicy,
) -> Result<RecordedAppraisal, AppraisalError> {
    appraise_at(platform, evidence, collateral, policy, NOW)
}

pub fn appraise_at(
    platform: &ForgedSnp,
    evidence: &SnpEvidence,
    collateral: impl SnpCollateral + 'static,
    policy: SnpPolicy,
    now: u64,
) -> Result<RecordedAppraisal, AppraisalError> {
    let verifier = verifier_with(platform, policy, collateral);
    ready(verifier.appraise_report(evidence, &[], at(now)))
}
